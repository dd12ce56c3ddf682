/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

#include "hole-punch/nat/hp-candidate.h"

/* A round-trip time changes with every acknowledgement; nobody wants to be
 * told so often */
#define FIGURES_INTERVAL (250 * G_TIME_SPAN_MILLISECOND)

static HpPathKind
get_path_kind (const HpLink *link, const HpAddress *local,
               const HpAddress *remote)
{
  HpAddressScope scope = hp_address_get_scope (remote);

  switch (hp_link_get_path_rank (link))
    {
    case HP_PATH_LAN:
    case HP_PATH_DIRECT:
      break;
    case HP_PATH_MAPPED:
      return HP_PATH_KIND_MAPPED;
    case HP_PATH_RELAYED:
      return HP_PATH_KIND_RELAYED;
    }
  /* A carrier's address (RFC 6598) is behind the same carrier's NAT, which is
   * not yet the same network */
  if (scope == HP_SCOPE_LOOPBACK || scope == HP_SCOPE_LINK
      || scope == HP_SCOPE_PRIVATE
      || hp_candidates_same_network (local, remote))
    return HP_PATH_KIND_LAN;
  return HP_PATH_KIND_DIRECT;
}

/* A socket that is bound to any address does not know which one it sends from
 * before it is asked for a certain remote */
static void
complete_local (HpConnection *self, guint socket, HpAddress *local,
                const HpAddress *remote)
{
  HpEndpoint *endpoint = self->line->endpoint;
  HpAddress bound = *hp_endpoint_get_address (endpoint);
  HpAddress source;

  if (local->family == HP_ADDRESS_NONE
      && hp_endpoint_get_source (endpoint, remote, &source))
    *local = source;
  if (local->family == HP_ADDRESS_NONE || local->port != 0)
    return;
  if (socket != 0)
    hp_endpoint_get_socket_address (endpoint, socket, &bound);
  local->port = bound.port;
}

static void
set_address (HpConnection *self, HpAddress *address, GSocketAddress **object,
             const HpAddress *value, const char *property)
{
  if (hp_address_equal (address, value))
    return;
  *address = *value;
  g_clear_object (object);
  *object = hp_address_to_socket_address (value);
  g_object_notify (G_OBJECT (self), property);
}

void
hp_connection_set_path (HpConnection *self, HpPathKind path)
{
  if (self->path == path)
    return;
  self->path = path;
  g_object_notify (G_OBJECT (self), "path");
}

void
hp_connection_update_route (HpConnection *self)
{
  const HpRoute *route = hp_link_get_route (self->line->link);
  HpAddress local, remote;

  if (route == NULL)
    return;
  local = route->local;
  remote = route->remote;
  complete_local (self, route->socket, &local, &remote);

  g_object_freeze_notify (G_OBJECT (self));
  set_address (self, &self->local, &self->local_address, &local,
               "local-address");
  set_address (self, &self->remote, &self->remote_address, &remote,
               "remote-address");
  hp_connection_set_path (self,
                          get_path_kind (self->line->link, &local, &remote));
  g_object_thaw_notify (G_OBJECT (self));
}

gboolean
hp_connection_has_moved (HpConnection *self)
{
  const HpRoute *route = hp_link_get_route (self->line->link);
  HpAddress source;

  if (route == NULL || self->local.family == HP_ADDRESS_NONE
      || !hp_endpoint_get_source (self->line->endpoint, &route->remote,
                                  &source))
    return FALSE;
  return !hp_address_same_host (&source, &self->local);
}

void
hp_connection_update_interface (HpConnection *self, gint64 now)
{
  HpConnectionLine *line = self->line;
  const HpRoute *route = hp_link_get_route (line->link);

  if (route == NULL)
    return;
  hp_link_set_interface_size (
      line->link, hp_endpoint_get_interface_size (line->endpoint, route), now);
  hp_connection_wake (self);
}

void
hp_connection_update_datagram_size (HpConnection *self)
{
  guint datagram_size = hp_link_get_datagram_size (self->line->link);

  if (self->datagram_size == datagram_size)
    return;
  self->datagram_size = datagram_size;
  g_object_notify (G_OBJECT (self), "datagram-size");
}

void
hp_connection_update_figures (HpConnection *self, gint64 now)
{
  HpLink *link = self->line->link;
  gint64 round_trip_time;
  guint64 queued_bytes;

  if (now - self->figures_at < FIGURES_INTERVAL)
    return;
  self->figures_at = now;
  round_trip_time = hp_link_get_round_trip (link);
  queued_bytes = hp_sends_get_bytes (&self->sends);

  g_object_freeze_notify (G_OBJECT (self));
  if (self->round_trip_time != round_trip_time)
    g_object_notify (G_OBJECT (self), "round-trip-time");
  if (self->queued_bytes != queued_bytes)
    g_object_notify (G_OBJECT (self), "queued-bytes");
  self->round_trip_time = round_trip_time;
  self->queued_bytes = queued_bytes;
  g_object_thaw_notify (G_OBJECT (self));
}
