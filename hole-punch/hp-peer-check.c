/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A check of the network is made by a scout: a second peer with the same
 * settings, but another identity and no id. It finds everything out anew, is in
 * nobody's way, and is the same whether the peer itself has been started or
 * not. Beside it all STUN and TURN servers are asked. */

#include "hole-punch/hp-peer-report-private.h"

#include "hole-punch/engine/hp-server-probe.h"
#include "hole-punch/hp-peer-mapping-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/hp-server-report-private.h"
#include "hole-punch/io/hp-clock.h"

#define TICK 50 /* ms */
/* When a relay is had to reach the match server by … */
#define RELAY_AFTER (1000 * G_TIME_SPAN_MILLISECOND)
/* … when silence is an answer … */
#define PATIENCE (3000 * G_TIME_SPAN_MILLISECOND)
/* … and when no more is waited for, though the match server may be reached by
 * a relay yet */
#define LIMIT (4500 * G_TIME_SPAN_MILLISECOND)
/* A match server that lets us in is asked for relays: this, and three round
 * trips, for that */
#define SETTLE (200 * G_TIME_SPAN_MILLISECOND)
/* A router that forwards ports has said so by then */
#define MAPPING_TIME (1200 * G_TIME_SPAN_MILLISECOND)
#define MAX_STUN_SERVERS 4

typedef struct
{
  HpPeer *scout;
  HpServerProbe *probe;
  gint64 began_at;
  gint64 connected_at; /* to a match server; 0: not yet */
  gint64 settles_at;
  int stun[MAX_STUN_SERVERS]; /* numbers of the probe; -1: not asked yet */
  GPtrArray *relays;          /* HpRelayServer; their numbers … */
  GArray *relay_numbers;      /* … (int) */
  GSource *tick;
} Check;

/* The task may be kept for long by whoever has got it. */
static void
check_stop (Check *self)
{
  hp_peer_clear_source (&self->tick);
  g_clear_pointer (&self->probe, hp_server_probe_free);
  if (self->scout != NULL)
    hp_peer_close_async (self->scout, NULL, NULL, NULL);
  g_clear_object (&self->scout);
}

static void
check_free (gpointer data)
{
  Check *self = data;

  check_stop (self);
  g_ptr_array_unref (self->relays);
  g_array_unref (self->relay_numbers);
  g_free (self);
}

/* Asking */

/* A NAT would see the question, and the server whom nobody is to see */
static gboolean
may_be_seen (Check *self)
{
  return !hp_peer_relay_is_only (self->scout);
}

static void
ask_stun_servers (Check *self)
{
  HpAddress address;
  char *name;

  for (guint i = 0; i < MAX_STUN_SERVERS && may_be_seen (self); i++)
    {
      if (!hp_peer_nat_get_stun_server (self->scout, i, &name, &address))
        break;
      if (self->stun[i] < 0 && address.family != HP_ADDRESS_NONE)
        self->stun[i] = hp_server_probe_add_stun (self->probe, &address);
      g_free (name);
    }
}

static gboolean
is_asked (Check *self, const HpRelayServer *server)
{
  for (guint i = 0; i < self->relays->len; i++)
    {
      const HpRelayServer *other = self->relays->pdata[i];

      if (other->transport == server->transport && other->port == server->port
          && g_strcmp0 (other->host, server->host) == 0)
        return TRUE;
    }
  return FALSE;
}

static void
ask_relays (Check *self)
{
  g_autoptr (GPtrArray) servers = hp_peer_relay_list_servers (self->scout);

  for (guint i = 0; i < servers->len; i++)
    {
      const HpRelayServer *server = servers->pdata[i];
      int number;

      if (is_asked (self, server))
        continue;
      number = hp_server_probe_add_relay (self->probe, server);
      if (number < 0)
        break;
      g_ptr_array_add (self->relays, hp_relay_server_copy (server));
      g_array_append_val (self->relay_numbers, number);
    }
}

/* How far it has come */

static gboolean
any_relay_answers (Check *self)
{
  for (guint i = 0; i < self->relays->len; i++)
    if (hp_server_probe_get_state (self->probe,
                                   g_array_index (self->relay_numbers, int, i))
        == HP_SERVER_PROBE_ANSWERED)
      return TRUE;
  return FALSE;
}

