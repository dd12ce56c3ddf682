/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-outbox.h"

#include <string.h>

static HpRoute
make_route (guint number)
{
  return (HpRoute){ .socket = number };
}

/* Number @number: so many bytes of it */
static gboolean
add (HpOutbox *outbox, guint number, gsize length)
{
  HpRoute route = make_route (number);
  HpOutboxItem *item = hp_outbox_add (outbox, &route);

  if (item == NULL)
    return FALSE;
  g_assert_cmpuint (length, <=, sizeof item->bytes);
  /* All of the room is there to be written to, and some is given back. */
  memset (item->bytes, 0xee, sizeof item->bytes);
  memset (item->bytes, number, length);
  item->length = length;
  return TRUE;
}

static void
assert_next (HpOutbox *outbox, guint number, gsize length)
{
  guint8 bytes[HP_OUTBOX_DATAGRAM_SIZE];
  guint8 expected[HP_OUTBOX_DATAGRAM_SIZE];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };

  memset (expected, number, length);
  g_assert_true (hp_outbox_pull (outbox, &outgoing));
  g_assert_cmpuint (outgoing.route.socket, ==, number);
  g_assert_cmpmem (outgoing.bytes, outgoing.length, expected, length);
}

static void
assert_empty (HpOutbox *outbox)
{
  guint8 bytes[HP_OUTBOX_DATAGRAM_SIZE];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };

  g_assert_false (hp_outbox_pull (outbox, &outgoing));
}

/* First come, first served, whatever their sizes */
static void
test_order (void)
{
  GRand *chance = g_rand_new_with_seed (g_test_rand_int ());
  guint added = 0, pulled = 0;
  gsize lengths[5000];
  HpOutbox outbox;

  hp_outbox_init (&outbox, 300);
  assert_empty (&outbox);
  while (pulled < G_N_ELEMENTS (lengths))
    {
      if (added < G_N_ELEMENTS (lengths)
          && g_rand_int_range (chance, 0, 40) > 0)
        {
          lengths[added] = g_rand_int_range (chance, 0, 4) > 0
                               ? g_rand_int_range (chance, 0, 60)
                               : HP_OUTBOX_DATAGRAM_SIZE;
          /* Full, it forgets nothing. */
          if (add (&outbox, added, lengths[added]))
            added++;
          else
            g_assert_cmpuint (added - pulled, ==, 300);
          continue;
        }
      for (guint n = g_rand_int_range (chance, 0, 80);
           n > 0 && pulled < added; n--, pulled++)
        assert_next (&outbox, pulled, lengths[pulled]);
      if (pulled == added)
        assert_empty (&outbox);
    }
  assert_empty (&outbox);
  hp_outbox_clear (&outbox);
  g_rand_free (chance);
}

static void
test_bound (void)
{
  HpOutbox outbox;

  hp_outbox_init (&outbox, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (add (&outbox, i, 10));
  g_assert_false (add (&outbox, 3, 10));
  assert_next (&outbox, 0, 10);
  g_assert_true (add (&outbox, 4, 10));
  g_assert_false (add (&outbox, 5, 10));
  hp_outbox_clear (&outbox);
}

/* What is small takes little room, and that is used again. */
static void
test_room (void)
{
  const guint8 *first = NULL;
  HpRoute route = make_route (1);
  HpOutbox outbox;

  hp_outbox_init (&outbox, 4096);
  for (guint round = 0; round < 3; round++)
    {
      guint i;

      for (i = 0; i < 100; i++)
        {
          HpOutboxItem *item = hp_outbox_add (&outbox, &route);

          item->length = 40;
          if (first == NULL)
            first = item->bytes;
          g_assert_cmpuint (ABS ((const guint8 *) item->bytes - first), <,
                            16 * 1024);
        }
      while (i-- > 0)
        g_assert_true (hp_outbox_pull (
            &outbox, &(HpOutgoing){ .bytes = (guint8[40]){ 0 },
                                    .capacity = 40 }));
    }
  hp_outbox_clear (&outbox);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outbox/order", test_order);
  g_test_add_func ("/outbox/bound", test_bound);
  g_test_add_func ("/outbox/room", test_room);
  return g_test_run ();
}
