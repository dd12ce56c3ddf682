/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-private.h"

#include "hole-punch/hp-peer-links-private.h"

/**
 * SECTION:hp-peer
 * @title: HpPeer
 * @short_description: One node that reaches others and is reached
 *
 * A peer has one UDP port, an identity, and any number of connections to other
 * peers. With an #HpPeer:id and a #HpPeer:match-server it can be called by
 * that id, from anywhere:
 *
 * |[<!-- language="C" -->
 * static void
 * on_message (HpPeer *peer, HpConnection *sender, GBytes *message,
 *             gpointer user_data)
 * {
 *   g_autoptr (GBytes) answer = g_bytes_new_static ("callee got you", 14);
 *
 *   hp_connection_send_message (sender, answer, NULL);
 * }
 *
 * HpPeer *peer = hp_peer_new ("wq", "match.example.org");
 *
 * g_signal_connect (peer, "message-received", G_CALLBACK (on_message), NULL);
 * hp_peer_start_async (peer, NULL, on_started, NULL);
 * ]|
 *
 * A caller needs no id. hp_peer_send_message_async() starts the peer, connects
 * and sends in one; hp_peer_connect_async() gives the #HpConnection.
 *
 * Everything a peer does happens in the #GMainContext that was the thread's
 * default when it was started, and all functions of it and of its connections
 * are to be called in that thread. Several peers may live in several threads. A
 * started peer stays alive until hp_peer_close_async(), whoever drops
 * references to it; it may be closed, and references dropped, in any of its
 * callbacks.
 *
 * While one of its callbacks runs, a peer does nothing else: one that blocks
 * keeps all connections waiting, and one that runs a main loop of its own until
 * the peer has done something waits for ever. Begin what takes time, and
 * return.
 *
 * #HpPeer:match-server is one server or several, separated by commas: a peer
 * registers at all of them, and a caller asks them all. Each is a host, with a
 * port if it is not %HP_DEFAULT_PORT (`match.example.org:5000`, `192.0.2.1`,
 * `[2001:db8::1]:5000`), or a URI that also pins the server's key, so that
 * nobody else can pose as it: `holepunch://FINGERPRINT@match.example.org:5000`.
 */

/**
 * HpPeer:
 *
 * One node.
 *
 * Since: 1.0
 */

G_DEFINE_TYPE_WITH_PRIVATE (HpPeer, hp_peer, G_TYPE_OBJECT)

typedef enum
{
  PROP_ID = 1,
  PROP_MATCH_SERVER,
  PROP_STUN_SERVERS,
  PROP_IDENTITY,
  PROP_PORT,
  PROP_DATAGRAM_SIZE,
  PROP_MAX_DATAGRAM_SIZE,
  PROP_MAX_MESSAGE_SIZE,
  PROP_MAX_RECEIVE_WINDOW,
  PROP_KEEPALIVE_INTERVAL,
  PROP_CONNECT_TIMEOUT,
  PROP_MAX_NAT_ENTRIES,
  PROP_DIRECT_CALLS,
  PROP_PORT_MAPPING,
  PROP_TURN_SERVERS,
  PROP_RELAY_POLICY,
  PROP_TURN_TLS_DATABASE,
  PROP_REGISTERED,
  PROP_LOCAL_ADDRESS,
  PROP_PUBLIC_ADDRESS,
  PROP_MAPPED_ADDRESS,
  PROP_NAT,
  PROP_NETWORK_REPORT,
  PROP_CONNECTIONS,
} HpPeerProperty;

static GParamSpec *properties[PROP_CONNECTIONS + 1];

#define DEFAULT_KEEPALIVE_INTERVAL 15
#define DEFAULT_CONNECT_TIMEOUT 20

HpPeerPrivate *
hp_peer_get_private (HpPeer *self)
{
  return hp_peer_get_instance_private (self);
}

static void
hp_peer_constructed (GObject *object)
{
  HpPeerPrivate *priv = hp_peer_get_private (HP_PEER (object));

  G_OBJECT_CLASS (hp_peer_parent_class)->constructed (object);
  if (priv->identity == NULL)
    priv->identity = hp_identity_new ();
}

