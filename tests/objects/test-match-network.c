/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What HpMatchServer does for those behind difficult NATs: its second port and
 * address, and what lets peers in at relays. */

#include "hole-punch/hp-match-server.h"
#include "hole-punch/io/hp-clock.h"

#include "objects-test.h"
#include "test-client.h"

#include <string.h>

static const char *const uris[] = { "turn:192.0.2.1", "turns:192.0.2.2:443",
                                    NULL };

static HpMatchServer *
new_server (void)
{
  const char *workers = g_getenv ("MATCH_WORKERS");

  return g_object_new (HP_TYPE_MATCH_SERVER, "port", 0, "listen-address",
                       "127.0.0.1", "workers",
                       workers != NULL ? atoi (workers) : 1, NULL);
}

static void
start (HpMatchServer *server)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (hp_match_server_start (server, &error));
  g_assert_no_error (error);
}

static void
test_properties (void)
{
  HpMatchServer *server = hp_match_server_new (0);
  g_auto (GStrv) got = NULL;
  guint n = 0;

  g_assert_cmpint (hp_match_server_get_second_port (server), ==, 0);
  g_assert_null (hp_match_server_get_second_address (server));
  g_assert_null (hp_match_server_get_turn_servers (server)[0]);
  g_assert_null (hp_match_server_get_turn_secret (server));
  g_assert_cmpuint (hp_match_server_get_turn_lifetime (server), ==, 21600);
  objects_test_count_notify (server, "second-port", &n);
  objects_test_count_notify (server, "second-address", &n);
  objects_test_count_notify (server, "turn-servers", &n);
  objects_test_count_notify (server, "turn-secret", &n);
  objects_test_count_notify (server, "turn-lifetime", &n);
  for (guint i = 0; i < 2; i++)
    g_object_set (server, "second-port", -1, "second-address", "127.0.0.2",
                  "turn-servers", uris, "turn-secret", "x", "turn-lifetime",
                  60, NULL);
  g_assert_cmpuint (n, ==, 5);
  g_assert_cmpint (hp_match_server_get_second_port (server), ==, -1);
  g_assert_cmpstr (hp_match_server_get_second_address (server), ==,
                   "127.0.0.2");
  g_object_get (server, "turn-servers", &got, NULL);
  g_assert_cmpstrv (got, uris);
  g_assert_cmpstr (hp_match_server_get_turn_secret (server), ==, "x");
  g_assert_cmpuint (hp_match_server_get_turn_lifetime (server), ==, 60);
  g_object_set (server, "second-address", NULL, "turn-servers", NULL,
                "turn-secret", NULL, NULL);
  g_assert_cmpuint (n, ==, 8);
  g_assert_null (hp_match_server_get_turn_servers (server)[0]);
  g_assert_finalize_object (server);
}

