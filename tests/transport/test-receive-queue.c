/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-receive-queue.h"

#include "hole-punch/transport/hp-transport.h"

#define BASE (HP_STREAM_OPEN_COST + 1)
#define ORDERED(sequence) HP_STREAM_NUMBER (sequence, HP_STREAM_ORDERED)
#define UNORDERED(sequence) HP_STREAM_NUMBER (sequence, HP_STREAM_UNORDERED)

typedef struct
{
  HpReceiveQueue queue;
  GArray *messages; /* HpReceivedMessage */
  guint8 *zeros;
} Fixture;

static void
on_deliver (gpointer user_data, const HpReceivedMessage *message)
{
  Fixture *self = user_data;

  g_array_append_vals (self->messages, message, 1);
}

static void
start (Fixture *self, guint64 window, guint64 max_message_size)
{
  hp_receive_queue_init (&self->queue, window, max_message_size, on_deliver,
                         self);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->messages = g_array_new (FALSE, FALSE, sizeof (HpReceivedMessage));
  self->zeros = g_malloc0 (1 << 20);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < self->messages->len; i++)
    g_bytes_unref (
        g_array_index (self->messages, HpReceivedMessage, i).bytes);
  g_array_unref (self->messages);
  g_free (self->zeros);
  hp_receive_queue_clear (&self->queue);
}

static gboolean
receive (Fixture *self, guint64 stream, guint64 offset, gsize length,
         guint64 total)
{
  HpChunkFrame chunk = {
    .stream = stream,
    .offset = offset,
    .fin = offset + length == total,
    .total = offset == 0 ? total : 0,
    .bytes = { self->zeros, length },
  };

  return hp_receive_queue_chunk (&self->queue, &chunk);
}

/* Takes and consumes what was delivered; the numbers */
static char *
consume (Fixture *self)
{
  GString *numbers = g_string_new (NULL);

  for (guint i = 0; i < self->messages->len; i++)
    {
      HpReceivedMessage *message
          = &g_array_index (self->messages, HpReceivedMessage, i);

      g_string_append_printf (numbers, "%" G_GUINT64_FORMAT " ",
                              message->number);
      hp_receive_queue_consume (&self->queue, message);
      g_bytes_unref (message->bytes);
    }
  g_array_set_size (self->messages, 0);
  return g_string_free (numbers, FALSE);
}

static void
assert_delivered (Fixture *self, const char *expected)
{
  g_autofree char *numbers = consume (self);

  g_assert_cmpstr (numbers, ==, expected);
}

/* The stream to be told a grant (or a STOP), or G_MAXUINT64 */
static guint64
take_news (Fixture *self)
{
  HpReceiveStream *stream = hp_receive_queue_next_news (&self->queue);

  if (stream == NULL)
    return G_MAXUINT64;
  hp_receive_queue_news_sent (&self->queue, stream);
  return stream->number;
}

static void
assert_empty (Fixture *self)
{
  g_assert_cmpuint (g_hash_table_size (self->queue.streams), ==, 0);
  g_assert_cmpuint (self->queue.memory, ==, 0);
  g_assert_cmpuint (self->queue.credit.consumed, ==,
                    self->queue.credit.charged);
  g_assert_cmpuint (self->queue.pool.used, ==, 0);
}

static void
test_order (Fixture *self, gconstpointer data)
{
  start (self, 0, 1 << 20);
  g_assert_true (receive (self, ORDERED (2), 0, 10, 10));
  g_assert_true (receive (self, ORDERED (0), 5, 5, 10));
  g_assert_true (receive (self, UNORDERED (7), 0, 0, 0));
  assert_delivered (self, "57 ");
  g_assert_true (receive (self, ORDERED (0), 0, 5, 10));
  assert_delivered (self, "0 ");
  g_assert_true (receive (self, ORDERED (1), 0, 0, 0));
  assert_delivered (self, "8 16 ");
  /* Once more, in part or whole: nothing */
  g_assert_true (receive (self, ORDERED (0), 5, 5, 10));
  g_assert_true (receive (self, UNORDERED (7), 0, 0, 0));
  assert_delivered (self, "");
  /* Unordered ones 0 to 6 are still to come. */
  for (guint i = 7; i-- > 0;)
    g_assert_true (receive (self, UNORDERED (i), 0, 1, 1));
  assert_delivered (self, "49 41 33 25 17 9 1 ");
  assert_empty (self);
}

/* In one piece: the same is charged and told as for one in two, and nothing is
 * kept of it. */
