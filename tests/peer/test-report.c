/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hp_peer_check_network_async() on the loopback, and what calls that fail leave
 * behind. The laboratory in ../nat has the NATs. */

#include "test-utils.h"

#include <string.h>

/* A port that nobody answers at, and where nobody says so */
typedef struct
{
  GSocket *socket;
  char *name;
} Silence;

static void
silence_init (Silence *self)
{
  g_autoptr (GInetAddress)
      loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  self->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, NULL);
  g_assert_true (g_socket_bind (self->socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (self->socket, NULL);
  self->name = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (bound));
}

static void
silence_clear (Silence *self)
{
  g_object_unref (self->socket);
  g_free (self->name);
}

static HpNetworkReport *
await_check (HpPeer *peer, GCancellable *cancellable, GError **error)
{
  TestResult result = { 0 };
  HpNetworkReport *report;

  hp_peer_check_network_async (peer, cancellable, test_result_take, &result);
  AWAIT (result.n_calls > 0);
  report = hp_peer_check_network_finish (peer, result.result, error);
  test_result_clear (&result);
  return report;
}

static HpServerReport *
get_only (GListModel *servers)
{
  g_autoptr (HpServerReport) server = NULL;

  g_assert_cmpuint (g_list_model_get_n_items (servers), ==, 1);
  server = g_list_model_get_item (servers, 0);
  return server;
}

static void
check_live (HpPeer *peer, HpMatchServer *server)
{
  GError *error = NULL;
  g_autoptr (HpNetworkReport) report = await_check (peer, NULL, &error);
  g_autofree char *name = test_server_get_name (server);
  g_autofree char *text = NULL;
  HpServerReport *match;

  g_assert_no_error (error);
  g_assert_true (report == hp_peer_get_network_report (peer));
  g_assert_cmpint (hp_network_report_get_prospects (report), ==,
                   HP_PROSPECTS_ALMOST_ALL);
  g_assert_false (hp_network_report_get_udp_blocked (report));
  g_assert_cmpint (
      hp_nat_info_get_mapping (hp_network_report_get_nat (report)), ==,
      HP_NAT_MAPPING_NONE);
  g_assert_cmpstr (hp_network_report_get_public_addresses (report)[0], ==,
                   "127.0.0.1");
  g_assert_null (hp_network_report_get_attempts (report)[0]);
  match = get_only (hp_network_report_get_match_servers (report));
  g_assert_true (hp_server_report_get_reachable (match));
  g_assert_cmpint (hp_server_report_get_round_trip_time (match), >, 0);
  g_assert_cmpstr (hp_server_report_get_name (match), ==, name);
  g_assert_cmpstr (hp_server_report_get_transport (match), ==, "UDP");
  g_assert_null (hp_server_report_get_problem (match));
  text = hp_network_report_to_string (report);
  g_assert_nonnull (strstr (text, "with almost everybody.\n\nUDP: passes\n"));
  g_assert_nonnull (strstr (text, name));
}

static void
test_not_started (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, "wq");
  guint n_descriptors;
  TestCounter notified;

  test_counter_init (&notified);
  g_signal_connect (peer, "notify::network-report",
                    G_CALLBACK (test_counter_on_notify), &notified);
  g_assert_null (hp_peer_get_network_report (peer));
  check_live (peer, server);
  g_assert_cmpuint (notified.n, ==, 1);
  g_assert_null (hp_peer_get_local_address (peer));
  /* Of the scout nothing is left. */
  await_time (100);
  n_descriptors = test_count_descriptors ();
  check_live (peer, server);
  await_time (100);
  g_assert_cmpuint (test_count_descriptors (), ==, n_descriptors);
  test_peer_free (peer);
  test_counter_clear (&notified);
  test_server_free (server);
}

/* It goes on as it was, and its id stays its own. */
static void
test_started (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new_started (server, "wq");
  GSocketAddress *address = g_object_ref (hp_peer_get_local_address (peer));
  TestCounter notified;

  test_counter_init (&notified);
  g_signal_connect (peer, "notify::registered",
                    G_CALLBACK (test_counter_on_notify), &notified);
  check_live (peer, server);
  g_assert_true (hp_peer_get_registered (peer));
  g_assert_cmpuint (notified.n, ==, 0);
  g_assert_true (hp_peer_get_local_address (peer) == address);
  g_object_unref (address);
  test_peer_free (peer);
  test_counter_clear (&notified);
  test_server_free (server);
}

