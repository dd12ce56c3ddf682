/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "transport-peer.h"

#include <string.h>

static void receive (gpointer user_data, const HpAddress *from,
                     const HpAddress *to, guint8 *bytes, gsize length,
                     HpEcn ecn);

TransportPeer *
transport_peer_new (SimulatedNetwork *network, const HpAddress *address,
                    const HpTransportConfig *config)
{
  TransportPeer *self = g_new0 (TransportPeer, 1);

  self->network = network;
  self->address = *address;
  self->transport
      = hp_transport_new (config, simulated_network_get_now (network));
  self->datagram_size = HP_DATAGRAM_SIZE_DEFAULT;
  self->armed_at = G_MAXINT64;
  simulated_network_add_endpoint (network, address, receive, self);
  return self;
}

void
transport_peer_free (TransportPeer *self)
{
  hp_transport_free (self->transport);
  g_free (self);
}

static void
tell_parameters (TransportPeer *from, TransportPeer *to)
{
  HpParameters told = HP_PARAMETERS_INIT;
  HpParameters heard = HP_PARAMETERS_INIT;
  guint8 bytes[HP_MAX_PARAMETERS_SIZE];
  HpWriter writer;

  hp_transport_get_parameters (from->transport, &told);
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_parameters_write (&told, &writer);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_true (hp_parameters_parse (&heard, bytes, writer.offset));
  hp_transport_set_remote_parameters (to->transport, &heard);
  to->remote = from->address;
}

void
transport_peer_introduce (TransportPeer *a, TransportPeer *b)
{
  hp_transport_set_responder (b->transport);
  tell_parameters (a, b);
  tell_parameters (b, a);
  transport_peer_pump (a);
  transport_peer_pump (b);
}

/* FNV-1a, eight bytes a step */
static guint64
checksum (guint64 number, const guint8 *bytes, gsize length)
{
  guint64 sum = number ^ G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (gsize at = 0; at < length; at += sizeof (guint64))
    {
      guint64 word = 0;

      memcpy (&word, bytes + at, MIN (sizeof word, length - at));
      sum = (sum ^ word) * G_GUINT64_CONSTANT (0x100000001b3);
      sum ^= sum >> 32;
    }
  return sum;
}

static void
seal_and_send (TransportPeer *self, guint8 *datagram, gsize plain_length,
               HpEcn ecn)
{
  HpWriter writer;

  hp_writer_init (&writer, datagram, TRANSPORT_PEER_OVERHEAD);
  hp_writer_u64 (&writer, self->next_number);
  hp_writer_u64 (&writer,
                 checksum (self->next_number,
                           datagram + TRANSPORT_PEER_OVERHEAD, plain_length));
  self->next_number++;
  simulated_network_send (self->network, &self->address, &self->remote,
                          datagram, TRANSPORT_PEER_OVERHEAD + plain_length,
                          ecn);
}

/* Numbers that the transport never hears of: one is consumed without being
 * sent, another carries a frame of the link. */
static void
take_numbers (TransportPeer *self)
{
  guint8 datagram[64];
  HpWriter writer;
  HpFrame frame;

  if (!self->takes_numbers)
    return;
  if (simulated_network_chance (self->network, 0.05))
    self->next_number += 1 + simulated_network_random (self->network, 3);
  if (!simulated_network_chance (self->network, 0.02))
    return;
  frame.type = HP_FRAME_PING;
  if (simulated_network_chance (self->network, 0.5))
    {
      frame.type = HP_FRAME_PATH_CHALLENGE;
      memset (frame.token, 7, sizeof frame.token);
    }
  hp_writer_init (&writer, datagram + TRANSPORT_PEER_OVERHEAD,
                  sizeof datagram - TRANSPORT_PEER_OVERHEAD);
  hp_frame_write (&frame, &writer);
  g_assert_true (hp_writer_ok (&writer));
  seal_and_send (self, datagram, writer.offset, HP_ECN_NOT_ECT);
}

static gboolean
write_one (TransportPeer *self)
{
  guint8 datagram[HP_DATAGRAM_SIZE_MAX];
  gint64 now = simulated_network_get_now (self->network);
  gboolean ack_only = self->takes_numbers
                      && simulated_network_chance (self->network, 0.01);
  HpWriter writer;

  take_numbers (self);
  hp_writer_init (&writer, datagram + TRANSPORT_PEER_OVERHEAD,
                  self->datagram_size - TRANSPORT_PEER_OVERHEAD);
  if (!hp_transport_write_packet (self->transport, &writer, self->next_number,
                                  TRANSPORT_PEER_OVERHEAD, ack_only, now))
    return ack_only; /* once more, and this time all */
  g_assert_true (hp_writer_ok (&writer));
  g_assert_cmpuint (writer.offset, >, 0);
  seal_and_send (self, datagram, writer.offset,
                 hp_transport_is_marked (self->transport) ? HP_ECN_ECT_0
                                                          : HP_ECN_NOT_ECT);
  return TRUE;
}

static void
wake (gpointer user_data)
{
  TransportPeer *self = user_data;
  gint64 now = simulated_network_get_now (self->network);

  /* An earlier one was armed, and rang, since. */
  if (now < self->armed_at)
    return;
  self->armed_at = G_MAXINT64;
  transport_peer_pump (self);
}