static void
test_second_port (void)
{
  HpMatchServer *server = new_server ();
  HpMatchServer *other = new_server ();
  guint n = 0;
  int port;

  objects_test_count_notify (server, "second-port", &n);
  start (server);
  port = hp_match_server_get_second_port (server);
  g_assert_cmpint (port, >, 0);
  g_assert_cmpint (port, !=, hp_match_server_get_port (server));
  g_assert_cmpuint (n, ==, 1);
  /* It is taken. */
  hp_match_server_set_second_port (other, port);
  {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf ("%d", port);

    g_assert_false (hp_match_server_start (other, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    g_assert_nonnull (strstr (error->message, text));
  }
  hp_match_server_stop (server);
  g_assert_cmpint (hp_match_server_get_second_port (server), ==, 0);
  g_assert_cmpuint (n, ==, 2);
  start (other);
  g_assert_cmpint (hp_match_server_get_second_port (other), ==, port);
  hp_match_server_stop (other);
  hp_match_server_set_second_port (other, -1);
  start (other);
  g_assert_cmpint (hp_match_server_get_second_port (other), ==, -1);
  hp_match_server_stop (other);
  g_assert_finalize_object (other);
  g_assert_finalize_object (server);
}

/* The port after the first one, for the firewall's sake, if it can be had */
static void
test_next_port (void)
{
  HpMatchServer *server = new_server ();
  guint port;

  start (server);
  port = hp_match_server_get_port (server);
  hp_match_server_stop (server);
  hp_match_server_set_port (server, port);
  start (server);
  if (hp_match_server_get_second_port (server) != (int) port + 1)
    g_test_skip ("somebody else has the next port");
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

static void
assert_fails (const char *name, gconstpointer value, const char *word)
{
  HpMatchServer *server = new_server ();
  g_autoptr (GError) error = NULL;

  g_object_set (server, name, value, NULL);
  g_assert_false (hp_match_server_start (server, &error));
  g_assert_nonnull (strstr (error->message, word));
  g_assert_finalize_object (server);
}

static void
test_wrong (void)
{
  static const char *const wrong[] = { "turn:192.0.2.1", "stun:192.0.2.3",
                                       NULL };

  assert_fails ("second-address", "localhost", "localhost");
  assert_fails ("second-address", "192.0.2.1", "192.0.2.1");
  assert_fails ("turn-servers", wrong, "stun:192.0.2.3");
  assert_fails ("turn-servers", uris, "secret");
}

static void
test_refused (gconstpointer data)
{
  const char *property = data;
  g_autofree char *pattern = NULL;

  if (g_test_subprocess ())
    {
      g_autoptr (HpMatchServer) server = new_server ();

      start (server);
      /* What may be changed, and what it is already */
      g_object_set (server, "turn-lifetime", 100, "turn-secret", "y",
                    "second-port", hp_match_server_get_second_port (server),
                    NULL);
      if (strcmp (property, "second-port") == 0)
        hp_match_server_set_second_port (server, -1);
      else if (strcmp (property, "second-address") == 0)
        hp_match_server_set_second_address (server, "127.0.0.2");
      else
        hp_match_server_set_turn_servers (server, uris);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  pattern = g_strdup_printf ("*HpMatchServer:%s cannot be changed*",
                             property);
  g_test_trap_assert_stderr (pattern);
}

/* Relays */

static const HpLentRelays *
get_relays (TestClient *client)
{
  guint before = client->n_events[HP_MATCH_EVENT_RELAYS];

  await (client->n_events[HP_MATCH_EVENT_CONNECTED] > 0);
  hp_match_client_request_relays (client->client, hp_clock_now ());
  hp_endpoint_wake (client->endpoint, &client->party);
  await (client->n_events[HP_MATCH_EVENT_RELAYS] > before);
  return hp_match_client_get_relays (client->client);
}

/* As a TURN server reckons that has the secret */
static void
assert_password (const char *username, const char *password,
                 const char *secret)
{
  g_autofree char *hex = g_compute_hmac_for_string (
      G_CHECKSUM_SHA1, (const guint8 *) secret, strlen (secret), username, -1);
  g_autofree guchar *digest = NULL;
  gsize length;

  digest = g_base64_decode (password, &length);
  g_assert_cmpuint (length, ==, 20);
  for (guint i = 0; i < 20; i++)
    g_assert_cmpuint (digest[i], ==,
                      g_ascii_xdigit_value (hex[2 * i]) * 16
                          + g_ascii_xdigit_value (hex[2 * i + 1]));
}

static void
test_relays (void)
{
  HpMatchServer *server = new_server ();
  TestClient *client;
  const HpLentRelays *relays;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const char *name;
  gint64 expiry;

  g_object_set (server, "turn-servers", uris, "turn-secret", "abracadabra",
                "turn-lifetime", 600, NULL);
  start (server);
  client = test_client_new (server, NULL);
  relays = get_relays (client);
  g_assert_cmpuint (relays->n_relays, ==, 2);
  g_assert_cmpuint (relays->lifetime, ==, 600);
  for (guint i = 0; i < 2; i++)
    {
      name = relays->relays[i].username;
      expiry = g_ascii_strtoll (name, (char **) &name, 10);
      g_assert_cmpint (expiry, >=, now + 600);
      g_assert_cmpint (expiry, <=, now + 660);
      g_assert_cmpuint (strlen (name), ==, 17);
      g_assert_cmpint (*name, ==, ':');
      g_assert_cmpmem (name + 1, 16, client->fingerprint, 16);
      g_assert_cmpstr (relays->relays[i].uri, ==, uris[i]);
      assert_password (relays->relays[i].username,
                       relays->relays[i].password, "abracadabra");
    }
  /* At any time */
  hp_match_server_set_turn_secret (server, "open sesame");
  relays = get_relays (client);
  assert_password (relays->relays[0].username, relays->relays[0].password,
                   "open sesame");
  test_client_free (client);
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

static void
test_no_relays (void)
{
  HpMatchServer *server = new_server ();
  TestClient *client;

  start (server);
  client = test_client_new (server, NULL);
  g_assert_cmpuint (get_relays (client)->n_relays, ==, 0);
  test_client_free (client);
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

static void
on_authorize (HpMatchServer *server, HpAuthorization *question,
              gpointer user_data)
{
  hp_authorization_allow (question);
}

/* An application that chooses whom it serves lends its relays to nobody
 * else. */
static void
test_strangers (void)
{
  HpMatchServer *server = new_server ();
  TestClient *client;

  g_object_set (server, "turn-servers", uris, "turn-secret", "x", NULL);
  g_signal_connect (server, "authorize-registration",
                    G_CALLBACK (on_authorize), NULL);
  start (server);
  client = test_client_new (server, NULL);
  g_assert_cmpuint (get_relays (client)->n_relays, ==, 0);
  test_client_register (client, "wq", 0);
  await (client->n_events[HP_MATCH_EVENT_REGISTERED] > 0);
  g_assert_cmpuint (get_relays (client)->n_relays, ==, 2);
  test_client_free (client);
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/match-network/properties", test_properties);
  g_test_add_func ("/match-network/second-port", test_second_port);
  g_test_add_func ("/match-network/next-port", test_next_port);
  g_test_add_func ("/match-network/wrong", test_wrong);
  g_test_add_data_func ("/match-network/refused/second-port", "second-port",
                        test_refused);
  g_test_add_data_func ("/match-network/refused/second-address",
                        "second-address", test_refused);
  g_test_add_data_func ("/match-network/refused/turn-servers",
                        "turn-servers", test_refused);
  g_test_add_func ("/match-network/relays", test_relays);
  g_test_add_func ("/match-network/no-relays", test_no_relays);
  g_test_add_func ("/match-network/strangers", test_strangers);
  return g_test_run ();
}