static void
test_whole (Fixture *self, gconstpointer data)
{
  const gsize lengths[] = { 0, 1, 1000, HP_STREAM_INITIAL_CREDIT };

  start (self, 0, 1 << 20);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      guint64 before = self->queue.credit.charged;
      const HpReceivedMessage *message;

      self->zeros[0] = 'a' + i;
      g_assert_true (receive (self, UNORDERED (i), 0, lengths[i], lengths[i]));
      g_assert_cmpuint (self->queue.credit.charged - before, ==,
                        BASE + lengths[i]);
      g_assert_cmpuint (self->queue.memory, ==, lengths[i]);
      g_assert_cmpuint (g_hash_table_size (self->queue.streams), ==, 0);
      g_assert_cmpuint (self->messages->len, ==, 1);
      message = &g_array_index (self->messages, HpReceivedMessage, 0);
      g_assert_cmpmem (g_bytes_get_data (message->bytes, NULL),
                       g_bytes_get_size (message->bytes), self->zeros,
                       lengths[i]);
      g_free (consume (self));
      assert_empty (self);
      /* Once more, whole, in part, by a RESET */
      g_assert_true (receive (self, UNORDERED (i), 0, lengths[i], lengths[i]));
      g_assert_true (receive (self, UNORDERED (i), 0, 0, lengths[i]));
      g_assert_true (hp_receive_queue_reset (&self->queue, UNORDERED (i), 0));
      assert_delivered (self, "");
    }
}

/* One by which others, that came before their turn, get theirs; and one that
 * began to come in pieces */
static void
test_whole_among_pieces (Fixture *self, gconstpointer data)
{
  start (self, 0, 1 << 20);
  g_assert_true (receive (self, ORDERED (1), 0, 10, 10));
  g_assert_true (receive (self, ORDERED (3), 0, 10, 10));
  g_assert_true (receive (self, ORDERED (2), 5, 5, 10));
  assert_delivered (self, "");
  g_assert_true (receive (self, ORDERED (0), 0, 10, 10));
  assert_delivered (self, "0 8 ");
  g_assert_true (receive (self, ORDERED (2), 0, 10, 10));
  assert_delivered (self, "16 24 ");
  assert_empty (self);
  /* The next large one is granted its rest by what went before it. */
  g_assert_true (receive (self, ORDERED (5), 0, HP_STREAM_INITIAL_CREDIT,
                          100000));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_true (receive (self, ORDERED (4), 0, 1, 1));
  g_assert_cmpuint (take_news (self), ==, ORDERED (5));
}

/* Nothing is let in beyond the credit or the size that was asked for. */
static void
test_whole_limits (Fixture *self, gconstpointer data)
{
  gsize left;

  start (self, 100000, 50000);
  g_assert_true (receive (self, UNORDERED (0), 0, 50001, 50001));
  g_assert_cmpuint (self->messages->len, ==, 0);
  g_assert_cmpuint (take_news (self), ==, UNORDERED (0)); /* STOP */
  g_assert_true (receive (self, UNORDERED (1), 0, 40000, 40000));
  assert_delivered (self, "9 ");
  /* No more was told of, so that credit is what it was. */
  left = 100000 - self->queue.credit.charged - 2 * BASE;
  g_assert_true (receive (self, UNORDERED (2), 0, left - 1, left - 1));
  g_assert_false (receive (self, UNORDERED (3), 0, 2, 2));
}

static void
test_reset_fills_gap (Fixture *self, gconstpointer data)
{
  start (self, 0, 1 << 20);
  g_assert_true (receive (self, ORDERED (0), 0, 5, 10));
  g_assert_true (receive (self, ORDERED (2), 0, 5, 5));
  g_assert_true (receive (self, ORDERED (4), 0, 5, 5));
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (1), 0));
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (3), 777));
  assert_delivered (self, "");
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (0), 6));
  assert_delivered (self, "16 32 ");
  g_assert_cmpuint (self->queue.credit.charged, ==, 5 * BASE + 6 + 777 + 10);
  assert_empty (self);
  /* What comes after its RESET, and the RESET again, means nothing. */
  g_assert_true (receive (self, ORDERED (1), 0, 10, 10));
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (1), 10));
  assert_delivered (self, "");
}

static void
test_reset_too_late (Fixture *self, gconstpointer data)
{
  start (self, 0, 1 << 20);
  g_assert_true (receive (self, ORDERED (1), 0, 5, 5));
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (1), 5));
  g_assert_false (hp_receive_queue_reset (&self->queue, ORDERED (1), 4));
  g_assert_true (receive (self, ORDERED (0), 0, 5, 5));
  assert_delivered (self, "0 8 ");
  assert_empty (self);
}

