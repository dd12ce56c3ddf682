/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpMatchServer with real clients, over the loopback interface: registries that
 * take their time or fail, and stopping from inside all of its signals */

#include "matching.h"

#include "hole-punch/hp-punch-error.h"

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
use_slow_registry (Matching *fixture)
{
  SlowRegistry *registry = g_object_new (slow_registry_get_type (), NULL);

  g_clear_pointer (&fixture->callee, test_client_free);
  g_clear_pointer (&fixture->caller, test_client_free);
  hp_match_server_stop (fixture->server);
  hp_match_server_set_registry (fixture->server, HP_REGISTRY (registry));
  matching_start (fixture);
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
test_slow_registry (Matching *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  HpRegistryRequest *request;

  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  request = await_request (registry, 0);
  g_assert_cmpstr (hp_registry_request_get_id (request), ==, "wq");
  g_assert_cmpstr (hp_registry_request_get_fingerprint (request), ==,
                   fixture->callee->fingerprint);
  g_assert_false (hp_registry_request_get_ephemeral (request));
  g_assert_cmpint (hp_registry_request_get_lifetime (request), >, 24 * 60 * 60);
  objects_test_settle (300);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
  answer (request, fixture->callee->fingerprint);
  await (fixture->n_registered == 1);
  answer (request, fixture->callee->fingerprint);

  /* Whoever is here is introduced without it. */
  test_client_ask (fixture->caller, "wq", NULL);
  await (fixture->n_introduced == 1);
  g_assert_cmpuint (registry->requests->len, ==, 1);
  /* Where an id's holder is that is not here, it does not say. */
  test_client_ask (fixture->caller, "absent", NULL);
  request = await_request (registry, 1);
  g_assert_cmpstr (hp_registry_request_get_id (request), ==, "absent");
  g_assert_null (hp_registry_request_get_fingerprint (request));
  objects_test_settle (300);
  g_assert_cmpuint (n_of (fixture->caller, ASK_REFUSED), ==, 0);
  answer (request, fixture->callee->fingerprint);
  await (n_of (fixture->caller, ASK_REFUSED) > 0);
  g_assert_cmpint (last_of (fixture->caller, ASK_REFUSED)->code, ==,
                   HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (fixture->n_introduced, ==, 1);
}

static void
test_ephemeral_claim (Matching *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  HpRegistryRequest *request;

  test_client_register (fixture->callee, "wq", HP_REGISTER_EPHEMERAL);
  request = await_request (registry, 0);
  g_assert_true (hp_registry_request_get_ephemeral (request));
  g_assert_cmpint (hp_registry_request_get_lifetime (request), ==,
                   hp_match_server_get_registration_lifetime (fixture->server));
}

static void
test_registry_says_no (Matching *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  guint code = GPOINTER_TO_UINT (data);
  g_autoptr (GError)
      error = g_error_new (HP_PUNCH_ERROR, code, "says the registry");

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
test_registry_fails (Matching *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  g_autoptr (GError)
      error = g_error_new (G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE, "no route");
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
test_other_holder (Matching *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);

  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  answer (await_request (registry, 0), fixture->caller->fingerprint);
  matching_assert_registration_refused (fixture->callee, HP_REFUSED_ID_TAKEN);
}

/* Stopping */

static void
test_stop_while_asked (Matching *fixture, gconstpointer data)
{
  SlowRegistry *registry = use_slow_registry (fixture);
  g_autoptr (HpRegistryRequest) request = NULL;

  matching_answer_authorizations (fixture, "authorize-introduction");
  test_client_ask (fixture->caller, "wq", NULL);
  await (fixture->question != NULL);
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  request = g_object_ref (await_request (registry, 0));
  hp_match_server_stop (fixture->server);
  hp_authorization_allow (fixture->question);
  answer (request, fixture->callee->fingerprint);
  objects_test_settle (50);
  matching_start (fixture);
  objects_test_settle (50);
  g_assert_cmpuint (fixture->n_registered, ==, 0);
}

static void
stop_and_drop (Matching *fixture)
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
test_stop_in_signal (Matching *fixture, gconstpointer data)
{
  g_signal_connect_swapped (fixture->server, data, G_CALLBACK (stop_and_drop),
                            fixture);
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
restart (Matching *fixture)
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
test_restart (Matching *fixture, gconstpointer data)
{
  matching_register_callee (fixture, HP_REGISTER_OPEN);
  restart (fixture);
  g_assert_cmpuint (matching_get_number (fixture, "registrations"), ==, 0);
  await (fixture->n_registered == 2);
  matching_assert_peer (fixture->peer, "wq", fixture->callee);
  test_client_ask (fixture->caller, "wq", NULL);
  await (n_of (fixture->caller, ANSWER) > 0);
}

static void
restart_once (Matching *fixture)
{
  if (fixture->n_registered <= 1)
    restart (fixture);
}

static void
test_restart_in_signal (Matching *fixture, gconstpointer data)
{
  g_signal_connect_swapped (fixture->server, "peer-registered",
                            G_CALLBACK (restart_once), fixture);
  test_client_register (fixture->callee, "wq", HP_REGISTER_OPEN);
  await (fixture->n_registered == 2);
  matching_assert_peer (fixture->peer, "wq", fixture->callee);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, data, func)                                                  \
  g_test_add ("/matching/" name, Matching, data, matching_set_up, func,        \
              matching_tear_down)
#define NUMBER(number) GUINT_TO_POINTER (number)

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
