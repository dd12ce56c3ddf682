/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Closing and letting go, from inside every callback there is. Each scenario
 * runs a small conversation; at one place in it, on one side, the peer (or its
 * connections) is closed and the reference to it dropped. Afterwards everything
 * must be gone, and everybody who waited must have been told once.
 */

#include "test-utils.h"

typedef enum
{
  AT_LOCAL_ADDRESS,
  AT_REGISTERED,
  AT_STARTED,
  AT_AUTHORIZE,
  AT_ITEMS_CHANGED,
  AT_RESOLVED,
  AT_STATE,
  AT_CONNECTED,
  AT_PEER_MESSAGE,
  AT_CONNECTION_MESSAGE,
  AT_SENT,
  AT_CLOSED,
  AT_CONNECTION_CLOSED,
  N_PLACES,
} Place;

static const char *const place_names[] = {
  "local-address",     "registered",         "started", "authorize",
  "items-changed",     "resolved",           "state",   "connected",
  "peer-message",      "connection-message", "sent",    "closed",
  "connection-closed",
};

typedef enum
{
  CLOSE_PEER,
  CLOSE_CONNECTION,
  CLOSE_BOTH,
  N_ACTIONS,
} Action;

static const char *const action_names[] = { "peer", "connection", "both" };

typedef struct
{
  Place place;
  Action action;
  gboolean at_callee;
} Scenario;

typedef struct _Talk Talk;

/* One of the two */
typedef struct
{
  Talk *talk;
  gboolean is_callee;
  HpPeer *peer;    /* our reference; NULL: dropped */
  gpointer weak;   /* NULL: gone */
  guint n_pending; /* operations that were begun and have not ended */
} Side;

struct _Talk
{
  Scenario scenario;
  gboolean has_acted;
  HpMatchServer *server;
  Side callee, caller;
};

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Side *side = user_data;

  g_assert_cmpuint (side->n_pending, >, 0);
  side->n_pending--;
}

static void
close_connections (Side *side, HpPeer *peer)
{
  GListModel *connections = hp_peer_get_connections (peer);

  for (guint i = 0; i < g_list_model_get_n_items (connections); i++)
    {
      g_autoptr (HpConnection)
          connection = g_list_model_get_item (connections, i);

      side->n_pending++;
      hp_connection_close_async (connection, NULL, on_ended, side);
    }
}

static void
act (Side *side, Place place)
{
  Talk *talk = side->talk;
  HpPeer *peer = side->peer;

  if (talk->has_acted || talk->scenario.place != place
      || talk->scenario.at_callee != side->is_callee)
    return;
  talk->has_acted = TRUE;
  if (talk->scenario.action != CLOSE_PEER)
    close_connections (side, peer);
  if (talk->scenario.action != CLOSE_CONNECTION)
    {
      side->n_pending++;
      hp_peer_close_async (peer, NULL, on_ended, side);
      side->peer = NULL;
      g_object_unref (peer);
    }
}

static void
on_local_address (HpPeer *peer, GParamSpec *pspec, gpointer side)
{
  act (side, AT_LOCAL_ADDRESS);
}

static void
on_registered (HpPeer *peer, GParamSpec *pspec, gpointer side)
{
  act (side, AT_REGISTERED);
}

static void
on_authorize (HpPeer *peer, HpAuthorization *authorization, gpointer side)
{
  act (side, AT_AUTHORIZE);
  hp_authorization_allow (authorization);
}

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added,
                  gpointer side)
{
  act (side, AT_ITEMS_CHANGED);
}

static void
on_state (HpConnection *connection, GParamSpec *pspec, gpointer side)
{
  act (side, AT_STATE);
}

static void
on_connection_message (HpConnection *connection, GBytes *message, gpointer side)
{
  act (side, AT_CONNECTION_MESSAGE);
}

static void
on_closed (HpConnection *connection, const GError *error, gpointer side)
{
  act (side, AT_CLOSED);
}