static void
arm (TransportPeer *self)
{
  gint64 now = simulated_network_get_now (self->network);
  gint64 deadline = hp_transport_get_deadline (self->transport, now);

  /* All was written that may be: a deadline in the past would be a loop. */
  g_assert_cmpint (deadline, >, now);
  if (self->paused_until > now)
    deadline = MIN (deadline, self->paused_until);
  if (deadline >= self->armed_at)
    return;
  self->armed_at = deadline;
  simulated_network_call_at (self->network, deadline, wake, self);
}

static void
take_events (TransportPeer *self)
{
  HpTransportEvent event;

  if (self->paused_until > simulated_network_get_now (self->network))
    return;
  while (hp_transport_next_event (self->transport, &event))
    {
      if (self->on_event != NULL)
        self->on_event (self, &event);
      g_clear_pointer (&event.message, g_bytes_unref);
    }
}

void
transport_peer_pump (TransportPeer *self)
{
  gint64 now = simulated_network_get_now (self->network);

  /* What expires may bring forth another deadline in the past, but no chain
   * of them. */
  for (guint i = 0;
       hp_transport_get_deadline (self->transport, now) <= now; i++)
    {
      g_assert_cmpuint (i, <, 3);
      hp_transport_expire (self->transport, now);
    }
  take_events (self);
  while (write_one (self))
    ;
  arm (self);
}

static gboolean
is_replayed (TransportPeer *self, guint64 number)
{
  const guint64 window = TRANSPORT_PEER_REPLAY_WINDOW;

  if (number + window < self->highest)
    return TRUE;
  for (; self->highest <= number; self->highest++)
    self->seen[self->highest % window] = FALSE;
  if (self->seen[number % window])
    return TRUE;
  self->seen[number % window] = TRUE;
  return FALSE;
}

static void
receive (gpointer user_data, const HpAddress *from, const HpAddress *to,
         guint8 *bytes, gsize length, HpEcn ecn)
{
  TransportPeer *self = user_data;
  gint64 now = simulated_network_get_now (self->network);
  gboolean ack_eliciting = FALSE;
  HpReader reader;
  guint64 number;
  guint64 sum;

  hp_reader_init (&reader, bytes, length);
  number = hp_reader_u64 (&reader);
  sum = hp_reader_u64 (&reader);
  if (!hp_reader_ok (&reader)
      || sum
             != checksum (number, bytes + TRANSPORT_PEER_OVERHEAD,
                          length - TRANSPORT_PEER_OVERHEAD)
      || is_replayed (self, number))
    return;

  while (hp_reader_left (&reader) > 0)
    {
      HpFrame frame;

      g_assert_true (hp_frame_parse (&frame, &reader));
      if (self->on_frame != NULL)
        self->on_frame (self, &frame);
      g_assert_true (hp_transport_receive_frame (self->transport, &frame,
                                                 number, now));
      ack_eliciting |= hp_frame_is_ack_eliciting (frame.type);
    }
  hp_transport_packet_received (self->transport, number, ack_eliciting, ecn,
                                now);
  transport_peer_pump (self);
}

guint64
transport_peer_send (TransportPeer *self, HpStreamKind kind, GBytes *bytes,
                     gint64 lifetime)
{
  gint64 now = simulated_network_get_now (self->network);
  guint64 handle
      = hp_transport_send_message (self->transport, kind, bytes,
                                   lifetime > 0 ? now + lifetime : 0, now);

  return handle;
}

void
transport_peer_set_path (TransportPeer *self, guint path, gsize datagram_size)
{
  self->datagram_size = datagram_size;
  hp_transport_set_path (self->transport, path, datagram_size,
                         simulated_network_get_now (self->network));
}

void
transport_peer_assert_idle (TransportPeer *self)
{
  const HpTransport *transport = self->transport;
  const HpReceiveCredit *credit = &transport->receiving.credit;

  g_assert_cmpuint (hp_transport_get_queued_bytes (transport), ==, 0);
  g_assert_cmpuint (hp_transport_get_receive_memory (transport), ==, 0);
  g_assert_cmpint (hp_transport_get_waiting_since (transport), ==, 0);
  g_assert_cmpuint (transport->path.in_flight, ==, 0);
  g_assert_cmpuint (hp_sent_ring_get_length (&transport->loss.ring), ==, 0);
  g_assert_cmpuint (hp_send_queue_get_n_streams (&transport->sending), ==, 0);
  g_assert_cmpuint (transport->sending.schedule.ordered_cost, ==, 0);
  g_assert_cmpuint (transport->sending.schedule.large_cost, ==, 0);
  g_assert_cmpuint (g_hash_table_size (transport->receiving.streams), ==, 0);
  g_assert_cmpuint (credit->consumed, ==, credit->charged);
  g_assert_cmpuint (transport->receiving.pool.used, ==, 0);
  g_assert_cmpuint (g_hash_table_size (transport->streams.table), ==, 0);
  g_assert_cmpuint (transport->streams.streams.consumed, ==,
                    transport->streams.streams.charged);
  g_assert_cmpuint (transport->pool.used, ==, credit->window - credit->base);
}
