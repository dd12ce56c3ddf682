/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer whose frames are well-formed and mean nothing good: whatever it
 * says, the transport either goes on within its bounds or says that the
 * protocol is broken.
 */

#include "hole-punch/transport/hp-transport-private.h"

#define N_RUNS 3000
#define N_FRAMES 400
#define WINDOW 200000
#define LARGEST 150000
#define LARGE 2000 /* bytes of a datagram, about */

typedef struct
{
  GRand *random;
  HpTransport *transport;
  guint8 *bytes;
  guint64 number;
  guint64 sent; /* number of the transport's next packet */
  guint care;   /* one frame of so many is careless */
  gboolean careless;
  gint64 now;
} Hostile;

static guint64
below (Hostile *self, guint limit)
{
  return limit == 0 ? 0 : g_rand_int (self->random) % limit;
}

/* Often small, sometimes on an edge, seldom huge */
static guint64
some_number (Hostile *self)
{
  static const guint64 edges[]
      = { 0, 1, 65535, 65536, 65537, LARGEST, LARGEST + 1, HP_VARINT_MAX };

  switch (below (self, 8))
    {
    case 0:
      return edges[below (self, G_N_ELEMENTS (edges))];
    case 1:
      return below (self, LARGEST);
    default:
      return below (self, 40);
    }
}

/* A frame that keeps to the protocol is possible. */
static gboolean
may_send (Hostile *self, HpFrameType type)
{
  const HpReceiveCredit *credit = &self->transport->receiving.credit;
  const guint64 *n_opened = self->transport->sending.schedule.n_opened;

  if (type == HP_FRAME_CHUNK || type == HP_FRAME_RESET)
    return credit->told - credit->charged > 66000 + 100 * 257;
  if (type == HP_FRAME_STOP || type == HP_FRAME_MAX_STREAM_DATA)
    return n_opened[0] > 0 && n_opened[1] > 0 && n_opened[2] > 0;
  return TRUE;
}

/* Of a stream that makes sense, unless the frame is a careless one */
static guint64
some_stream (Hostile *self)
{
  if (self->careless)
    return some_number (self);
  return HP_STREAM_NUMBER (below (self, 5 + self->number / 8),
                           below (self, 3));
}

/* One of those that the transport has opened */
static guint64
some_stream_of_its (Hostile *self)
{
  guint kind = below (self, 3);
  guint64 n_opened = self->transport->sending.schedule.n_opened[kind];

  if (self->careless || n_opened == 0)
    return some_stream (self);
  return HP_STREAM_NUMBER (below (self, n_opened), kind);
}

static guint64
get_total (guint64 stream)
{
  static const guint64 totals[] = { 0, 5, 40, 40, 3000, 65536, LARGEST };

  return totals[stream * 2654435761u % 1000 % G_N_ELEMENTS (totals)];
}

static void
make_chunk (Hostile *self, HpChunkFrame *chunk)
{
  guint64 total;

  *chunk = (HpChunkFrame){ .stream = some_stream (self) };
  total = get_total (chunk->stream);
  chunk->bytes.data = self->bytes;
  chunk->bytes.length = below (self, 60000);
  chunk->offset = below (self, 3) ? 0 : below (self, 65536);
  if (self->careless)
    {
      chunk->offset = MIN (some_number (self), HP_VARINT_MAX - 70000);
      chunk->fin = below (self, 2);
      chunk->total = some_number (self);
      return;
    }
  chunk->offset = MIN (chunk->offset, total);
  chunk->bytes.length = MIN (chunk->bytes.length, total - chunk->offset);
  chunk->bytes.length = MIN (chunk->bytes.length, 65536 - chunk->offset);
  chunk->fin = chunk->offset + chunk->bytes.length == total;
  chunk->total = chunk->offset == 0 ? total : 0;
}

static void
make_ack (Hostile *self, HpAckFrame *ack)
{
  guint64 end = below (self, self->sent + 1) + 1;

  *ack = (HpAckFrame){ .largest = end - 1, .delay = some_number (self) };
  while (ack->n_ranges < 8 && end > 0)
    {
      guint64 start
          = end - MIN (end, 1 + below (self, 20));

      ack->ranges[ack->n_ranges++] = (HpRange){ start, end };
      end = start < 2 ? 0 : start - 1;
    }
  ack->has_marks = below (self, 2);
  ack->marks = (HpMarks){ below (self, 3) ? self->sent : some_number (self),
                          below (self, 9) ? 0 : some_number (self),
                          below (self, 3) ? 0 : some_number (self) };
}