static void
test_stun_server (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, NULL);
  g_autofree char *name = test_server_get_name (server);
  g_autofree char *several = NULL;
  g_autoptr (HpNetworkReport) report = NULL;
  g_autoptr (HpServerReport) alive = NULL;
  g_autoptr (HpServerReport) dead = NULL;
  Silence silence;

  silence_init (&silence);
  several = g_strdup_printf ("%s,%s", name, silence.name);
  hp_peer_set_stun_servers (peer, several);
  report = await_check (peer, NULL, NULL);
  alive = g_list_model_get_item (hp_network_report_get_stun_servers (report), 0);
  dead = g_list_model_get_item (hp_network_report_get_stun_servers (report), 1);
  g_assert_true (hp_server_report_get_reachable (alive));
  g_assert_cmpint (hp_server_report_get_round_trip_time (alive), >, 0);
  g_assert_false (hp_server_report_get_reachable (dead));
  g_assert_cmpint (hp_server_report_get_round_trip_time (dead), ==, -1);
  g_assert_cmpstr (hp_server_report_get_name (dead), ==, silence.name);
  g_assert_nonnull (hp_server_report_get_problem (dead));
  g_assert_cmpint (hp_network_report_get_prospects (report), ==,
                   HP_PROSPECTS_ALMOST_ALL);
  silence_clear (&silence);
  test_peer_free (peer);
  test_server_free (server);
}

static void
test_dead_server (void)
{
  HpPeer *peer;
  g_autoptr (HpNetworkReport) report = NULL;
  g_autofree char *text = NULL;
  g_autofree char *turn = NULL;
  gint64 began_at = g_get_monotonic_time ();
  Silence silence;
  HpServerReport *match;

  silence_init (&silence);
  peer = hp_peer_new ("wq", silence.name);
  turn = g_strdup_printf ("turn:somebody:secret@%s?transport=udp",
                          silence.name);
  hp_peer_set_turn_servers (peer, turn);
  report = await_check (peer, NULL, NULL);
  g_assert_cmpint (g_get_monotonic_time () - began_at, <,
                   10 * G_USEC_PER_SEC);
  g_assert_cmpint (hp_network_report_get_prospects (report), ==,
                   HP_PROSPECTS_NONE);
  g_assert_true (hp_network_report_get_udp_blocked (report));
  g_assert_null (hp_network_report_get_nat (report));
  g_assert_cmpint (hp_network_report_get_hairpin (report), ==,
                   HP_NAT_HAIRPIN_UNKNOWN);
  match = get_only (hp_network_report_get_match_servers (report));
  g_assert_false (hp_server_report_get_reachable (match));
  g_assert_cmpstr (hp_server_report_get_problem (match), ==,
                   "it does not answer");
  g_assert_false (hp_server_report_get_reachable (
      get_only (hp_network_report_get_relays (report))));
  text = hp_network_report_to_string (report);
  g_assert_nonnull (strstr (text, "nobody answers by UDP"));
  g_assert_nonnull (strstr (text, "?transport=udp: it does not answer"));
  g_assert_null (strstr (text, "secret"));
  silence_clear (&silence);
  test_peer_free (peer);
}

static void
test_nobody_to_ask (void)
{
  HpPeer *peer = hp_peer_new (NULL, NULL);
  g_autoptr (HpNetworkReport) report = await_check (peer, NULL, NULL);

  g_assert_cmpint (hp_network_report_get_prospects (report), ==,
                   HP_PROSPECTS_UNKNOWN);
  g_assert_nonnull (strstr (hp_network_report_get_summary (report),
                            "Nobody was asked"));
  test_peer_free (peer);
}

static void
check_refused (HpPeer *peer, GQuark domain, int code)
{
  GError *error = NULL;

  g_assert_null (await_check (peer, NULL, &error));
  g_assert_error (error, domain, code);
  g_clear_error (&error);
}

