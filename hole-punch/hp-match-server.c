/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-server-private.h"

#include "hole-punch/hp-memory-registry.h"

/**
 * SECTION:hp-match-server
 * @title: HpMatchServer
 * @short_description: Where peers find each other
 *
 * A match server has an address that everybody can reach. Peers register there
 * under an id; whoever knows an id is introduced to its holder: both learn each
 * other's addresses at the same moment, and can then open a way through their
 * NATs. After that they talk directly; no message ever passes through the match
 * server, nor could it read one.
 *
 * |[<!-- language="C" -->
 * g_autoptr (HpMatchServer) server = hp_match_server_new (HP_DEFAULT_PORT);
 *
 * if (!hp_match_server_start (server, &error))
 *   g_printerr ("%s\n", error->message);
 * ]|
 *
 * It works in the #GMainContext that is the thread-default one when it is
 * started, answers thousands of peers in one thread, and starts no other unless
 * #HpMatchServer:workers are more than one. A started server holds a reference
 * to itself until hp_match_server_stop(), as an active #GSocketService does.
 * Stopping and dropping it is safe inside all its signals.
 *
 * A server that is to be trusted, rather than believed, has an
 * #HpMatchServer:identity that was saved, whose fingerprint the peers are given
 * beforehand. Without one it makes a new one when it starts.
 *
 * Who may register, and who may ask for whom, is everybody's until a handler of
 * #HpMatchServer::authorize-registration or
 * #HpMatchServer::authorize-introduction decides.
 */

/**
 * HpMatchServer:
 *
 * A server that introduces peers to each other.
 *
 * Since: 1.0
 */

G_DEFINE_TYPE_WITH_PRIVATE (HpMatchServer, hp_match_server, G_TYPE_OBJECT)

enum
{
  PEER_REGISTERED,
  PEER_EXPIRED,
  INTRODUCED,
  AUTHORIZE_REGISTRATION,
  AUTHORIZE_INTRODUCTION,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

HpMatchServerPrivate *
hp_match_server_get_private (HpMatchServer *self)
{
  return hp_match_server_get_instance_private (self);
}

/* What a run tells and asks */

static void
on_registered (gpointer owner, HpRegistration *peer)
{
  g_signal_emit (owner, signals[PEER_REGISTERED], 0, peer);
}

static void
on_expired (gpointer owner, HpRegistration *peer)
{
  g_signal_emit (owner, signals[PEER_EXPIRED], 0, peer);
}

static void
on_introduced (gpointer owner, HpRegistration *caller, HpRegistration *callee)
{
  g_signal_emit (owner, signals[INTRODUCED], 0, caller, callee);
}

static gboolean
is_listening (gpointer owner, HpMatchTiding tiding)
{
  HpMatchServerClass *klass = HP_MATCH_SERVER_GET_CLASS (owner);
  guint signal = 0;
  gboolean has_own = FALSE;

  switch (tiding)
    {
    case HP_MATCH_TIDING_REGISTERED:
      signal = signals[PEER_REGISTERED];
      has_own = klass->peer_registered != NULL;
      break;
    case HP_MATCH_TIDING_EXPIRED:
      signal = signals[PEER_EXPIRED];
      has_own = klass->peer_expired != NULL;
      break;
    case HP_MATCH_TIDING_INTRODUCED:
      signal = signals[INTRODUCED];
      has_own = klass->introduced != NULL;
      break;
    }
  return has_own || g_signal_has_handler_pending (owner, signal, 0, FALSE);
}

static guint
get_authorize_signal (HpMatchPermission permission)
{
  return permission == HP_MATCH_PERMISSION_REGISTRATION
             ? signals[AUTHORIZE_REGISTRATION]
             : signals[AUTHORIZE_INTRODUCTION];
}

/* A blocked handler counts: as long as it is blocked nobody gets in. */
static gboolean
wants_to_answer (gpointer owner, HpMatchPermission permission)
{
  return g_signal_has_handler_pending (owner, get_authorize_signal (permission),
                                       0, TRUE);
}

static void
on_authorize (gpointer owner, HpMatchPermission permission,
              HpAuthorization *authorization)
{
  g_signal_emit (owner, get_authorize_signal (permission), 0, authorization);
}

static const HpMatchRunHooks run_hooks = {
  .registered = on_registered,
  .expired = on_expired,
  .introduced = on_introduced,
  .is_listening = is_listening,
  .wants_to_answer = wants_to_answer,
  .authorize = on_authorize,
};

static void
end_run (HpMatchServerPrivate *priv)
{
  HpMatchRun *run = g_steal_pointer (&priv->run);

  hp_match_run_stop (run);
  hp_match_run_get_statistics (run, &priv->last_statistics);
  hp_match_run_unref (run);
  g_clear_object (&priv->local_address);
}

/* A running server holds itself: here it is only by g_object_run_dispose(). */
static void
hp_match_server_dispose (GObject *object)
{
  HpMatchServer *self = HP_MATCH_SERVER (object);
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);

