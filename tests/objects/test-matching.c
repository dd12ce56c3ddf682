/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpMatchServer with real clients, over the loopback interface: signals and
 * authorizations */

#include "matching.h"

#include "hole-punch/hp-memory-registry.h"
#include "hole-punch/hp-punch-error.h"

#include <string.h>

static guint
get_registry_size (Matching *fixture)
{
  return hp_memory_registry_get_size (
      HP_MEMORY_REGISTRY (hp_match_server_get_registry (fixture->server)));
}

static void
assert_address (HpRegistration *peer, TestClient *client)
{
  GInetSocketAddress *address = G_INET_SOCKET_ADDRESS (
      hp_registration_get_address (peer));

  g_assert_cmpuint (g_inet_socket_address_get_port (address), ==,
                    test_client_get_port (client));
}

static void
assert_ask_refused (TestClient *client, guint64 request, HpRefusedCode code)
{
  await (n_of (client, ASK_REFUSED) > 0);
  g_assert_cmpuint (last_of (client, ASK_REFUSED)->request, ==, request);
  g_assert_cmpint (last_of (client, ASK_REFUSED)->code, ==, code);
  g_assert_cmpuint (n_of (client, ANSWER), ==, 0);
}

/* Registering */

static void
test_register (Matching *fixture, gconstpointer data)
{
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  matching_assert_peer (fixture->peer, "wq", fixture->callee);
  assert_address (fixture->peer, fixture->callee);
  await (n_of (fixture->caller, CONNECTED) > 0);
  g_assert_cmpuint (matching_get_number (fixture, "peers"), ==, 2);
  g_assert_cmpuint (matching_get_number (fixture, "handshakes"), ==, 2);
  g_assert_cmpuint (matching_get_number (fixture, "registrations"), ==, 1);
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
  g_assert_cmpuint (fixture->n_registered, ==, 1);
}

/* The handlers that a derived class brings */

typedef struct
{
  HpMatchServer parent_instance;
  guint n_registered, n_expired, n_introduced;
} DerivedServer;

typedef struct
{
  HpMatchServerClass parent_class;
} DerivedServerClass;

GType derived_server_get_type (void);

G_DEFINE_TYPE (DerivedServer, derived_server, HP_TYPE_MATCH_SERVER)

static void
derived_peer_registered (HpMatchServer *server, HpRegistration *peer)
{
  ((DerivedServer *) server)->n_registered++;
}

static void
derived_peer_expired (HpMatchServer *server, HpRegistration *peer)
{
  ((DerivedServer *) server)->n_expired++;
}

static void
derived_introduced (HpMatchServer *server, HpRegistration *caller,
                    HpRegistration *callee)
{
  ((DerivedServer *) server)->n_introduced++;
}

static void
derived_server_class_init (DerivedServerClass *klass)
{
  klass->parent_class.peer_registered = derived_peer_registered;
  klass->parent_class.peer_expired = derived_peer_expired;
  klass->parent_class.introduced = derived_introduced;
}

static void
derived_server_init (DerivedServer *self)
{
}

static void
test_derived (void)
{
  DerivedServer *derived = g_object_new (derived_server_get_type (), "port", 0,
                                         "listen-address", "127.0.0.1", NULL);
  HpMatchServer *server = HP_MATCH_SERVER (derived);
  TestClient *callee;
  TestClient *caller;

  g_assert_true (hp_match_server_start (server, NULL));
  callee = test_client_new (server, NULL);
  caller = test_client_new (server, NULL);
  test_client_register (callee, "wq", HP_REGISTER_OPEN);
  await (derived->n_registered > 0);
  test_client_ask (caller, "wq", NULL);
  await (derived->n_introduced > 0);
  test_client_free (callee);
  await (derived->n_expired > 0);
  test_client_free (caller);
  hp_match_server_stop (server);
  g_assert_cmpuint (derived->n_registered, ==, 1);
  g_assert_finalize_object (derived);
}

