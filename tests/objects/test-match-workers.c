/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server of several threads, and peers from networks that are spread
 * over them */

#include "hole-punch/io/hp-udp-steering.h"

#include "matching.h"

#include <string.h>

#define N_WORKERS 4
#define N_CLIENTS 40
/* Until all know that the server has gone */
#define MAX_TELLING (2 * G_TIME_SPAN_SECOND)

typedef struct
{
  HpMatchServer *server;
  TestClient *clients[N_CLIENTS];
  guint n_registered, n_expired, n_introduced;
} Fixture;

static void
count (guint *n)
{
  (*n)++;
}

static HpMatchServer *
new_server (guint n_workers)
{
  return g_object_new (HP_TYPE_MATCH_SERVER, "port", 0, "listen-address",
                       "127.0.0.1", "workers", n_workers,
                       "max-asks-per-minute", 1000, NULL);
}

static void
start (HpMatchServer *server)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (hp_match_server_start (server, &error));
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->server = new_server (N_WORKERS);
  g_signal_connect_swapped (fixture->server, "peer-registered",
                            G_CALLBACK (count), &fixture->n_registered);
  g_signal_connect_swapped (fixture->server, "peer-expired",
                            G_CALLBACK (count), &fixture->n_expired);
  g_signal_connect_swapped (fixture->server, "introduced", G_CALLBACK (count),
                            &fixture->n_introduced);
  start (fixture->server);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    g_clear_pointer (&fixture->clients[i], test_client_free);
  if (fixture->server == NULL)
    return;
  hp_match_server_stop (fixture->server);
  objects_test_settle (10);
  g_assert_finalize_object (fixture->server);
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

/* A network whose peers are @worker's, the @i-th of them; what is random about
 * the program is nothing. */
static char *
make_ip (guint worker, guint i)
{
  for (guint network = 0; network < 65536; network++)
    {
      g_autofree char *ip = g_strdup_printf ("127.%u.%u.1", 1 + network / 256,
                                             network % 256);
      g_autofree char *text = g_strdup_printf ("%s:1", ip);
      HpAddress address;

      g_assert_true (hp_address_parse (&address, text));
      if (hp_udp_steering_get_share (&address, N_WORKERS) == worker
          && i-- == 0)
        return g_steal_pointer (&ip);
    }
  g_assert_not_reached ();
}

static TestClient *
new_client (Fixture *fixture, HpIdentity *identity, guint worker, guint i)
{
  g_autofree char *ip = make_ip (worker, i);

  return test_client_new_at (fixture->server, identity, ip);
}

static void
register_all (Fixture *fixture)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      g_autofree char *id = g_strdup_printf ("client-%u", i);

      fixture->clients[i]
          = new_client (fixture, NULL, i % N_WORKERS, i / N_WORKERS);
      test_client_register (fixture->clients[i], id,
                            i % 2 == 0 ? HP_REGISTER_OPEN : 0);
    }
  for (guint i = 0; i < N_CLIENTS; i++)
    await (n_of (fixture->clients[i], REGISTERED) > 0);
  await (fixture->n_registered == N_CLIENTS);
}

/* Everybody asks for everybody else, by id or by key; half of the callees are
 * asked themselves. */
static void
test_everybody (Fixture *fixture, gconstpointer data)
{
  gboolean by_key = GPOINTER_TO_UINT (data);
  guint n = 0;

  register_all (fixture);
  g_assert_cmpuint (get_number (fixture, "registrations"), ==, N_CLIENTS);
  g_assert_cmpuint (get_number (fixture, "peers"), ==, N_CLIENTS);
  g_assert_cmpuint (get_number (fixture, "workers"), ==, N_WORKERS);
  for (guint step = 1; step < N_CLIENTS; step++)
    {
      n++;
      for (guint i = 0; i < N_CLIENTS; i++)
        {
          TestClient *callee = fixture->clients[(i + step) % N_CLIENTS];
          g_autofree char *id
              = g_strdup_printf ("client-%u", (i + step) % N_CLIENTS);

          test_client_ask (fixture->clients[i], by_key ? NULL : id,
                           by_key ? callee->public_key : NULL);
        }
      for (guint i = 0; i < N_CLIENTS; i++)
        {
          TestClient *client = fixture->clients[i];
          TestClient *callee = fixture->clients[(i + step) % N_CLIENTS];
          const HpMatchIntroduction *told
              = &last_of (client, ANSWER)->introduction;

          await (n_of (client, ANSWER) >= n
                 && memcmp (told->public_key, callee->public_key, HP_KEY_SIZE)
                        == 0);
          g_assert_cmpuint (told->observed.port, ==,
                            test_client_get_port (callee));
        }
    }
  await (fixture->n_introduced == N_CLIENTS * (N_CLIENTS - 1));
  g_assert_cmpuint (get_number (fixture, "introductions"), >=,
                    N_CLIENTS * (N_CLIENTS - 1));
  g_assert_cmpuint (get_number (fixture, "forwarded"), >,
                    N_CLIENTS * (N_CLIENTS - 1) / 2);
  for (guint i = 0; i < N_CLIENTS; i++)
    g_assert_cmpuint (n_of (fixture->clients[i], ASK_REFUSED), ==, 0);
}