static void
on_sent (GObject *connection, GAsyncResult *result, gpointer side)
{
  on_ended (connection, result, side);
  act (side, AT_SENT);
}

static void
send (Side *side, HpConnection *connection, gsize size)
{
  g_autoptr (GBytes) message = test_bytes_new (size, 1);

  side->n_pending++;
  hp_connection_send_message_async (connection, message, NULL, on_sent, side);
}

static void
on_resolved (HpPeer *peer, HpConnection *connection, gpointer user_data)
{
  Side *side = user_data;

  g_signal_connect (connection, "notify::state", G_CALLBACK (on_state), side);
  g_signal_connect (connection, "message-received",
                    G_CALLBACK (on_connection_message), side);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), side);
  /* Something is under way, whatever happens */
  send (side, connection, 10);
  send (side, connection, 3000000);
  act (side, AT_RESOLVED);
}

static void
on_peer_message (HpPeer *peer, HpConnection *connection, GBytes *message,
                 gpointer side)
{
  act (side, AT_PEER_MESSAGE);
}

static void
on_connection_closed (HpPeer *peer, HpConnection *connection, gpointer side)
{
  act (side, AT_CONNECTION_CLOSED);
}

static void
on_connected (GObject *peer, GAsyncResult *result, gpointer user_data)
{
  Side *side = user_data;
  g_autoptr (HpConnection) connection = NULL;

  connection = hp_peer_connect_finish (HP_PEER (peer), result, NULL);
  on_ended (peer, result, side);
  act (side, AT_CONNECTED);
}

static void
on_started (GObject *peer, GAsyncResult *result, gpointer user_data)
{
  Side *side = user_data;

  on_ended (peer, result, side);
  act (side, AT_STARTED);
}

static void
side_init (Side *self, Talk *talk, const char *id)
{
  self->talk = talk;
  self->is_callee = self == &talk->callee;
  self->peer = test_peer_new (talk->server, id);
  self->weak = self->peer;
  g_object_add_weak_pointer (G_OBJECT (self->peer), &self->weak);

#define CONNECT(signal, func)                                                  \
  g_signal_connect (self->peer, signal, G_CALLBACK (func), self)
  CONNECT ("notify::local-address", on_local_address);
  CONNECT ("notify::registered", on_registered);
  CONNECT ("authorize-peer", on_authorize);
  CONNECT ("peer-resolved", on_resolved);
  CONNECT ("message-received", on_peer_message);
  CONNECT ("connection-closed", on_connection_closed);
#undef CONNECT
  g_signal_connect (hp_peer_get_connections (self->peer), "items-changed",
                    G_CALLBACK (on_items_changed), self);
}

static void
side_start (Side *self)
{
  self->n_pending++;
  hp_peer_start_async (self->peer, NULL, on_started, self);
  AWAIT (self->n_pending == 0);
}

static void
side_end (Side *self)
{
  if (self->peer != NULL)
    {
      self->n_pending++;
      hp_peer_close_async (self->peer, NULL, on_ended, self);
      AWAIT (self->n_pending == 0);
      g_clear_object (&self->peer);
    }
  AWAIT (self->weak == NULL);
  g_assert_cmpuint (self->n_pending, ==, 0);
}

static void
talk (const Scenario *scenario)
{
  Talk self = { .scenario = *scenario, .server = test_server_new (NULL) };

  side_init (&self.callee, &self, "wq");
  side_init (&self.caller, &self, "caller");
  side_start (&self.callee);
  side_start (&self.caller);
  if (self.caller.peer != NULL)
    {
      hp_peer_set_connect_timeout (self.caller.peer, 1);
      self.caller.n_pending++;
      hp_peer_connect_async (self.caller.peer, "wq", NULL, on_connected,
                             &self.caller);
    }
  AWAIT (self.caller.n_pending == 0 && self.callee.n_pending == 0);
  side_end (&self.caller);
  side_end (&self.callee);
  g_assert_true (self.has_acted);
  test_server_free (self.server);
}

