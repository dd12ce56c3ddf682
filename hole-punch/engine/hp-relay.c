/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-relay.h"

#include "hole-punch/engine/hp-relay-line.h"
#include "hole-punch/io/hp-clock.h"

#define NEVER G_MAXINT64
/* Servers that others send us to (error 300) */
#define MAX_ALTERNATES 4

struct _HpRelay
{
  HpParty party;
  HpCarrier carrier;
  HpRelayConfig config; /* its servers are a copy */
  HpRelayState state;
  gboolean is_closed;
  guint n_started;
  guint n_alternates;
  gint64 next_at;    /* when the next server is tried, NEVER: none is left */
  GPtrArray *lines;  /* HpRelayLine; when READY the only one is the relay's */
  HpAddress address;
  GError *error;
};

static HpRelay *
relay_of (HpParty *party)
{
  /* Its first member */
  return (HpRelay *) party;
}

static void
relay_clear (gpointer data)
{
  HpRelay *self = data;

  g_ptr_array_unref (self->lines);
  g_ptr_array_unref (self->config.servers);
  g_clear_object (&self->config.database);
  hp_endpoint_unref (self->config.endpoint);
  g_clear_error (&self->error);
}

static void
relay_unref (HpRelay *self)
{
  g_rc_box_release_full (self, relay_clear);
}

/* Lines */

static void
on_data (gpointer user_data, HpRelayLine *line, const HpAddress *peer,
         guint8 *data, gsize length)
{
  HpRelay *self = user_data;
  HpDatagram datagram = { .bytes = data, .length = length };

  if (self->state != HP_RELAY_READY || self->is_closed)
    return;
  datagram.route.socket = self->carrier.number;
  datagram.route.remote = *peer;
  hp_endpoint_inject (self->config.endpoint, &datagram);
}

/* The same server by its number; (transfer full) */
static HpRelayServer *
name_by_address (const HpRelayServer *server, const HpAddress *address)
{
  HpRelayServer *copy = hp_relay_server_copy (server);
  g_autoptr (GSocketAddress) socket = hp_address_to_socket_address (address);

  g_free (copy->host);
  copy->host = g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (socket)));
  copy->port = address->port;
  return copy;
}

static void add_line (HpRelay *self, const HpRelayServer *server);

static void
on_found (gpointer user_data, HpRelayLine *line, const HpAddress *address)
{
  HpRelay *self = user_data;

  if (self->is_closed
      || (self->state != HP_RELAY_TRYING && self->state != HP_RELAY_WAITING))
    return;
  g_ptr_array_insert (
      self->config.servers, self->n_started,
      name_by_address (hp_relay_line_get_server (line), address));
  if (self->state == HP_RELAY_WAITING)
    add_line (self, self->config.servers->pdata[self->n_started++]);
  else if (self->next_at == NEVER)
    self->next_at = hp_clock_now () + HP_RELAY_STAGGER;
  hp_endpoint_wake (self->config.endpoint, &self->party);
}

static void
add_line (HpRelay *self, const HpRelayServer *server)
{
  HpRelayLineOwner owner = {
    .endpoint = self->config.endpoint,
    .party = &self->party,
    .database = self->config.database,
    .lifetime = self->config.lifetime,
    .received = on_data,
    .found = on_found,
    .user_data = self,
  };

  g_ptr_array_add (self->lines, hp_relay_line_new (server, &owner));
}

static void
start_line (HpRelay *self, const HpRelayServer *server, gint64 now)
{
  add_line (self, server);
  hp_relay_line_start (self->lines->pdata[self->lines->len - 1], now);
}

static void
wait_for_next (HpRelay *self, gint64 now)
{
  self->next_at = self->n_started < self->config.servers->len
                      ? now + HP_RELAY_STAGGER
                      : NEVER;
}

static void
start_next (HpRelay *self, gint64 now)
{
  GPtrArray *servers = self->config.servers;

  if (self->n_started < servers->len)
    start_line (self, servers->pdata[self->n_started++], now);
  wait_for_next (self, now);
}