  if (priv->run != NULL)
    {
      end_run (priv);
      g_object_unref (self);
    }
  g_clear_object (&priv->identity);
  g_clear_object (&priv->registry);
  G_OBJECT_CLASS (hp_match_server_parent_class)->dispose (object);
}

static void
hp_match_server_finalize (GObject *object)
{
  HpMatchServerPrivate *priv
      = hp_match_server_get_private (HP_MATCH_SERVER (object));

  g_free (priv->listen_address);
  hp_match_server_clear_network (priv);
  G_OBJECT_CLASS (hp_match_server_parent_class)->finalize (object);
}

static guint
add_signal (const char *name, guint class_offset, guint n_parameters,
            GType type)
{
  return g_signal_new (name, HP_TYPE_MATCH_SERVER, G_SIGNAL_RUN_LAST,
                       class_offset, NULL, NULL, NULL, G_TYPE_NONE,
                       n_parameters, type, type);
}

static void
install_signals (void)
{
  /**
   * HpMatchServer::peer-registered:
   * @self: the match server
   * @registration: who it is
   *
   * A peer has registered its id; emitted once, not when the registration is
   * refreshed.
   *
   * Since: 1.0
   */
  signals[PEER_REGISTERED] = add_signal (
      "peer-registered",
      G_STRUCT_OFFSET (HpMatchServerClass, peer_registered), 1,
      HP_TYPE_REGISTRATION);
  /**
   * HpMatchServer::peer-expired:
   * @self: the match server
   * @registration: who it was
   *
   * A registered peer is gone: it unregistered, or was not heard of for
   * #HpMatchServer:registration-lifetime. Not emitted for the peers that are
   * there when the server stops.
   *
   * Since: 1.0
   */
  signals[PEER_EXPIRED] = add_signal (
      "peer-expired", G_STRUCT_OFFSET (HpMatchServerClass, peer_expired), 1,
      HP_TYPE_REGISTRATION);
  /**
   * HpMatchServer::introduced:
   * @self: the match server
   * @caller: who asked; its #HpRegistration:id is %NULL if it has none
   * @callee: who was asked for; its #HpRegistration:id is %NULL if it was asked
   *   for by fingerprint
   *
   * Two peers were introduced to each other. Whether they find a way to each
   * other the server does not learn.
   *
   * Since: 1.0
   */
  signals[INTRODUCED] = add_signal (
      "introduced", G_STRUCT_OFFSET (HpMatchServerClass, introduced), 2,
      HP_TYPE_REGISTRATION);
  /**
   * HpMatchServer::authorize-registration:
   * @self: the match server
   * @authorization: the question
   *
   * May this identity register this id? While no handler is connected, all may;
   * while one is, only those that it allows, now or within a few seconds, by
   * hp_authorization_allow(). The others are told %HP_PUNCH_ERROR_REFUSED.
   *
   * Since: 1.0
   */
  signals[AUTHORIZE_REGISTRATION]
      = add_signal ("authorize-registration", 0, 1, HP_TYPE_AUTHORIZATION);
  /**
   * HpMatchServer::authorize-introduction:
   * @self: the match server
   * @authorization: the question
   *
   * May this identity be introduced to the holder of
   * #HpAuthorization:wanted-id? While no handler is connected, all may; while
   * one is, only those that it allows, now or within a few seconds, by
   * hp_authorization_allow().
   *
   * Since: 1.0
   */
  signals[AUTHORIZE_INTRODUCTION]
      = add_signal ("authorize-introduction", 0, 1, HP_TYPE_AUTHORIZATION);
}

static void
hp_match_server_class_init (HpMatchServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = hp_match_server_dispose;
  object_class->finalize = hp_match_server_finalize;
  hp_match_server_install_properties (object_class);
  install_signals ();
}

static void
hp_match_server_init (HpMatchServer *self)
{
  hp_match_server_init_properties (hp_match_server_get_private (self));
}

/**
 * hp_match_server_new:
 * @port: the UDP port to listen on, 0 any free one; %HP_DEFAULT_PORT is the one
 *   that peers use unless told otherwise
 *
 * Makes a match server. Nothing happens before hp_match_server_start().
 *
 * Returns: (transfer full): a new #HpMatchServer
 *
 * Since: 1.0
 */
HpMatchServer *
hp_match_server_new (guint port)
{
  return g_object_new (HP_TYPE_MATCH_SERVER, "port", port, NULL);
}