static void
make_frame (Hostile *self, HpFrame *frame)
{
  static const HpFrameType types[]
      = { HP_FRAME_CHUNK, HP_FRAME_CHUNK,    HP_FRAME_CHUNK,
          HP_FRAME_CHUNK, HP_FRAME_CHUNK,    HP_FRAME_RESET,
          HP_FRAME_STOP,  HP_FRAME_ACK,      HP_FRAME_ACK,
          HP_FRAME_PING,  HP_FRAME_MAX_DATA, HP_FRAME_MAX_STREAM_DATA };

  self->careless = below (self, self->care) == 0;
  frame->type = types[below (self, G_N_ELEMENTS (types))];
  if (!self->careless && !may_send (self, frame->type))
    frame->type = HP_FRAME_PING;
  if (frame->type == HP_FRAME_CHUNK)
    make_chunk (self, &frame->chunk);
  else if (frame->type == HP_FRAME_ACK)
    make_ack (self, &frame->ack);
  else if (frame->type == HP_FRAME_RESET)
    {
      frame->reset.stream = some_stream (self);
      frame->reset.code = some_number (self);
      frame->reset.final_size
          = self->careless ? some_number (self)
                           : MIN (get_total (frame->reset.stream), 65536);
    }
  else if (frame->type == HP_FRAME_STOP)
    {
      frame->reset.stream = some_stream_of_its (self);
      frame->reset.code = some_number (self);
    }
  else
    {
      frame->max.stream = some_stream_of_its (self);
      frame->max.maximum = below (self, 3) ? self->number * 3000
                                           : some_number (self);
    }
}

/* Now and then it goes another way. */
static void
change_path (Hostile *self)
{
  hp_transport_set_path (self->transport, below (self, 2),
                         HP_DATAGRAM_SIZE_DEFAULT, self->now);
  if (below (self, 3) == 0)
    return;
  hp_transport_allow_marks (self->transport, TRUE);
  hp_transport_allow_size (self->transport, 512 + below (self, LARGE),
                           self->now);
}

static void
act (Hostile *self)
{
  guint8 buffer[512 + LARGE];
  HpTransportEvent event;
  HpWriter writer;

  if (below (self, 10) == 0)
    {
      gsize size = some_number (self) % LARGEST;
      g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

      hp_transport_send_message (self->transport,
                                 below (self, 3), bytes,
                                 0, self->now);
    }
  if (below (self, 50) == 0)
    change_path (self);
  self->now += below (self, 30000);
  if (hp_transport_get_deadline (self->transport, self->now) <= self->now)
    hp_transport_expire (self->transport, self->now);
  for (guint i = 0; i < 3; i++)
    {
      hp_writer_init (&writer, buffer, sizeof buffer);
      if (hp_transport_write_packet (self->transport, &writer, self->sent, 10,
                                     FALSE, self->now))
        self->sent++;
    }
  while (below (self, 4) > 0
         && hp_transport_next_event (self->transport, &event))
    g_clear_pointer (&event.message, g_bytes_unref);
}

static gboolean
hear (Hostile *self)
{
  HpFrame frame = { 0 };

  make_frame (self, &frame);
  if (!hp_transport_receive_frame (self->transport, &frame, self->number,
                                   self->now))
    return FALSE;
  hp_transport_packet_received (self->transport, self->number++,
                                hp_frame_is_ack_eliciting (frame.type),
                                HP_ECN_NOT_ECT, self->now);
  return TRUE;
}

static guint
run (Hostile *self)
{
  HpTransportConfig config
      = { .max_message_size = LARGEST, .receive_window = WINDOW,
          .max_receive_window = WINDOW };
  HpParameters theirs = HP_PARAMETERS_INIT;
  guint n = 0;

  self->care = 1 << below (self, 12);
  theirs.max_message_size = below (self, LARGEST);
  theirs.max_data = below (self, LARGEST);
  theirs.max_stream_data = below (self, 80000);
  theirs.max_ack_delay = below (self, HP_MAX_ACK_DELAY_LIMIT + 1);
  theirs.receive_buffer = some_number (self);
  self->now = 1000000;
  self->number = self->sent = 0;
  self->transport = hp_transport_new (&config, self->now);
  hp_transport_set_remote_parameters (self->transport, &theirs);
  for (; n < N_FRAMES && hear (self); n++)
    {
      act (self);
      g_assert_cmpuint (hp_transport_get_receive_memory (self->transport), <=,
                        2 * WINDOW + LARGEST);
    }
  hp_transport_free (self->transport);
  return n;
}

static void
test_hostile (void)
{
  Hostile self = { .random = g_rand_new_with_seed (1) };
  guint n_whole = 0;
  guint n_broken = 0;

  self.bytes = g_malloc0 (70000);
  for (guint i = 0; i < N_RUNS; i++)
    if (run (&self) == N_FRAMES)
      n_whole++;
    else
      n_broken++;
  g_test_message ("%u went on, %u broke the protocol", n_whole, n_broken);
  /* Both are there to be tested. */
  g_assert_cmpuint (n_whole, >, N_RUNS / 20);
  g_assert_cmpuint (n_broken, >, N_RUNS / 20);
  g_free (self.bytes);
  g_rand_free (self.random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/hostile", test_hostile);
  return g_test_run ();
}
