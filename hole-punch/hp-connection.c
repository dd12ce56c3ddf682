/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

#include "hole-punch/hp-statistics.h"
#include "hole-punch/hp-stream.h"

/**
 * SECTION:hp-connection
 * @title: HpConnection
 * @short_description: One remote peer
 *
 * A connection is an encrypted way to one other peer, straight through the NATs
 * in between. It comes from hp_peer_connect_async(), or, when the other peer
 * called, from #HpPeer::peer-resolved and #HpPeer::message-received.
 *
 * What is sent is messages: any number of bytes, split, sent again and put
 * together as needed. Without flags, every message arrives exactly once, whole,
 * and in the order of sending; #HpMessageFlags give up some of this for less
 * delay. hp_connection_send_message() only queues a message;
 * hp_connection_send_message_async() is done when the other side has
 * acknowledged all of it. For bytes without an end, or more than one wants in
 * memory, hp_connection_open_stream_async() opens an #HpStream.
 *
 * Where the last answers came within 0.2 milliseconds, from the same machine or
 * over a fast network, a peer keeps its context awake for 20 microseconds, now
 * and then 200, after it has said something small: that saves the time of
 * going to sleep and of being woken. Everything else in the context goes on.
 *
 * When the path falls silent, because a NAT forgot it or the network changed,
 * the connection is %HP_CONNECTION_STATE_INTERRUPTED and another path is looked
 * for; what was sent meanwhile goes on by itself. Only when none is found for a
 * minute does the connection end.
 *
 * A connection stays open until one of the two sides closes it, even if nobody
 * holds a reference to it: #HpPeer:connections does. It belongs to the thread
 * of its peer, and all its signals come from the context that
 * hp_peer_start_async() was called in. It may be closed, and references
 * dropped, in any of its own callbacks.
 */

/**
 * HpConnection:
 *
 * One remote peer, and the way there.
 *
 * Since: 1.0
 */

G_DEFINE_FINAL_TYPE (HpConnection, hp_connection, G_TYPE_OBJECT)

typedef enum
{
  PROP_REMOTE_ID = 1,
  PROP_FINGERPRINT,
  PROP_LOCAL_ADDRESS,
  PROP_REMOTE_ADDRESS,
  PROP_PATH,
  PROP_STATE,
  PROP_ROUND_TRIP_TIME,
  PROP_SETUP_TIME,
  PROP_DATAGRAM_SIZE,
  PROP_QUEUED_BYTES,
  PROP_STATISTICS,
} HpConnectionProperty;

static GParamSpec *properties[PROP_STATISTICS + 1];

typedef enum
{
  SIGNAL_MESSAGE_RECEIVED,
  SIGNAL_STREAM_OPENED,
  SIGNAL_CLOSED,
} HpConnectionSignal;

static guint signals[SIGNAL_CLOSED + 1];

static void
hp_connection_finalize (GObject *object)
{
  HpConnection *self = HP_CONNECTION (object);

  hp_streams_clear (&self->streams);
  g_clear_pointer (&self->line, hp_connection_line_free);
  hp_sends_clear (&self->sends);
  g_clear_object (&self->peer);
  g_clear_object (&self->local_address);
  g_clear_object (&self->remote_address);
  g_queue_clear_full (&self->inbox, (GDestroyNotify) g_bytes_unref);
  g_clear_error (&self->close_error);
  g_free (self->remote_id);
  g_free (self->fingerprint);
  g_free (self->attempts);
  G_OBJECT_CLASS (hp_connection_parent_class)->finalize (object);
}

static void
hp_connection_get_property (GObject *object, guint property_id, GValue *value,
                            GParamSpec *pspec)
{
  HpConnection *self = HP_CONNECTION (object);

  switch ((HpConnectionProperty) property_id)
    {
    case PROP_REMOTE_ID:
      g_value_set_string (value, self->remote_id);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_LOCAL_ADDRESS:
      g_value_set_object (value, self->local_address);
      break;
    case PROP_REMOTE_ADDRESS:
      g_value_set_object (value, self->remote_address);
      break;
    case PROP_PATH:
      g_value_set_enum (value, self->path);
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_ROUND_TRIP_TIME:
      g_value_set_int64 (value, hp_connection_get_round_trip_time (self));
      break;
    case PROP_SETUP_TIME:
      g_value_set_int64 (value, self->setup_time);
      break;
    case PROP_DATAGRAM_SIZE:
      g_value_set_uint (value, hp_connection_get_datagram_size (self));
      break;
    case PROP_QUEUED_BYTES:
      g_value_set_uint64 (value, hp_connection_get_queued_bytes (self));
      break;
    case PROP_STATISTICS:
      g_value_take_object (value, hp_connection_get_statistics (self));
      break;
    }
}

