/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-port-mapping.h"

#include "hole-punch/engine/hp-upnp.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-gateway.h"
#include "hole-punch/io/hp-udp-source.h"
#include "hole-punch/nat/hp-port-mapper.h"

#define NEVER G_MAXINT64
/* Until UPnP is tried: a gateway that speaks PCP or NAT-PMP answers in a few
 * milliseconds. */
#define UPNP_DELAY (500 * G_TIME_SPAN_MILLISECOND)
/* A gateway's answers and announcements are few. */
#define MAX_RECEIVED 16

struct _HpPortMapping
{
  HpPortMappingConfig config;
  HpAddress gateway;
  HpAddress client;
  GSource *source;
  GSocket *socket;        /* NULL: there is no gateway */
  GSocket *announcements; /* NULL: they cannot be heard */
  HpPortMapper *mapper;   /* with @socket */
  gint64 upnp_at;         /* NEVER: it is tried, or not to be */
  HpUpnp *upnp;
  HpAddress upnp_external; /* NONE: no mapping by it */
  HpAddress told;          /* NONE: no mapping */
  gboolean is_closing;
  gint64 close_at; /* closed() is due by then */
  gboolean is_closed;
};

/* Sockets */

/* Connected, so that the system lets in only what comes from there, and tells
 * of the address that the gateway sees us by. */
static GSocket *
connect_to_gateway (HpPortMapping *self)
{
  g_autoptr (GSocketAddress)
      address = hp_address_to_socket_address (&self->gateway);
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                      G_SOCKET_PROTOCOL_UDP, NULL);

  if (socket == NULL || !g_socket_connect (socket, address, NULL, NULL))
    return NULL;
  local = g_socket_get_local_address (socket, NULL);
  if (local == NULL || !hp_address_from_socket_address (&self->client, local))
    return NULL;
  self->client.port = self->config.port;
  g_socket_set_blocking (socket, FALSE);
  return g_steal_pointer (&socket);
}

/* 224.0.0.1 is all hosts': there is no need to join it. Others on this machine
 * listen there, too. */
static GSocket *
listen_to_announcements (void)
{
  g_autoptr (GInetAddress) any
      = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress)
      address = g_inet_socket_address_new (any, HP_PCP_ANNOUNCE_PORT);
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                      G_SOCKET_PROTOCOL_UDP, NULL);

  if (socket == NULL || !g_socket_bind (socket, address, TRUE, NULL))
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  return g_steal_pointer (&socket);
}

/* How it stands */

static gboolean
has_answer (const HpPortMapping *self)
{
  return self->mapper != NULL
         && hp_port_mapper_get_external (self->mapper) != NULL;
}

const HpAddress *
hp_port_mapping_get_external (const HpPortMapping *self)
{
  if (self->is_closing)
    return NULL;
  if (has_answer (self))
    return hp_port_mapper_get_external (self->mapper);
  return self->upnp_external.family != HP_ADDRESS_NONE ? &self->upnp_external
                                                       : NULL;
}

const char *
hp_port_mapping_get_protocol (const HpPortMapping *self)
{
  if (hp_port_mapping_get_external (self) == NULL)
    return NULL;
  if (!has_answer (self))
    return "upnp";
  return hp_port_mapper_get_version (self->mapper) == HP_PCP_VERSION_PCP
             ? "pcp"
             : "nat-pmp";
}

/* Last thing to be done: it may be freed */
static void
tell (HpPortMapping *self)
{
  const HpAddress *external = hp_port_mapping_get_external (self);
  HpAddress none = { 0 };

  if (self->is_closing
      || hp_address_equal (external != NULL ? external : &none, &self->told))
    return;
  self->told = external != NULL ? *external : none;
  self->config.changed (self->config.user_data);
}

/* UPnP */

static void update (HpPortMapping *self, gint64 now);

static void
drop_upnp (HpPortMapping *self)
{
  g_clear_pointer (&self->upnp, hp_upnp_free);
  self->upnp_external = (HpAddress){ 0 };
}

static void
on_upnp_mapped (gpointer user_data, const HpAddress *external)
{
  HpPortMapping *self = user_data;

  self->upnp_external = external != NULL ? *external : (HpAddress){ 0 };
  tell (self);
}

