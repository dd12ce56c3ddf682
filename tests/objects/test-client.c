/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-client.h"

#include "hole-punch/io/hp-clock.h"

#include <string.h>

static void
receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  hp_match_client_receive (((TestClient *) party)->client, datagram, now);
}

static gboolean
pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  TestClient *self = (TestClient *) party;

  if (!hp_match_client_pull (self->client, outgoing, now))
    return FALSE;
  outgoing->route.socket = self->socket;
  return TRUE;
}

static gint64
get_deadline (HpParty *party, gint64 now)
{
  return hp_match_client_get_deadline (((TestClient *) party)->client);
}

static void
expire (HpParty *party, gint64 now)
{
  hp_match_client_expire (((TestClient *) party)->client, now);
}

static void
deliver (HpParty *party, gint64 now)
{
  TestClient *self = (TestClient *) party;
  HpMatchEvent event;

  while (hp_match_client_next_event (self->client, &event))
    {
      self->n_events[event.type]++;
      self->events[event.type] = event;
      if (event.type == HP_MATCH_EVENT_INTRODUCED
          && !event.introduction.repeated && event.introduction.needs_reply)
        {
          hp_match_client_reply (self->client,
                                 event.introduction.ticket.number,
                                 self->accepts, now);
          hp_endpoint_wake (self->endpoint, party);
        }
    }
}

static const HpPartyClass party_class = {
  .name = "test-client",
  .receive = receive,
  .pull = pull,
  .get_deadline = get_deadline,
  .expire = expire,
  .deliver = deliver,
};

static gboolean
receive_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  TestClient *self = user_data;
  gboolean is_ours = hp_match_client_receive (self->client, datagram, now);

  hp_endpoint_wake (self->endpoint, &self->party);
  return is_ours;
}

TestClient *
test_client_new (HpMatchServer *server, HpIdentity *identity)
{
  static guint n_clients;
  g_autofree char *ip = NULL;

  if (hp_match_server_get_workers (server) == 1)
    return test_client_new_at (server, identity, "127.0.0.1");
  n_clients++;
  ip = g_strdup_printf ("127.1.%u.1", n_clients % 256);
  return test_client_new_at (server, identity, ip);
}

TestClient *
test_client_new_at (HpMatchServer *server, HpIdentity *identity,
                    const char *ip)
{
  TestClient *self = g_new0 (TestClient, 1);
  g_autoptr (HpIdentity) own = hp_identity_new ();
  g_autoptr (GError) error = NULL;
  HpMatchClientConfig config = {
    .local = *hp_identity_get_key_pair (identity != NULL ? identity : own),
    .suites = hp_crypto_get_suites (),
    .keepalive_interval = 500 * G_TIME_SPAN_MILLISECOND,
    .random = hp_crypto_random,
  };
  HpAddress address;

  memcpy (self->public_key, config.local.public_key, HP_KEY_SIZE);
  hp_fingerprint_format (self->fingerprint, self->public_key);
  self->accepts = TRUE;
  self->endpoint
      = hp_endpoint_new (ip, 0, receive_stray, self, &error);
  g_assert_no_error (error);
  config.index = hp_endpoint_allocate_index (self->endpoint);
  self->client = hp_match_client_new (&config);
  hp_endpoint_add_party (self->endpoint, &self->party, &party_class,
                         config.index);
  g_assert_true (hp_address_from_socket_address (
      &address, hp_match_server_get_local_address (server)));
  hp_match_client_set_addresses (self->client, &address, 1, hp_clock_now ());
  hp_endpoint_wake (self->endpoint, &self->party);
  return self;
}

static void
destroy (TestClient *self)
{
  hp_endpoint_close (self->endpoint);
  hp_endpoint_unref (self->endpoint);
  hp_match_client_free (self->client);
  g_free (self);
}

void
test_client_free (TestClient *self)
{
  hp_match_client_close (self->client, hp_clock_now ());
  destroy (self);
}

static gboolean
pull_nothing (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  return FALSE;
}

void
test_client_vanish (TestClient *self)
{
  HpPartyClass silent = party_class;

  silent.pull = pull_nothing;
  self->party.klass = &silent;
  destroy (self);
}

void
test_client_register (TestClient *self, const char *id, guint flags)
{
  hp_match_client_register (self->client, id, flags, hp_clock_now ());
  hp_endpoint_wake (self->endpoint, &self->party);
}

guint64
test_client_ask (TestClient *self, const char *id, const guint8 *public_key)
{
  guint64 request
      = hp_match_client_ask (self->client, id, public_key, hp_clock_now ());

  hp_endpoint_wake (self->endpoint, &self->party);
  return request;
}

void
test_client_move (TestClient *self, const char *ip)
{
  g_autoptr (GError) error = NULL;
  guint before = self->socket;

  self->socket = hp_endpoint_open_socket (self->endpoint, ip, 0, &error);
  g_assert_no_error (error);
  if (before != 0)
    hp_endpoint_close_socket (self->endpoint, before);
}

guint
test_client_get_port (TestClient *self)
{
  HpAddress address;

  g_assert_true (hp_endpoint_get_socket_address (self->endpoint, self->socket,
                                                 &address));
  return address.port;
}