/* Moving */

/* Comes from another port, and another network, than before */
static void
test_roaming (Fixture *fixture, gconstpointer data)
{
  TestClient **clients = fixture->clients;
  guint64 n_handshakes;

  register_all (fixture);
  n_handshakes = get_number (fixture, "handshakes");
  for (guint worker = 0; worker < N_WORKERS; worker++)
    {
      g_autofree char *ip = make_ip (worker, 200);

      test_client_move (clients[0], ip);
      /* It is told where it is when its keepalive has come from there. */
      clients[0]->n_events[HP_MATCH_EVENT_OBSERVED] = 0;
      await (n_of (clients[0], OBSERVED) > 0);
      for (guint i = 1; i <= N_WORKERS; i++)
        {
          clients[i]->n_events[HP_MATCH_EVENT_ANSWER] = 0;
          test_client_ask (clients[i], "client-0", NULL);
          await (n_of (clients[i], ANSWER) > 0);
          g_assert_cmpuint (
              last_of (clients[i], ANSWER)->introduction.observed.port, ==,
              test_client_get_port (clients[0]));
        }
    }
  g_assert_cmpuint (get_number (fixture, "handshakes"), ==, n_handshakes);
  g_assert_cmpuint (get_number (fixture, "registrations"), ==, N_CLIENTS);
  g_assert_cmpuint (fixture->n_expired, ==, 0);
}

/* The same identity, from a network of another worker: the old session goes,
 * and nobody is told that the peer does. */
static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpIdentity) identity = hp_identity_new ();
  TestClient *old = new_client (fixture, identity, 0, 0);
  TestClient *caller;

  caller = fixture->clients[0] = new_client (fixture, NULL, 1, 0);
  test_client_register (old, "wq", HP_REGISTER_OPEN);
  await (n_of (old, REGISTERED) > 0);
  for (guint i = 1; i < 2 * N_WORKERS; i++)
    {
      TestClient *now = new_client (fixture, identity, i % N_WORKERS, i);

      test_client_register (now, "wq", HP_REGISTER_OPEN);
      await (n_of (now, REGISTERED) > 0 && n_of (caller, CONNECTED) > 0);
      await (get_number (fixture, "registrations") == 1
             && get_number (fixture, "peers") == 2);
      test_client_vanish (old);
      old = now;
      caller->n_events[HP_MATCH_EVENT_ANSWER] = 0;
      test_client_ask (caller, "wq", NULL);
      await (n_of (caller, ANSWER) > 0);
      g_assert_cmpuint (last_of (caller, ANSWER)->introduction.observed.port,
                        ==, test_client_get_port (now));
      await (n_of (now, INTRODUCED) > 0);
    }
  fixture->clients[1] = old;
  g_assert_cmpuint (fixture->n_expired, ==, 0);
}

