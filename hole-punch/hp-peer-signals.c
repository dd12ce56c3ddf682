/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-private.h"

#include "hole-punch/hp-marshal.h"

typedef enum
{
  SIGNAL_MESSAGE_RECEIVED,
  SIGNAL_STREAM_OPENED,
  SIGNAL_PEER_RESOLVED,
  SIGNAL_AUTHORIZE_PEER,
  SIGNAL_CONNECTION_CLOSED,
} HpPeerSignal;

static guint signals[SIGNAL_CONNECTION_CLOSED + 1];

/* Emitted for each message. As glib-genmarshal would write it, but for
 * references to what the emitter holds anyway, which take longer than the rest
 * of the call. */
static void
marshal_message_va (GClosure *closure, GValue *return_value, gpointer instance,
                    va_list arguments, gpointer marshal_data, int n_parameters,
                    GType *parameter_types)
{
  typedef void (*Func) (gpointer, gpointer, gpointer, gpointer);
  gpointer callback = marshal_data != NULL ? marshal_data
                                           : ((GCClosure *) closure)->callback;
  gboolean is_swapped = G_CCLOSURE_SWAP_DATA (closure);
  gpointer connection;
  gpointer message;
  va_list rest;

  va_copy (rest, arguments);
  connection = va_arg (rest, gpointer);
  message = va_arg (rest, gpointer);
  va_end (rest);
  ((Func) callback) (is_swapped ? closure->data : instance, connection,
                     message, is_swapped ? instance : closure->data);
}

gboolean
hp_peer_has_authorizer (HpPeer *self)
{
  return g_signal_has_handler_pending (self, signals[SIGNAL_AUTHORIZE_PEER], 0,
                                       FALSE);
}

void
hp_peer_emit_message (HpPeer *self, HpConnection *connection, GBytes *message)
{
  g_signal_emit (self, signals[SIGNAL_MESSAGE_RECEIVED], 0, connection,
                 message);
}

void
hp_peer_emit_stream (HpPeer *self, HpConnection *connection, HpStream *stream)
{
  g_signal_emit (self, signals[SIGNAL_STREAM_OPENED], 0, connection, stream);
}

void
hp_peer_emit_resolved (HpPeer *self, HpConnection *connection)
{
  g_signal_emit (self, signals[SIGNAL_PEER_RESOLVED], 0, connection);
}

void
hp_peer_emit_connection_closed (HpPeer *self, HpConnection *connection)
{
  g_signal_emit (self, signals[SIGNAL_CONNECTION_CLOSED], 0, connection);
}

void
hp_peer_emit_authorize (HpPeer *self, HpAuthorization *authorization)
{
  g_signal_emit (self, signals[SIGNAL_AUTHORIZE_PEER], 0, authorization);
}

void
hp_peer_install_signals (HpPeerClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);

  /**
   * HpPeer::message-received:
   * @self: a #HpPeer
   * @connection: whom it is from, and where to answer
   * @message: the message
   *
   * A message came in, whole, over one of the connections.
   *
   * Since: 1.0
   */
  signals[SIGNAL_MESSAGE_RECEIVED] = g_signal_new (
      "message-received", type, G_SIGNAL_RUN_LAST,
      G_STRUCT_OFFSET (HpPeerClass, message_received), NULL, NULL,
      hp_marshal_VOID__OBJECT_BOXED, G_TYPE_NONE, 2, HP_TYPE_CONNECTION,
      G_TYPE_BYTES);
  g_signal_set_va_marshaller (signals[SIGNAL_MESSAGE_RECEIVED], type,
                              marshal_message_va);
  /**
   * HpPeer::stream-opened:
   * @self: a #HpPeer
   * @connection: whom it is from
   * @stream: the stream
   *
   * Another peer has opened a stream over one of the connections. Whoever wants
   * it takes a reference, in a handler of this signal or of
   * #HpConnection::stream-opened; a stream that nobody takes is given up.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STREAM_OPENED] = g_signal_new (
      "stream-opened", type, G_SIGNAL_RUN_LAST,
      G_STRUCT_OFFSET (HpPeerClass, stream_opened), NULL, NULL, NULL,
      G_TYPE_NONE, 2, HP_TYPE_CONNECTION, HP_TYPE_STREAM);
  /**
   * HpPeer::peer-resolved:
   * @self: a #HpPeer
   * @connection: the connection
   *
   * The path to another peer is proven and can be used, whichever side called.
   * It comes before the connection's first message.
   *
   * Since: 1.0
   */
  signals[SIGNAL_PEER_RESOLVED] = g_signal_new (
      "peer-resolved", type, G_SIGNAL_RUN_LAST,
      G_STRUCT_OFFSET (HpPeerClass, peer_resolved), NULL, NULL, NULL,
      G_TYPE_NONE, 1, HP_TYPE_CONNECTION);
  /**
   * HpPeer::authorize-peer:
   * @self: a #HpPeer
   * @authorization: the question
   *
   * May this peer come in? Answer by hp_authorization_allow() or
   * hp_authorization_deny(), at once or within a minute; an
   * #HpAuthorization that is dropped says no.
   *
   * Without a handler everybody may. With one nobody is let in, nor learns
   * anything about this peer, before the answer; to the caller a refusal looks
   * like an unknown id. On the caller's side it is asked about whoever the
   * match server says the target is, unless the target named a fingerprint, and
   * nothing is sent to that peer before the answer.
   *
   * It is not asked again about a peer with an open connection. A handler is
   * best connected before the start: of one that comes later a match server
   * learns only when the registration is renewed, within a minute, and until
   * then it tells callers where this peer is.
   *
   * Since: 1.0
   */
  signals[SIGNAL_AUTHORIZE_PEER] = g_signal_new (
      "authorize-peer", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_NONE, 1, HP_TYPE_AUTHORIZATION);
  /**
   * HpPeer::connection-closed:
   * @self: a #HpPeer
   * @connection: the connection
   *
   * A connection has ended, after its own #HpConnection::closed.
   *
   * Since: 1.0
   */
  signals[SIGNAL_CONNECTION_CLOSED] = g_signal_new (
      "connection-closed", type, G_SIGNAL_RUN_LAST,
      G_STRUCT_OFFSET (HpPeerClass, connection_closed), NULL, NULL, NULL,
      G_TYPE_NONE, 1, HP_TYPE_CONNECTION);
}