/* What is not there to be asked while it waits is tried when it starts. */
static void
prepare (HpRelay *self)
{
  GPtrArray *servers = self->config.servers;

  if (servers->len == 0
      || ((HpRelayServer *) servers->pdata[0])->transport != HP_RELAY_UDP)
    return;
  add_line (self, servers->pdata[self->n_started++]);
}

/* While it waits a line belongs to the server of the same position; @chosen and
 * its server become the first, and the others' are still to be tried. */
static void
keep_prepared (HpRelay *self, guint chosen, gint64 now)
{
  HpRelayLine *line = g_rc_box_acquire (self->lines->pdata[chosen]);

  for (guint i = 0; i < self->lines->len; i++)
    if (i != chosen)
      hp_relay_line_close (self->lines->pdata[i], now);
  g_ptr_array_set_size (self->lines, 0);
  g_ptr_array_add (self->lines, line);
  g_ptr_array_insert (
      self->config.servers, 0,
      g_ptr_array_steal_index (self->config.servers, chosen));
  self->n_started = 1;
}

/* One that does not answer is not the first to be tried. */
static guint
find_answered (HpRelay *self)
{
  for (guint i = 0; i < self->lines->len; i++)
    {
      const HpTurnClient *client
          = hp_relay_line_get_client (self->lines->pdata[i]);

      if (hp_turn_client_get_round_trip (client) >= 0
          && !hp_turn_client_is_inquiring (client))
        return i;
    }
  return 0;
}

static void
drop_prepared (HpRelay *self, gint64 now)
{
  gboolean is_failed = FALSE;

  for (guint i = 0; i < self->lines->len; i++)
    is_failed |= hp_relay_line_get_error (self->lines->pdata[i]) != NULL;
  if (!is_failed)
    return;
  for (guint i = 0; i < self->lines->len; i++)
    hp_relay_line_close (self->lines->pdata[i], now);
  g_ptr_array_set_size (self->lines, 0);
  self->n_started = 0;
}

static void
note_error (HpRelay *self, HpRelayLine *line)
{
  const HpRelayServer *server = hp_relay_line_get_server (line);
  const GError *error = hp_relay_line_get_error (line);
  g_autoptr (GError) before = g_steal_pointer (&self->error);

  self->error = g_error_new (
      error->domain, error->code, "%s%srelay %s over %s: %s",
      before != NULL ? before->message : "", before != NULL ? "; " : "",
      server->host, hp_relay_transport_get_name (server->transport),
      error->message);
}

/* Credentials are the same there (RFC 8656, section 20.4). By its number a
 * certificate cannot tell it from others. */
static void
try_alternate (HpRelay *self, HpRelayLine *line)
{
  const HpTurnClient *client = hp_relay_line_get_client (line);
  g_autoptr (HpRelayServer) server
      = name_by_address (hp_relay_line_get_server (line),
                         hp_turn_client_get_alternate (client));

  if (server->transport != HP_RELAY_TLS
      && self->n_alternates++ < MAX_ALTERNATES)
    start_line (self, server, hp_clock_now ());
}

static void
drop_failed (HpRelay *self, gint64 now)
{
  for (guint i = self->lines->len; i > 0; i--)
    {
      HpRelayLine *line = self->lines->pdata[i - 1];
      const HpTurnClient *client = hp_relay_line_get_client (line);

      if (hp_relay_line_get_error (line) == NULL)
        continue;
      note_error (self, line);
      if (hp_turn_client_get_failure (client) == HP_TURN_FAILURE_ALTERNATE)
        try_alternate (self, line);
      hp_relay_line_close (line, now);
      g_ptr_array_remove_index (self->lines, i - 1);
      self->next_at = self->next_at == NEVER ? NEVER : now;
    }
}

static HpRelayLine *
find_ready (HpRelay *self)
{
  for (guint i = 0; i < self->lines->len; i++)
    {
      HpRelayLine *line = self->lines->pdata[i];
      const HpTurnClient *client = hp_relay_line_get_client (line);

      if (hp_turn_client_get_state (client) == HP_TURN_CLIENT_READY)
        return line;
    }
  return NULL;
}

