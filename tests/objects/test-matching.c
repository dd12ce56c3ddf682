/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpMatchServer with real clients, over the loopback interface: signals,
 * authorizations, registries, and stopping from inside all of them */

#include "hole-punch/hp-match-server.h"
#include "hole-punch/hp-memory-registry.h"
#include "hole-punch/hp-punch-error.h"

#include "objects-test.h"
#include "test-client.h"

#include <string.h>

typedef struct
{
  HpMatchServer *server;
  TestClient *callee;
  TestClient *caller;

  guint n_registered, n_expired, n_introduced, n_asked;
  HpRegistration *peer;   /* of the last signal */
  HpRegistration *callee_peer;
  HpAuthorization *question;

  /* What handlers of authorize-* do */
  enum
  {
    KEEP,
    ALLOW,
    DENY,
    DROP,
  } manner;
} Fixture;

static void
on_registered (HpMatchServer *server, HpRegistration *peer, Fixture *fixture)
{
  fixture->n_registered++;
  g_set_object (&fixture->peer, peer);
}

static void
on_expired (HpMatchServer *server, HpRegistration *peer, Fixture *fixture)
{
  fixture->n_expired++;
  g_set_object (&fixture->peer, peer);
}

static void
on_introduced (HpMatchServer *server, HpRegistration *caller,
               HpRegistration *callee, Fixture *fixture)
{
  fixture->n_introduced++;
  g_set_object (&fixture->peer, caller);
  g_set_object (&fixture->callee_peer, callee);
}

static void
on_authorize (HpMatchServer *server, HpAuthorization *question,
              Fixture *fixture)
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