static void
install_identity_properties (void)
{
  /**
   * HpConnection:remote-id:
   *
   * The id of the other peer: what it was called by, or what it is registered
   * as. %NULL if it has none. An id is what a match server says; to be sure who
   * somebody is, compare #HpConnection:fingerprint.
   *
   * Since: 1.0
   */
  properties[PROP_REMOTE_ID] = g_param_spec_string (
      "remote-id", "Remote id", "Id of the other peer", NULL,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:fingerprint:
   *
   * The fingerprint of the other peer, whose private key it has proven to hold:
   * see #HpIdentity:fingerprint.
   *
   * Since: 1.0
   */
  properties[PROP_FINGERPRINT] = g_param_spec_string (
      "fingerprint", "Fingerprint", "Fingerprint of the other peer", NULL,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
install_path_properties (void)
{
  /**
   * HpConnection:local-address:
   *
   * The address of this machine that the path in use begins at, %NULL while
   * there was none.
   *
   * Since: 1.0
   */
  properties[PROP_LOCAL_ADDRESS] = g_param_spec_object (
      "local-address", "Local address", "Address at this end of the path",
      G_TYPE_SOCKET_ADDRESS,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:remote-address:
   *
   * The address that datagrams to the other peer go to, which may be that of a
   * NAT; %NULL while there was none. It can change in the life of a connection.
   *
   * Since: 1.0
   */
  properties[PROP_REMOTE_ADDRESS] = g_param_spec_object (
      "remote-address", "Remote address", "Address at the path's other end",
      G_TYPE_SOCKET_ADDRESS,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:path:
   *
   * How datagrams reach the other peer. %HP_PATH_KIND_NONE once the connection
   * has ended.
   *
   * Since: 1.0
   */
  properties[PROP_PATH] = g_param_spec_enum (
      "path", "Path", "How datagrams reach the other peer", HP_TYPE_PATH_KIND,
      HP_PATH_KIND_NONE,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:state:
   *
   * What the connection is doing.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] = g_param_spec_enum (
      "state", "State", "What the connection is doing",
      HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CLOSED,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
install_figure_properties (void)
{
  /**
   * HpConnection:round-trip-time:
   *
   * How long a datagram to the other peer and the answer to it take together,
   * in microseconds, smoothed; -1 while not measured. A change is notified a
   * few times a second at most.
   *
   * Since: 1.0
   */
  properties[PROP_ROUND_TRIP_TIME] = g_param_spec_int64 (
      "round-trip-time", "Round-trip time", "There and back, in microseconds",
      -1, G_MAXINT64, -1,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:setup-time:
   *
   * How long it took until messages could flow, in microseconds: counted from
   * asking the match server, on the other side from its introduction. -1 before
   * that.
   *
   * Since: 1.0
   */
  properties[PROP_SETUP_TIME] = g_param_spec_int64 (
      "setup-time", "Setup time", "From asking to ready, in microseconds", -1,
      G_MAXINT64, -1,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:datagram-size:
   *
   * The size of the largest datagrams sent at present, in bytes of UDP payload:
   * #HpPeer:datagram-size at first, then what the path was found to carry, up
   * to #HpPeer:max-datagram-size. It falls when a path turns out to carry less,
   * and begins anew on another path.
   *
   * Since: 1.0
   */
  properties[PROP_DATAGRAM_SIZE] = g_param_spec_uint (
      "datagram-size", "Datagram size", "Bytes of the largest datagrams", 0,
      HP_DATAGRAM_SIZE_MAX, 0,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:queued-bytes:
   *
   * Bytes of messages that were sent but not acknowledged yet; those of streams
   * do not count. A change is notified a few times a second at most.
   *
   * Since: 1.0
   */
  properties[PROP_QUEUED_BYTES] = g_param_spec_uint64 (
      "queued-bytes", "Queued bytes", "Bytes sent but not acknowledged", 0,
      G_MAXUINT64, 0,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpConnection:statistics:
   *
   * What the connection has done so far. Each look gives a new snapshot; a
   * change is not notified.
   *
   * Since: 1.0
   */
  properties[PROP_STATISTICS] = g_param_spec_object (
      "statistics", "Statistics", "What was done so far", HP_TYPE_STATISTICS,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
hp_connection_class_init (HpConnectionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = hp_connection_finalize;
  object_class->get_property = hp_connection_get_property;

  install_identity_properties ();
  install_path_properties ();
  install_figure_properties ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);

  /**
   * HpConnection::message-received:
   * @self: a #HpConnection
   * @message: the message
   *
   * A message of the other peer came in, whole. #HpPeer::message-received comes
   * after it.
   *
   * Since: 1.0
   */
  signals[SIGNAL_MESSAGE_RECEIVED] = g_signal_new (
      "message-received", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
      NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
  /**
   * HpConnection::stream-opened:
   * @self: a #HpConnection
   * @stream: the stream
   *
   * The other peer has opened a stream. Whoever wants it takes a reference, in
   * this handler or one of #HpPeer::stream-opened, which comes after it; a
   * stream that nobody takes is given up. Nothing that comes in before it is
   * read is missed.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STREAM_OPENED] = g_signal_new (
      "stream-opened", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
      NULL, NULL, G_TYPE_NONE, 1, HP_TYPE_STREAM);
  /**
   * HpConnection::closed:
   * @self: a #HpConnection
   * @error: (nullable): why it ended, %NULL if one of the two sides closed it
   *
   * The connection has ended, and whoever waited for a message has been told.
   * It is emitted once. Errors are %HP_PUNCH_ERROR_REPLACED,
   * %HP_PUNCH_ERROR_DENIED, %HP_PUNCH_ERROR_PROTOCOL, and
   * %G_IO_ERROR_TIMED_OUT when the other peer does not answer any more.
   *
   * Since: 1.0
   */
  signals[SIGNAL_CLOSED] = g_signal_new ("closed", G_TYPE_FROM_CLASS (klass),
                                         G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
hp_connection_init (HpConnection *self)
{
  self->state = HP_CONNECTION_STATE_CLOSED;
  self->setup_time = -1;
  self->round_trip_time = -1;
  g_queue_init (&self->inbox);
}

void
hp_connection_emit_message (HpConnection *self, GBytes *message)
{
  g_signal_emit (self, signals[SIGNAL_MESSAGE_RECEIVED], 0, message);
}

void
hp_connection_emit_stream (HpConnection *self, HpStream *stream)
{
  g_signal_emit (self, signals[SIGNAL_STREAM_OPENED], 0, stream);
}

void
hp_connection_emit_closed (HpConnection *self, const GError *error)
{
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, error);
}
