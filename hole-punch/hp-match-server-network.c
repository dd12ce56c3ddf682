/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match server does for those behind difficult NATs: it can be asked at
 * a second port and address, so that they learn what their NATs are like, and
 * names relays, with what lets them in there. */

#include "hole-punch/hp-match-server-private.h"

#include "hole-punch/secure/hp-crypto.h"
#include "hole-punch/wire/hp-frame.h"

#include <string.h>

#define DEFAULT_TURN_LIFETIME (6 * 60 * 60)

static GParamSpec **properties;

static void
install_places (GParamFlags flags)
{
  /**
   * HpMatchServer:second-port:
   *
   * A second UDP port, at which the server only answers STUN Binding requests
   * (RFC 8489): peers see there whether their NATs give them another address
   * toward another port, and choose their way through them by that. 0 is the
   * port after #HpMatchServer:port, or if that is taken any free one; -1 is
   * none, and then it stays unknown. While the server runs, the one that it
   * has. A firewall in front of the server has to let both ports through.
   * Cannot be changed while the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_SECOND_PORT]
      = g_param_spec_int ("second-port", "Second port",
                          "UDP port that only answers STUN", -1, G_MAXUINT16,
                          0, flags);
  /**
   * HpMatchServer:second-address:
   *
   * A second IP address of this machine, %NULL none: with it peers can tell
   * apart NATs that give them another address toward another host from those
   * that do not. Answers STUN Binding requests at both ports. Of no use without
   * #HpMatchServer:second-port. Cannot be changed while the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_SECOND_ADDRESS]
      = g_param_spec_string ("second-address", "Second address",
                             "Second IP address of this machine", NULL, flags);
}

static void
install_relays (GParamFlags flags)
{
  /**
   * HpMatchServer:turn-servers:
   *
   * URIs of TURN servers (RFC 7065), such as "turn:turn.example.org" or
   * "turns:turn.example.org:443": relays that the server tells peers of, for
   * when there is no direct way. At most four, the first ones count. They have
   * to share #HpMatchServer:turn-secret with this server. Cannot be changed
   * while the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_TURN_SERVERS] = g_param_spec_boxed (
      "turn-servers", "TURN servers", "URIs of relays that peers may use",
      G_TYPE_STRV, flags);
  /**
   * HpMatchServer:turn-secret:
   *
   * The secret that the TURN servers share with this server, coturn's
   * static-auth-secret: out of it each peer that asks gets a name and a
   * password that are good for #HpMatchServer:turn-lifetime. While a handler of
   * #HpMatchServer::authorize-registration or
   * #HpMatchServer::authorize-introduction is connected, only peers get them
   * that were allowed to register or were introduced to somebody. May be
   * changed at any time.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_TURN_SECRET]
      = g_param_spec_string ("turn-secret", "TURN secret",
                             "Secret shared with the TURN servers", NULL,
                             flags);
  /**
   * HpMatchServer:turn-lifetime:
   *
   * For how many seconds a peer can use the name and password that it got to
   * begin to use a relay. May be changed at any time.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_TURN_LIFETIME] = g_param_spec_uint (
      "turn-lifetime", "TURN lifetime",
      "Seconds for which credentials of relays are good",
      HP_MIN_TURN_LIFETIME, HP_MAX_TURN_LIFETIME, DEFAULT_TURN_LIFETIME,
      flags);
}

void
hp_match_server_install_network (GParamSpec **all)
{
  const GParamFlags flags
      = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  properties = all;
  install_places (flags);
  install_relays (flags);
}

void
hp_match_server_init_network (HpMatchServerPrivate *priv)
{
  priv->turn_servers = g_new0 (char *, 1);
  priv->turn_lifetime = DEFAULT_TURN_LIFETIME;
}

static void
clear_secret (HpMatchServerPrivate *priv)
{
  if (priv->turn_secret != NULL)
    hp_crypto_wipe (priv->turn_secret, strlen (priv->turn_secret));
  g_clear_pointer (&priv->turn_secret, g_free);
}

void
hp_match_server_clear_network (HpMatchServerPrivate *priv)
{
  g_clear_pointer (&priv->second_address, g_free);
  g_clear_pointer (&priv->turn_servers, g_strfreev);
  clear_secret (priv);
}

static gboolean
is_turn_uri (const char *uri)
{
  gboolean is_turn = g_ascii_strncasecmp (uri, "turn:", 5) == 0;
  const char *rest = uri + (is_turn ? 5 : 6);

  return (is_turn || g_ascii_strncasecmp (uri, "turns:", 6) == 0)
         && *rest != '\0' && strpbrk (rest, " \t\r\n") == NULL
         && strlen (uri) <= HP_RELAY_TEXT_MAX_SIZE
         && g_utf8_validate (uri, -1, NULL);
}

gboolean
hp_match_server_check_relays (HpMatchServerPrivate *priv, GError **error)
{
  for (guint i = 0; priv->turn_servers[i] != NULL; i++)
    if (!is_turn_uri (priv->turn_servers[i]))
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                     "“%s” is not the URI of a TURN server, such as "
                     "turn:turn.example.org",
                     priv->turn_servers[i]);
        return FALSE;
      }
  if (priv->turn_servers[0] == NULL
      || (priv->turn_secret != NULL && *priv->turn_secret != '\0'))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "There are TURN servers, but there is no secret that "
                       "they share with this server");
  return FALSE;
}

/**
 * hp_match_server_get_second_port:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:second-port.
 *
 * Returns: a UDP port, 0 any free one, -1 none
 *
 * Since: 1.0
 */
int
hp_match_server_get_second_port (HpMatchServer *self)
{
  HpMatchServerPrivate *priv;
  guint16 port = 0;

  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), -1);

  priv = hp_match_server_get_private (self);
  if (priv->run != NULL)
    port = hp_match_run_get_second_port (priv->run);
  return port != 0 ? port : priv->second_port;
}

