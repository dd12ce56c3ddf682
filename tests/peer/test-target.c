/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-target-private.h"
#include "hole-punch/hp-punch-error.h"

#include <string.h>

static char *
fingerprint_new (void)
{
  g_autoptr (HpIdentity) identity = hp_identity_new ();

  return g_strdup (hp_identity_get_fingerprint (identity));
}

static void
check_target (const char *text, const char *id, const char *fingerprint)
{
  HpPeerTarget target;
  GError *error = NULL;
  guint8 key[HP_KEY_SIZE];

  g_assert_true (hp_peer_target_parse (&target, text, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (target.text, ==, text);
  g_assert_cmpstr (target.id, ==, id);
  g_assert_cmpint (target.has_key, ==, fingerprint != NULL);
  if (fingerprint != NULL)
    {
      g_assert_true (hp_fingerprint_parse (fingerprint, key));
      g_assert_cmpmem (target.key, HP_KEY_SIZE, key, HP_KEY_SIZE);
    }
  hp_peer_target_clear (&target);
}

static void
check_no_target (const char *text)
{
  HpPeerTarget target;
  g_autoptr (GError) error = NULL;

  g_assert_false (hp_peer_target_parse (&target, text, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  g_assert_null (target.text);
}

static void
test_targets (void)
{
  g_autofree char *fingerprint = fingerprint_new ();
  g_autofree char *both = g_strconcat ("wq@", fingerprint, NULL);
  g_autofree char *mail = g_strconcat ("me@example.org@", fingerprint, NULL);
  g_autofree char *no_id = g_strconcat ("@", fingerprint, NULL);
  g_autofree char *not_canonical = g_strdup (fingerprint);
  g_autofree char *upper = g_ascii_strup (fingerprint, -1);
  g_autofree char *long_id = g_strnfill (64, 'x');
  g_autofree char *too_long = g_strnfill (65, 'x');

  check_target ("wq", "wq", NULL);
  check_target ("wörter mit Leerzeichen", "wörter mit Leerzeichen", NULL);
  check_target ("me@example.org", "me@example.org", NULL);
  check_target (long_id, long_id, NULL);
  check_target (fingerprint, NULL, fingerprint);
  check_target (both, "wq", fingerprint);
  check_target (mail, "me@example.org", fingerprint);
  /* Upper case is no fingerprint, so it may be an id */
  check_target (upper, upper, NULL);

  check_no_target ("");
  check_no_target ("tab\there");
  check_no_target ("\xff\xfe");
  check_no_target (too_long);
  check_no_target (no_id);
  /* The last character holds one bit: only a and q are canonical */
  not_canonical[51] = 'b';
  check_no_target (not_canonical);
}

typedef struct
{
  const char *text;
  const char *host;
  guint port;
} Server;

static const Server servers[] = {
  { "match.example.org", "match.example.org", 4222 },
  { "match.example.org:5000", "match.example.org", 5000 },
  { "192.0.2.1", "192.0.2.1", 4222 },
  { "192.0.2.1:1", "192.0.2.1", 1 },
  { "2001:db8::1", "2001:db8::1", 4222 },
  { "[2001:db8::1]", "2001:db8::1", 4222 },
  { "[2001:db8::1]:65535", "2001:db8::1", 65535 },
  { "holepunch://example.org", "example.org", 4222 },
  { "holepunch://example.org:7/", "example.org", 7 },
  { "holepunch://[::1]:7", "::1", 7 },
  { "  example.org  ", "example.org", 4222 },
};

static void
test_servers (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (servers); i++)
    {
      g_autoptr (GPtrArray) names = NULL;
      GError *error = NULL;
      HpServerName *name;

      g_test_message ("%s", servers[i].text);
      names = hp_server_names_parse (servers[i].text, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (names->len, ==, 1);
      name = names->pdata[0];
      g_assert_cmpstr (name->host, ==, servers[i].host);
      g_assert_cmpuint (name->port, ==, servers[i].port);
      g_assert_false (name->has_key);
    }
}

static void
test_pinned (void)
{
  g_autofree char *fingerprint = fingerprint_new ();
  g_autofree char *text = g_strdup_printf (
      "holepunch://%s@example.org:5, other.example.org,::1", fingerprint);
  g_autoptr (GPtrArray) names = NULL;
  GError *error = NULL;
  HpServerName *name;
  guint8 key[HP_KEY_SIZE];

  names = hp_server_names_parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (names->len, ==, 3);
  name = names->pdata[0];
  g_assert_true (name->has_key);
  g_assert_true (hp_fingerprint_parse (fingerprint, key));
  g_assert_cmpmem (name->key, HP_KEY_SIZE, key, HP_KEY_SIZE);
  g_assert_cmpstr (name->host, ==, "example.org");
  name = names->pdata[1];
  g_assert_cmpstr (name->host, ==, "other.example.org");
  name = names->pdata[2];
  g_assert_cmpstr (name->host, ==, "::1");

  g_clear_pointer (&names, g_ptr_array_unref);
  names = hp_server_names_parse (NULL, &error);
  g_assert_cmpuint (names->len, ==, 0);
  g_clear_pointer (&names, g_ptr_array_unref);
  names = hp_server_names_parse ("", &error);
  g_assert_cmpuint (names->len, ==, 0);
}

static void
test_no_servers (void)
{
  const char *texts[] = {
    " ",
    ",",
    "a,",
    "a,,b",
    "a b",
    "example.org:0",
    "example.org:65536",
    "example.org:-1",
    "example.org:port",
    "http://example.org",
    "holepunch://",
    "holepunch://key@example.org",
    "key@example.org",
    "holepunch://example.org/path",
    "holepunch://example.org?query",
    "holepunch://example.org#fragment",
    "[::1",
    "[::1]:",
    "a,b,c,d,e,f,g,h,i",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) names = hp_server_names_parse (texts[i], &error);

      /* A colon without a port is the default port (RFC 3986, 3.2.3) */
      if (strcmp (texts[i], "[::1]:") == 0)
        {
          g_assert_no_error (error);
          continue;
        }
      g_test_message ("%s", texts[i]);
      g_assert_null (names);
      g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/target/targets", test_targets);
  g_test_add_func ("/target/servers", test_servers);
  g_test_add_func ("/target/pinned", test_pinned);
  g_test_add_func ("/target/no-servers", test_no_servers);
  return g_test_run ();
}
