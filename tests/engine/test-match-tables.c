/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The tables that a match service is made of, against plain ones. */

#include "hole-punch/engine/hp-match-networks.h"
#include "hole-punch/engine/hp-match-slots.h"
#include "hole-punch/engine/hp-slot-table.h"

#include <string.h>

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = g_rand_int (user_data);
}

/* Slots with their keys */

#define N_KEYS 20000

/* How many hashes differ at all: few make long runs of cells */
typedef struct
{
  guint64 mask;
  guint32 *keys; /* by slot */
} Owner;

static guint64
hash_key (const Owner *owner, guint32 key)
{
  static const HpSipKey sip_key = { { 1, 2 } };

  return hp_siphash (&sip_key, &key, sizeof key) & owner->mask;
}

static guint64
hash_slot (gpointer owner, guint32 slot)
{
  return hash_key (owner, ((Owner *) owner)->keys[slot]);
}

static gboolean
has_key (gpointer owner, guint32 slot, gconstpointer key)
{
  return ((Owner *) owner)->keys[slot] == *(const guint32 *) key;
}

static guint32
find (HpSlotTable *table, guint32 key)
{
  return hp_slot_table_find (table, hash_key (table->owner, key), &key);
}

static void
test_slot_table (gconstpointer data)
{
  g_autofree guint32 *keys = g_new0 (guint32, N_KEYS + 1);
  g_autofree gboolean *is_there = g_new0 (gboolean, N_KEYS + 1);
  g_autoptr (GRand) chance = g_rand_new_with_seed (g_test_rand_int ());
  Owner owner = { *(const guint64 *) data, keys };
  HpSlotTable table;
  guint most = owner.mask == G_MAXUINT64 ? N_KEYS : 300;
  guint count = 0;

  hp_slot_table_init (&table, hash_slot, has_key, &owner);
  for (guint32 slot = 1; slot <= most; slot++)
    keys[slot] = 1000 + slot;
  /* Up, a while, and down */
  for (guint i = 0; i < 10 * most; i++)
    {
      guint32 slot = g_rand_int_range (chance, 1, most + 1);
      guint wanted = i < 4 * most ? 90 : i < 7 * most ? 50 : 10;

      g_assert_cmpuint (find (&table, keys[slot]), ==,
                        is_there[slot] ? slot : 0);
      if (is_there[slot]
          == ((guint) g_rand_int_range (chance, 0, 100) < wanted))
        continue;
      if (is_there[slot])
        hp_slot_table_remove (&table, slot);
      else
        hp_slot_table_insert (&table, slot);
      is_there[slot] = !is_there[slot];
      count += is_there[slot] ? 1 : -1;
      g_assert_cmpuint (table.count, ==, count);
    }
  for (guint32 slot = 1; slot <= most; slot++)
    {
      g_assert_cmpuint (find (&table, keys[slot]), ==,
                        is_there[slot] ? slot : 0);
      if (is_there[slot])
        hp_slot_table_remove (&table, slot);
    }
  g_assert_cmpuint (hp_slot_table_get_bytes (&table), ==, 0);
  hp_slot_table_clear (&table);
}

/* It is no larger than it was said to be. */
static void
test_slot_table_size (void)
{
  g_autofree guint32 *keys = g_new0 (guint32, N_KEYS + 1);
  Owner owner = { G_MAXUINT64, keys };
  HpSlotTable table;

  hp_slot_table_init (&table, hash_slot, has_key, &owner);
  for (guint32 slot = 1; slot <= N_KEYS; slot++)
    {
      keys[slot] = slot;
      hp_slot_table_insert (&table, slot);
      if (slot >= 8192)
        g_assert_cmpuint (hp_slot_table_get_bytes (&table), <=, 10 * slot);
    }
  hp_slot_table_clear (&table);
}

/* Networks */

static HpAddress
make_address (guint network, guint host)
{
  HpAddress address = { .family = HP_ADDRESS_IPV4,
                        .port = host,
                        .ip = { 10, network >> 8, network, host } };

  if (network % 3 == 0)
    address = (HpAddress){
      .family = HP_ADDRESS_IPV6,
      .ip = { 0x20, 1, 0xd, 0xb8, network >> 8, network, host, host },
    };
  return address;
}

