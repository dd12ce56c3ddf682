/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "matching.h"

#include <string.h>

static void
on_registered (HpMatchServer *server, HpRegistration *peer, Matching *fixture)
{
  fixture->n_registered++;
  g_set_object (&fixture->peer, peer);
}

static void
on_expired (HpMatchServer *server, HpRegistration *peer, Matching *fixture)
{
  fixture->n_expired++;
  g_set_object (&fixture->peer, peer);
}

static void
on_introduced (HpMatchServer *server, HpRegistration *caller,
               HpRegistration *callee, Matching *fixture)
{
  fixture->n_introduced++;
  g_set_object (&fixture->peer, caller);
  g_set_object (&fixture->callee_peer, callee);
}

static void
on_authorize (HpMatchServer *server, HpAuthorization *question,
              Matching *fixture)
{
  fixture->n_asked++;
  switch (fixture->manner)
    {
    case KEEP:
      g_set_object (&fixture->question, question);
      break;
    case ALLOW:
      hp_authorization_allow (question);
      break;
    case DENY:
      hp_authorization_deny (question);
      break;
    case DROP:
      break;
    }
}

void
matching_start (Matching *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (hp_match_server_start (fixture->server, &error));
  g_assert_no_error (error);
}

void
matching_set_up (Matching *fixture, gconstpointer data)
{
  const char *workers = g_getenv ("MATCH_WORKERS");

  fixture->server = g_object_new (
      HP_TYPE_MATCH_SERVER, "port", 0, "listen-address", "127.0.0.1",
      "workers", workers != NULL ? atoi (workers) : 1, NULL);
  g_signal_connect (fixture->server, "peer-registered",
                    G_CALLBACK (on_registered), fixture);
  g_signal_connect (fixture->server, "peer-expired", G_CALLBACK (on_expired),
                    fixture);
  g_signal_connect (fixture->server, "introduced", G_CALLBACK (on_introduced),
                    fixture);
  matching_start (fixture);
  fixture->callee = test_client_new (fixture->server, NULL);
  fixture->caller = test_client_new (fixture->server, NULL);
}

void
matching_tear_down (Matching *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->callee, test_client_free);
  g_clear_pointer (&fixture->caller, test_client_free);
  g_clear_object (&fixture->peer);
  g_clear_object (&fixture->callee_peer);
  g_clear_object (&fixture->question);
  if (fixture->server != NULL)
    {
      hp_match_server_stop (fixture->server);
      /* Cancelled requests end in the next iterations. */
      objects_test_settle (10);
      g_assert_finalize_object (fixture->server);
    }
}

gulong
matching_answer_authorizations (Matching *fixture, const char *signal)
{
  return g_signal_connect (fixture->server, signal, G_CALLBACK (on_authorize),
                           fixture);
}

guint64
matching_get_number (Matching *fixture, const char *property)
{
  g_autoptr (HpServerStatistics)
      statistics = hp_match_server_get_statistics (fixture->server);
  guint64 number = 0;

  g_object_get (statistics, property, &number, NULL);
  return number;
}

void
matching_assert_peer (HpRegistration *peer, const char *id, TestClient *client)
{
  g_assert_cmpstr (hp_registration_get_id (peer), ==, id);
  g_assert_cmpstr (hp_registration_get_fingerprint (peer), ==,
                   client->fingerprint);
}

void
matching_register_callee (Matching *fixture, guint flags)
{
  test_client_register (fixture->callee, "wq", flags);
  await (n_of (fixture->callee, REGISTERED) > 0 && fixture->n_registered > 0);
}

void
matching_assert_registration_refused (TestClient *client, HpRefusedCode code)
{
  await (n_of (client, REGISTRATION_REFUSED) > 0);
  g_assert_cmpint (last_of (client, REGISTRATION_REFUSED)->code, ==, code);
  g_assert_cmpuint (n_of (client, REGISTERED), ==, 0);
}
