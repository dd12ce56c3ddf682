/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* NATs of every kind, made up, are sampled as a peer does it, and the verdict
 * must be what they are; also when answers are lost, other hosts use the NAT
 * as well, and ports are taken.
 */

#include "hole-punch/nat/hp-nat-samples.h"

#include <string.h>

#define MILLISECOND G_TIME_SPAN_MILLISECOND
#define SEEDS 300

typedef struct
{
  HpWireMapping mapping; /* NONE, or a way of mapping */
  HpWireAllocation allocation;
  int step;
  guint foreign; /* mappings of others in a second */
  guint16 first_port, last_port;
} Nat;

/* A NAT at work, and what asks through it */
typedef struct
{
  Nat nat;
  GRand *rand;
  guint16 next_port;
  gint64 now;
  gint64 counted_at;
  GHashTable *mappings; /* "socket-destination" to port */
  GHashTable *taken;
  guint loss;           /* in 100 */
  HpNatSamples samples;
} World;

static void
world_init (World *self, const Nat *nat, guint32 seed)
{
  memset (self, 0, sizeof *self);
  self->nat = *nat;
  self->rand = g_rand_new_with_seed (seed);
  self->next_port = nat->first_port;
  self->now = self->counted_at = G_USEC_PER_SEC;
  self->mappings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          NULL);
  self->taken = g_hash_table_new (NULL, NULL);
}

static void
world_clear (World *self)
{
  g_rand_free (self->rand);
  g_hash_table_unref (self->mappings);
  g_hash_table_unref (self->taken);
}

static void
count (World *self)
{
  self->next_port += self->nat.step;
  if (self->next_port < 1024)
    self->next_port = self->nat.step > 0 ? 1024 : 65535;
}

/* Others' mappings, at random moments, as a busy household makes them */
static void
pass_time (World *self)
{
  for (; self->counted_at < self->now; self->counted_at += MILLISECOND)
    if (g_rand_double (self->rand) * 1000 < self->nat.foreign)
      count (self);
}

static guint16
allocate (World *self, guint16 local_port)
{
  guint16 port = 0;

  pass_time (self);
  switch (self->nat.allocation)
    {
    case HP_WIRE_ALLOCATION_PRESERVED:
      port = local_port;
      break;
    case HP_WIRE_ALLOCATION_SEQUENTIAL:
      port = self->next_port;
      count (self);
      break;
    case HP_WIRE_ALLOCATION_BLOCK:
    case HP_WIRE_ALLOCATION_RANDOM:
      do
        port = g_rand_int_range (self->rand, self->nat.first_port,
                                 self->nat.last_port + 1);
      while (!g_hash_table_add (self->taken, GUINT_TO_POINTER (port)));
      break;
    case HP_WIRE_ALLOCATION_UNKNOWN:
    default:
      g_assert_not_reached ();
    }
  return port;
}

static guint16
map (World *self, guint socket, guint16 local_port, const HpAddress *server)
{
  g_autofree char *key = NULL;
  gpointer port;

  if (self->nat.mapping == HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT)
    key = g_strdup_printf ("%u-%u-%u", socket, server->ip[3], server->port);
  else if (self->nat.mapping == HP_WIRE_MAPPING_ADDRESS_DEPENDENT)
    key = g_strdup_printf ("%u-%u", socket, server->ip[3]);
  else
    key = g_strdup_printf ("%u", socket);
  if (!g_hash_table_lookup_extended (self->mappings, key, NULL, &port))
    {
      port = GUINT_TO_POINTER (allocate (self, local_port));
      g_hash_table_insert (self->mappings, g_steal_pointer (&key), port);
    }
  return GPOINTER_TO_UINT (port);
}

static gboolean
is_lost (World *self)
{
  return (guint) g_rand_int_range (self->rand, 0, 100) < self->loss;
}

/* As a STUN client does: asks again, and knows which request was answered */
static void
ask (World *self, guint socket, guint8 host, guint16 port)
{
  HpNatSample sample = { .socket = socket, .mapped_at = self->now };

  sample.local = (HpAddress){ .family = HP_ADDRESS_IPV4,
                              .port = 41000 + socket * 7,
                              .ip = { 10, 0, 0, 2 } };
  sample.server = (HpAddress){ .family = HP_ADDRESS_IPV4,
                               .port = port,
                               .ip = { 192, 0, 2, host } };
  sample.mapped = sample.local;
  sample.is_new = socket != 0 || port != 4222;
  for (guint i = 0; i < 4; i++, self->now += 250 * MILLISECOND)
    {
      if (is_lost (self))
        continue;
      if (self->nat.mapping != HP_WIRE_MAPPING_NONE)
        {
          sample.mapped.ip[0] = 198;
          sample.mapped.port = map (self, socket, sample.local.port,
                                    &sample.server);
        }
      if (is_lost (self))
        continue;
      sample.is_new &= i == 0;
      hp_nat_samples_add (&self->samples, &sample);
      break;
    }
  self->now += 20 * MILLISECOND;
}