static void
on_upnp_closed (gpointer user_data)
{
  HpPortMapping *self = user_data;

  drop_upnp (self);
  update (self, hp_clock_now ());
}

static void
try_upnp (HpPortMapping *self)
{
  HpUpnpOwner owner = { self->config.context, on_upnp_mapped, on_upnp_closed,
                        self };

  self->upnp_at = NEVER;
  if (self->upnp == NULL)
    self->upnp = hp_upnp_new (&self->client, &owner);
}

/* @now or later; or not, when the gateway has answered */
static void
plan_upnp (HpPortMapping *self, gint64 now)
{
  HpPortMapperState state = hp_port_mapper_get_state (self->mapper);

  if (!self->config.with_upnp)
    return;
  if (has_answer (self))
    {
      self->upnp_at = NEVER;
      drop_upnp (self);
    }
  else if (self->upnp == NULL && self->upnp_at == NEVER)
    {
      self->upnp_at = now + UPNP_DELAY;
    }
  if (self->upnp_at != NEVER
      && (self->upnp_at <= now || state == HP_PORT_MAPPER_REFUSED))
    try_upnp (self);
}

/* Going on */

static void
send_requests (HpPortMapping *self, gint64 now)
{
  guint8 bytes[HP_PCP_REQUEST_MAX_SIZE];
  gsize length;

  /* What cannot be sent is repeated like what is lost. */
  while ((length = hp_port_mapper_pull (self->mapper, bytes, sizeof bytes,
                                        now)) > 0)
    (void) g_socket_send (self->socket, (char *) bytes, length, NULL, NULL);
}

static gboolean
is_done (const HpPortMapping *self, gint64 now)
{
  return now >= self->close_at
         || (self->upnp == NULL
             && (self->mapper == NULL
                 || hp_port_mapper_get_state (self->mapper)
                        == HP_PORT_MAPPER_CLOSED));
}

static gint64
get_deadline (const HpPortMapping *self)
{
  gint64 deadline = self->is_closing ? self->close_at : self->upnp_at;

  if (self->is_closed)
    return NEVER;
  if (self->mapper != NULL)
    deadline = MIN (deadline, hp_port_mapper_get_deadline (self->mapper));
  return deadline;
}

static void
update (HpPortMapping *self, gint64 now)
{
  if (self->mapper != NULL)
    {
      hp_port_mapper_expire (self->mapper, now);
      send_requests (self, now);
      if (!self->is_closing)
        plan_upnp (self, now);
    }
  if (self->is_closing && !self->is_closed && is_done (self, now))
    {
      self->is_closed = TRUE;
      hp_udp_source_set_deadline (self->source, NEVER);
      self->config.closed (self->config.user_data);
      return;
    }
  hp_udp_source_set_deadline (self->source, get_deadline (self));
  tell (self);
}

static void
receive_answers (HpPortMapping *self, gint64 now)
{
  guint8 bytes[HP_PCP_ANSWER_MAX_SIZE + 1];

  for (guint i = 0; i < MAX_RECEIVED; i++)
    {
      g_autoptr (GError) error = NULL;
      gssize length = g_socket_receive (self->socket, (char *) bytes,
                                        sizeof bytes, NULL, &error);

      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return;
      /* The gateway says that nobody listens there. */
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
          && self->upnp_at != NEVER)
        self->upnp_at = now;
      if (length > 0)
        hp_port_mapper_receive (self->mapper, bytes, length, now);
    }
}

static void
receive_announcements (HpPortMapping *self, gint64 now)
{
  guint8 bytes[HP_PCP_ANSWER_MAX_SIZE + 1];

  for (guint i = 0; i < MAX_RECEIVED; i++)
    {
      g_autoptr (GSocketAddress) from = NULL;
      g_autoptr (GError) error = NULL;
      HpAddress address;
      gssize length
          = g_socket_receive_from (self->announcements, &from, (char *) bytes,
                                   sizeof bytes, NULL, &error);

      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return;
      if (length > 0 && hp_address_from_socket_address (&address, from)
          && hp_address_same_host (&address, &self->gateway))
        hp_port_mapper_receive (self->mapper, bytes, length, now);
    }
}

