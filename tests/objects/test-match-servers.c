/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Match servers that share a registry introduce each other's peers: here a
 * registry whose store is a table of this program. */

#include "matching.h"

#include <string.h>

#define N_SERVERS 3
#define N_CLIENTS 12

/* The store that they have in common */
static GHashTable *holders;    /* id → HpRegistration */
static GHashTable *registries; /* name → SharedRegistry */
static gboolean is_broken;
static guint n_posted;

typedef struct
{
  GObject parent_instance;
  char *name;
} SharedRegistry;

typedef struct
{
  GObjectClass parent_class;
} SharedRegistryClass;

GType shared_registry_get_type (void);

static gboolean
fail (HpRegistryRequest *request)
{
  g_autoptr (GError) error = NULL;

  if (!is_broken)
    return FALSE;
  error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "broken");
  hp_registry_request_return_error (request, error);
  return TRUE;
}

static void
claim (HpRegistry *registry, HpRegistryRequest *request)
{
  const char *id = hp_registry_request_get_id (request);
  HpRegistration *holder;

  if (fail (request))
    return;
  holder = g_object_new (
      HP_TYPE_REGISTRATION, "id", id, "fingerprint",
      hp_registry_request_get_fingerprint (request), "server",
      ((SharedRegistry *) registry)->name, NULL);
  g_hash_table_replace (holders, g_strdup (id), holder);
  hp_registry_request_return_registration (request, holder);
}

static void
look_up (HpRegistry *registry, HpRegistryRequest *request)
{
  if (!fail (request))
    hp_registry_request_return_registration (
        request,
        g_hash_table_lookup (holders, hp_registry_request_get_id (request)));
}

static void
look_up_key (HpRegistry *registry, HpRegistryRequest *request)
{
  HpRegistration *found = NULL;
  GHashTableIter iter;
  gpointer holder;

  if (fail (request))
    return;
  g_hash_table_iter_init (&iter, holders);
  while (g_hash_table_iter_next (&iter, NULL, &holder))
    if (g_str_equal (hp_registration_get_fingerprint (holder),
                     hp_registry_request_get_fingerprint (request)))
      found = holder;
  hp_registry_request_return_registration (request, found);
}

static void
post (HpRegistry *registry, HpRegistryRequest *request)
{
  SharedRegistry *other = g_hash_table_lookup (
      registries, hp_registry_request_get_server (request));

  if (fail (request))
    return;
  n_posted++;
  hp_registry_request_return_registration (request, NULL);
  if (other != NULL)
    g_signal_emit_by_name (other, "message-received",
                           hp_registry_request_get_message (request));
}

static char *
dup_server_name (HpRegistry *registry)
{
  return g_strdup (((SharedRegistry *) registry)->name);
}

static void
shared_registry_iface_init (HpRegistryInterface *iface)
{
  iface->claim = claim;
  iface->lookup = look_up;
  iface->lookup_key = look_up_key;
  iface->post = post;
  iface->dup_server_name = dup_server_name;
}

G_DEFINE_TYPE_WITH_CODE (SharedRegistry, shared_registry, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY,
                                                shared_registry_iface_init))

static void
shared_registry_finalize (GObject *object)
{
  g_free (((SharedRegistry *) object)->name);
  G_OBJECT_CLASS (shared_registry_parent_class)->finalize (object);
}

static void
shared_registry_class_init (SharedRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = shared_registry_finalize;
}

static void
shared_registry_init (SharedRegistry *self)
{
}

typedef struct
{
  HpMatchServer *servers[N_SERVERS];
  TestClient *clients[N_CLIENTS];
} Fixture;

static void
start (Fixture *fixture, guint i, guint n_workers)
{
  SharedRegistry *registry
      = g_object_new (shared_registry_get_type (), NULL);
  g_autoptr (GError) error = NULL;

  registry->name = g_strdup_printf ("server-%u", i);
  g_hash_table_replace (registries, registry->name, registry);
  fixture->servers[i] = g_object_new (
      HP_TYPE_MATCH_SERVER, "port", 0, "listen-address", "127.0.0.1",
      "workers", n_workers, "registry", registry, NULL);
  g_assert_true (hp_match_server_start (fixture->servers[i], &error));
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  guint n_workers = GPOINTER_TO_UINT (data);

  is_broken = FALSE;
  n_posted = 0;
  holders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                   g_object_unref);
  registries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                      g_object_unref);
  for (guint i = 0; i < N_SERVERS; i++)
    start (fixture, i, n_workers);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      g_autofree char *ip = g_strdup_printf ("127.3.%u.1", i);
      g_autofree char *id = g_strdup_printf ("client-%u", i);

      fixture->clients[i] = test_client_new_at (
          fixture->servers[i % N_SERVERS], NULL, ip);
      test_client_register (fixture->clients[i], id,
                            i % 2 == 0 ? HP_REGISTER_OPEN : 0);
    }
  for (guint i = 0; i < N_CLIENTS; i++)
    await (n_of (fixture->clients[i], REGISTERED) > 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    g_clear_pointer (&fixture->clients[i], test_client_free);
  for (guint i = 0; i < N_SERVERS; i++)
    hp_match_server_stop (fixture->servers[i]);
  objects_test_settle (20);
  for (guint i = 0; i < N_SERVERS; i++)
    g_assert_finalize_object (fixture->servers[i]);
  g_hash_table_unref (registries);
  g_hash_table_unref (holders);
}