/* Not started: a started peer holds itself */
static void
hp_peer_finalize (GObject *object)
{
  HpPeerPrivate *priv = hp_peer_get_private (HP_PEER (object));

  g_free (priv->id);
  g_free (priv->match_server);
  g_free (priv->stun_servers);
  g_free (priv->turn_servers);
  g_clear_object (&priv->turn_tls_database);
  g_clear_object (&priv->identity);
  g_clear_object (&priv->connections);
  g_clear_object (&priv->local_address);
  g_clear_object (&priv->public_address);
  g_clear_object (&priv->mapped_address);
  g_clear_object (&priv->nat_info);
  g_clear_object (&priv->network_report);
  G_OBJECT_CLASS (hp_peer_parent_class)->finalize (object);
}

static void
hp_peer_set_property (GObject *object, guint property_id, const GValue *value,
                      GParamSpec *pspec)
{
  HpPeer *self = HP_PEER (object);

  switch ((HpPeerProperty) property_id)
    {
    case PROP_ID:
      hp_peer_set_id (self, g_value_get_string (value));
      break;
    case PROP_MATCH_SERVER:
      hp_peer_set_match_server (self, g_value_get_string (value));
      break;
    case PROP_STUN_SERVERS:
      hp_peer_set_stun_servers (self, g_value_get_string (value));
      break;
    case PROP_IDENTITY:
      if (g_value_get_object (value) != NULL)
        hp_peer_set_identity (self, g_value_get_object (value));
      break;
    case PROP_PORT:
      hp_peer_set_port (self, g_value_get_uint (value));
      break;
    case PROP_DATAGRAM_SIZE:
      hp_peer_set_datagram_size (self, g_value_get_uint (value));
      break;
    case PROP_MAX_DATAGRAM_SIZE:
      hp_peer_set_max_datagram_size (self, g_value_get_uint (value));
      break;
    case PROP_MAX_MESSAGE_SIZE:
      hp_peer_set_max_message_size (self, g_value_get_uint64 (value));
      break;
    case PROP_MAX_RECEIVE_WINDOW:
      hp_peer_set_max_receive_window (self, g_value_get_uint64 (value));
      break;
    case PROP_KEEPALIVE_INTERVAL:
      hp_peer_set_keepalive_interval (self, g_value_get_uint (value));
      break;
    case PROP_CONNECT_TIMEOUT:
      hp_peer_set_connect_timeout (self, g_value_get_uint (value));
      break;
    case PROP_MAX_NAT_ENTRIES:
      hp_peer_set_max_nat_entries (self, g_value_get_uint (value));
      break;
    case PROP_DIRECT_CALLS:
      hp_peer_set_direct_calls (self, g_value_get_boolean (value));
      break;
    case PROP_PORT_MAPPING:
      hp_peer_set_port_mapping (self, g_value_get_boolean (value));
      break;
    case PROP_TURN_SERVERS:
      hp_peer_set_turn_servers (self, g_value_get_string (value));
      break;
    case PROP_RELAY_POLICY:
      hp_peer_set_relay_policy (self, g_value_get_enum (value));
      break;
    case PROP_TURN_TLS_DATABASE:
      hp_peer_set_turn_tls_database (self, g_value_get_object (value));
      break;
    case PROP_REGISTERED:
    case PROP_LOCAL_ADDRESS:
    case PROP_PUBLIC_ADDRESS:
    case PROP_MAPPED_ADDRESS:
    case PROP_NAT:
    case PROP_NETWORK_REPORT:
    case PROP_CONNECTIONS:
      g_assert_not_reached ();
    }
}