static HpRelayLine *
get_line (HpRelay *self)
{
  return self->state == HP_RELAY_READY && self->lines->len > 0
             ? self->lines->pdata[0]
             : NULL;
}

/* The carrier */

static void
carrier_send (HpCarrier *carrier, const HpOutgoing *outgoing, gint64 now)
{
  HpRelay *self
      = (gpointer) ((char *) carrier - G_STRUCT_OFFSET (HpRelay, carrier));
  HpRelayLine *line = get_line (self);

  if (line != NULL)
    hp_relay_line_send (line, outgoing, now);
}

static const HpCarrierClass carrier_class = {
  .name = "relay",
  .send = carrier_send,
};

static void
set_state (HpRelay *self, HpRelayState state)
{
  self->state = state;
  if (state == HP_RELAY_READY)
    hp_endpoint_add_carrier (self->config.endpoint, &self->carrier,
                             &carrier_class);
  else if (self->carrier.endpoint != NULL)
    hp_endpoint_remove_carrier (self->config.endpoint, &self->carrier);
  self->config.changed (self, self->config.user_data);
}

/* The first one stays; what the others have got they give back. */
static void
choose (HpRelay *self, HpRelayLine *winner, gint64 now)
{
  HpRelayLine *line = g_rc_box_acquire (winner);
  const HpTurnClient *client = hp_relay_line_get_client (line);
  guint8 farewell[HP_TURN_REQUEST_MAX_SIZE];
  HpOutgoing outgoing = { .bytes = farewell, .capacity = sizeof farewell };

  for (guint i = 0; i < self->lines->len; i++)
    if (self->lines->pdata[i] != line)
      {
        hp_relay_line_close (self->lines->pdata[i], now);
        while (hp_relay_line_pull (self->lines->pdata[i], &outgoing, now))
          hp_endpoint_send (self->config.endpoint, &outgoing);
      }
  g_ptr_array_set_size (self->lines, 0);
  g_ptr_array_add (self->lines, line);
  self->next_at = NEVER;
  self->address = *hp_turn_client_get_relayed (client);
  g_clear_error (&self->error);
  set_state (self, HP_RELAY_READY);
}

/* The party */

static void
relay_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  /* UNKNOWN, which is told to everybody */
}

static gboolean
relay_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  HpRelay *self = relay_of (party);

  for (guint i = 0; i < self->lines->len; i++)
    if (hp_relay_line_pull (self->lines->pdata[i], outgoing, now))
      return TRUE;
  return FALSE;
}

static gint64
relay_get_deadline (HpParty *party, gint64 now)
{
  HpRelay *self = relay_of (party);
  gint64 deadline = self->next_at;

  for (guint i = 0; i < self->lines->len; i++)
    deadline = MIN (deadline,
                    hp_relay_line_get_deadline (self->lines->pdata[i]));
  return deadline;
}

static void
relay_expire (HpParty *party, gint64 now)
{
  HpRelay *self = relay_of (party);

  for (guint i = 0; i < self->lines->len; i++)
    hp_relay_line_expire (self->lines->pdata[i], now);
}

static void
relay_deliver (HpParty *party, gint64 now)
{
  HpRelay *self = g_rc_box_acquire (relay_of (party));
  HpRelayLine *ready;

  if (self->state == HP_RELAY_WAITING)
    {
      drop_prepared (self, now);
      relay_unref (self);
      return;
    }
  drop_failed (self, now);
  if (self->next_at <= now)
    start_next (self, now);
  ready = find_ready (self);
  if (self->state == HP_RELAY_TRYING && ready != NULL)
    choose (self, ready, now);
  else if (self->state != HP_RELAY_FAILED && self->lines->len == 0
           && self->next_at == NEVER)
    set_state (self, HP_RELAY_FAILED);
  relay_unref (self);
}