/* Two ports from one socket, then fresh ones */
static void
ask_all (World *self, guint n_fresh)
{
  ask (self, 0, 1, 4222);
  ask (self, 0, 1, 4223);
  for (guint i = 1; i <= n_fresh; i++)
    ask (self, i, 1, 4222);
}

static void
judge (World *self, HpNatFacts *facts)
{
  guint8 buffer[HP_NAT_FACTS_MAX_WIRE_SIZE];
  HpNatFacts again;
  HpWriter writer;
  HpReader reader;

  memset (facts, 0, sizeof *facts);
  hp_nat_samples_judge (&self->samples, facts, self->now);

  /* Whatever it is, it can be told. */
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_nat_facts_write (facts, &writer);
  g_assert_true (hp_writer_ok (&writer));
  hp_reader_init (&reader, buffer, writer.offset);
  hp_nat_facts_read (&again, &reader);
  g_assert_true (hp_reader_done (&reader));
}

static void
test_nothing (void)
{
  HpNatSamples samples = { 0 };
  HpNatFacts facts = { .filtering = HP_WIRE_FILTERING_ADDRESS_DEPENDENT,
                       .hairpin = HP_WIRE_HAIRPIN_YES,
                       .allocation = HP_WIRE_ALLOCATION_RANDOM };

  hp_nat_samples_judge (&samples, &facts, 0);
  g_assert_cmpuint (facts.mapping, ==, HP_WIRE_MAPPING_UNKNOWN);
  g_assert_cmpuint (facts.allocation, ==, HP_WIRE_ALLOCATION_UNKNOWN);
  /* Not to be judged by samples */
  g_assert_cmpuint (facts.filtering, ==,
                    HP_WIRE_FILTERING_ADDRESS_DEPENDENT);
  g_assert_cmpuint (facts.hairpin, ==, HP_WIRE_HAIRPIN_YES);
}

static const struct
{
  const char *name;
  Nat nat;
  HpWireMapping with_one_host; /* 0: as it is */
} kinds[] = {
  { "none", { HP_WIRE_MAPPING_NONE, HP_WIRE_ALLOCATION_PRESERVED, 0, 0, 0, 0 },
    0 },
  { "preserved",
    { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT, HP_WIRE_ALLOCATION_PRESERVED, 0, 0,
      0, 0 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT },
  { "remapped",
    { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT, HP_WIRE_ALLOCATION_RANDOM, 0, 0,
      1024, 65535 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT },
  { "remapped in sequence",
    { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT, HP_WIRE_ALLOCATION_SEQUENTIAL, 1, 0,
      30000, 0 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT },
  { "address-dependent",
    { HP_WIRE_MAPPING_ADDRESS_DEPENDENT, HP_WIRE_ALLOCATION_RANDOM, 0, 0, 1024,
      65535 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT },
  { "symmetric, in sequence",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
      HP_WIRE_ALLOCATION_SEQUENTIAL, 1, 0, 50000, 0 },
    0 },
  { "symmetric, down by two",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
      HP_WIRE_ALLOCATION_SEQUENTIAL, -2, 0, 20000, 0 },
    0 },
  { "symmetric, over the end",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
      HP_WIRE_ALLOCATION_SEQUENTIAL, 1, 0, 65532, 0 },
    0 },
  { "symmetric, block",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_ALLOCATION_BLOCK, 0,
      0, 5120, 5631 },
    0 },
  { "symmetric, random",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_ALLOCATION_RANDOM, 0,
      0, 1024, 65535 },
    0 },
};