static void
hp_peer_get_property (GObject *object, guint property_id, GValue *value,
                      GParamSpec *pspec)
{
  HpPeerPrivate *priv = hp_peer_get_private (HP_PEER (object));

  switch ((HpPeerProperty) property_id)
    {
    case PROP_ID:
      g_value_set_string (value, priv->id);
      break;
    case PROP_MATCH_SERVER:
      g_value_set_string (value, priv->match_server);
      break;
    case PROP_STUN_SERVERS:
      g_value_set_string (value, priv->stun_servers);
      break;
    case PROP_IDENTITY:
      g_value_set_object (value, priv->identity);
      break;
    case PROP_PORT:
      g_value_set_uint (value, priv->port);
      break;
    case PROP_DATAGRAM_SIZE:
      g_value_set_uint (value, priv->datagram_size);
      break;
    case PROP_MAX_DATAGRAM_SIZE:
      g_value_set_uint (value, priv->max_datagram_size);
      break;
    case PROP_MAX_MESSAGE_SIZE:
      g_value_set_uint64 (value, priv->max_message_size);
      break;
    case PROP_MAX_RECEIVE_WINDOW:
      g_value_set_uint64 (value, priv->max_receive_window);
      break;
    case PROP_KEEPALIVE_INTERVAL:
      g_value_set_uint (value, priv->keepalive_interval);
      break;
    case PROP_CONNECT_TIMEOUT:
      g_value_set_uint (value, priv->connect_timeout);
      break;
    case PROP_MAX_NAT_ENTRIES:
      g_value_set_uint (value, hp_peer_links_get_max_nat_entries ());
      break;
    case PROP_DIRECT_CALLS:
      g_value_set_boolean (value, priv->direct_calls);
      break;
    case PROP_PORT_MAPPING:
      g_value_set_boolean (value, priv->port_mapping);
      break;
    case PROP_TURN_SERVERS:
      g_value_set_string (value, priv->turn_servers);
      break;
    case PROP_RELAY_POLICY:
      g_value_set_enum (value, priv->relay_policy);
      break;
    case PROP_TURN_TLS_DATABASE:
      g_value_set_object (value, priv->turn_tls_database);
      break;
    case PROP_REGISTERED:
      g_value_set_boolean (value, priv->registered);
      break;
    case PROP_LOCAL_ADDRESS:
      g_value_set_object (value, priv->local_address);
      break;
    case PROP_PUBLIC_ADDRESS:
      g_value_set_object (value, priv->public_address);
      break;
    case PROP_MAPPED_ADDRESS:
      g_value_set_object (value, priv->mapped_address);
      break;
    case PROP_NAT:
      g_value_set_object (value, priv->nat_info);
      break;
    case PROP_NETWORK_REPORT:
      g_value_set_object (value, priv->network_report);
      break;
    case PROP_CONNECTIONS:
      g_value_set_object (value, priv->connections);
      break;
    }
}

#define SETTING                                                                \
  (G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)