/* Gone for all, wherever they are */
static void
test_leaving (Fixture *fixture, gconstpointer data)
{
  register_all (fixture);
  for (guint i = 0; i < N_WORKERS; i++)
    test_client_free (g_steal_pointer (fixture->clients + i));
  await (fixture->n_expired == N_WORKERS);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      TestClient *caller = fixture->clients[N_CLIENTS - 1 - i];
      g_autofree char *id = g_strdup_printf ("client-%u", i);

      test_client_ask (caller, id, NULL);
      await (n_of (caller, ASK_REFUSED) > 0);
      g_assert_cmpint (last_of (caller, ASK_REFUSED)->code, ==,
                       HP_REFUSED_UNKNOWN_ID);
    }
  g_assert_cmpuint (get_number (fixture, "registrations"), ==,
                    N_CLIENTS - N_WORKERS);
}

/* Stopping */

static guint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *name;
  guint n = 0;

  g_assert_nonnull (tasks);
  while ((name = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path
          = g_build_filename ("/proc/self/task", name, "comm", NULL);
      g_autofree char *comm = NULL;

      if (g_file_get_contents (path, &comm, NULL, NULL)
          && g_str_has_prefix (comm, "match-"))
        n++;
    }
  return n;
}

/* A thread gives itself its name, and is seen by others for a moment after it
 * was joined. */
static void
assert_threads (guint n)
{
  gint64 end = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;

  while (count_threads () != n && g_get_monotonic_time () < end)
    g_usleep (1000);
  g_assert_cmpuint (count_threads (), ==, n);
}

static void
ask_all (Fixture *fixture)
{
  for (guint i = 0; i < N_CLIENTS; i++)
    for (guint j = 0; j < N_CLIENTS; j += 3)
      {
        g_autofree char *id = g_strdup_printf ("client-%u", j);

        test_client_ask (fixture->clients[i], id, NULL);
      }
}

static void
test_stop_under_way (Fixture *fixture, gconstpointer data)
{
  gint64 at;

  register_all (fixture);
  assert_threads (N_WORKERS);
  ask_all (fixture);
  await (fixture->n_introduced > 10);
  hp_match_server_stop (fixture->server);
  assert_threads (0);
  /* All have been told: they do not have to find out, which takes longer. */
  at = g_get_monotonic_time ();
  for (guint i = 0; i < N_CLIENTS; i++)
    await (n_of (fixture->clients[i], LOST) > 0);
  at = g_get_monotonic_time () - at;
  g_test_message ("all knew within %" G_GINT64_FORMAT " ms", at / 1000);
  g_assert_cmpint (at, <, MAX_TELLING);
  g_assert_cmpuint (get_number (fixture, "introductions"), >, 10);
}

static void
stop_and_drop (Fixture *fixture)
{
  HpMatchServer *server = fixture->server;

  if (server == NULL)
    return;
  hp_match_server_stop (server);
  assert_threads (0);
  g_object_add_weak_pointer (G_OBJECT (server), (gpointer *) &fixture->server);
  g_object_unref (server);
}

static void
test_stop_in_signal (Fixture *fixture, gconstpointer data)
{
  if (g_str_equal (data, "introduced"))
    register_all (fixture);
  g_signal_connect_swapped (fixture->server, data, G_CALLBACK (stop_and_drop),
                            fixture);
  if (g_str_equal (data, "introduced"))
    {
      ask_all (fixture);
    }
  else
    {
      fixture->clients[0] = new_client (fixture, NULL, 2, 0);
      test_client_register (fixture->clients[0], "wq", HP_REGISTER_OPEN);
    }
  await (fixture->server == NULL);
  objects_test_settle (50);
}

static void
test_start_and_stop (void)
{
  HpMatchServer *server = new_server (N_WORKERS);

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (HpServerStatistics) statistics = NULL;
      TestClient *client;

      start (server);
      hp_match_server_set_port (server, hp_match_server_get_port (server));
      client = test_client_new (server, NULL);
      if (i % 10 == 0)
        await (n_of (client, CONNECTED) > 0);
      else
        objects_test_settle (i % 3);
      statistics = hp_match_server_get_statistics (server);
      g_assert_cmpuint (hp_server_statistics_get_workers (statistics), ==,
                        N_WORKERS);
      hp_match_server_stop (server);
      assert_threads (0);
      test_client_free (client);
    }
  g_assert_finalize_object (server);
}

/* What is the server's alone */