static void
on_source (gpointer user_data, guint64 readable, guint64 writable)
{
  HpPortMapping *self = user_data;
  gint64 now = hp_clock_now ();

  if ((readable & 1) != 0)
    receive_answers (self, now);
  if ((readable & 2) != 0)
    receive_announcements (self, now);
  update (self, now);
}

/* Beginning and ending */

static void
clear (HpPortMapping *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_clear_object (&self->socket);
  g_clear_object (&self->announcements);
  g_clear_pointer (&self->mapper, hp_port_mapper_free);
}

static gboolean
find_gateway (HpPortMapping *self, HpAddress *gateway)
{
  *gateway = self->config.gateway;
  if (gateway->family != HP_ADDRESS_NONE)
    return TRUE;
  if (!hp_gateway_find (gateway))
    return FALSE;
  gateway->port = HP_PCP_PORT;
  return TRUE;
}

static void
begin (HpPortMapping *self, gint64 now)
{
  self->source = hp_udp_source_new (on_source, self);
  g_source_set_static_name (self->source, "hp-port-mapping");
  self->upnp_at = NEVER;
  if (find_gateway (self, &self->gateway))
    self->socket = connect_to_gateway (self);
  if (self->socket != NULL)
    {
      HpPortMapperConfig config = { self->client, self->config.random };

      self->mapper = hp_port_mapper_new (&config, now);
      hp_udp_source_add (self->source, g_socket_get_fd (self->socket));
      self->announcements = listen_to_announcements ();
      if (self->announcements != NULL)
        hp_udp_source_add (self->source,
                           g_socket_get_fd (self->announcements));
      send_requests (self, now);
      plan_upnp (self, now);
    }
  hp_udp_source_set_deadline (self->source, get_deadline (self));
  g_source_attach (self->source, self->config.context);
}

HpPortMapping *
hp_port_mapping_new (const HpPortMappingConfig *config)
{
  HpPortMapping *self = g_new0 (HpPortMapping, 1);

  self->config = *config;
  g_main_context_ref (config->context);
  begin (self, hp_clock_now ());
  return self;
}

void
hp_port_mapping_free (HpPortMapping *self)
{
  drop_upnp (self);
  clear (self);
  g_main_context_unref (self->config.context);
  g_free (self);
}

static gboolean
is_same_network (HpPortMapping *self)
{
  HpAddress gateway;
  HpAddress client = self->client;
  g_autoptr (GSocket) probe = NULL;

  if (!find_gateway (self, &gateway) || self->socket == NULL
      || !hp_address_equal (&gateway, &self->gateway))
    return FALSE;
  probe = connect_to_gateway (self);
  return probe != NULL && hp_address_equal (&client, &self->client);
}

void
hp_port_mapping_network_changed (HpPortMapping *self)
{
  if (self->is_closing)
    return;
  if (is_same_network (self))
    {
      hp_port_mapping_check (self);
      return;
    }
  /* The mapping is of an address that we no longer have. */
  drop_upnp (self);
  clear (self);
  begin (self, hp_clock_now ());
  tell (self);
}

void
hp_port_mapping_check (HpPortMapping *self)
{
  gint64 now = hp_clock_now ();

  if (self->is_closing || self->mapper == NULL)
    return;
  hp_port_mapper_check (self->mapper, now);
  update (self, now);
}

void
hp_port_mapping_close (HpPortMapping *self)
{
  gint64 now = hp_clock_now ();

  if (self->is_closing)
    return;
  self->is_closing = TRUE;
  self->close_at = now + HP_PORT_MAPPER_FAREWELL;
  if (self->mapper != NULL)
    {
      hp_port_mapper_close (self->mapper, now);
      send_requests (self, now);
    }
  if (self->upnp != NULL && self->upnp_external.family != HP_ADDRESS_NONE)
    hp_upnp_close (self->upnp);
  else
    drop_upnp (self);
  hp_udp_source_set_deadline (self->source,
                              is_done (self, now) ? 0 : get_deadline (self));
}