/* @n_straight: those that see us */
static void
count_matches (Check *self, guint *n_connected, guint *n_straight,
               guint *n_open)
{
  GPtrArray *matches = hp_peer_get_private (self->scout)->matches;

  *n_connected = *n_straight = *n_open = 0;
  for (guint i = 0; i < matches->len; i++)
    {
      HpPeerMatch *match = matches->pdata[i];

      if (hp_match_client_is_connected (match->client))
        {
          ++*n_connected;
          *n_straight += hp_match_client_get_socket (match->client) == 0;
        }
      else
        {
          *n_open += match->error == NULL;
        }
    }
}

static gboolean
looks_at_nat (Check *self, guint n_straight)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->scout);

  if (!may_be_seen (self))
    return FALSE;
  return n_straight > 0
         || (priv->matches->len == 0 && priv->stun_servers != NULL);
}

static gboolean
waits_for_router (Check *self, gint64 now)
{
  return hp_peer_get_private (self->scout)->mapping != NULL
         && hp_peer_port_mapping_get_external (self->scout) == NULL
         && now < self->connected_at + MAPPING_TIME;
}

static gboolean
is_done (Check *self, gint64 now)
{
  gint64 elapsed = now - self->began_at;
  guint n_connected, n_straight, n_open;

  count_matches (self, &n_connected, &n_straight, &n_open);
  if (n_connected > 0 && self->connected_at == 0)
    {
      self->connected_at = now;
      self->settles_at = now + SETTLE + 3 * elapsed;
    }
  if (n_connected == 0 && n_open > 0 && elapsed >= RELAY_AFTER)
    hp_peer_relay_need (self->scout);

  if (elapsed >= LIMIT)
    return TRUE;
  if (elapsed >= PATIENCE)
    return n_connected > 0 || n_open == 0 || !any_relay_answers (self);
  return n_open == 0 && now >= self->settles_at
         && hp_server_probe_is_done (self->probe)
         && !waits_for_router (self, now)
         && (!looks_at_nat (self, n_straight)
             || hp_peer_nat_is_done (self->scout));
}

/* Telling */

static void
tell_probed (Check *self, int number, HpServerReportValues *server,
             HpNetworkReportValues *values)
{
  const GError *error = NULL;

  server->round_trip_time = -1;
  if (number >= 0)
    {
      server->reachable = hp_server_probe_get_state (self->probe, number)
                          == HP_SERVER_PROBE_ANSWERED;
      server->round_trip_time = hp_server_probe_get_round_trip (self->probe,
                                                                number);
      error = hp_server_probe_get_error (self->probe, number);
    }
  if (!server->reachable && server->problem == NULL)
    server->problem = error != NULL ? error->message : "it does not answer";
  g_ptr_array_add (values->servers, hp_server_report_new (server));
}

static void
tell_stun_servers (Check *self, HpNetworkReportValues *values)
{
  for (guint i = 0; i < MAX_STUN_SERVERS; i++)
    {
      g_autofree char *name = NULL;
      HpServerReportValues server = { .kind = HP_SERVER_KIND_STUN,
                                      .transport = "UDP" };

      if (!hp_peer_nat_get_stun_server (self->scout, i, &name,
                                        &server.address))
        break;
      server.name = name;
      if (!may_be_seen (self))
        server.problem = "not asked, since only relays are allowed";
      else if (server.address.family == HP_ADDRESS_NONE)
        server.problem = "its name is not resolved";
      tell_probed (self, self->stun[i], &server, values);
    }
}

static void
tell_relays (Check *self, HpNetworkReportValues *values)
{
  for (guint i = 0; i < self->relays->len; i++)
    {
      const HpRelayServer *relay = self->relays->pdata[i];
      g_autofree char *name = hp_peer_report_name_relay (relay);
      HpServerReportValues server = {
        .kind = HP_SERVER_KIND_RELAY,
        .name = name,
        .transport = hp_relay_transport_get_name (relay->transport),
      };

      tell_probed (self, g_array_index (self->relay_numbers, int, i), &server,
                   values);
    }
}

