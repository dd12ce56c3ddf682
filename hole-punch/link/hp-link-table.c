/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which paths there are, and the sockets that they leave by: the main one,
 * further ones that punching wanted, carriers of relays. A further socket lives
 * as long as the puncher or a path uses it.
 */

#include "hole-punch/link/hp-link-private.h"

#include <string.h>

/* Sockets and relays */

gboolean
hp_link_is_relay (const HpLink *self, guint number)
{
  return hp_puncher_is_relay (self->puncher, number);
}

static gboolean
find_number (const GArray *numbers, guint number, guint *index)
{
  for (*index = 0; *index < numbers->len; (*index)++)
    if (g_array_index (numbers, guint, *index) == number)
      return TRUE;
  return FALSE;
}

static gboolean
is_used (const HpLink *self, guint number)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    if (((HpPath *) self->paths->pdata[i])->route.socket == number)
      return TRUE;
  return FALSE;
}

/* A path by it is worth having: not the puncher's to give back any more */
void
hp_link_keep_socket (HpLink *self, guint number)
{
  guint index;

  if (number == 0 || hp_link_is_relay (self, number)
      || find_number (self->kept, number, &index))
    return;
  g_array_append_val (self->kept, number);
  hp_puncher_keep_socket (self->puncher, number);
}

static void
release_socket (HpLink *self, guint number)
{
  guint index;

  if (is_used (self, number) || !find_number (self->kept, number, &index))
    return;
  g_array_remove_index (self->kept, index);
  g_array_append_val (self->surplus, number);
}

guint
hp_link_get_wanted_sockets (const HpLink *self)
{
  if (self->state == HP_LINK_CLOSED)
    return 0;
  return hp_puncher_get_wanted_sockets (self->puncher);
}

guint16
hp_link_get_wanted_port (const HpLink *self)
{
  return hp_puncher_get_wanted_port (self->puncher);
}

void
hp_link_add_sockets (HpLink *self, const guint *numbers, guint n, gint64 now)
{
  hp_puncher_add_sockets (self->puncher, numbers, n, now);
}

static void
remove_paths_by (HpLink *self, guint number)
{
  guint i;

  for (i = self->paths->len; i-- > 0;)
    {
      HpPath *path = self->paths->pdata[i];

      if (path->route.socket == number)
        hp_link_remove_path (self, path);
    }
}

gboolean
hp_link_next_surplus_socket (HpLink *self, guint *number)
{
  guint index;

  if (self->surplus->len > 0)
    {
      *number = g_array_index (self->surplus, guint, self->surplus->len - 1);
      g_array_set_size (self->surplus, self->surplus->len - 1);
      return TRUE;
    }
  while (hp_puncher_next_surplus (self->puncher, number))
    if (!find_number (self->kept, *number, &index))
      {
        remove_paths_by (self, *number);
        return TRUE;
      }
  return FALSE;
}

void
hp_link_add_relay (HpLink *self, guint number, gint64 now)
{
  g_assert (number != 0);

  if (self->state != HP_LINK_CLOSED)
    hp_puncher_add_relay (self->puncher, number, now);
}

void
hp_link_remove_relay (HpLink *self, guint number, gint64 now)
{
  if (!hp_link_is_relay (self, number))
    return;
  hp_puncher_remove_relay (self->puncher, number);
  remove_paths_by (self, number);
}

/* The table */

static gboolean
was_told_as (const HpWireCandidates *candidates, const HpAddress *address,
             HpCandidateKind kind)
{
  guint i;

  for (i = 0; i < candidates->n_candidates; i++)
    if (candidates->candidates[i].kind == kind
        && hp_address_equal (&candidates->candidates[i].address, address))
      return TRUE;
  return FALSE;
}

static gboolean
is_told_as (const HpLink *self, const HpAddress *address, HpCandidateKind kind)
{
  guint i;

  for (i = 0; i < self->n_introductions; i++)
    if (was_told_as (&self->introductions[i].candidates, address, kind))
      return TRUE;
  return was_told_as (&self->trickled, address, kind);
}

static HpPathRank
get_rank (const HpLink *self, const HpRoute *route)
{
  if (hp_link_is_relay (self, route->socket)
      || is_told_as (self, &route->remote, HP_CANDIDATE_RELAYED))
    return HP_PATH_RELAYED;
  if (hp_address_is_private (&route->remote))
    return HP_PATH_LAN;
  if (is_told_as (self, &route->remote, HP_CANDIDATE_MAPPED))
    return HP_PATH_MAPPED;
  return HP_PATH_DIRECT;
}

/* What an address is may be told after a packet has come from there */
void
hp_link_rank_paths (HpLink *self, gint64 now)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];
      HpPathRank rank = get_rank (self, &path->route);

      if (rank == path->rank)
        continue;
      path->rank = rank;
      if (path == self->path)
        hp_link_plan_direct (self, now);
      if (path == self->path && self->state == HP_LINK_READY)
        hp_link_emit (self, HP_LINK_EVENT_PATH);
    }
}

HpPath *
hp_link_find_path (HpLink *self, const HpRoute *route)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    if (hp_path_matches (self->paths->pdata[i], route))
      return self->paths->pdata[i];
  return NULL;
}

/* All ports of one host are one path to the transport: what it has measured
 * there still holds when a NAT gives a new port (RFC 9000, section 9.4) */
static guint
get_id (HpLink *self, const HpRoute *route)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      const HpPath *path = self->paths->pdata[i];

      if (path->route.socket == route->socket
          && hp_address_same_host (&path->route.remote, &route->remote))
        return path->id;
    }
  return ++self->next_path_id;
}

static void
evict (HpLink *self)
{
  guint victim = self->paths->len;
  guint i;

  for (i = self->paths->len; i-- > 0;)
    {
      const HpPath *path = self->paths->pdata[i];

      if (path != self->path
          && (victim == self->paths->len || !path->is_proven))
        victim = i;
    }
  hp_link_remove_path (self, self->paths->pdata[victim]);
}

HpPath *
hp_link_ensure_path (HpLink *self, const HpRoute *route)
{
  HpPath *path = hp_link_find_path (self, route);

  if (path != NULL)
    return path;
  if (self->paths->len >= HP_LINK_MAX_PATHS)
    evict (self);
  path = hp_path_new (route, get_rank (self, route), get_id (self, route));
  g_ptr_array_add (self->paths, path);
  return path;
}

void
hp_link_remove_path (HpLink *self, HpPath *path)
{
  guint number = path->route.socket;

  if (path == self->path)
    self->path = NULL;
  g_ptr_array_remove (self->paths, path);
  release_socket (self, number);
}