static void
test_networks (void)
{
  g_autoptr (GRand) chance = g_rand_new_with_seed (g_test_rand_int ());
  HpRandom random = { fill_random, chance };
  guint counts[5000] = { 0 };
  HpMatchNetworks networks;
  guint used = 0;

  hp_match_networks_init (&networks, &random);
  for (guint i = 0; i < 200000; i++)
    {
      guint network = g_rand_int_range (chance, 0, G_N_ELEMENTS (counts));
      HpAddress address
          = make_address (network, g_rand_int_range (chance, 0, 256));
      gboolean removes = g_rand_int_range (chance, 0, 100)
                         < (i < 100000 ? 30 : 70);

      g_assert_cmpuint (hp_match_networks_get (&networks, &address), ==,
                        counts[network]);
      if (removes && counts[network] > 0)
        {
          hp_match_networks_remove (&networks, &address);
          counts[network]--;
        }
      else if (!removes)
        {
          hp_match_networks_add (&networks, &address);
          counts[network]++;
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    used += counts[i] > 0;
  g_assert_cmpuint (hp_match_networks_count (&networks), ==, used);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    for (HpAddress address = make_address (i, 7); counts[i] > 0; counts[i]--)
      hp_match_networks_remove (&networks, &address);
  g_assert_cmpuint (hp_match_networks_get_bytes (&networks), ==, 0);
  hp_match_networks_clear (&networks);
}

/* Slots and their indexes */

typedef struct
{
  HpMatchSlot slot;
  guint64 content;
} Content;

static Content *
take (HpMatchSlots *slots, const HpRandom *random)
{
  guint32 index = hp_match_slots_get_next (slots, random);
  Content *content;

  g_assert_cmpuint (index, !=, 0);
  g_assert_cmpuint (index & 0xff, ==, slots->worker);
  g_assert_null (hp_match_slots_find (slots, index));
  content = hp_match_slots_take (slots, index);
  g_assert_cmpuint (content->content, ==, 0);
  g_assert_true (hp_match_slots_find (slots, index) == content);
  return content;
}

static void
test_slots (gconstpointer data)
{
  const guint n = 3 * HP_MATCH_CHUNK_SLOTS;
  g_autoptr (GRand) chance = g_rand_new_with_seed (g_test_rand_int ());
  HpRandom random = { fill_random, chance };
  g_autofree Content **contents = g_new0 (Content *, n);
  HpMatchSlots slots;

  hp_match_slots_init (&slots, sizeof (Content), GPOINTER_TO_UINT (data));
  hp_match_slots_expect (&slots, n);
  for (guint i = 0; i < 4 * n; i++)
    {
      guint which = g_rand_int_range (chance, 0, n);

      if (contents[which] != NULL)
        {
          guint32 index = contents[which]->slot.index;

          g_assert_cmpuint (contents[which]->content, ==, which + 1);
          hp_match_slots_give_back (&slots, contents[which]);
          g_assert_null (hp_match_slots_find (&slots, index));
          contents[which] = NULL;
          continue;
        }
      contents[which] = take (&slots, &random);
      contents[which]->content = which + 1;
      g_assert_true (
          hp_match_slots_get (&slots, hp_match_slots_get_number (
                                          &slots, contents[which]))
          == contents[which]);
    }
  hp_match_slots_clear (&slots);
}

/* As many as can be told apart, though nobody expected them */
static void
test_slots_full (void)
{
  g_autoptr (GRand) chance = g_rand_new_with_seed (g_test_rand_int ());
  HpRandom random = { fill_random, chance };
  HpMatchSlots slots;
  guint64 count = 0;
  guint32 index;

  hp_match_slots_init (&slots, sizeof (HpMatchSlot), 0);
  hp_match_slots_expect (&slots, 100);
  for (guint i = 0; i < 2 * HP_MATCH_CHUNK_SLOTS; i++)
    hp_match_slots_take (&slots, hp_match_slots_get_next (&slots, &random));
  hp_match_slots_expect (&slots, HP_SLOT_MAX);
  count = slots.count;
  while ((index = hp_match_slots_get_next (&slots, &random)) != 0)
    {
      hp_match_slots_take (&slots, index);
      count++;
    }
  g_assert_cmpuint (slots.count, ==, count);
  g_assert_cmpuint (count, >, 300 * HP_MATCH_CHUNK_SLOTS);
  g_assert_cmpuint (count, <=, HP_SLOT_MAX);
  hp_match_slots_clear (&slots);
}

int
main (int argc, char *argv[])
{
  static const guint64 all = G_MAXUINT64;
  static const guint64 few = G_GUINT64_CONSTANT (0x0003000000000007);

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/match-tables/slot-table", &all, test_slot_table);
  g_test_add_data_func ("/match-tables/slot-table-crowded", &few,
                        test_slot_table);
  g_test_add_func ("/match-tables/slot-table-size", test_slot_table_size);
  g_test_add_func ("/match-tables/networks", test_networks);
  g_test_add_data_func ("/match-tables/slots", GUINT_TO_POINTER (0),
                        test_slots);
  g_test_add_data_func ("/match-tables/slots-of-last-worker",
                        GUINT_TO_POINTER (255), test_slots);
  g_test_add_func ("/match-tables/slots-full", test_slots_full);
  return g_test_run ();
}