static void
start (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (hp_match_server_start (fixture->server, &error));
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->server = g_object_new (HP_TYPE_MATCH_SERVER, "port", 0,
                                  "listen-address", "127.0.0.1", NULL);
  g_signal_connect (fixture->server, "peer-registered",
                    G_CALLBACK (on_registered), fixture);
  g_signal_connect (fixture->server, "peer-expired", G_CALLBACK (on_expired),
                    fixture);
  g_signal_connect (fixture->server, "introduced", G_CALLBACK (on_introduced),
                    fixture);
  start (fixture);
  fixture->callee = test_client_new (fixture->server, NULL);
  fixture->caller = test_client_new (fixture->server, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
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

static void
answer_authorizations (Fixture *fixture, const char *signal)
{
  g_signal_connect (fixture->server, signal, G_CALLBACK (on_authorize),
                    fixture);
}

static guint64
get_number (Fixture *fixture, const char *property)
{
  g_autoptr (HpServerStatistics) statistics
      = hp_match_server_get_statistics (fixture->server);
  guint64 number = 0;

  g_object_get (statistics, property, &number, NULL);
  return number;
}

static guint
get_registry_size (Fixture *fixture)
{
  return hp_memory_registry_get_size (
      HP_MEMORY_REGISTRY (hp_match_server_get_registry (fixture->server)));
}

static void
assert_peer (HpRegistration *peer, const char *id, TestClient *client)
{
  g_assert_cmpstr (hp_registration_get_id (peer), ==, id);
  g_assert_cmpstr (hp_registration_get_fingerprint (peer), ==,
                   client->fingerprint);
}

static void
assert_address (HpRegistration *peer, TestClient *client)
{
  GInetSocketAddress *address
      = G_INET_SOCKET_ADDRESS (hp_registration_get_address (peer));

  g_assert_cmpuint (g_inet_socket_address_get_port (address), ==,
                    test_client_get_port (client));
}

#define n_of(client, name) ((client)->n_events[HP_MATCH_EVENT_##name])
#define last_of(client, name) (&(client)->events[HP_MATCH_EVENT_##name])

static void
register_callee (Fixture *fixture, guint flags)
{
  test_client_register (fixture->callee, "wq", flags);
  await (n_of (fixture->callee, REGISTERED) > 0
         && fixture->n_registered > 0);
}

static void
assert_registration_refused (TestClient *client, HpRefusedCode code)
{
  await (n_of (client, REGISTRATION_REFUSED) > 0);
  g_assert_cmpint (last_of (client, REGISTRATION_REFUSED)->code, ==, code);
  g_assert_cmpuint (n_of (client, REGISTERED), ==, 0);
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
test_register (Fixture *fixture, gconstpointer data)
{
  register_callee (fixture, HP_REGISTER_OPEN);
  assert_peer (fixture->peer, "wq", fixture->callee);
  assert_address (fixture->peer, fixture->callee);
  await (n_of (fixture->caller, CONNECTED) > 0);
  g_assert_cmpuint (get_number (fixture, "peers"), ==, 2);
  g_assert_cmpuint (get_number (fixture, "handshakes"), ==, 2);
  g_assert_cmpuint (get_number (fixture, "registrations"), ==, 1);
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
  DerivedServer *derived
      = g_object_new (derived_server_get_type (), "port", 0, "listen-address",
                      "127.0.0.1", NULL);
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
test_refresh (Fixture *fixture, gconstpointer data)
{
  hp_match_server_set_registration_lifetime (fixture->server, 2);
  register_callee (fixture, HP_REGISTER_OPEN);
  objects_test_settle (3500);
  g_assert_cmpuint (n_of (fixture->callee, REGISTERED), >=, 2);
  g_assert_cmpuint (fixture->n_registered, ==, 1);
  g_assert_cmpuint (fixture->n_expired, ==, 0);
}

static void
test_vanish (Fixture *fixture, gconstpointer data)
{
  gint64 start_time;

  hp_match_server_set_registration_lifetime (fixture->server, 1);
  register_callee (fixture, HP_REGISTER_OPEN);
  start_time = g_get_monotonic_time ();
  test_client_vanish (g_steal_pointer (&fixture->callee));
  await (fixture->n_expired > 0);
  g_assert_cmpint (g_get_monotonic_time () - start_time, <,
                   10 * G_TIME_SPAN_SECOND);
  g_assert_cmpstr (hp_registration_get_id (fixture->peer), ==, "wq");
  g_assert_cmpuint (get_number (fixture, "registrations"), ==, 0);
  /* It is gone, but the id is its own. */
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
  test_client_register (fixture->caller, "wq", HP_REGISTER_OPEN);
  assert_registration_refused (fixture->caller, HP_REFUSED_ID_TAKEN);
}

static void
test_unregister (Fixture *fixture, gconstpointer data)
{
  register_callee (fixture, HP_REGISTER_OPEN);
  test_client_register (fixture->callee, NULL, 0);
  await (fixture->n_expired > 0);
  assert_peer (fixture->peer, "wq", fixture->callee);
  g_assert_cmpuint (get_number (fixture, "registrations"), ==, 0);
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
}

static void
test_ephemeral (Fixture *fixture, gconstpointer data)
{
  register_callee (fixture, HP_REGISTER_OPEN | HP_REGISTER_EPHEMERAL);
  g_assert_cmpuint (get_registry_size (fixture), ==, 1);
  test_client_register (fixture->callee, NULL, 0);
  await (fixture->n_expired > 0);
  await (get_registry_size (fixture) == 0);
  test_client_register (fixture->caller, "wq", HP_REGISTER_OPEN);
  await (fixture->n_registered == 2);
  assert_peer (fixture->peer, "wq", fixture->caller);
}

static void
test_id_taken (Fixture *fixture, gconstpointer data)
{
  register_callee (fixture, HP_REGISTER_OPEN);
  test_client_register (fixture->caller, "wq", HP_REGISTER_OPEN);
  assert_registration_refused (fixture->caller, HP_REFUSED_ID_TAKEN);
  g_assert_cmpuint (fixture->n_registered, ==, 1);
}

/* Introducing */

static void
test_introduce (Fixture *fixture, gconstpointer data)
{
  guint64 request;

  register_callee (fixture, GPOINTER_TO_UINT (data));
  request = test_client_ask (fixture->caller, "wq", NULL);
  await (n_of (fixture->caller, ANSWER) > 0
         && n_of (fixture->callee, INTRODUCED) > 0
         && fixture->n_introduced > 0);
  g_assert_cmpuint (last_of (fixture->caller, ANSWER)->request, ==, request);
  g_assert_cmpmem (
      last_of (fixture->caller, ANSWER)->introduction.public_key, HP_KEY_SIZE,
      fixture->callee->public_key, HP_KEY_SIZE);
  g_assert_cmpmem (
      last_of (fixture->callee, INTRODUCED)->introduction.public_key,
      HP_KEY_SIZE, fixture->caller->public_key, HP_KEY_SIZE);
  assert_peer (fixture->peer, NULL, fixture->caller);
  assert_address (fixture->peer, fixture->caller);
  assert_peer (fixture->callee_peer, "wq", fixture->callee);
  g_assert_cmpuint (get_number (fixture, "asks"), ==, 1);
  g_assert_cmpuint (get_number (fixture, "introductions"), ==, 1);
  /* Repeats of the question do not count. */
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_introduced, ==, 1);
  g_assert_cmpuint (get_number (fixture, "asks"), ==, 1);
}

static void
test_introduce_by_key (Fixture *fixture, gconstpointer data)
{
  register_callee (fixture, HP_REGISTER_OPEN);
  test_client_register (fixture->caller, "caller", HP_REGISTER_OPEN);
  await (fixture->n_registered == 2);
  test_client_ask (fixture->caller, NULL, fixture->callee->public_key);
  await (n_of (fixture->caller, ANSWER) > 0 && fixture->n_introduced > 0);
  assert_peer (fixture->peer, "caller", fixture->caller);
  assert_peer (fixture->callee_peer, NULL, fixture->callee);
}

static void
test_callee_refuses (Fixture *fixture, gconstpointer data)
{
  guint64 request;

  fixture->callee->accepts = FALSE;
  register_callee (fixture, 0);
  request = test_client_ask (fixture->caller, "wq", NULL);
  assert_ask_refused (fixture->caller, request, HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
}

static void
test_unknown_id (Fixture *fixture, gconstpointer data)
{
  guint64 request = test_client_ask (fixture->caller, "nobody", NULL);

  assert_ask_refused (fixture->caller, request, HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
}

static void
test_max_peers (Fixture *fixture, gconstpointer data)
{
  TestClient *third;

  await (n_of (fixture->callee, CONNECTED) > 0
         && n_of (fixture->caller, CONNECTED) > 0);
  hp_match_server_set_max_peers (fixture->server, 2);
  third = test_client_new (fixture->server, NULL);
  objects_test_settle (700);
  g_assert_cmpuint (n_of (third, CONNECTED), ==, 0);
  g_assert_cmpuint (get_number (fixture, "peers"), ==, 2);
  g_assert_cmpuint (get_number (fixture, "datagrams-dropped"), >, 0);
  hp_match_server_set_max_peers (fixture->server, 3);
  await (n_of (third, CONNECTED) > 0);
  test_client_free (third);
}

static void
test_max_asks (Fixture *fixture, gconstpointer data)
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
  g_assert_cmpuint (get_number (fixture, "rate-limited"), >, 0);
}

/* Authorizing */

static void
assert_question (Fixture *fixture, const char *id, const char *wanted_id,
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
test_registration_allowed (Fixture *fixture, gconstpointer data)
{
  fixture->manner = ALLOW;
  answer_authorizations (fixture, "authorize-registration");
  register_callee (fixture, HP_REGISTER_OPEN);
  g_assert_cmpuint (fixture->n_asked, ==, 1);
}

static void
test_registration_allowed_later (Fixture *fixture, gconstpointer data)
{
  answer_authorizations (fixture, "authorize-registration");
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
test_registration_denied (Fixture *fixture, gconstpointer data)
{
  fixture->manner = GPOINTER_TO_UINT (data);
  answer_authorizations (fixture, "authorize-registration");
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  assert_registration_refused (fixture->callee, HP_REFUSED_POLICY);
  g_assert_cmpuint (fixture->n_asked, ==, 1);
  g_assert_cmpuint (get_registry_size (fixture), ==, 0);
}

static void
test_registration_unanswered (Fixture *fixture, gconstpointer data)
{
  answer_authorizations (fixture, "authorize-registration");
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  assert_registration_refused (fixture->callee, HP_REFUSED_POLICY);
  hp_authorization_allow (fixture->question);
  objects_test_settle (100);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
}

/* Handlers may come and go while the server runs. */
static void
test_registration_unasked (Fixture *fixture, gconstpointer data)
{
  gulong handler
      = g_signal_connect (fixture->server, "authorize-registration",
                          G_CALLBACK (on_authorize), fixture);

  fixture->manner = DENY;
  test_client_register (fixture->caller, "caller", HP_REGISTER_OPEN);
  assert_registration_refused (fixture->caller, HP_REFUSED_POLICY);

  /* One that is blocked lets nobody in. */
  g_signal_handler_block (fixture->server, handler);
  test_client_register (fixture->caller, "other", HP_REGISTER_OPEN);
  await (n_of (fixture->caller, REGISTRATION_REFUSED) == 2);
  g_assert_cmpuint (fixture->n_asked, ==, 1);

  g_signal_handler_disconnect (fixture->server, handler);
  register_callee (fixture, HP_REGISTER_OPEN);
}

static void
test_introduction_allowed (Fixture *fixture, gconstpointer data)
{
  answer_authorizations (fixture, "authorize-introduction");
  register_callee (fixture, HP_REGISTER_OPEN);
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
test_introduction_denied (Fixture *fixture, gconstpointer data)
{
  guint64 request;

  fixture->manner = GPOINTER_TO_UINT (data);
  answer_authorizations (fixture, "authorize-introduction");
  register_callee (fixture, HP_REGISTER_OPEN);
  request = test_client_ask (fixture->caller, "wq", NULL);
  assert_ask_refused (fixture->caller, request, HP_REFUSED_POLICY);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
  g_assert_cmpuint (n_of (fixture->callee, INTRODUCED), ==, 0);
}

/* A registry that does with a request what it is told to */

typedef struct
{
  GObject parent_instance;
  GPtrArray *requests;
} SlowRegistry;

typedef struct
{
  GObjectClass parent_class;
} SlowRegistryClass;

static void
keep_request (HpRegistry *registry, HpRegistryRequest *request)
{
  g_ptr_array_add (((SlowRegistry *) registry)->requests,
                   g_object_ref (request));
}

static void
slow_registry_iface_init (HpRegistryInterface *iface)
{
  iface->claim = keep_request;
  iface->lookup = keep_request;
  iface->release = keep_request;
}

GType slow_registry_get_type (void);

G_DEFINE_TYPE_WITH_CODE (SlowRegistry, slow_registry, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY,
                                                slow_registry_iface_init))

static void
slow_registry_finalize (GObject *object)
{
  g_ptr_array_unref (((SlowRegistry *) object)->requests);
  G_OBJECT_CLASS (slow_registry_parent_class)->finalize (object);
}

static void
slow_registry_class_init (SlowRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = slow_registry_finalize;
}

static void
slow_registry_init (SlowRegistry *self)
{
  self->requests = g_ptr_array_new_with_free_func (g_object_unref);
}

/* Starts the server again, with such a registry */
static SlowRegistry *
use_slow_registry (Fixture *fixture)
{
  SlowRegistry *registry = g_object_new (slow_registry_get_type (), NULL);

  g_clear_pointer (&fixture->callee, test_client_free);
  g_clear_pointer (&fixture->caller, test_client_free);
  hp_match_server_stop (fixture->server);
  hp_match_server_set_registry (fixture->server, HP_REGISTRY (registry));
  start (fixture);
  fixture->callee = test_client_new (fixture->server, NULL);
  fixture->caller = test_client_new (fixture->server, NULL);
  g_object_unref (registry);
  return registry;
}

static HpRegistryRequest *
await_request (SlowRegistry *registry, guint i)
{
  await (registry->requests->len > i);
  return g_ptr_array_index (registry->requests, i);
}

static void
answer (HpRegistryRequest *request, const char *fingerprint)
{
  g_autoptr (HpRegistration) holder = hp_registration_new (
      hp_registry_request_get_id (request), fingerprint);

  hp_registry_request_return_registration (request, holder);
}

static void
test_slow_registry (Fixture *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  HpRegistryRequest *request;

  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  request = await_request (registry, 0);
  g_assert_cmpstr (hp_registry_request_get_id (request), ==, "wq");
  g_assert_cmpstr (hp_registry_request_get_fingerprint (request), ==,
                   fixture->callee->fingerprint);
  g_assert_false (hp_registry_request_get_ephemeral (request));
  g_assert_cmpint (hp_registry_request_get_lifetime (request), >,
                   24 * 60 * 60);
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
  answer (request, fixture->callee->fingerprint);
  await (fixture->n_registered == 1);
  answer (request, fixture->callee->fingerprint);

  test_client_ask (fixture->caller, "wq", NULL);
  request = await_request (registry, 1);
  g_assert_cmpstr (hp_registry_request_get_id (request), ==, "wq");
  g_assert_null (hp_registry_request_get_fingerprint (request));
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_introduced, ==, 0);
  answer (request, fixture->callee->fingerprint);
  await (fixture->n_introduced == 1);
}

static void
test_ephemeral_claim (Fixture *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  HpRegistryRequest *request;

  test_client_register (fixture->callee, "wq", HP_REGISTER_EPHEMERAL);
  request = await_request (registry, 0);
  g_assert_true (hp_registry_request_get_ephemeral (request));
  g_assert_cmpint (
      hp_registry_request_get_lifetime (request), ==,
      hp_match_server_get_registration_lifetime (fixture->server));
}

static void
test_registry_says_no (Fixture *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  guint code = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error
      = g_error_new (HP_PUNCH_ERROR, code, "says the registry");

  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  hp_registry_request_return_error (await_request (registry, 0), error);
  await (n_of (fixture->callee, REGISTRATION_REFUSED) > 0);
  g_assert_cmpint (last_of (fixture->callee, REGISTRATION_REFUSED)->code, ==,
                   code == HP_PUNCH_ERROR_REFUSED    ? HP_REFUSED_POLICY
                   : code == HP_PUNCH_ERROR_ID_TAKEN ? HP_REFUSED_ID_TAKEN
                                                     : HP_REFUSED_RATE_LIMITED);
}

/* Answers that are none: the client has to try again, which it does later by
 * itself, and at once for another id. */
static void
test_registry_fails (Fixture *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  g_autoptr (GError) error
      = g_error_new (G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE, "no route");
  HpRegistryRequest *request;

  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  request = await_request (registry, 0);
  if (g_str_equal (data, "error"))
    hp_registry_request_return_error (request, error);
  else if (g_str_equal (data, "nobody"))
    hp_registry_request_return_registration (request, NULL);
  else if (g_str_equal (data, "nonsense"))
    answer (request, "nonsense");
  else
    answer (request, NULL);
  objects_test_settle (100);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
  g_assert_cmpuint (n_of (fixture->callee, REGISTERED), ==, 0);

  if (!g_str_equal (data, "error"))
    test_client_register (fixture->callee, "other", HP_REGISTER_OPEN);
  answer (await_request (registry, 1), fixture->callee->fingerprint);
  await (fixture->n_registered == 1);
}

static void
test_other_holder (Fixture *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);

  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  answer (await_request (registry, 0), fixture->caller->fingerprint);
  assert_registration_refused (fixture->callee, HP_REFUSED_ID_TAKEN);
}

/* Stopping */

static void
test_stop_while_asked (Fixture *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  g_autoptr (HpRegistryRequest) request = NULL;

  answer_authorizations (fixture, "authorize-introduction");
  test_client_ask (fixture->caller, "wq", NULL);
  await (fixture->question != NULL);
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  request = g_object_ref (await_request (registry, 0));
  hp_match_server_stop (fixture->server);
  hp_authorization_allow (fixture->question);
  answer (request, fixture->callee->fingerprint);
  objects_test_settle (50);
  start (fixture);
  objects_test_settle (50);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
}

static void
stop_and_drop (Fixture *fixture)
{
  HpMatchServer *server = fixture->server;

  if (server == NULL)
    return;
  hp_match_server_stop (server);
  g_object_add_weak_pointer (G_OBJECT (server), (gpointer *) &fixture->server);
  g_object_unref (server);
}

/* From inside each signal; the emission holds the last reference. */
static void
test_stop_in_signal (Fixture *fixture, gconstpointer data)
{
  g_signal_connect_swapped (fixture->server, data,
                            G_CALLBACK (stop_and_drop), fixture);
  hp_match_server_set_registration_lifetime (fixture->server, 1);
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  if (g_str_equal (data, "introduced")
      || g_str_equal (data, "authorize-introduction"))
    {
      await (fixture->n_registered > 0);
      test_client_ask (fixture->caller, "wq", NULL);
    }
  else if (g_str_equal (data, "peer-expired"))
    {
      await (fixture->n_registered > 0);
      test_client_vanish (g_steal_pointer (&fixture->callee));
    }
  await (fixture->server == NULL);
  objects_test_settle (50);
}

static void
restart (Fixture *fixture)
{
  guint port = hp_match_server_get_port (fixture->server);
  g_autoptr (GError) error = NULL;

  hp_match_server_stop (fixture->server);
  hp_match_server_set_port (fixture->server, port);
  hp_match_server_start (fixture->server, &error);
  g_assert_no_error (error);
}

/* The clients find it again, and register again. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  register_callee (fixture, HP_REGISTER_OPEN);
  restart (fixture);
  g_assert_cmpuint (get_number (fixture, "registrations"), ==, 0);
  await (fixture->n_registered == 2);
  assert_peer (fixture->peer, "wq", fixture->callee);
  test_client_ask (fixture->caller, "wq", NULL);
  await (n_of (fixture->caller, ANSWER) > 0);
}

static void
restart_once (Fixture *fixture)
{
  if (fixture->n_registered <= 1)
    restart (fixture);
}

static void
test_restart_in_signal (Fixture *fixture, gconstpointer data)
{
  g_signal_connect_swapped (fixture->server, "peer-registered",
                            G_CALLBACK (restart_once), fixture);
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  await (fixture->n_registered == 2);
  assert_peer (fixture->peer, "wq", fixture->callee);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, data, func)                                                 \
  g_test_add ("/matching/" name, Fixture, data, set_up, func, tear_down)
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
  ADD ("registry/slow", NULL, test_slow_registry);
  ADD ("registry/ephemeral", NULL, test_ephemeral_claim);
  ADD ("registry/refused", NUMBER (HP_PUNCH_ERROR_REFUSED),
       test_registry_says_no);
  ADD ("registry/id-taken", NUMBER (HP_PUNCH_ERROR_ID_TAKEN),
       test_registry_says_no);
  ADD ("registry/rate-limited", NUMBER (HP_PUNCH_ERROR_RATE_LIMITED),
       test_registry_says_no);
  ADD ("registry/error", "error", test_registry_fails);
  ADD ("registry/nobody", "nobody", test_registry_fails);
  ADD ("registry/nonsense", "nonsense", test_registry_fails);
  ADD ("registry/no-fingerprint", "nothing", test_registry_fails);
  ADD ("registry/other-holder", NULL, test_other_holder);
  ADD ("stop/while-asked", NULL, test_stop_while_asked);
  ADD ("stop/in-peer-registered", "peer-registered", test_stop_in_signal);
  ADD ("stop/in-peer-expired", "peer-expired", test_stop_in_signal);
  ADD ("stop/in-introduced", "introduced", test_stop_in_signal);
  ADD ("stop/in-authorize-registration", "authorize-registration",
       test_stop_in_signal);
  ADD ("stop/in-authorize-introduction", "authorize-introduction",
       test_stop_in_signal);
  ADD ("restart", NULL, test_restart);
  ADD ("restart-in-signal", NULL, test_restart_in_signal);
  return g_test_run ();
}