static void
test_kinds (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint32 seed = 0; seed < SEEDS; seed++)
      {
        const Nat *nat = &kinds[i].nat;
        World world;
        HpNatFacts facts;

        g_test_message ("%s, seed %u", kinds[i].name, seed);
        world_init (&world, nat, seed);
        ask_all (&world, HP_NAT_BLOCK_SAMPLES);
        judge (&world, &facts);
        g_assert_cmpuint (facts.mapping, ==,
                          kinds[i].with_one_host != 0 ? kinds[i].with_one_host
                                                      : nat->mapping);
        g_assert_cmpuint (facts.allocation, ==, nat->allocation);
        g_assert_cmpint (facts.step, ==, nat->step);
        g_assert_cmpuint (facts.drift, ==, 0);
        g_assert_cmpuint (
            facts.port, ==,
            world.samples.samples[world.samples.n_samples - 1].mapped.port);
        g_assert_cmpuint (facts.age, ==, 20);
        g_assert_cmpuint (facts.first_port, <=, facts.port);
        g_assert_cmpuint (facts.last_port, >=, facts.port);

        /* A second host tells the rest. */
        ask (&world, 0, 9, 3478);
        judge (&world, &facts);
        g_assert_cmpuint (facts.mapping, ==, nat->mapping);
        world_clear (&world);
      }
}

/* Fewer samples, as of a first look, are enough for all but the bounds of a
 * block. */
static void
test_first_look (void)
{
  guint n_wrong = 0;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint32 seed = 0; seed < SEEDS; seed++)
      {
        World world;
        HpNatFacts facts;

        world_init (&world, &kinds[i].nat, seed);
        ask_all (&world, 5);
        judge (&world, &facts);
        /* Six ports of 512 that happen to rise: 2 in 720 */
        n_wrong += facts.allocation != kinds[i].nat.allocation;
        world_clear (&world);
      }
  g_test_message ("%u wrong", n_wrong);
  g_assert_cmpuint (n_wrong, <=, 6);
}

/* So few as the first look of all takes: ports at random are hardly ever taken
 * for those of a block, and neither for a sequence. */
static void
test_few (void)
{
  static const guint seeds = 20000;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const Nat *nat = &kinds[i].nat;
      guint n_wrong = 0;

      if (nat->allocation != HP_WIRE_ALLOCATION_RANDOM
          && nat->allocation != HP_WIRE_ALLOCATION_BLOCK)
        continue;
      for (guint32 seed = 0; seed < seeds; seed++)
        {
          World world;
          HpNatFacts facts;

          world_init (&world, nat, seed);
          ask_all (&world, 4);
          judge (&world, &facts);
          n_wrong += facts.allocation != nat->allocation;
          world_clear (&world);
        }
      g_test_message ("%s: %u wrong of %u", kinds[i].name, n_wrong, seeds);
      g_assert_cmpuint (n_wrong, <=, seeds / 5000);
    }
}

static void
test_loss (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      guint n_wrong = 0;

      for (guint32 seed = 0; seed < SEEDS; seed++)
        {
          World world;
          HpNatFacts facts;

          world_init (&world, &kinds[i].nat, seed);
          world.loss = 10;
          ask_all (&world, HP_NAT_BLOCK_SAMPLES);
          ask (&world, 0, 9, 3478);
          judge (&world, &facts);
          n_wrong += facts.mapping != kinds[i].nat.mapping
                     || facts.allocation != kinds[i].nat.allocation
                     || facts.step != kinds[i].nat.step;
          world_clear (&world);
        }
      g_test_message ("%s: %u wrong of %u", kinds[i].name, n_wrong, SEEDS);
      g_assert_cmpuint (n_wrong, <=, SEEDS / 50);
    }
}

