/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-reassembler.h"

#include <string.h>

static const char text[] = "the quick brown fox jumps over the lazy dog.";
#define TOTAL (sizeof text - 1)

static HpChunkFrame
chunk (guint64 offset, const char *bytes, gsize length, guint64 total)
{
  return (HpChunkFrame){
    .offset = offset,
    .fin = offset + length == total,
    .total = offset == 0 ? total : 0,
    .bytes = { (const guint8 *) bytes, length },
  };
}

static gboolean
add (HpReassembler *self, HpChunkFrame frame)
{
  if (!hp_reassembler_check (self, &frame))
    return FALSE;
  hp_reassembler_learn_total (self, &frame);
  return hp_reassembler_add (self, &frame);
}

static gboolean
add_text (HpReassembler *self, guint64 from, guint64 to)
{
  return add (self, chunk (from, text + from, to - from, TOTAL));
}

static void
assert_text (HpReassembler *self)
{
  g_autoptr (GBytes) message = NULL;
  gsize length;
  gconstpointer bytes;

  g_assert_true (hp_reassembler_is_complete (self));
  g_assert_cmpuint (self->allocated, ==, TOTAL);
  message = hp_reassembler_take (self);
  bytes = g_bytes_get_data (message, &length);
  g_assert_cmpmem (bytes, length, text, TOTAL);
  g_assert_cmpuint (self->allocated, ==, 0);
}

static void
test_orders (void)
{
  static const guint orders[][4]
      = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 2, 0, 3, 1 }, { 1, 3, 0, 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      HpReassembler self;

      hp_reassembler_init (&self, 65536);
      for (guint j = 0; j < 4; j++)
        {
          guint part = orders[i][j];

          g_assert_false (hp_reassembler_is_complete (&self));
          g_assert_true (add_text (&self, part * 11, part * 11 + 11));
        }
      assert_text (&self);
      hp_reassembler_clear (&self);
    }
}

static void
test_overlaps (void)
{
  HpReassembler self;

  hp_reassembler_init (&self, 65536);
  g_assert_true (add_text (&self, 5, 9));
  g_assert_true (add_text (&self, 12, 20));
  g_assert_true (add_text (&self, 5, 9));
  g_assert_true (add_text (&self, 0, 30));
  g_assert_cmpuint (self.n_received, ==, 30);
  g_assert_true (add_text (&self, 25, TOTAL));
  g_assert_true (add_text (&self, 0, TOTAL));
  assert_text (&self);
  hp_reassembler_clear (&self);
}

static void
test_empty (void)
{
  g_autoptr (GBytes) message = NULL;
  HpReassembler self;

  hp_reassembler_init (&self, 65536);
  g_assert_true (add (&self, chunk (0, NULL, 0, 0)));
  g_assert_true (hp_reassembler_is_complete (&self));
  message = hp_reassembler_take (&self);
  g_assert_cmpuint (g_bytes_get_size (message), ==, 0);
  hp_reassembler_clear (&self);
}

static void
test_conflicts (void)
{
  HpReassembler self;
  HpChunkFrame bad;

  hp_reassembler_init (&self, 65536);
  g_assert_true (add_text (&self, 4, 9));
  g_assert_true (add_text (&self, 14, 19));
  /* Bytes that differ, wholly inside, at either edge, and between */
  g_assert_false (add (&self, chunk (5, "xx", 2, TOTAL)));
  g_assert_false (add (&self, chunk (2, "e x", 3, TOTAL)));
  g_assert_false (add (&self, chunk (8, "x rown", 6, TOTAL)));
  g_assert_false (add (&self, chunk (8, "k brownx", 8, TOTAL)));
  /* A total below what came */
  g_assert_false (add (&self, chunk (0, text, 4, 18)));
  g_assert_false (add (&self, chunk (12, text + 12, 4, 16)));
  g_assert_true (add (&self, chunk (0, text, 4, TOTAL)));
  /* A total that changes, by either way of telling it; bytes behind it */
  g_assert_false (add (&self, chunk (0, text, 4, TOTAL + 1)));
  g_assert_false (add (&self, chunk (40, "xxxxx", 5, 45)));
  g_assert_false (add (&self, chunk (40, "xxxxx", 5, 50)));
  g_assert_false (add (&self, chunk (TOTAL, "x", 1, 50)));
  /* FIN within its own chunk's total */
  bad = chunk (0, text, 4, TOTAL);
  bad.fin = TRUE;
  g_assert_false (add (&self, bad));
  g_assert_true (add_text (&self, 0, TOTAL));
  assert_text (&self);
  hp_reassembler_clear (&self);
}

