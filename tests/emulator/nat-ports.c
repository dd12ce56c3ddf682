/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "nat-ports.h"

#include <math.h>
#include <string.h>

/* After so many a search in order is quicker. */
#define RANDOM_TRIES 64

struct _NatPorts
{
  const NatRules *rules;
  GRand *random;
  gint next;           /* sequential, from the first one; < 0: none yet */
  gint64 next_foreign; /* when somebody else takes one */
  GHashTable *blocks;  /* the host's Endpoint, without a port → number */
};

static guint
hash_address (gconstpointer endpoint)
{
  const guint8 *address = ((const Endpoint *) endpoint)->address;
  guint32 words[4];

  memcpy (words, address, 16);
  return words[0] ^ words[1] ^ words[2] ^ words[3] * 0x9e3779b1u;
}

static gboolean
equal_addresses (gconstpointer a, gconstpointer b)
{
  return endpoint_has_address_of (a, b);
}

NatPorts *
nat_ports_new (const NatRules *rules, guint32 seed)
{
  NatPorts *self = g_new0 (NatPorts, 1);

  self->rules = rules;
  self->next = -1;
  self->random = g_rand_new_with_seed (seed);
  self->blocks = g_hash_table_new_full (hash_address, equal_addresses, g_free,
                                        NULL);
  return self;
}

void
nat_ports_free (NatPorts *self)
{
  g_rand_free (self->random);
  g_hash_table_unref (self->blocks);
  g_free (self);
}

/* Begins somewhere else, as after a reboot. */
void
nat_ports_clear (NatPorts *self)
{
  self->next = -1;
  g_hash_table_remove_all (self->blocks);
}

/* One of @n from @first on, at random. */
static guint16
choose_random (NatPorts *self, guint first, guint n, NatPortIsFree is_free,
               gpointer user)
{
  guint port, start;

  for (guint i = 0; i < RANDOM_TRIES; i++)
    {
      port = g_rand_int_range (self->random, first, first + n);
      if (is_free (user, port))
        return port;
    }
  start = g_rand_int_range (self->random, 0, n);
  for (guint i = 0; i < n; i++)
    {
      port = first + (start + i) % n;
      if (is_free (user, port))
        return port;
    }
  return 0;
}

static guint
get_n_ports (NatPorts *self)
{
  return self->rules->last_port - self->rules->first_port + 1;
}

static void
step (NatPorts *self)
{
  self->next = (self->next + self->rules->step) % get_n_ports (self);
}

/* What others have taken until @now: a Poisson process. */
static void
take_foreign (NatPorts *self, gint64 now)
{
  double rate = self->rules->foreign;

  if (rate <= 0)
    return;
  self->next_foreign = MAX (self->next_foreign,
                            now - 10 * G_GINT64_CONSTANT (1000000000));
  while (self->next_foreign <= now)
    {
      step (self);
      self->next_foreign
          += -log (1 - g_rand_double (self->random)) / rate * 1e9 + 1;
    }
}

static guint16
choose_sequential (NatPorts *self, gint64 now, NatPortIsFree is_free,
                   gpointer user)
{
  guint n = get_n_ports (self);

  if (self->next < 0)
    self->next = g_rand_int_range (self->random, 0, n);
  take_foreign (self, now);
  for (guint i = 0; i < n; i++)
    {
      guint port = self->rules->first_port + self->next % n;

      step (self);
      if (is_free (user, port))
        return port;
    }
  return 0;
}

static gboolean
is_block_taken (NatPorts *self, guint block)
{
  GHashTableIter iter;
  gpointer taken;

  g_hash_table_iter_init (&iter, self->blocks);
  while (g_hash_table_iter_next (&iter, NULL, &taken))
    if (GPOINTER_TO_UINT (taken) == block)
      return TRUE;
  return FALSE;
}

static gboolean
find_block (NatPorts *self, const Endpoint *inside, guint *block)
{
  guint n = get_n_ports (self) / self->rules->block;
  gpointer found;

  if (g_hash_table_lookup_extended (self->blocks, inside, NULL, &found))
    {
      *block = GPOINTER_TO_UINT (found);
      return TRUE;
    }
  if (g_hash_table_size (self->blocks) >= n)
    return FALSE;
  do
    *block = g_rand_int_range (self->random, 0, n);
  while (is_block_taken (self, *block));
  g_hash_table_insert (self->blocks, g_memdup2 (inside, sizeof *inside),
                       GUINT_TO_POINTER (*block));
  return TRUE;
}

/* One for which @is_free is TRUE; 0 if there is none. */
guint16
nat_ports_choose (NatPorts *self, PortChoice choice, const Endpoint *inside,
                  gint64 now, NatPortIsFree is_free, gpointer user)
{
  const NatRules *rules = self->rules;
  guint block;

  switch (choice)
    {
    case PORTS_PRESERVED:
      if (inside->port != 0 && is_free (user, inside->port))
        return inside->port;
      break;
    case PORTS_SEQUENTIAL:
      return choose_sequential (self, now, is_free, user);
    case PORTS_BLOCK:
      if (!find_block (self, inside, &block))
        return 0;
      return choose_random (self, rules->first_port + block * rules->block,
                            rules->block, is_free, user);
    case PORTS_RANDOM:
      break;
    }
  return choose_random (self, rules->first_port, get_n_ports (self), is_free,
                        user);
}
