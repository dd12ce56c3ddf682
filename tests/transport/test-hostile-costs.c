/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a peer that means nothing good says costs little, and takes no number
 * over its edge.
 */

#include "hole-punch/transport/hp-transport-private.h"

#include <time.h>

#define OVERHEAD 32
#define N_GRANTS 40000
#define MAX_SECONDS 2

typedef struct
{
  HpTransport *transport;
  gint64 now;
  guint64 next_number; /* of the transport's packets */
  guint64 n_heard;
} Fixture;

static void
begin (Fixture *self, const HpParameters *theirs)
{
  HpTransportConfig config = { .max_message_size = 1000000 };

  self->now = G_TIME_SPAN_HOUR;
  self->transport = hp_transport_new (&config, self->now);
  hp_transport_set_remote_parameters (self->transport, theirs);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->transport, hp_transport_free);
}

static guint
pull (Fixture *self)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpWriter writer;
  guint n = 0;

  for (;; n++)
    {
      hp_writer_init (&writer, bytes, sizeof bytes - OVERHEAD);
      if (!hp_transport_write_packet (self->transport, &writer,
                                      self->next_number, OVERHEAD, FALSE,
                                      self->now))
        return n;
      self->next_number++;
    }
}

static void
hear (Fixture *self, const HpFrame *frame)
{
  g_assert_true (hp_transport_receive_frame (self->transport, frame,
                                             self->n_heard++, self->now));
}

static void
acknowledge (Fixture *self)
{
  HpFrame frame = { .type = HP_FRAME_ACK };

  self->now += G_TIME_SPAN_MILLISECOND;
  frame.ack.largest = self->next_number - 1;
  frame.ack.n_ranges = 1;
  frame.ack.ranges[0] = (HpRange){ 0, self->next_number };
  hear (self, &frame);
}

/* Of a socket buffer that no system has */
static void
test_receive_buffer (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (20000), 20000);
  HpParameters theirs = HP_PARAMETERS_INIT;

  theirs.receive_buffer = HP_VARINT_MAX;
  theirs.max_data = theirs.max_stream_data = theirs.max_message_size = 100000;
  begin (self, &theirs);
  hp_transport_send_message (self->transport, HP_STREAM_UNORDERED, bytes, 0,
                             self->now);
  g_assert_cmpuint (pull (self), >=, 2);
}

/* One byte of each message is let through at first; then all of them are
 * granted the rest, one by one. */
static void
test_grants (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("ab", 2);
  HpParameters theirs = HP_PARAMETERS_INIT;
  HpFrame frame = { .type = HP_FRAME_MAX_STREAM_DATA };
  clock_t since;

  theirs.max_data = theirs.max_message_size = HP_VARINT_MAX;
  theirs.max_stream_data = 1;
  begin (self, &theirs);
  for (guint i = 0; i < N_GRANTS; i++)
    hp_transport_send_message (self->transport, HP_STREAM_UNORDERED, bytes, 0,
                               self->now);
  while (pull (self) > 0
         || hp_transport_get_deadline (self->transport, self->now)
                < G_MAXINT64)
    acknowledge (self);

  since = clock ();
  frame.max.maximum = 2;
  for (guint i = 0; i < N_GRANTS; i++)
    {
      frame.max.stream = HP_STREAM_NUMBER (i, HP_STREAM_UNORDERED);
      hear (self, &frame);
    }
  g_assert_cmpint ((clock () - since) / CLOCKS_PER_SEC, <, MAX_SECONDS);
  while (hp_transport_get_queued_bytes (self->transport) > 0)
    {
      pull (self);
      acknowledge (self);
    }
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/hostile-costs/" name, Fixture, NULL, NULL,          \
              function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("receive-buffer", test_receive_buffer);
  ADD ("grants", test_grants);
  return g_test_run ();
}
