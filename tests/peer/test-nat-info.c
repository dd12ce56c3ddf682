/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a peer finds out about NATs, where there is none: on the loopback. The
 * laboratory in ../nat has the others. */

#include "test-utils.h"

#include <string.h>

static guint n_warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                gpointer user_data)
{
  if (level & G_LOG_LEVEL_WARNING)
    {
      n_warnings++;
      return G_LOG_WRITER_HANDLED;
    }
  return g_log_writer_default (level, fields, n_fields, user_data);
}

/* All of it: filtering comes last */
static gboolean
knows_nat (HpPeer *peer)
{
  HpNatInfo *nat = hp_peer_get_nat (peer);

  return nat != NULL
         && hp_nat_info_get_filtering (nat) != HP_NAT_FILTERING_UNKNOWN;
}

static void
check_no_nat (HpPeer *peer, HpNatFiltering filtering)
{
  HpNatInfo *nat = hp_peer_get_nat (peer);
  guint16 port = g_inet_socket_address_get_port (
      G_INET_SOCKET_ADDRESS (hp_peer_get_local_address (peer)));
  g_autofree char *text = hp_nat_info_to_string (nat);

  g_assert_cmpint (hp_nat_info_get_mapping (nat), ==, HP_NAT_MAPPING_NONE);
  g_assert_cmpint (hp_nat_info_get_allocation (nat), ==,
                   HP_NAT_ALLOCATION_PRESERVED);
  g_assert_cmpint (hp_nat_info_get_filtering (nat), ==, filtering);
  g_assert_cmpuint (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (
          hp_nat_info_get_public_address (nat))),
      ==, port);
  g_assert_cmpuint (hp_nat_info_get_first_port (nat), ==, port);
  g_assert_cmpuint (hp_nat_info_get_last_port (nat), ==, port);
  g_assert_nonnull (strstr (text, "there is no NAT"));
}

static void
test_no_nat (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, "wq");
  TestCounter notified;
  GError *error = NULL;

  test_counter_init (&notified);
  g_signal_connect (peer, "notify::nat", G_CALLBACK (test_counter_on_notify),
                    &notified);
  g_assert_null (hp_peer_get_nat (peer));
  g_assert_true (await_start (peer, &error));
  g_assert_no_error (error);
  AWAIT (knows_nat (peer));
  /* The server has one address: the stricter of what may be */
  check_no_nat (peer, HP_NAT_FILTERING_ADDRESS_DEPENDENT);
  g_assert_cmpuint (notified.n, <=, 2);

  /* What was true of one network need not be so of the next. */
  notified.n = 0;
  await_close (peer);
  AWAIT (hp_peer_get_nat (peer) == NULL);
  g_assert_cmpuint (notified.n, ==, 1);
  g_assert_true (await_start (peer, &error));
  AWAIT (knows_nat (peer));
  check_no_nat (peer, HP_NAT_FILTERING_ADDRESS_DEPENDENT);

  test_peer_free (peer);
  test_counter_clear (&notified);
  test_server_free (server);
}

static void
close_peer (HpPeer *peer, GParamSpec *pspec, gpointer closed)
{
  if (hp_peer_get_nat (peer) == NULL)
    return;
  *(gboolean *) closed = TRUE;
  hp_peer_close_async (peer, NULL, NULL, NULL);
}

/* From the very handler that is told */
static void
test_closing (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, "wq");
  gboolean closed = FALSE;

  g_signal_connect (peer, "notify::nat", G_CALLBACK (close_peer), &closed);
  hp_peer_start_async (peer, NULL, NULL, NULL);
  AWAIT (closed && hp_peer_get_local_address (peer) == NULL);
  g_assert_null (hp_peer_get_nat (peer));
  test_peer_free (peer);
  test_server_free (server);
}

static void
test_stun_servers (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpMatchServer *other = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, NULL);
  g_autofree char *stun_server = test_server_get_name (other);
  g_autofree char *several = g_strdup_printf (" %s ,nowhere.invalid:3479, ",
                                              stun_server);
  TestCounter notified;
  GError *error = NULL;

  test_counter_init (&notified);
  g_signal_connect (peer, "notify::stun-servers",
                    G_CALLBACK (test_counter_on_notify), &notified);
  g_assert_null (hp_peer_get_stun_servers (peer));
  hp_peer_set_stun_servers (peer, "");
  g_assert_cmpuint (notified.n, ==, 0);
  hp_peer_set_stun_servers (peer, "stun.example.org:99999");
  g_assert_cmpuint (notified.n, ==, 1);
  g_assert_false (await_start (peer, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  g_clear_error (&error);
  hp_peer_set_stun_servers (peer, "a,b,c,d");
  g_assert_false (await_start (peer, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  g_clear_error (&error);

  hp_peer_set_stun_servers (peer, several);
  g_assert_cmpstr (hp_peer_get_stun_servers (peer), ==, several);
  g_assert_true (await_start (peer, &error));
  g_assert_no_error (error);
  AWAIT (knows_nat (peer));
  check_no_nat (peer, HP_NAT_FILTERING_ADDRESS_DEPENDENT);

  n_warnings = 0;
  hp_peer_set_stun_servers (peer, "a,b,c,d");
  g_assert_cmpuint (n_warnings, ==, 1);
  g_assert_cmpstr (hp_peer_get_stun_servers (peer), ==, several);
  notified.n = 0;
  hp_peer_set_stun_servers (peer, stun_server);
  hp_peer_set_stun_servers (peer, stun_server);
  g_assert_cmpuint (notified.n, ==, 1);
  hp_peer_set_stun_servers (peer, NULL);
  g_assert_null (hp_peer_get_stun_servers (peer));

  test_peer_free (peer);
  test_counter_clear (&notified);
  test_server_free (other);
  test_server_free (server);
}

/* Without a match server a STUN server is asked alone. */
static void
test_stun_server_alone (void)
{
  HpMatchServer *other = test_server_new (NULL);
  HpPeer *peer = hp_peer_new (NULL, NULL);
  g_autofree char *stun_server = test_server_get_name (other);
  GError *error = NULL;

  hp_peer_set_stun_servers (peer, stun_server);
  g_assert_true (await_start (peer, &error));
  AWAIT (hp_peer_get_nat (peer) != NULL);
  /* Nobody knocks at a peer without a session */
  check_no_nat (peer, HP_NAT_FILTERING_UNKNOWN);
  test_peer_free (peer);
  test_server_free (other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_log_set_writer_func (count_warnings, NULL, NULL);

  g_test_add_func ("/nat-info/no-nat", test_no_nat);
  g_test_add_func ("/nat-info/closing", test_closing);
  g_test_add_func ("/nat-info/stun-servers", test_stun_servers);
  g_test_add_func ("/nat-info/stun-server-alone", test_stun_server_alone);
  return g_test_run ();
}