static void
test_violations (Fixture *self, gconstpointer data)
{
  start (self, 1 << 20, 1 << 20);
  /* No message's number */
  g_assert_false (receive (self, 3, 0, 1, 1));
  g_assert_false (receive (self, 4, 0, 1, 1));
  g_assert_false (hp_receive_queue_reset (&self->queue, 7, 0));
  g_assert_false (hp_receive_queue_reset (&self->queue, 5, 0));
  /* More streams than the credit pays for */
  g_assert_false (receive (self, UNORDERED ((1 << 20) / BASE), 0, 1, 1));
  g_assert_false (receive (self, HP_VARINT_MAX & ~(guint64) 7, 0, 1, 1));
  g_assert_false (hp_receive_queue_reset (&self->queue,
                                          HP_VARINT_MAX & ~(guint64) 7, 0));
  /* Beyond the stream's credit */
  g_assert_false (receive (self, UNORDERED (0), 65536, 1, 1 << 20));
  g_assert_false (hp_receive_queue_reset (&self->queue, UNORDERED (1),
                                          65537));
  /* Final sizes below what came, or above the total */
  g_assert_true (receive (self, UNORDERED (2), 0, 100, 200));
  g_assert_false (hp_receive_queue_reset (&self->queue, UNORDERED (2), 99));
  g_assert_false (hp_receive_queue_reset (&self->queue, UNORDERED (2), 201));
  g_assert_true (hp_receive_queue_reset (&self->queue, UNORDERED (2), 150));
}

static void
test_connection_credit (Fixture *self, gconstpointer data)
{
  start (self, 100000, 1 << 20);
  g_assert_true (receive (self, UNORDERED (0), 0, 1, 60000));
  /* Charged in full, as its sender has set the credit aside */
  g_assert_cmpuint (self->queue.credit.charged, ==, BASE + 60000);
  g_assert_true (receive (self, UNORDERED (1), 10000, 1, 60000));
  g_assert_cmpuint (self->queue.credit.charged, ==, 2 * BASE + 70001);
  g_assert_false (receive (self, UNORDERED (1), 0, 1, 60000));
}

static void
test_max_data (Fixture *self, gconstpointer data)
{
  HpReceiveCredit *credit = &self->queue.credit;

  start (self, 400000, 1 << 20);
  g_assert_true (receive (self, UNORDERED (0), 0, 60000, 60000));
  g_assert_true (receive (self, UNORDERED (1), 0, 40000, 40000));
  g_assert_false (hp_receive_credit_is_due (credit));
  assert_delivered (self, "1 9 ");
  g_assert_true (hp_receive_credit_is_due (credit));
  g_assert_cmpuint (hp_receive_credit_tell (credit), ==,
                    400000 + 100000 + 2 * BASE);
  g_assert_false (hp_receive_credit_is_due (credit));
  /* Lost: told again, unless a later one was told */
  hp_receive_credit_lost (credit, 400000 + 100000 + 2 * BASE);
  g_assert_true (hp_receive_credit_is_due (credit));
  hp_receive_credit_tell (credit);
  hp_receive_credit_lost (credit, 450000);
  g_assert_false (hp_receive_credit_is_due (credit));
}

/* The smallest window: every byte is told, or the next might wait for ever. */
static void
test_smallest_window (Fixture *self, gconstpointer data)
{
  start (self, 1, 1 << 20);
  g_assert_cmpuint (self->queue.credit.window, ==, BASE + 65536);
  g_assert_true (receive (self, UNORDERED (0), 0, 0, 0));
  assert_delivered (self, "1 ");
  g_assert_true (hp_receive_credit_is_due (&self->queue.credit));
}

static void
test_grants (Fixture *self, gconstpointer data)
{
  start (self, 0, 200000);
  g_assert_true (receive (self, UNORDERED (0), 0, 10, 200000));
  g_assert_true (receive (self, UNORDERED (1), 0, 10, 150000));
  g_assert_true (receive (self, UNORDERED (2), 0, 10, 65537));
  g_assert_cmpuint (take_news (self), ==, UNORDERED (0));
  /* The oldest first, though the youngest would fit */
  g_assert_cmpuint (self->queue.pool.used, ==, 200000 - 65536);
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_cmpuint (self->queue.memory, ==, 200000 + 2 * 65536);
  hp_receive_queue_news_lost (&self->queue, UNORDERED (0));
  g_assert_cmpuint (take_news (self), ==, UNORDERED (0));

  g_assert_true (receive (self, UNORDERED (0), 10, 199990, 200000));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  /* The pool is free again when the message has been consumed. */
  assert_delivered (self, "1 ");
  g_assert_cmpuint (take_news (self), ==, UNORDERED (1));
  g_assert_cmpuint (take_news (self), ==, UNORDERED (2));
  hp_receive_queue_news_lost (&self->queue, UNORDERED (0));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_true (hp_receive_queue_reset (&self->queue, UNORDERED (1),
                                         140000));
  g_assert_true (hp_receive_queue_reset (&self->queue, UNORDERED (2), 10));
  assert_empty (self);
}