#define FIGURE                                                                 \
  (G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

static void
install_names (void)
{
  /**
   * HpPeer:id:
   *
   * What others call this peer by: 1 to 64 bytes of UTF-8 without control
   * characters, and not of the form of a fingerprint. %NULL: it is not to be
   * called. A change while it is started registers the new id in place of the
   * old one; see #HpPeer:registered.
   *
   * Since: 1.0
   */
  properties[PROP_ID] = g_param_spec_string (
      "id", "Id", "What others call this peer by", NULL, SETTING);
  /**
   * HpPeer:match-server:
   *
   * The match server, or several separated by commas: `host`, `host:port`,
   * `[2001:db8::1]:port`, or `holepunch://FINGERPRINT@host:port`, which pins
   * the server's key. %NULL: none; then only direct calls can be made and
   * taken. A change while the peer is started leaves the old servers for the
   * new ones. What becomes of a host with several addresses is told with
   * hp_peer_set_match_server().
   *
   * Since: 1.0
   */
  properties[PROP_MATCH_SERVER] = g_param_spec_string (
      "match-server", "Match server", "Where peers find each other", NULL,
      SETTING);
  /**
   * HpPeer:stun-servers:
   *
   * Servers that tell the peer as what they see it (STUN, RFC 8489), besides
   * its match servers, which do that as well: up to three, separated by
   * commas, each `host`, `host:port` or `[2001:db8::1]:port`. Without a port it
   * is 3478. %NULL: none.
   *
   * Two hosts are needed to tell whether a NAT shows the same address to
   * everybody: two match servers, one with two addresses, or one of these. See
   * #HpPeer:nat. A change takes effect at once.
   *
   * Since: 1.0
   */
  properties[PROP_STUN_SERVERS] = g_param_spec_string (
      "stun-servers", "STUN servers", "Servers that tell what they see", NULL,
      SETTING);
  /**
   * HpPeer:identity:
   *
   * The key pair of this peer. Unless one is given, a new one is made, which
   * nobody knows from before: to keep an id, and to be recognised, load one
   * with hp_identity_load(). Cannot change while the peer is started.
   *
   * Since: 1.0
   */
  properties[PROP_IDENTITY] = g_param_spec_object (
      "identity", "Identity", "Key pair of this peer", HP_TYPE_IDENTITY,
      SETTING | G_PARAM_CONSTRUCT);
  /**
   * HpPeer:port:
   *
   * The UDP port to bind, 0: any free one (see #HpPeer:local-address for
   * which). Cannot change while the peer is started.
   *
   * Since: 1.0
   */
  properties[PROP_PORT] = g_param_spec_uint ("port", "Port", "UDP port to bind",
                                             0, G_MAXUINT16, 0, SETTING);
}

static void
install_limits (void)
{
  /**
   * HpPeer:datagram-size:
   *
   * The largest datagrams that a connection begins with, in bytes of UDP
   * payload. Messages of any size are cut to fit. A path that is found to carry
   * less gets smaller ones. A change is for later connections.
   *
   * Since: 1.0
   */
  properties[PROP_DATAGRAM_SIZE] = g_param_spec_uint (
      "datagram-size", "Datagram size", "Bytes of datagrams to begin with",
      HP_DATAGRAM_SIZE_MIN, HP_DATAGRAM_SIZE_MAX, HP_DATAGRAM_SIZE_DEFAULT,
      SETTING);
  /**
   * HpPeer:max-datagram-size:
   *
   * How large datagrams may become where a path is found to carry them, in
   * bytes of UDP payload; 0: as large as the network interface takes, which is
   * 1472 by Ethernet and IPv4, 1452 by Ethernet and IPv6. While much is being
   * sent, a few larger datagrams are tried, and those that arrive tell. Not
   * above #HpPeer:datagram-size: nothing larger is tried. What was found is
   * #HpConnection:datagram-size. A change is for later connections.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_DATAGRAM_SIZE] = g_param_spec_uint (
      "max-datagram-size", "Maximum datagram size",
      "Bytes of the largest datagrams, or 0", 0, HP_DATAGRAM_SIZE_MAX, 0,
      SETTING);
  /**
   * HpPeer:max-message-size:
   *
   * The largest message that this peer takes, in bytes; the other side cannot
   * send larger ones. See #HpPeer:max-receive-window for what a connection may
   * hold altogether. A change is for later connections.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_MESSAGE_SIZE] = g_param_spec_uint64 (
      "max-message-size", "Maximum message size",
      "Bytes of the largest message taken", 1, HP_MAX_MESSAGE_SIZE_LIMIT,
      HP_MAX_MESSAGE_SIZE_DEFAULT, SETTING);
  /**
   * HpPeer:max-receive-window:
   *
   * The bytes that the other side of a connection may have on their way to this
   * one, in messages and streams together, without having heard that they were
   * taken. Windows begin small and grow up to this, as far as it takes to keep
   * the path busy: the default is enough for 1 Gbit/s and 50 ms round trip.
   *
   * What a connection holds of received bytes that nobody has taken yet is at
   * most twice this, plus #HpPeer:max-message-size for messages of more than 64
   * KiB, plus 32 KiB for each open stream (up to 512 that the other side
   * opened). A change is for later connections.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_RECEIVE_WINDOW] = g_param_spec_uint64 (
      "max-receive-window", "Maximum receive window",
      "Bytes that may be under way to this peer", HP_MIN_RECEIVE_WINDOW,
      HP_MAX_RECEIVE_WINDOW_LIMIT, HP_MAX_RECEIVE_WINDOW_DEFAULT, SETTING);
  /**
   * HpPeer:keepalive-interval:
   *
   * Seconds between two signs of life to a match server, which also keep the
   * NAT open; and, for later connections, the most between two to another peer.
   *
   * Since: 1.0
   */
  properties[PROP_KEEPALIVE_INTERVAL] = g_param_spec_uint (
      "keepalive-interval", "Keepalive interval",
      "Seconds between two signs of life", 1, HP_PEER_MAX_SECONDS,
      DEFAULT_KEEPALIVE_INTERVAL, SETTING);
  /**
   * HpPeer:connect-timeout:
   *
   * Seconds after which a start or a call that came to nothing fails. The time
   * that a question of #HpPeer::authorize-peer takes on this side does not
   * count. A change is for later calls.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECT_TIMEOUT] = g_param_spec_uint (
      "connect-timeout", "Connect timeout", "Seconds after which a call fails",
      1, HP_PEER_MAX_SECONDS, DEFAULT_CONNECT_TIMEOUT, SETTING);
  /**
   * HpPeer:max-nat-entries:
   *
   * How many entries of the NAT's table the search for paths may use up within
   * two minutes. All peers of a process share it, since they share a NAT: it is
   * one number, whichever peer it is set on.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_NAT_ENTRIES] = g_param_spec_uint (
      "max-nat-entries", "Maximum NAT entries",
      "NAT entries that the search for paths may use", 1,
      HP_PEER_MAX_NAT_ENTRIES, HP_NAT_BUDGET_DEFAULT, SETTING);
  /**
   * HpPeer:direct-calls:
   *
   * Whether this peer answers hp_peer_connect_to_address_async() of others, who
   * must know its fingerprint; whoever does not cannot tell that it is there.
   * With %HP_RELAY_POLICY_RELAY_ONLY nobody is answered.
   *
   * Since: 1.0
   */
  properties[PROP_DIRECT_CALLS] = g_param_spec_boolean (
      "direct-calls", "Direct calls", "Whether to answer direct calls", FALSE,
      SETTING);
}

static void
install_figures (void)
{
  /**
   * HpPeer:registered:
   *
   * Whether a match server holds a registration of #HpPeer:id at present. When
   * the server was restarted, or the network was away, it is %FALSE for a while
   * and then %TRUE again by itself.
   *
   * Since: 1.0
   */
  properties[PROP_REGISTERED] = g_param_spec_boolean (
      "registered", "Registered", "Whether the id can be called", FALSE,
      FIGURE);
  /**
   * HpPeer:local-address:
   *
   * What the peer is bound to, %NULL while it is not started. The IP is the
   * unspecified one: all addresses of the machine.
   *
   * Since: 1.0
   */
  properties[PROP_LOCAL_ADDRESS] = g_param_spec_object (
      "local-address", "Local address", "What the peer is bound to",
      G_TYPE_SOCKET_ADDRESS, FIGURE);
  /**
   * HpPeer:public-address:
   *
   * The peer's address as a match server sees it, outside of all NATs; %NULL
   * while not known.
   *
   * Since: 1.0
   */
  properties[PROP_PUBLIC_ADDRESS] = g_param_spec_object (
      "public-address", "Public address", "Address as a match server sees it",
      G_TYPE_SOCKET_ADDRESS, FIGURE);
  /**
   * HpPeer:nat:
   *
   * What is known of the NATs between the peer and the Internet; %NULL while
   * nothing is. It is found out, within a second as a rule, when a match server
   * has let the peer in, and again when the network changes. Each time there
   * is more to know, it is another object.
   *
   * Since: 1.0
   */
  properties[PROP_NAT] = g_param_spec_object (
      "nat", "NAT", "What is known of the NATs", HP_TYPE_NAT_INFO, FIGURE);
  /**
   * HpPeer:connections:
   *
   * The open connections, a list of #HpConnection in the order of their coming.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECTIONS] = g_param_spec_object (
      "connections", "Connections", "The open connections", G_TYPE_LIST_MODEL,
      FIGURE);
}

static void
hp_peer_class_init (HpPeerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = hp_peer_constructed;
  object_class->finalize = hp_peer_finalize;
  object_class->set_property = hp_peer_set_property;
  object_class->get_property = hp_peer_get_property;

  install_names ();
  install_limits ();
  install_figures ();
  properties[PROP_PORT_MAPPING] = hp_peer_port_mapping_spec ();
  properties[PROP_MAPPED_ADDRESS] = hp_peer_mapped_address_spec ();
  properties[PROP_NETWORK_REPORT] = hp_peer_network_report_spec ();
  properties[PROP_TURN_SERVERS] = hp_peer_turn_servers_spec ();
  properties[PROP_RELAY_POLICY] = hp_peer_relay_policy_spec ();
  properties[PROP_TURN_TLS_DATABASE] = hp_peer_turn_tls_database_spec ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
  hp_peer_install_signals (klass);
}

static void
hp_peer_init (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);

  priv->datagram_size = HP_DATAGRAM_SIZE_DEFAULT;
  priv->max_message_size = HP_MAX_MESSAGE_SIZE_DEFAULT;
  priv->max_receive_window = HP_MAX_RECEIVE_WINDOW_DEFAULT;
  priv->keepalive_interval = DEFAULT_KEEPALIVE_INTERVAL;
  priv->connect_timeout = DEFAULT_CONNECT_TIMEOUT;
  priv->port_mapping = TRUE;
  priv->relay_policy = HP_RELAY_POLICY_ALLOW_RELAY;
  priv->connections = g_list_store_new (HP_TYPE_CONNECTION);
  g_queue_init (&priv->lingering);
}

/**
 * hp_peer_new:
 * @id: (nullable): what others call it by: see #HpPeer:id
 * @match_server: (nullable): where peers find each other: see
 *   #HpPeer:match-server
 *
 * Makes a peer, which does nothing yet.
 *
 * Returns: (transfer full): a new #HpPeer
 *
 * Since: 1.0
 */
HpPeer *
hp_peer_new (const char *id, const char *match_server)
{
  return g_object_new (HP_TYPE_PEER, "id", id, "match-server", match_server,
                       NULL);
}
