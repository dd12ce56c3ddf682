/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* TURN servers as users name them. */

#include "hole-punch/engine/hp-relay-server.h"

/* "transport host port user password" of each, as it will be tried */
static char *
describe (GPtrArray *servers)
{
  static const char *const names[] = { "udp", "tcp", "tls" };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < servers->len; i++)
    {
      const HpRelayServer *server = servers->pdata[i];

      g_string_append_printf (text, "%s%s %s %u %s %s", i > 0 ? ", " : "",
                              names[server->transport], server->host,
                              server->port, server->username,
                              server->password);
    }
  return g_string_free (text, FALSE);
}

static void
test_right (void)
{
  static const struct
  {
    const char *text, *expected;
  } right[] = {
    { NULL, "" },
    { "", "" },
    { "turn:u:p@example.org",
      "udp example.org 3478 u p, tcp example.org 3478 u p" },
    { "turn:u:p@example.org?transport=udp", "udp example.org 3478 u p" },
    { "turn:u:p@example.org?transport=TCP", "tcp example.org 3478 u p" },
    { "turn:u:p@example.org:99?transport=udp", "udp example.org 99 u p" },
    { "turns:u:p@example.org", "tls example.org 5349 u p" },
    { "turns:u:p@example.org:443?transport=tcp", "tls example.org 443 u p" },
    { "TURN:u:p@192.0.2.1:3479?transport=udp", "udp 192.0.2.1 3479 u p" },
    { "turn:u:p@[2001:db8::1]:99?transport=udp", "udp 2001:db8::1 99 u p" },
    { "turn:u:p@[2001:db8::1]?transport=udp", "udp 2001:db8::1 3478 u p" },
    { "turn://u:p@example.org/?transport=udp", "udp example.org 3478 u p" },
    { "turns://u:p@example.org", "tls example.org 5349 u p" },
    /* What has a meaning in a URI, and the ":" of RFC 8489's REST scheme */
    { "turn:17%3Aann:a%2Cb%40c%2Fd%25@example.org?transport=udp",
      "udp example.org 3478 17:ann a,b@c/d%" },
    { "turn:u:p:q@example.org?transport=udp", "udp example.org 3478 u p:q" },
    { " turn:u:p@a?transport=tcp , turns:v:q@b",
      "tcp a 3478 u p, tls b 5349 v q" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (right); i++)
    {
      GError *error = NULL;
      g_autoptr (GPtrArray)
          servers = hp_relay_servers_parse (right[i].text, &error);
      g_autofree char *found = NULL;

      g_assert_no_error (error);
      found = describe (servers);
      g_assert_cmpstr (found, ==, right[i].expected);
    }
}

static void
test_wrong (void)
{
  static const char *const wrong[] = {
    "example.org",
    "stun:u:p@example.org",
    "turn:",
    "turn:@",
    "turn:u:p@",
    "turn:example.org",
    "turn:u@example.org",
    "turn::p@example.org",
    "turn:u:@example.org",
    "turn:u:p@example.org:0",
    "turn:u:p@example.org:65536",
    "turn:u:p@example.org:x",
    "turn:u:p@exam ple.org",
    "turn:u:p@2001:db8::1",
    "turn:u:p@[2001:db8::1",
    "turn:u:p@example.org/path",
    "turn:u:p@example.org#part",
    "turn:u:p@example.org?transport=sctp",
    "turn:u:p@example.org?transport",
    "turns:u:p@example.org?transport=udp",
    "turn:u:%zz@example.org",
    "turn:u:p@example.org,",
    "turn:u:p@example.org,,turn:u:p@example.org",
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) servers = hp_relay_servers_parse (wrong[i], &error);

      if (servers != NULL)
        g_error ("“%s” was taken for a TURN server", wrong[i]);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

/* A password is nobody's business but the server's. */
static void
test_secret (void)
{
  GError *error = NULL;

  g_assert_null (
      hp_relay_servers_parse ("turn:u:p@a, turn:ann:hush@b:x", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (g_strstr_len (error->message, -1, "server 2"));
  g_assert_null (g_strstr_len (error->message, -1, "hush"));
  g_error_free (error);
}

/* A match server's come without credentials in them. */
static void
test_lent (void)
{
  g_autoptr (GPtrArray) servers = hp_relay_servers_new ();
  g_autofree char *found = NULL;

  g_assert_true (hp_relay_servers_add (servers, "turn:a?transport=udp",
                                       "17:ann", "x/y="));
  g_assert_true (hp_relay_servers_add (servers, "turns:u:p@b", "v", "q"));
  g_assert_false (hp_relay_servers_add (servers, "turn:c", "u", NULL));
  g_assert_false (hp_relay_servers_add (servers, "turn:c", "", "p"));
  found = describe (servers);
  g_assert_cmpstr (found, ==, "udp a 3478 17:ann x/y=, tls b 5349 v q");
}

static void
test_many (void)
{
  g_autoptr (GPtrArray) servers = hp_relay_servers_new ();

  for (guint i = 0; i < HP_RELAY_MAX_SERVERS / 2; i++)
    g_assert_true (hp_relay_servers_add (servers, "turn:u:p@a", NULL, NULL));
  g_assert_cmpuint (servers->len, ==, HP_RELAY_MAX_SERVERS);
  g_assert_false (hp_relay_servers_add (servers, "turns:u:p@a", NULL, NULL));
  g_assert_cmpuint (servers->len, ==, HP_RELAY_MAX_SERVERS);
}

/* UDP first, TLS last, and equal ones as they were given */
static void
test_order (void)
{
  g_autoptr (GPtrArray) servers = hp_relay_servers_parse (
      "turns:u:p@a,turn:u:p@b,turns:u:p@c,turn:u:p@d?transport=udp", NULL);
  g_autofree char *found = NULL;

  hp_relay_servers_sort (servers);
  found = describe (servers);
  g_assert_cmpstr (found, ==,
                   "udp b 3478 u p, udp d 3478 u p, tcp b 3478 u p, "
                   "tls a 5349 u p, tls c 5349 u p");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/relay-server/right", test_right);
  g_test_add_func ("/relay-server/wrong", test_wrong);
  g_test_add_func ("/relay-server/secret", test_secret);
  g_test_add_func ("/relay-server/lent", test_lent);
  g_test_add_func ("/relay-server/many", test_many);
  g_test_add_func ("/relay-server/order", test_order);

  return g_test_run ();
}