static void
note_start (HpMatchServer *self, HpIdentity *identity, HpRegistry *registry)
{
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);
  const HpAddress *address = hp_match_run_get_address (priv->run);

  priv->local_address = hp_address_to_socket_address (address);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_LOCAL_ADDRESS);
  if (address->port != priv->port)
    hp_match_server_notify (self, HP_MATCH_SERVER_PROP_PORT);
  if (hp_match_server_get_second_port (self) != priv->second_port)
    hp_match_server_notify (self, HP_MATCH_SERVER_PROP_SECOND_PORT);
  if (g_set_object (&priv->identity, identity))
    hp_match_server_notify (self, HP_MATCH_SERVER_PROP_IDENTITY);
  if (g_set_object (&priv->registry, registry))
    hp_match_server_notify (self, HP_MATCH_SERVER_PROP_REGISTRY);
}

static HpMatchRun *
start_run (HpMatchServer *self, HpIdentity *identity, HpRegistry *registry,
           GError **error)
{
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);
  HpMatchListen listen = {
    .listen_address = priv->listen_address,
    .port = priv->port,
    .second_port = priv->second_port,
    .second_address = priv->second_address,
    .n_workers = priv->n_workers,
  };
  HpMatchRun *run = hp_match_run_new (&listen, identity, registry,
                                      &priv->limits, &run_hooks, self, error);

  if (run != NULL)
    hp_match_run_set_relays (run, (const char *const *) priv->turn_servers,
                             priv->turn_secret, priv->turn_lifetime);
  return run;
}

/**
 * hp_match_server_start:
 * @self: a #HpMatchServer
 * @error: return location for a #GError
 *
 * Binds the ports and begins to serve, in the thread-default #GMainContext of
 * the caller. Fails with %G_IO_ERROR_ADDRESS_IN_USE when a port is taken, with
 * %G_IO_ERROR_INVALID_ARGUMENT when #HpMatchServer:listen-address or
 * #HpMatchServer:second-address is not an IP address, or
 * #HpMatchServer:turn-servers are none or have no #HpMatchServer:turn-secret,
 * with %G_IO_ERROR_NOT_SUPPORTED when #HpMatchServer:workers are several and
 * the system cannot share a port among them, and with another #GIOErrorEnum
 * when the system refuses. Does nothing when the server is running. A server
 * that was stopped can be started again.
 *
 * Returns: %TRUE if it is running, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
hp_match_server_start (HpMatchServer *self, GError **error)
{
  HpMatchServerPrivate *priv;
  g_autoptr (HpMatchServer) alive = NULL;
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (HpRegistry) registry = NULL;

  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  priv = hp_match_server_get_private (self);
  if (priv->run != NULL)
    return TRUE;
  identity = priv->identity != NULL ? g_object_ref (priv->identity)
                                    : hp_identity_new ();
  registry = priv->registry != NULL
                 ? g_object_ref (priv->registry)
                 : HP_REGISTRY (hp_memory_registry_new ());
  if (!hp_match_server_check_relays (priv, error))
    return FALSE;
  priv->run = start_run (self, identity, registry, error);
  if (priv->run == NULL)
    return FALSE;
  /* hp_match_server_stop() gives it back. Handlers of the notifications may
   * call that, and drop the server. */
  g_object_ref (self);
  alive = g_object_ref (self);
  g_object_freeze_notify (G_OBJECT (self));
  note_start (self, identity, registry);
  g_object_thaw_notify (G_OBJECT (self));
  return TRUE;
}

/**
 * hp_match_server_stop:
 * @self: a #HpMatchServer
 *
 * Ends serving: the peers are told, and look for their match server again until
 * it is back. What the registry keeps stays. Does nothing when the server is
 * not running.
 *
 * Since: 1.0
 */
void
hp_match_server_stop (HpMatchServer *self)
{
  HpMatchServerPrivate *priv;
  int old_second_port;
  guint old_port;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));

  priv = hp_match_server_get_private (self);
  if (priv->run == NULL)
    return;
  old_port = hp_match_server_get_port (self);
  old_second_port = hp_match_server_get_second_port (self);
  g_object_freeze_notify (G_OBJECT (self));
  end_run (priv);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_LOCAL_ADDRESS);
  if (old_port != priv->port)
    hp_match_server_notify (self, HP_MATCH_SERVER_PROP_PORT);
  if (old_second_port != priv->second_port)
    hp_match_server_notify (self, HP_MATCH_SERVER_PROP_SECOND_PORT);
  g_object_thaw_notify (G_OBJECT (self));
  /* The reference of hp_match_server_start() */
  g_object_unref (self);
}