/* The pool must not be held by one that waits for an earlier one that needs
 * it. */
static void
test_ordered_grants (Fixture *self, gconstpointer data)
{
  start (self, 0, 200000);
  g_assert_true (receive (self, ORDERED (2), 0, 10, 200000));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_true (receive (self, UNORDERED (0), 0, 10, 100000));
  g_assert_cmpuint (take_news (self), ==, UNORDERED (0));
  g_assert_true (receive (self, ORDERED (0), 0, 10, 150000));
  g_assert_true (receive (self, UNORDERED (0), 10, 99990, 100000));
  assert_delivered (self, "1 ");
  g_assert_cmpuint (take_news (self), ==, ORDERED (0));
  g_assert_true (receive (self, ORDERED (0), 10, 149990, 150000));
  assert_delivered (self, "0 ");
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  /* A small one in between, at first of unknown size */
  g_assert_true (receive (self, ORDERED (1), 10, 10, 65536));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_true (receive (self, ORDERED (1), 0, 10, 65536));
  g_assert_cmpuint (take_news (self), ==, ORDERED (2));
}

/* As many as the pool has room for, at once */
static void
test_ordered_grants_together (Fixture *self, gconstpointer data)
{
  start (self, 0, 200000);
  g_assert_true (receive (self, ORDERED (2), 0, 10, 150000));
  g_assert_true (receive (self, ORDERED (1), 0, 10, 100000));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_true (receive (self, ORDERED (0), 0, 10, 90000));
  g_assert_cmpuint (take_news (self), ==, ORDERED (0));
  g_assert_cmpuint (take_news (self), ==, ORDERED (1));
  g_assert_cmpuint (take_news (self), ==, ORDERED (2));
}

static void
test_ordered_grant_after_reset (Fixture *self, gconstpointer data)
{
  start (self, 0, 200000);
  g_assert_true (receive (self, ORDERED (0), 0, 10, 200000));
  g_assert_cmpuint (take_news (self), ==, ORDERED (0));
  g_assert_true (receive (self, ORDERED (1), 0, 10, 200000));
  g_assert_true (receive (self, ORDERED (2), 0, 10, 200000));
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (1), 60000));
  g_assert_cmpuint (take_news (self), ==, G_MAXUINT64);
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (0), 90000));
  g_assert_cmpuint (take_news (self), ==, ORDERED (2));
}

static void
test_refused (Fixture *self, gconstpointer data)
{
  start (self, 0, 1000);
  g_assert_true (receive (self, ORDERED (0), 0, 900, 1001));
  g_assert_cmpuint (self->queue.memory, ==, 0);
  g_assert_cmpuint (take_news (self), ==, ORDERED (0));
  g_assert_true (receive (self, ORDERED (0), 900, 101, 1001));
  g_assert_cmpuint (self->queue.memory, ==, 0);
  /* It keeps nobody waiting, but its credit until it is reset. */
  g_assert_true (receive (self, ORDERED (1), 0, 1000, 1000));
  assert_delivered (self, "8 ");
  hp_receive_queue_news_lost (&self->queue, ORDERED (0));
  g_assert_cmpuint (take_news (self), ==, ORDERED (0));
  g_assert_true (hp_receive_queue_reset (&self->queue, ORDERED (0), 1001));
  assert_empty (self);
}

/* Whatever is opened, finished or left out, memory stays bounded. */
static void
test_holes (Fixture *self, gconstpointer data)
{
  guint64 sequence;

  start (self, 100000, 1000);
  for (sequence = 1; receive (self, UNORDERED (sequence), 0, 1, 1);
       sequence += 2)
    {
      g_free (consume (self));
      hp_receive_credit_tell (&self->queue.credit);
    }
  g_assert_cmpuint (self->queue.kinds[HP_STREAM_UNORDERED].finished.n_ranges,
                    <=, 100000 / BASE);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/receive-queue/" name, Fixture, NULL, set_up,        \
              function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("order", test_order);
  ADD ("whole", test_whole);
  ADD ("whole-among-pieces", test_whole_among_pieces);
  ADD ("whole-limits", test_whole_limits);
  ADD ("reset-fills-gap", test_reset_fills_gap);
  ADD ("reset-too-late", test_reset_too_late);
  ADD ("violations", test_violations);
  ADD ("connection-credit", test_connection_credit);
  ADD ("max-data", test_max_data);
  ADD ("smallest-window", test_smallest_window);
  ADD ("grants", test_grants);
  ADD ("ordered-grants", test_ordered_grants);
  ADD ("ordered-grants-together", test_ordered_grants_together);
  ADD ("ordered-grant-after-reset", test_ordered_grant_after_reset);
  ADD ("refused", test_refused);
  ADD ("holes", test_holes);
  return g_test_run ();
}
