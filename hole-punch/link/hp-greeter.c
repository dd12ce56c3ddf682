/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/link/hp-greeter.h"

#include <string.h>

#define FIRST_INTERVAL (250 * G_TIME_SPAN_MILLISECOND)
#define LEAST_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)
#define LAST_INTERVAL (4 * G_TIME_SPAN_SECOND)
#define NEVER G_MAXINT64

void
hp_greeter_init (HpGreeter *self, const HpRoute *route,
                 const guint8 *remote_public, const HpRandom *random,
                 gint64 now)
{
  memset (self, 0, sizeof *self);
  self->route = *route;
  self->has_remote_public = remote_public != NULL;
  if (remote_public != NULL)
    memcpy (self->remote_public, remote_public, HP_KEY_SIZE);
  hp_greeter_start (self, random, now);
}

void
hp_greeter_start (HpGreeter *self, const HpRandom *random, gint64 at)
{
  hp_random_fill (random, self->transaction, HP_TRANSACTION_SIZE);
  self->next_at = at;
  self->interval = FIRST_INTERVAL;
  self->sent_at = 0;
}

void
hp_greeter_hurry (HpGreeter *self, gint64 interval)
{
  self->interval = MIN (self->interval, MAX (interval, LEAST_INTERVAL));
}

void
hp_greeter_stop (HpGreeter *self)
{
  self->next_at = NEVER;
}

/* The proof covers what stands before it: written once to learn where that
 * is, and once more with it */
static void
prove (const HpGreeter *self, HpHello *hello, guint8 *bytes, gsize length)
{
  HpHello written;
  HpWriter writer;

  if (!hp_packet_parse_hello (&written, bytes, length))
    return;
  hp_hello_create_proof (self->remote_public, bytes, written.mac_length,
                         hello->proof);
  hp_writer_init (&writer, bytes, length);
  hp_packet_write_hello (hello, &writer);
}

gboolean
hp_greeter_pull (HpGreeter *self, HpOutgoing *outgoing, gint64 now)
{
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  HpWriter writer;

  if (now < self->next_at)
    return FALSE;

  memcpy (hello.transaction, self->transaction, HP_TRANSACTION_SIZE);
  hp_writer_init (&writer, outgoing->bytes, outgoing->capacity);
  hp_packet_write_hello (&hello, &writer);
  if (!hp_writer_ok (&writer))
    return FALSE;
  if (self->has_remote_public)
    prove (self, &hello, outgoing->bytes, writer.offset);

  outgoing->route = self->route;
  outgoing->ttl = 0;
  outgoing->length = writer.offset;
  self->sent_at = now;
  self->next_at = now + self->interval;
  self->interval = MIN (2 * self->interval, LAST_INTERVAL);
  return TRUE;
}

gboolean
hp_greeter_receive (HpGreeter *self, const HpDatagram *datagram, gint64 now,
                    HpCookiePacket *cookie, gint64 *round_trip)
{
  if (self->next_at == NEVER || self->sent_at == 0
      || datagram->route.socket != self->route.socket
      || !hp_address_equal (&datagram->route.remote, &self->route.remote))
    return FALSE;
  if (!hp_packet_parse_cookie (cookie, datagram->bytes, datagram->length)
      || cookie->version != HP_PROTOCOL_VERSION
      || memcmp (cookie->transaction, self->transaction, HP_TRANSACTION_SIZE)
             != 0)
    return FALSE;

  *round_trip = now - self->sent_at;
  hp_greeter_stop (self);
  return TRUE;
}