static void
test_refresh (Matching *fixture, gconstpointer data)
{
  hp_match_server_set_registration_lifetime (fixture->server, 2);
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  objects_test_settle (3500);
  g_assert_cmpuint (n_of (fixture->callee, REGISTERED), >=, 2);
  g_assert_cmpuint (fixture->n_registered, ==, 1);
  g_assert_cmpuint (fixture->n_expired, ==, 0);
}

static void
test_vanish (Matching *fixture, gconstpointer data)
{
  gint64 start_time;

  hp_match_server_set_registration_lifetime (fixture->server, 1);
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  start_time = g_get_monotonic_time ();
  test_client_vanish (g_steal_pointer (&fixture->callee));
  await (fixture->n_expired > 0);
  g_assert_cmpint (g_get_monotonic_time () - start_time, <,
                   10 * G_TIME_SPAN_SECOND);
  g_assert_cmpstr (hp_registration_get_id (fixture->peer), ==, "wq");
  g_assert_cmpuint (matching_get_number (fixture, "registrations"), ==, 0);
  /* It is gone, but the id is its own. */
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
  test_client_register (fixture->caller, "wq", HP_REGISTER_OPEN);
  matching_assert_registration_refused (fixture->caller, HP_REFUSED_ID_TAKEN);
}

static void
test_unregister (Matching *fixture, gconstpointer data)
{
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  test_client_register (fixture->callee, NULL, 0);
  await (fixture->n_expired > 0);
  matching_assert_peer (fixture->peer, "wq", fixture->callee);
  g_assert_cmpuint (matching_get_number (fixture, "registrations"), ==, 0);
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
}

static void
test_ephemeral (Matching *fixture, gconstpointer data)
{
  matching_register_callee (fixture, HP_REGISTER_OPEN | HP_REGISTER_EPHEMERAL);
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
  test_client_register (fixture->callee, NULL, 0);
  await (fixture->n_expired > 0);
  await (get_registry_size (fixture) == 0);
  test_client_register (fixture->caller, "wq", HP_REGISTER_OPEN);
  await (fixture->n_registered == 2);
  matching_assert_peer (fixture->peer, "wq", fixture->caller);
}

static void
test_id_taken (Matching *fixture, gconstpointer data)
{
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  test_client_register (fixture->caller, "wq", HP_REGISTER_OPEN);
  matching_assert_registration_refused (fixture->caller, HP_REFUSED_ID_TAKEN);
  g_assert_cmpuint (fixture->n_registered, ==, 1);
}

/* Introducing */

static void
test_introduce (Matching *fixture, gconstpointer data)
{
  guint64 request;

  matching_register_callee (fixture, GPOINTER_TO_UINT (data));
  request = test_client_ask (fixture->caller, "wq", NULL);
  await (n_of (fixture->caller, ANSWER) > 0
         && n_of (fixture->callee, INTRODUCED) > 0
         && fixture->n_introduced > 0);
  g_assert_cmpuint (last_of (fixture->caller, ANSWER)->request, ==, request);
  g_assert_cmpmem (last_of (fixture->caller, ANSWER)->introduction.public_key,
                   HP_KEY_SIZE, fixture->callee->public_key, HP_KEY_SIZE);
  g_assert_cmpmem (
      last_of (fixture->callee, INTRODUCED)->introduction.public_key,
      HP_KEY_SIZE, fixture->caller->public_key, HP_KEY_SIZE);
  matching_assert_peer (fixture->peer, NULL, fixture->caller);
  assert_address (fixture->peer, fixture->caller);
  matching_assert_peer (fixture->callee_peer, "wq", fixture->callee);
  g_assert_cmpuint (matching_get_number (fixture, "asks"), ==, 1);
  g_assert_cmpuint (matching_get_number (fixture, "introductions"), ==, 1);
  /* Repeats of the question do not count. */
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_introduced, ==, 1);
  g_assert_cmpuint (matching_get_number (fixture, "asks"), ==, 1);
}