/**
 * hp_match_server_set_second_port:
 * @self: a #HpMatchServer
 * @second_port: a UDP port, 0 any free one, -1 none
 *
 * Sets #HpMatchServer:second-port. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_second_port (HpMatchServer *self, int second_port)
{
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (second_port >= -1 && second_port <= G_MAXUINT16);

  if (second_port == hp_match_server_get_second_port (self)
      || !hp_match_server_may_change (self, HP_MATCH_SERVER_PROP_SECOND_PORT))
    return;
  hp_match_server_get_private (self)->second_port = second_port;
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_SECOND_PORT);
}

/**
 * hp_match_server_get_second_address:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:second-address.
 *
 * Returns: (transfer none) (nullable): an IP address
 *
 * Since: 1.0
 */
const char *
hp_match_server_get_second_address (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return hp_match_server_get_private (self)->second_address;
}

/**
 * hp_match_server_set_second_address:
 * @self: a #HpMatchServer
 * @second_address: (nullable): an IP address, or %NULL
 *
 * Sets #HpMatchServer:second-address. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_second_address (HpMatchServer *self,
                                    const char *second_address)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));

  priv = hp_match_server_get_private (self);
  if (g_strcmp0 (second_address, priv->second_address) == 0
      || !hp_match_server_may_change (self,
                                      HP_MATCH_SERVER_PROP_SECOND_ADDRESS))
    return;
  g_free (priv->second_address);
  priv->second_address = g_strdup (second_address);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_SECOND_ADDRESS);
}

/**
 * hp_match_server_get_turn_servers:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:turn-servers.
 *
 * Returns: (transfer none) (array zero-terminated=1): URIs, perhaps none
 *
 * Since: 1.0
 */
const char *const *
hp_match_server_get_turn_servers (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return (const char *const *) hp_match_server_get_private (self)
      ->turn_servers;
}

/**
 * hp_match_server_set_turn_servers:
 * @self: a #HpMatchServer
 * @turn_servers: (nullable) (array zero-terminated=1): URIs, or %NULL for
 *   none
 *
 * Sets #HpMatchServer:turn-servers. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_turn_servers (HpMatchServer *self,
                                  const char *const *turn_servers)
{
  static const char *const none[] = { NULL };
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));

  if (turn_servers == NULL)
    turn_servers = none;
  priv = hp_match_server_get_private (self);
  if (g_strv_equal (turn_servers, (const char *const *) priv->turn_servers)
      || !hp_match_server_may_change (self,
                                      HP_MATCH_SERVER_PROP_TURN_SERVERS))
    return;
  g_strfreev (priv->turn_servers);
  priv->turn_servers = g_strdupv ((char **) turn_servers);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_TURN_SERVERS);
}

static void
update_relays (HpMatchServer *self, HpMatchServerProperty property)
{
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);

  if (priv->run != NULL)
    hp_match_run_set_relays (priv->run,
                             (const char *const *) priv->turn_servers,
                             priv->turn_secret, priv->turn_lifetime);
  hp_match_server_notify (self, property);
}

/**
 * hp_match_server_get_turn_secret:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:turn-secret.
 *
 * Returns: (transfer none) (nullable): the secret
 *
 * Since: 1.0
 */
const char *
hp_match_server_get_turn_secret (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return hp_match_server_get_private (self)->turn_secret;
}

/**
 * hp_match_server_set_turn_secret:
 * @self: a #HpMatchServer
 * @turn_secret: (nullable): the secret, or %NULL
 *
 * Sets #HpMatchServer:turn-secret.
 *
 * Since: 1.0
 */
void
hp_match_server_set_turn_secret (HpMatchServer *self, const char *turn_secret)
{
  HpMatchServerPrivate *priv;
  char *copy;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));

  priv = hp_match_server_get_private (self);
  if (g_strcmp0 (turn_secret, priv->turn_secret) == 0)
    return;
  copy = g_strdup (turn_secret);
  clear_secret (priv);
  priv->turn_secret = copy;
  update_relays (self, HP_MATCH_SERVER_PROP_TURN_SECRET);
}

/**
 * hp_match_server_get_turn_lifetime:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:turn-lifetime.
 *
 * Returns: seconds
 *
 * Since: 1.0
 */
guint
hp_match_server_get_turn_lifetime (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)->turn_lifetime;
}

/**
 * hp_match_server_set_turn_lifetime:
 * @self: a #HpMatchServer
 * @seconds: seconds, from 60 to 604800
 *
 * Sets #HpMatchServer:turn-lifetime.
 *
 * Since: 1.0
 */
void
hp_match_server_set_turn_lifetime (HpMatchServer *self, guint seconds)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (seconds >= HP_MIN_TURN_LIFETIME
                    && seconds <= HP_MAX_TURN_LIFETIME);

  priv = hp_match_server_get_private (self);
  if (seconds == priv->turn_lifetime)
    return;
  priv->turn_lifetime = seconds;
  update_relays (self, HP_MATCH_SERVER_PROP_TURN_LIFETIME);
}