/* Nothing is left in the context but its own eventfd, and no descriptor */
static void
test_talk (gconstpointer data)
{
  const Scenario *scenario = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  GPollFD polled[4];
  int priority, timeout, n;
  guint before;

  before = test_count_descriptors ();
  g_main_context_push_thread_default (context);
  talk (scenario);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_true (g_main_context_acquire (context));
  g_main_context_prepare (context, &priority);
  n = g_main_context_query (context, G_MAXINT, &timeout, polled, 4);
  g_assert_cmpint (n, ==, 1);
  g_assert_cmpint (timeout, ==, -1);
  g_main_context_release (context);
  g_main_context_pop_thread_default (context);
  g_assert_cmpuint (test_count_descriptors (), ==, before);
}

/* The first peer of a process makes GIO open a descriptor or two for good */
static void
warm_up (void)
{
  HpMatchServer *server = test_server_new (NULL);

  test_peer_free (test_peer_new_started (server, "wq"));
  test_server_free (server);
}

/* Nobody holds a reference, nobody closes: the started peer and its connection
 * live on */
static void
test_unheld (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *callee = test_peer_new_started (server, "wq");
  HpPeer *caller = test_peer_new_started (server, NULL);
  HpPeer *weak = caller;
  HpConnection *connection;
  GError *error = NULL;

  g_object_add_weak_pointer (G_OBJECT (weak), (gpointer *) &weak);
  connection = await_connect (caller, "wq", &error);
  g_assert_no_error (error);
  g_object_unref (connection);
  g_object_unref (caller);
  await_time (100);
  g_assert_nonnull (weak);
  g_assert_cmpuint (g_list_model_get_n_items (hp_peer_get_connections (weak)),
                    ==, 1);
  hp_peer_close_async (weak, NULL, NULL, NULL);
  AWAIT (weak == NULL);
  test_peer_free (callee);
  test_server_free (server);
}

/* Whoever waits is told when the peer closes */
static void
test_pending (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *caller = test_peer_new (server, NULL);
  g_autoptr (GBytes) message = test_bytes_new (10, 1);
  TestResult results[3] = { { NULL, 0 } };
  GError *error = NULL;

  hp_peer_start_async (caller, NULL, test_result_take, &results[0]);
  hp_peer_connect_async (caller, "wq", NULL, test_result_take, &results[1]);
  hp_peer_send_message_async (caller, "wq", message, NULL, test_result_take,
                              &results[2]);
  await_close (caller);
  AWAIT (results[0].result != NULL && results[1].result != NULL
         && results[2].result != NULL);
  g_assert_false (hp_peer_start_finish (caller, results[0].result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (hp_peer_connect_finish (caller, results[1].result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (
      hp_peer_send_message_finish (caller, results[2].result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (results[i].n_calls, ==, 1);
      test_result_clear (&results[i]);
    }
  test_peer_free (caller);
  test_server_free (server);
}

int
main (int argc, char **argv)
{
  static Scenario scenarios[N_PLACES][N_ACTIONS][2];

  g_test_init (&argc, &argv, NULL);
  warm_up ();
  g_test_add_func ("/closing/unheld", test_unheld);
  g_test_add_func ("/closing/pending", test_pending);
  for (guint place = 0; place < N_PLACES; place++)
    for (guint action = 0; action < N_ACTIONS; action++)
      for (guint side = 0; side < 2; side++)
        {
          Scenario *scenario = &scenarios[place][action][side];
          g_autofree char *path = g_strdup_printf (
              "/closing/%s/%s/%s", place_names[place], action_names[action],
              side == 0 ? "caller" : "callee");

          /* Only whoever calls gets the connection */
          if (place == AT_CONNECTED && side == 1)
            continue;
          *scenario = (Scenario){ place, action, side };
          g_test_add_data_func (path, scenario, test_talk);
        }
  return g_test_run ();
}