/* A busy NAT: ports in sequence, with others' in between */
static void
test_busy (void)
{
  static const guint rates[] = { 5, 50, 200 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    for (int step = 1; step <= 2; step++)
      {
        gdouble drifts = 0;

        for (guint32 seed = 0; seed < SEEDS; seed++)
          {
            Nat nat = { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
                        HP_WIRE_ALLOCATION_SEQUENTIAL, step, rates[i],
                        1024 + seed * (65535 - 1024) / SEEDS, 0 };
            World world;
            HpNatFacts facts;

            world_init (&world, &nat, seed);
            ask_all (&world, 8);
            /* Another look, later, tells how busy it is. */
            world.now += G_USEC_PER_SEC;
            ask (&world, 20, 1, 4222);
            judge (&world, &facts);
            g_assert_cmpuint (facts.mapping, ==, nat.mapping);
            g_assert_cmpuint (facts.allocation, ==, nat.allocation);
            if (facts.step == step)
              drifts += (gdouble) facts.drift / SEEDS;
            world_clear (&world);
          }
        g_test_message ("%u a second, step %d: %.1f found", rates[i], step,
                        drifts);
        g_assert_cmpfloat (drifts, >, rates[i] * 0.85);
        g_assert_cmpfloat (drifts, <, rates[i] * 1.15);
      }
}

/* The block that is found holds the true one, nearly, and is not much larger */
static void
test_block_bounds (void)
{
  static const guint sizes[] = { 128, 512, 1000, 2048 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      guint n_covered = 0;
      gdouble ratio = 0;

      for (guint32 seed = 0; seed < SEEDS; seed++)
        {
          guint16 first = 1024 + sizes[i] * (seed % 30);
          Nat nat = { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
                      HP_WIRE_ALLOCATION_BLOCK, 0, 0, first,
                      first + sizes[i] - 1 };
          World world;
          HpNatFacts facts;
          guint covered;

          world_init (&world, &nat, seed);
          ask_all (&world, HP_NAT_BLOCK_SAMPLES);
          judge (&world, &facts);
          g_assert_cmpuint (facts.allocation, ==, HP_WIRE_ALLOCATION_BLOCK);
          covered = MIN (facts.last_port, nat.last_port)
                    - MAX (facts.first_port, nat.first_port) + 1;
          n_covered += covered * 100 >= sizes[i] * 85;
          ratio += (gdouble) (facts.last_port - facts.first_port + 1)
                   / sizes[i] / SEEDS;
          world_clear (&world);
        }
      g_test_message ("block of %u: %u of %u covered, %.2f times as large",
                      sizes[i], n_covered, SEEDS, ratio);
      g_assert_cmpuint (n_covered, >=, SEEDS * 93 / 100);
      g_assert_cmpfloat (ratio, <, 1.4);
    }
}

/* A port that another host holds is not preserved, once. */
static void
test_taken_port (void)
{
  Nat nat = { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT,
              HP_WIRE_ALLOCATION_PRESERVED, 0, 0, 0, 0 };
  World world;
  HpNatFacts facts;

  world_init (&world, &nat, 1);
  ask_all (&world, 5);
  world.samples.samples[3].mapped.port = 61234;
  judge (&world, &facts);
  g_assert_cmpuint (facts.allocation, ==, HP_WIRE_ALLOCATION_PRESERVED);
  world_clear (&world);
}

/* Answers from a network that was left before do not mix with those of the
 * present one. */
static void
test_other_host (void)
{
  Nat nat = { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
              HP_WIRE_ALLOCATION_SEQUENTIAL, 1, 0, 50000, 0 };
  World world;
  HpNatFacts facts;

  world_init (&world, &nat, 1);
  ask_all (&world, 8);
  for (guint i = 0; i < 3; i++)
    {
      world.samples.samples[i].mapped.ip[3] = 77;
      world.samples.samples[i].mapped.port = 3000 + 999 * i;
    }
  judge (&world, &facts);
  g_assert_cmpuint (facts.allocation, ==, HP_WIRE_ALLOCATION_SEQUENTIAL);
  g_assert_cmpuint (facts.first_port, >=, 50000);
  world_clear (&world);
}

/* The same question asked again, and more answers than are kept */
static void
test_replacing (void)
{
  Nat nat = { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT,
              HP_WIRE_ALLOCATION_RANDOM, 0, 0, 1024, 65535 };
  World world;

  world_init (&world, &nat, 1);
  ask_all (&world, 3);
  g_assert_cmpuint (world.samples.n_samples, ==, 5);
  ask (&world, 2, 1, 4222);
  g_assert_cmpuint (world.samples.n_samples, ==, 5);
  g_assert_cmpuint (world.samples.samples[4].socket, ==, 2);
  for (guint i = 10; i < 10 + HP_NAT_MAX_SAMPLES; i++)
    ask (&world, i, 1, 4222);
  g_assert_cmpuint (world.samples.n_samples, ==, HP_NAT_MAX_SAMPLES);
  g_assert_cmpuint (world.samples.samples[0].socket, ==, 10);
  hp_nat_samples_clear (&world.samples);
  g_assert_cmpuint (world.samples.n_samples, ==, 0);
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nat-samples/nothing", test_nothing);
  g_test_add_func ("/nat-samples/kinds", test_kinds);
  g_test_add_func ("/nat-samples/first-look", test_first_look);
  g_test_add_func ("/nat-samples/few", test_few);
  g_test_add_func ("/nat-samples/loss", test_loss);
  g_test_add_func ("/nat-samples/busy", test_busy);
  g_test_add_func ("/nat-samples/block-bounds", test_block_bounds);
  g_test_add_func ("/nat-samples/taken-port", test_taken_port);
  g_test_add_func ("/nat-samples/other-host", test_other_host);
  g_test_add_func ("/nat-samples/replacing", test_replacing);
  return g_test_run ();
}