static void
test_introduce_by_key (Matching *fixture, gconstpointer data)
{
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  test_client_register (fixture->caller, "caller", HP_REGISTER_OPEN);
  await (fixture->n_registered == 2);
  test_client_ask (fixture->caller, NULL, fixture->callee->public_key);
  await (n_of (fixture->caller, ANSWER) > 0 && fixture->n_introduced > 0);
  matching_assert_peer (fixture->peer, "caller", fixture->caller);
  matching_assert_peer (fixture->callee_peer, NULL, fixture->callee);
}

static void
test_callee_refuses (Matching *fixture, gconstpointer data)
{
  guint64 request;

  fixture->callee->accepts = FALSE;
  matching_register_callee (fixture, 0);
  request = test_client_ask (fixture->caller, "wq", NULL);
  assert_ask_refused (fixture->caller, request, HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
}

static void
test_unknown_id (Matching *fixture, gconstpointer data)
{
  guint64 request = test_client_ask (fixture->caller, "nobody", NULL);

  assert_ask_refused (fixture->caller, request, HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
}

static void
test_max_peers (Matching *fixture, gconstpointer data)
{
  TestClient *third;

  await (n_of (fixture->callee, CONNECTED) > 0
         && n_of (fixture->caller, CONNECTED) > 0);
  /* What one thread does at the same moment another does not know. */
  await (matching_get_number (fixture, "peers") == 2);
  hp_match_server_set_max_peers (fixture->server, 2);
  third = test_client_new (fixture->server, NULL);
  objects_test_settle (700);
  g_assert_cmpuint (n_of (third, CONNECTED), ==, 0);
  g_assert_cmpuint (matching_get_number (fixture, "peers"), ==, 2);
  g_assert_cmpuint (matching_get_number (fixture, "datagrams-dropped"), >, 0);
  hp_match_server_set_max_peers (fixture->server, 3);
  await (n_of (third, CONNECTED) > 0);
  test_client_free (third);
}

static void
test_max_asks (Matching *fixture, gconstpointer data)
{
  hp_match_server_set_max_asks_per_minute (fixture->server, 2);
  for (guint i = 1; i <= 2; i++)
    {
      test_client_ask (fixture->caller, "nobody", NULL);
      await (n_of (fixture->caller, ASK_REFUSED) == i);
      g_assert_cmpint (last_of (fixture->caller, ASK_REFUSED)->code, ==,
                       HP_REFUSED_UNKNOWN_ID);
    }
  test_client_ask (fixture->caller, "nobody", NULL);
  await (n_of (fixture->caller, ASK_REFUSED) == 3);
  g_assert_cmpint (last_of (fixture->caller, ASK_REFUSED)->code, ==,
                   HP_REFUSED_RATE_LIMITED);
  g_assert_cmpuint (matching_get_number (fixture, "dropped-rate-limited"),
                    >, 0);
}

/* Authorizing */

static void
assert_question (Matching *fixture, const char *id, const char *wanted_id,
                 TestClient *client)
{
  await (fixture->question != NULL);
  g_assert_cmpstr (hp_authorization_get_id (fixture->question), ==, id);
  g_assert_cmpstr (hp_authorization_get_wanted_id (fixture->question), ==,
                   wanted_id);
  g_assert_cmpstr (hp_authorization_get_fingerprint (fixture->question), ==,
                   client->fingerprint);
}

static void
test_registration_allowed (Matching *fixture, gconstpointer data)
{
  fixture->manner = ALLOW;
  matching_answer_authorizations (fixture, "authorize-registration");
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

static void
test_registration_allowed_later (Matching *fixture, gconstpointer data)
{
  matching_answer_authorizations (fixture, "authorize-registration");
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  assert_question (fixture, "wq", NULL, fixture->callee);
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
  hp_authorization_allow (fixture->question);
  await (fixture->n_registered == 1);
  await (n_of (fixture->callee, REGISTERED) > 0);
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

/* DENY and DROP; nothing is different to the client */
static void
test_registration_denied (Matching *fixture, gconstpointer data)
{
  fixture->manner = GPOINTER_TO_UINT (data);
  matching_answer_authorizations (fixture, "authorize-registration");
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  matching_assert_registration_refused (fixture->callee, HP_REFUSED_POLICY);
  g_assert_cmpuint (fixture->n_asked, ==, 1);
  g_assert_cmpuint (get_registry_size (fixture), ==, 0);
}

static void
test_registration_unanswered (Matching *fixture, gconstpointer data)
{
  matching_answer_authorizations (fixture, "authorize-registration");
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  matching_assert_registration_refused (fixture->callee, HP_REFUSED_POLICY);
  hp_authorization_allow (fixture->question);
  objects_test_settle (100);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
}

/* Handlers may come and go while the server runs. */
static void
test_registration_unasked (Matching *fixture, gconstpointer data)
{
  gulong handler = matching_answer_authorizations (fixture,
                                                   "authorize-registration");

  fixture->manner = DENY;
  test_client_register (fixture->caller, "caller", HP_REGISTER_OPEN);
  matching_assert_registration_refused (fixture->caller, HP_REFUSED_POLICY);

  /* One that is blocked lets nobody in. */
  g_signal_handler_block (fixture->server, handler);
  test_client_register (fixture->caller, "other", HP_REGISTER_OPEN);
  await (n_of (fixture->caller, REGISTRATION_REFUSED) == 2);
  g_assert_cmpuint (fixture->n_asked, ==, 1);

  g_signal_handler_disconnect (fixture->server, handler);
  matching_register_callee (fixture, HP_REGISTER_OPEN);
}

static void
test_introduction_allowed (Matching *fixture, gconstpointer data)
{
  matching_answer_authorizations (fixture, "authorize-introduction");
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  test_client_ask (fixture->caller, "wq", NULL);
  assert_question (fixture, NULL, "wq", fixture->caller);
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
  g_assert_cmpuint (n_of (fixture->callee, INTRODUCED), ==, 0);
  hp_authorization_allow (fixture->question);
  await (n_of (fixture->caller, ANSWER) > 0 && fixture->n_introduced > 0);
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

static void
test_introduction_denied (Matching *fixture, gconstpointer data)
{
  guint64 request;

  fixture->manner = GPOINTER_TO_UINT (data);
  matching_answer_authorizations (fixture, "authorize-introduction");
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  request = test_client_ask (fixture->caller, "wq", NULL);
  assert_ask_refused (fixture->caller, request, HP_REFUSED_POLICY);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
  g_assert_cmpuint (n_of (fixture->callee, INTRODUCED), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, data, func)                                                  \
  g_test_add ("/matching/" name, Matching, data, matching_set_up, func,        \
              matching_tear_down)
#define NUMBER(number) GUINT_TO_POINTER (number)

  ADD ("register", NULL, test_register);
  g_test_add_func ("/matching/derived", test_derived);
  ADD ("refresh", NULL, test_refresh);
  ADD ("vanish", NULL, test_vanish);
  ADD ("unregister", NULL, test_unregister);
  ADD ("ephemeral", NULL, test_ephemeral);
  ADD ("id-taken", NULL, test_id_taken);
  ADD ("introduce/open", NUMBER (HP_REGISTER_OPEN), test_introduce);
  ADD ("introduce/accepted", NUMBER (0), test_introduce);
  ADD ("introduce/by-key", NULL, test_introduce_by_key);
  ADD ("introduce/callee-refuses", NULL, test_callee_refuses);
  ADD ("introduce/unknown-id", NULL, test_unknown_id);
  ADD ("max-peers", NULL, test_max_peers);
  ADD ("max-asks", NULL, test_max_asks);
  ADD ("registration/allowed", NULL, test_registration_allowed);
  ADD ("registration/allowed-later", NULL, test_registration_allowed_later);
  ADD ("registration/denied", NUMBER (DENY), test_registration_denied);
  ADD ("registration/dropped", NUMBER (DROP), test_registration_denied);
  ADD ("registration/unanswered", NULL, test_registration_unanswered);
  ADD ("registration/unasked", NULL, test_registration_unasked);
  ADD ("introduction/allowed", NULL, test_introduction_allowed);
  ADD ("introduction/denied", NUMBER (DENY), test_introduction_denied);
  ADD ("introduction/dropped", NUMBER (DROP), test_introduction_denied);
  return g_test_run ();
}
