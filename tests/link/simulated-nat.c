/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "simulated-nat.h"

#include "simulated-world.h"

SimNat *
sim_nat_new (SimNatKind kind, gboolean trap, const char *public_address)
{
  SimNat *self = g_new0 (SimNat, 1);

  self->kind = kind;
  self->trap = trap;
  if (public_address != NULL)
    g_assert_true (hp_address_parse (&self->public_address, public_address));
  self->flows = g_array_new (FALSE, FALSE, sizeof (SimFlow));
  self->taken = g_array_new (FALSE, FALSE, sizeof (SimFlow));
  self->ports = g_hash_table_new (NULL, NULL);
  self->next_port = 30000;
  self->step = 1;
  self->first_port = 10240;
  self->n_ports = 512;
  return self;
}

void
sim_nat_free (SimNat *self)
{
  g_array_unref (self->flows);
  g_array_unref (self->taken);
  g_hash_table_unref (self->ports);
  g_free (self);
}

gboolean
sim_nat_is_translating (const SimNat *self)
{
  return self->kind != SIM_OPEN && self->kind != SIM_FIREWALL;
}

static gboolean
is_taken (const SimNat *self, const HpAddress *remote, guint16 port)
{
  guint i;

  for (i = 0; i < self->taken->len; i++)
    {
      const SimFlow *flow = &g_array_index (self->taken, SimFlow, i);

      if (flow->port == port && hp_address_equal (&flow->remote, remote))
        return TRUE;
    }
  return FALSE;
}

gboolean
sim_nat_kind_is_symmetric (SimNatKind kind)
{
  return kind == SIM_SYMMETRIC || kind == SIM_SEQUENTIAL || kind == SIM_BLOCK;
}

static gboolean
is_same_mapping (const SimNat *self, const SimFlow *a, const SimFlow *b)
{
  return hp_address_equal (&a->inside, &b->inside)
         && (!sim_nat_kind_is_symmetric (self->kind)
             || hp_address_equal (&a->remote, &b->remote));
}

/* All that was sent from the same outside port */
static void
expire_mapping (SimNat *self, const SimFlow *first)
{
  SimFlow flow = *first;
  guint i;

  for (i = self->flows->len; i-- > 0;)
    if (is_same_mapping (self, &g_array_index (self->flows, SimFlow, i), &flow))
      g_array_remove_index (self->flows, i);
}

static void
expire_flows (SimNat *self, gint64 now)
{
  guint i = 0;

  if (self->idle_lifetime == 0 && self->absolute_lifetime == 0)
    return;
  while (i < self->flows->len)
    {
      const SimFlow *flow = &g_array_index (self->flows, SimFlow, i);

      if (self->absolute_lifetime > 0
          && now - flow->created_at >= self->absolute_lifetime)
        {
          expire_mapping (self, flow);
          i = 0;
        }
      else if (self->idle_lifetime > 0
               && now - flow->used_at >= self->idle_lifetime)
        g_array_remove_index (self->flows, i);
      else
        i++;
    }
}

static guint16
allocate_port (SimNat *self, SimWorld *world)
{
  gint64 foreign = (world->now - self->stepped_at) * self->foreign
                   / G_TIME_SPAN_SECOND;

  if (self->kind == SIM_BLOCK)
    return self->first_port + sim_world_next_random (world) % self->n_ports;
  if (self->kind != SIM_SEQUENTIAL)
    return 20000 + sim_world_next_random (world) % 40000;
  if (self->stepped_at != 0)
    self->next_port += foreign * self->step;
  self->stepped_at = world->now;
  return self->next_port += self->step;
}

static gboolean
is_port_used (const SimNat *self, guint16 port)
{
  guint i;

  for (i = 0; i < self->flows->len; i++)
    if (g_array_index (self->flows, SimFlow, i).port == port)
      return TRUE;
  return FALSE;
}