static void
ask (Fixture *fixture, guint caller, guint callee, gboolean by_key)
{
  g_autofree char *id = g_strdup_printf ("client-%u", callee);
  TestClient *client = fixture->clients[caller];

  client->n_events[HP_MATCH_EVENT_ANSWER] = 0;
  client->n_events[HP_MATCH_EVENT_ASK_REFUSED] = 0;
  test_client_ask (client, by_key ? NULL : id,
                   by_key ? fixture->clients[callee]->public_key : NULL);
}

static void
assert_answered (Fixture *fixture, guint caller, guint callee)
{
  TestClient *client = fixture->clients[caller];
  TestClient *other = fixture->clients[callee];

  await (n_of (client, ANSWER) > 0 || n_of (client, ASK_REFUSED) > 0);
  g_assert_cmpuint (n_of (client, ASK_REFUSED), ==, 0);
  g_assert_cmpmem (last_of (client, ANSWER)->introduction.public_key,
                   HP_KEY_SIZE, other->public_key, HP_KEY_SIZE);
  g_assert_cmpuint (last_of (client, ANSWER)->introduction.observed.port, ==,
                    test_client_get_port (other));
}

/* Everybody asks for everybody else, by id and by key. */
static void
test_everybody (Fixture *fixture, gconstpointer data)
{
  for (guint by_key = 0; by_key <= 1; by_key++)
    for (guint step = 1; step < N_CLIENTS; step++)
      {
        for (guint i = 0; i < N_CLIENTS; i++)
          ask (fixture, i, (i + step) % N_CLIENTS, by_key);
        for (guint i = 0; i < N_CLIENTS; i++)
          assert_answered (fixture, i, (i + step) % N_CLIENTS);
      }
  g_assert_cmpuint (n_posted, >=, 2 * N_CLIENTS * (N_CLIENTS - N_SERVERS));
}

static void
assert_refused (Fixture *fixture, guint caller, HpRefusedCode code)
{
  TestClient *client = fixture->clients[caller];

  await (n_of (client, ASK_REFUSED) > 0);
  g_assert_cmpint (last_of (client, ASK_REFUSED)->code, ==, code);
}

/* Nobody has ever heard of it; or it was there, and its server does not know
 * it any more. */
static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  TestClient *client = fixture->clients[0];

  test_client_ask (client, "nobody", NULL);
  assert_refused (fixture, 0, HP_REFUSED_UNKNOWN_ID);
  g_clear_pointer (&fixture->clients[1], test_client_free);
  objects_test_settle (100);
  client->n_events[HP_MATCH_EVENT_ASK_REFUSED] = 0;
  test_client_ask (client, "client-1", NULL);
  assert_refused (fixture, 0, HP_REFUSED_UNKNOWN_ID);
}

/* While the registry is broken, whoever is at the same server is found, by
 * whatever worker; the others are not, and that is said to be temporary: the
 * client asks again by itself. */
static void
test_broken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpServerStatistics) statistics = NULL;
  guint64 n_failures = 0;
  gboolean is_healthy = TRUE;

  is_broken = TRUE;
  ask (fixture, 0, N_SERVERS, FALSE);
  assert_answered (fixture, 0, N_SERVERS);
  ask (fixture, 0, 1, FALSE);
  objects_test_settle (300);
  g_assert_cmpuint (n_of (fixture->clients[0], ANSWER), ==, 0);
  g_object_get (fixture->servers[0], "statistics", &statistics, NULL);
  g_object_get (statistics, "registry-failures", &n_failures,
                "registry-healthy", &is_healthy, NULL);
  g_assert_cmpuint (n_failures, >, 0);
  g_assert_false (is_healthy);
  is_broken = FALSE;
  fixture->clients[0]->n_events[HP_MATCH_EVENT_ASK_REFUSED] = 0;
  ask (fixture, 0, 1, FALSE);
  assert_answered (fixture, 0, 1);
}

/* What comes by the registry is not believed to be well formed. */
static void
test_nonsense (Fixture *fixture, gconstpointer data)
{
  SharedRegistry *registry = g_hash_table_lookup (registries, "server-0");

  for (guint i = 0; i < 3000; i++)
    {
      guint8 bytes[1500];
      gsize length = g_test_rand_int_range (0, i % 3 == 0 ? 1500 : 90);
      g_autoptr (GBytes) message = NULL;

      for (gsize j = 0; j < length; j++)
        bytes[j] = g_test_rand_int_range (0, 256);
      /* To a worker that is there, or any; from a server with a short name */
      if (length > 4 && i % 2 == 0)
        {
          bytes[0] = bytes[1] = i % 4 == 0 ? 0xff : 0;
          bytes[2] = 1;
        }
      message = g_bytes_new (bytes, length);
      g_signal_emit_by_name (registry, "message-received", message);
    }
  ask (fixture, 0, 1, FALSE);
  assert_answered (fixture, 0, 1);
}

/* With messages under way, and answers of the registry to come */
static void
test_stop (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    for (guint j = 0; j < N_CLIENTS; j++)
      if (i != j)
        ask (fixture, i, j, FALSE);
  objects_test_settle (5);
  for (guint i = 0; i < N_SERVERS; i++)
    {
      hp_match_server_stop (fixture->servers[i]);
      objects_test_settle (2);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func)                                                       \
  g_test_add ("/match-servers/1/" name, Fixture, GUINT_TO_POINTER (1),        \
              set_up, func, tear_down);                                       \
  g_test_add ("/match-servers/3/" name, Fixture, GUINT_TO_POINTER (3),        \
              set_up, func, tear_down)

  ADD ("everybody", test_everybody);
  ADD ("unknown", test_unknown);
  ADD ("broken", test_broken);
  ADD ("nonsense", test_nonsense);
  ADD ("stop", test_stop);
  return g_test_run ();
}