static void
test_property (void)
{
  HpMatchServer *server = hp_match_server_new (0);
  guint n = 0;

  g_assert_cmpuint (hp_match_server_get_workers (server), ==, 1);
  objects_test_count_notify (server, "workers", &n);
  g_object_set (server, "workers", 3, NULL);
  g_object_set (server, "workers", 3, NULL);
  g_assert_cmpuint (n, ==, 1);
  g_object_get (server, "workers", &n, NULL);
  g_assert_cmpuint (n, ==, 3);
  g_assert_finalize_object (server);
}

/* As many as processors; none besides the caller's if that is one */
static void
test_all_processors (void)
{
  HpMatchServer *server = new_server (0);
  guint n = MIN (g_get_num_processors (), 64);

  start (server);
  g_assert_cmpuint (hp_match_server_get_workers (server), ==, 0);
  assert_threads (n > 1 ? n : 0);
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

static void
test_port_in_use (void)
{
  HpMatchServer *first = new_server (3);
  HpMatchServer *second = new_server (3);
  g_autoptr (GError) error = NULL;

  start (first);
  hp_match_server_set_port (second, hp_match_server_get_port (first));
  g_assert_false (hp_match_server_start (second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  hp_match_server_stop (first);
  start (second);
  hp_match_server_stop (second);
  g_assert_finalize_object (first);
  g_assert_finalize_object (second);
}

static void
test_refused (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (HpMatchServer) server = new_server (2);

      start (server);
      hp_match_server_set_workers (server, 3);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*HpMatchServer:workers cannot be changed*");
}

/* Limits and statistics of all workers */

static void
test_limits (Fixture *fixture, gconstpointer data)
{
  hp_match_server_set_max_peers (fixture->server, N_WORKERS);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      fixture->clients[i] = new_client (fixture, NULL, i, 0);
      await (n_of (fixture->clients[i], CONNECTED) > 0);
      await (get_number (fixture, "peers") == i + 1);
    }
  for (guint i = N_WORKERS; i < 2 * N_WORKERS; i++)
    fixture->clients[i] = new_client (fixture, NULL, i % N_WORKERS, 1);
  objects_test_settle (700);
  g_assert_cmpuint (get_number (fixture, "peers"), ==, N_WORKERS);
  g_assert_cmpuint (get_number (fixture, "dropped-full"), >=, N_WORKERS);
  hp_match_server_set_max_peers (fixture->server, 2 * N_WORKERS);
  for (guint i = N_WORKERS; i < 2 * N_WORKERS; i++)
    await (n_of (fixture->clients[i], CONNECTED) > 0);

  hp_match_server_set_max_asks_per_minute (fixture->server, 1);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      TestClient *client = fixture->clients[i];

      test_client_ask (client, "nobody", NULL);
      await (n_of (client, ASK_REFUSED) == 1);
      g_assert_cmpint (last_of (client, ASK_REFUSED)->code, ==,
                       HP_REFUSED_UNKNOWN_ID);
      test_client_ask (client, "nobody", NULL);
      await (n_of (client, ASK_REFUSED) == 2);
      g_assert_cmpint (last_of (client, ASK_REFUSED)->code, ==,
                       HP_REFUSED_RATE_LIMITED);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, data, func)                                                 \
  g_test_add ("/match-workers/" name, Fixture, data, set_up, func, tear_down)

  ADD ("everybody/by-id", GUINT_TO_POINTER (FALSE), test_everybody);
  ADD ("everybody/by-key", GUINT_TO_POINTER (TRUE), test_everybody);
  ADD ("roaming", NULL, test_roaming);
  ADD ("replaced", NULL, test_replaced);
  ADD ("leaving", NULL, test_leaving);
  ADD ("limits", NULL, test_limits);
  ADD ("stop/under-way", NULL, test_stop_under_way);
  ADD ("stop/in-introduced", "introduced", test_stop_in_signal);
  ADD ("stop/in-peer-registered", "peer-registered", test_stop_in_signal);
  ADD ("stop/in-authorize-registration", "authorize-registration",
       test_stop_in_signal);
  g_test_add_func ("/match-workers/start-and-stop", test_start_and_stop);
  g_test_add_func ("/match-workers/property", test_property);
  g_test_add_func ("/match-workers/all-processors", test_all_processors);
  g_test_add_func ("/match-workers/port-in-use", test_port_in_use);
  g_test_add_func ("/match-workers/refused", test_refused);
  return g_test_run ();
}