static void
test_settings (void)
{
  HpPeer *peer = hp_peer_new (NULL, "holepunch://nobody@host");

  check_refused (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
  hp_peer_set_match_server (peer, NULL);
  hp_peer_set_stun_servers (peer, "a,b,c,d");
  check_refused (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  hp_peer_set_stun_servers (peer, NULL);
  hp_peer_set_turn_servers (peer, "turn:nobody");
  check_refused (peer, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_null (hp_peer_get_network_report (peer));
  test_peer_free (peer);
}

static void
test_cancel (void)
{
  Silence silence;
  HpPeer *peer;
  TestResult result = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 cancelled_at;
  GError *error = NULL;

  silence_init (&silence);
  peer = hp_peer_new (NULL, silence.name);
  hp_peer_check_network_async (peer, cancellable, test_result_take, &result);
  await_time (200);
  g_assert_cmpuint (result.n_calls, ==, 0);
  cancelled_at = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  AWAIT (result.n_calls == 1);
  g_assert_cmpint (g_get_monotonic_time () - cancelled_at, <,
                   2 * G_USEC_PER_SEC);
  g_assert_null (hp_peer_check_network_finish (peer, result.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  test_result_clear (&result);

  g_assert_null (await_check (peer, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (hp_peer_get_network_report (peer));
  silence_clear (&silence);
  test_peer_free (peer);
}

/* The report is there before the callback is called. */
static void
on_connected (GObject *source, GAsyncResult *result, gpointer report)
{
  g_autoptr (HpConnection) connection
      = hp_peer_connect_finish (HP_PEER (source), result, NULL);

  g_assert_null (connection);
  *(HpNetworkReport **) report
      = g_object_ref (hp_peer_get_network_report (HP_PEER (source)));
}

static void
test_failed_call (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, NULL);
  HpNetworkReport *report = NULL;
  TestCounter notified;

  test_counter_init (&notified);
  g_signal_connect (peer, "notify::network-report",
                    G_CALLBACK (test_counter_on_notify), &notified);
  hp_peer_connect_async (peer, "nobody", NULL, on_connected, &report);
  AWAIT (report != NULL);
  g_assert_cmpuint (notified.n, ==, 1);
  g_assert_true (hp_server_report_get_reachable (
      get_only (hp_network_report_get_match_servers (report))));
  g_assert_null (hp_network_report_get_attempts (report)[0]);
  g_clear_object (&report);
  test_peer_free (peer);
  test_counter_clear (&notified);
  test_server_free (server);
}

static void
test_failed_start (void)
{
  Silence silence;
  HpPeer *peer;
  HpNetworkReport *report = NULL;
  const char *const *attempts;
  g_autofree char *text = NULL;

  silence_init (&silence);
  peer = hp_peer_new (NULL, silence.name);
  hp_peer_set_connect_timeout (peer, 1);
  hp_peer_connect_async (peer, "wq", NULL, on_connected, &report);
  AWAIT (report != NULL);
  attempts = hp_network_report_get_attempts (report);
  g_assert_cmpstr (attempts[0], ==,
                   "Match server 127.0.0.1: it does not answer");
  g_assert_null (attempts[1]);
  text = hp_network_report_to_string (report);
  g_assert_nonnull (strstr (text, "\nTried: Match server 127.0.0.1: "));
  g_clear_object (&report);
  silence_clear (&silence);
  AWAIT (hp_peer_get_local_address (peer) == NULL);
  test_peer_free (peer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/not-started", test_not_started);
  g_test_add_func ("/report/started", test_started);
  g_test_add_func ("/report/stun-server", test_stun_server);
  g_test_add_func ("/report/dead-server", test_dead_server);
  g_test_add_func ("/report/nobody-to-ask", test_nobody_to_ask);
  g_test_add_func ("/report/settings", test_settings);
  g_test_add_func ("/report/cancel", test_cancel);
  g_test_add_func ("/report/failed-call", test_failed_call);
  g_test_add_func ("/report/failed-start", test_failed_start);
  return g_test_run ();
}