static const HpPartyClass party_class = {
  .name = "relay",
  .receive = relay_receive,
  .pull = relay_pull,
  .get_deadline = relay_get_deadline,
  .expire = relay_expire,
  .deliver = relay_deliver,
};

/* Life */

HpRelay *
hp_relay_new (const HpRelayConfig *config)
{
  HpRelay *self = g_rc_box_new0 (HpRelay);

  self->config = *config;
  hp_endpoint_ref (config->endpoint);
  if (config->database != NULL)
    g_object_ref (config->database);
  self->config.servers = hp_relay_servers_new ();
  for (guint i = 0; i < config->servers->len; i++)
    g_ptr_array_add (self->config.servers,
                     hp_relay_server_copy (config->servers->pdata[i]));
  self->lines = g_ptr_array_new_with_free_func (
      (GDestroyNotify) hp_relay_line_unref);
  self->next_at = NEVER;
  hp_endpoint_add_party (config->endpoint, &self->party, &party_class, 0);
  prepare (self);
  return self;
}

void
hp_relay_inquire (HpRelay *self)
{
  for (guint i = 0; self->state == HP_RELAY_WAITING && i < self->lines->len;
       i++)
    hp_relay_line_inquire (self->lines->pdata[i], hp_clock_now ());
}

void
hp_relay_start (HpRelay *self)
{
  gint64 now = hp_clock_now ();

  g_assert (self->state == HP_RELAY_WAITING);

  self->state = HP_RELAY_TRYING;
  if (self->lines->len == 0)
    {
      start_next (self, now);
      return;
    }
  keep_prepared (self, find_answered (self), now);
  hp_relay_line_start (self->lines->pdata[0], now);
  wait_for_next (self, now);
}

void
hp_relay_close (HpRelay *self)
{
  gint64 now = hp_clock_now ();

  if (!self->is_closed)
    {
      self->is_closed = TRUE;
      self->next_at = NEVER;
      for (guint i = 0; i < self->lines->len; i++)
        hp_relay_line_close (self->lines->pdata[i], now);
      if (self->carrier.endpoint != NULL)
        hp_endpoint_remove_carrier (self->config.endpoint, &self->carrier);
      /* Which says goodbye */
      if (self->party.endpoint != NULL)
        hp_endpoint_remove_party (self->config.endpoint, &self->party);
      g_ptr_array_set_size (self->lines, 0);
    }
  relay_unref (self);
}

gboolean
hp_relay_receive (HpRelay *self, const HpDatagram *datagram, gint64 now)
{
  gboolean is_ours = FALSE;

  g_rc_box_acquire (self);
  for (guint i = 0; i < self->lines->len && !is_ours && !self->is_closed; i++)
    is_ours = hp_relay_line_receive (self->lines->pdata[i], datagram, now);
  relay_unref (self);
  return is_ours;
}

void
hp_relay_permit (HpRelay *self, const HpAddress *peer)
{
  HpRelayLine *line = get_line (self);

  if (line != NULL)
    hp_relay_line_permit (line, peer, hp_clock_now ());
}

/* How it stands */

HpRelayState
hp_relay_get_state (const HpRelay *self)
{
  return self->state;
}

guint
hp_relay_get_number (const HpRelay *self)
{
  return self->carrier.number;
}

const HpAddress *
hp_relay_get_address (const HpRelay *self)
{
  return &self->address;
}

HpRelayTransport
hp_relay_get_transport (const HpRelay *self)
{
  g_assert (self->state == HP_RELAY_READY);

  return hp_relay_line_get_server (self->lines->pdata[0])->transport;
}

const HpRelayServer *
hp_relay_get_server (const HpRelay *self)
{
  g_assert (self->state == HP_RELAY_READY);

  return hp_relay_line_get_server (self->lines->pdata[0]);
}

gint64
hp_relay_get_round_trip (const HpRelay *self)
{
  g_assert (self->state == HP_RELAY_READY);

  return hp_turn_client_get_round_trip (
      hp_relay_line_get_client (self->lines->pdata[0]));
}

const GError *
hp_relay_get_error (const HpRelay *self)
{
  return self->error;
}