static void
test_fin_first (void)
{
  HpReassembler self;

  hp_reassembler_init (&self, 65536);
  g_assert_true (add_text (&self, 40, TOTAL));
  g_assert_cmpuint (self.total, ==, TOTAL);
  g_assert_cmpuint (self.allocated, ==, TOTAL);
  g_assert_false (add (&self, chunk (0, text, 4, TOTAL - 1)));
  g_assert_true (add_text (&self, 0, 40));
  assert_text (&self);
  hp_reassembler_clear (&self);
}

/* What is claimed allocates nothing. */
static void
test_limit (void)
{
  const guint64 total = 1 << 20;
  g_autofree char *bytes = g_malloc0 (total);
  HpReassembler self;

  hp_reassembler_init (&self, 65536);
  g_assert_true (add (&self, chunk (10, bytes, 1, total)));
  g_assert_cmpuint (self.allocated, <=, 256);
  g_assert_true (add (&self, chunk (0, bytes, 10, total)));
  g_assert_cmpuint (self.allocated, ==, 65536);
  g_assert_false (add (&self, chunk (65530, bytes, 7, total)));
  g_assert_false (add (&self, chunk (HP_VARINT_MAX - 1, bytes, 1, total)));
  g_assert_true (add (&self, chunk (65530, bytes, 6, total)));

  g_assert_true (hp_reassembler_raise_limit (&self));
  g_assert_cmpuint (self.allocated, ==, total);
  g_assert_true (add (&self, chunk (11, bytes, total - 11, total)));
  g_assert_true (hp_reassembler_is_complete (&self));
  hp_reassembler_clear (&self);
}

/* While the total is unknown a buffer takes at most twice what came. */
static void
test_unknown_total (void)
{
  g_autofree char *bytes = g_malloc0 (65536);
  HpReassembler self;

  hp_reassembler_init (&self, 65536);
  for (guint64 at = 1; at < 65000; at += 1000)
    {
      g_assert_true (add (&self, chunk (at, bytes, 1000, 1 << 20)));
      g_assert_cmpuint (self.allocated, >=, at + 1000);
      g_assert_cmpuint (self.allocated, <=, 2 * (at + 1000));
    }
  g_assert_cmpuint (self.allocated, <=, 65536);
  g_assert_true (add (&self, chunk (0, bytes, 1, 65001)));
  g_assert_cmpuint (self.allocated, ==, 65001);
  g_assert_true (hp_reassembler_is_complete (&self));
  hp_reassembler_clear (&self);
}

/* Single bytes with holes between them cost more than they bring. */
static void
test_crumbs (void)
{
  const guint64 total = 1 << 20;
  g_autofree char *bytes = g_malloc0 (total);
  HpReassembler self;
  guint64 at = total;

  hp_reassembler_init (&self, total);
  g_assert_true (add (&self, chunk (0, bytes, 1, total)));
  while (at > 2 && add (&self, chunk (at - 1, bytes, 1, total)))
    at -= 2;
  g_assert_cmpuint (at, >, 2);
  g_assert_cmpuint (self.received.n_ranges, <, 1000);
  hp_reassembler_clear (&self);
}

/* Every other packet lost, the worst that a path can do, is no reason. */
static void
test_holes (void)
{
  const guint64 total = 8 << 20;
  g_autofree char *bytes = g_malloc0 (total);
  HpReassembler self;

  hp_reassembler_init (&self, total);
  for (guint64 at = 400; at < total; at += 800)
    g_assert_true (add (&self, chunk (at, bytes, MIN (400, total - at),
                                      total)));
  for (guint64 at = 0; at < total; at += 800)
    g_assert_true (add (&self, chunk (at, bytes, MIN (400, total - at),
                                      total)));
  g_assert_true (hp_reassembler_is_complete (&self));
  hp_reassembler_clear (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/reassembler/orders", test_orders);
  g_test_add_func ("/transport/reassembler/overlaps", test_overlaps);
  g_test_add_func ("/transport/reassembler/empty", test_empty);
  g_test_add_func ("/transport/reassembler/conflicts", test_conflicts);
  g_test_add_func ("/transport/reassembler/fin-first", test_fin_first);
  g_test_add_func ("/transport/reassembler/limit", test_limit);
  g_test_add_func ("/transport/reassembler/unknown-total",
                   test_unknown_total);
  g_test_add_func ("/transport/reassembler/crumbs", test_crumbs);
  g_test_add_func ("/transport/reassembler/holes", test_holes);
  return g_test_run ();
}