/* The relay that the scout itself may have is one of those that were asked. */
static HpNetworkReport *
make_report (Check *self)
{
  HpNetworkReportValues values;

  hp_peer_report_collect (self->scout, &values);
  for (guint i = values.servers->len; i > 0; i--)
    if (hp_server_report_get_kind (values.servers->pdata[i - 1])
        == HP_SERVER_KIND_RELAY)
      g_ptr_array_remove_index (values.servers, i - 1);
  tell_stun_servers (self, &values);
  tell_relays (self, &values);
  return hp_network_report_new (&values);
}

static gboolean
on_tick (gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  Check *self = g_task_get_task_data (task);
  HpPeer *peer = g_task_get_source_object (task);
  g_autoptr (HpNetworkReport) report = NULL;

  if (g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    {
      check_stop (self);
      g_task_return_error_if_cancelled (task);
      return G_SOURCE_REMOVE;
    }
  ask_stun_servers (self);
  ask_relays (self);
  if (!is_done (self, hp_clock_now ()))
    return G_SOURCE_CONTINUE;

  report = make_report (self);
  check_stop (self);
  hp_peer_report_set (peer, g_object_ref (report));
  g_object_notify (G_OBJECT (peer), "network-report");
  g_task_return_pointer (task, g_steal_pointer (&report), g_object_unref);
  return G_SOURCE_REMOVE;
}

/* Beginning */

static HpPeer *
make_scout (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPeer *scout = g_object_new (
      HP_TYPE_PEER, "match-server", priv->match_server, "stun-servers",
      priv->stun_servers, "turn-servers", priv->turn_servers, "relay-policy",
      priv->relay_policy, "turn-tls-database", priv->turn_tls_database,
      "port-mapping", priv->port_mapping, NULL);

  hp_peer_get_private (scout)->is_scout = TRUE;
  return scout;
}

static gboolean
begin (Check *self, HpPeer *peer, GError **error)
{
  self->relays = hp_relay_servers_new ();
  self->relay_numbers = g_array_new (FALSE, FALSE, sizeof (int));
  self->began_at = hp_clock_now ();
  for (guint i = 0; i < MAX_STUN_SERVERS; i++)
    self->stun[i] = -1;
  self->scout = make_scout (peer);
  self->probe = hp_server_probe_new (
      hp_peer_get_private (peer)->turn_tls_database, &hp_crypto_random, error);
  return self->probe != NULL && hp_peer_begin (self->scout, error);
}

/**
 * hp_peer_check_network_async:
 * @self: a #HpPeer
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the report is there
 * @user_data: data for @callback
 *
 * Finds out what the network is good for: which of the match servers, STUN
 * servers and relays answer and how fast, what the NAT is like, and what that
 * means for connections. It takes a second as a rule, and five at most.
 *
 * The peer may be started or not, and stays as it is. The check is made with
 * the same settings, by another socket and an identity of its own; it is not
 * registered, and calls nobody. It makes some ten to forty entries in the NAT.
 *
 * Since: 1.0
 */
void
hp_peer_check_network_async (HpPeer *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  Check *check;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_peer_check_network_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  check = g_new0 (Check, 1);
  g_task_set_task_data (task, check, check_free);
  if (!begin (check, self, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  check->tick = g_timeout_source_new (TICK);
  g_source_set_static_name (check->tick, "hp-peer-check");
  g_source_set_callback (check->tick, on_tick, g_object_ref (task),
                         g_object_unref);
  g_source_attach (check->tick, g_task_get_context (task));
}

/**
 * hp_peer_check_network_finish:
 * @self: a #HpPeer
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_peer_check_network_async(). That servers do not answer is no error,
 * but what the report is about.
 *
 * Errors: %HP_PUNCH_ERROR_MATCH_SERVER when #HpPeer:match-server names none,
 * %HP_PUNCH_ERROR_INVALID_TARGET when #HpPeer:stun-servers do not,
 * %G_IO_ERROR_INVALID_ARGUMENT when #HpPeer:turn-servers do not;
 * %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the report, which is #HpPeer:network-report, too
 *
 * Since: 1.0
 */
HpNetworkReport *
hp_peer_check_network_finish (HpPeer *self, GAsyncResult *result,
                              GError **error)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_peer_check_network_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