static const SimFlow *
find_inside_flow (const SimNat *self, const HpAddress *inside)
{
  guint i;

  for (i = 0; i < self->flows->len; i++)
    if (hp_address_equal (&g_array_index (self->flows, SimFlow, i).inside,
                          inside))
      return &g_array_index (self->flows, SimFlow, i);
  return NULL;
}

static guint16
choose_port (SimNat *self, SimWorld *world, const HpAddress *inside,
             const HpAddress *remote)
{
  gpointer changed = g_hash_table_lookup (self->ports,
                                          GUINT_TO_POINTER (inside->port));
  guint16 port = changed != NULL ? GPOINTER_TO_UINT (changed) : inside->port;
  const SimFlow *known = find_inside_flow (self, inside);
  gboolean is_new = sim_nat_kind_is_symmetric (self->kind);

  if (!is_new && known != NULL)
    port = known->port;
  else
    is_new = is_new || (self->remaps && sim_nat_is_translating (self));
  if (self->trap && is_taken (self, remote, port))
    is_new = TRUE;
  /* A full block: the oldest goes */
  if (is_new && self->kind == SIM_BLOCK && self->flows->len >= self->n_ports)
    g_array_remove_index (self->flows, 0);
  while (is_new)
    {
      port = allocate_port (self, world);
      is_new = is_port_used (self, port);
    }
  return port;
}

guint16
sim_nat_translate_out (SimNat *self, SimWorld *world, const HpAddress *inside,
               const HpAddress *remote)
{
  SimFlow flow = { .inside = *inside,
                   .remote = *remote,
                   .created_at = world->now,
                   .used_at = world->now };
  guint i;

  expire_flows (self, world->now);
  for (i = 0; i < self->flows->len; i++)
    {
      SimFlow *known = &g_array_index (self->flows, SimFlow, i);

      if (hp_address_equal (&known->inside, inside)
          && hp_address_equal (&known->remote, remote))
        {
          known->used_at = world->now;
          return known->port;
        }
    }
  flow.port = choose_port (self, world, inside, remote);
  g_array_append_val (self->flows, flow);
  self->n_entries++;
  return flow.port;
}

static gboolean
lets_in (const SimNat *self, const SimFlow *flow, const HpAddress *from)
{
  switch (self->kind)
    {
    case SIM_OPEN:
    case SIM_FULL_CONE:
      return TRUE;
    case SIM_ADDRESS_RESTRICTED:
      return hp_address_same_host (&flow->remote, from);
    case SIM_FIREWALL:
    case SIM_PORT_RESTRICTED:
    case SIM_SYMMETRIC:
    case SIM_SEQUENTIAL:
    case SIM_BLOCK:
      return hp_address_equal (&flow->remote, from);
    case SIM_N_KINDS:
      break;
    }
  g_assert_not_reached ();
}

gboolean
sim_nat_translate_in (SimNat *self, SimWorld *world, const HpAddress *from,
              const HpAddress *to, HpAddress *inside)
{
  SimFlow knock = { .remote = *from, .port = to->port };
  guint i;

  expire_flows (self, world->now);
  for (i = 0; i < self->flows->len; i++)
    {
      const SimFlow *flow = &g_array_index (self->flows, SimFlow, i);

      if (flow->port == to->port && lets_in (self, flow, from)
          && (sim_nat_is_translating (self)
              || hp_address_equal (&flow->inside, to)))
        {
          *inside = flow->inside;
          return TRUE;
        }
    }
  if (self->trap && !is_taken (self, from, to->port))
    g_array_append_val (self->taken, knock);
  return FALSE;
}

void
sim_nat_flush (SimNat *self, SimWorld *world, gboolean new_ports)
{
  guint i;

  if (new_ports && sim_nat_is_translating (self))
    for (i = 0; i < self->flows->len; i++)
      {
        guint port = g_array_index (self->flows, SimFlow, i).inside.port;

        g_hash_table_insert (
            self->ports, GUINT_TO_POINTER (port),
            GUINT_TO_POINTER (20000 + sim_world_next_random (world) % 40000));
      }
  g_array_set_size (self->flows, 0);
  g_array_set_size (self->taken, 0);
}
