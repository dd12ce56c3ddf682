/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What HpPeer needs of its connections, and a connection of its peer. A
 * connection is on a floor below: it reaches its peer only through the hooks
 * that the peer hands it.
 *
 *   hp-connection.c           the class: properties and signals
 *   hp-connection-getters.c   what may be asked of it
 *   hp-connection-messages.c  its public functions to send and close
 *   hp-connection-line.c      its link as a party of the endpoint; its life
 *   hp-connection-sockets.c   the sockets that its link wants for itself
 *   hp-connection-figures.c   what the user is told of its path
 *   hp-connection-sends.c     the messages that somebody waits for
 *   hp-connection-open.c      its public functions to open streams
 *   hp-connection-streams.c   the streams, which hp-stream.c hands out
 */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/hp-connection-sends-private.h"
#include "hole-punch/hp-connection-streams-private.h"
#include "hole-punch/hp-connection.h"
#include "hole-punch/link/hp-link.h"

/* All but message () and stream () are called at the end of what they tell of.
 * Called from the endpoint's dispatch, CLOSED from a later one. */
typedef struct
{
  /* IDENTIFIED, CONFIRMED, READY, PATH, SILENT, RELAYED, CLOSED */
  void (*event) (HpConnection *connection, const HpLinkEvent *event,
                 gpointer user_data);
  void (*message) (HpConnection *connection, GBytes *message,
                   gpointer user_data);
  void (*stream) (HpConnection *connection, HpStream *stream,
                  gpointer user_data);
} HpConnectionHooks;

/* A link as a party. It outlives its connection a little, to say CLOSE again
 * to whoever did not hear it. */
typedef struct
{
  HpParty party;
  HpEndpoint *endpoint;
  HpLink *link;
  HpConnection *connection; /* not owned; NULL: closed */
  GArray *sockets; /* guint: opened for the link, not given back yet */
} HpConnectionLine;

/* Not a party any more, and gone */
void hp_connection_line_free (HpConnectionLine *self);

struct _HpConnection
{
  GObject parent_instance;

  GObject *peer; /* held until the end has been told */
  HpConnectionHooks hooks;
  gpointer user_data;
  HpConnectionLine *line; /* NULL: the end has been told */
  HpSends sends;
  HpStreams streams;

  char *remote_id;
  char *fingerprint;
  gint64 asked_at;
  gint64 setup_time;
  HpConnectionState state;

  /* As last told by notify */
  HpAddress local, remote;
  GSocketAddress *local_address, *remote_address;
  HpPathKind path;
  gint64 round_trip_time;
  guint datagram_size;
  guint64 queued_bytes;
  gint64 figures_at; /* when the three were last looked at */

  /* Messages that came before the connection was ready, or while it is held */
  GQueue inbox;
  guint n_holds;

  GError *close_error; /* NULL: open */
  HpLinkEvent close_event;
  GSource *close_source; /* will tell the end */
  gboolean close_waits;  /* … but somebody holds the messages */
  GList *close_tasks;
  HpLinkStatistics statistics; /* the last ones, when line is NULL */
  char *attempts;              /* … and what had been tried */
};

/* Takes over @link, becomes a party of @endpoint with @index. @peer: held while
 * the connection is not closed. @asked_at: where setup-time counts from. */
HpConnection *hp_connection_new_private (GObject *peer, HpEndpoint *endpoint,
                                         guint32 index, HpLink *link,
                                         const char *remote_id, gint64 asked_at,
                                         const HpConnectionHooks *hooks,
                                         gpointer user_data);
/* NULL after the end */
HpLink *hp_connection_get_link (HpConnection *self);
HpParty *hp_connection_get_party (HpConnection *self);
void hp_connection_set_remote_id (HpConnection *self, const char *remote_id);
/* After changing the link */
void hp_connection_wake (HpConnection *self);
/* Received messages are kept back until as many releases; a release takes
 * effect two turns of the context later, since a promise or a coroutine goes
 * on one turn after the callback that resolved it. */
void hp_connection_hold (HpConnection *self);
void hp_connection_release (HpConnection *self);
/* Says CLOSE; @error is what pending tasks and ::closed get, NULL: it was
 * closed in good order. Nothing is emitted or returned before a later turn of
 * the context. */
void hp_connection_close_private (HpConnection *self, HpCloseCode code,
                                  const GError *error);
/* NULL while open */
const GError *hp_connection_get_close_error (HpConnection *self);
/* How a path was looked for since the last introduction, a line for each way:
 * (transfer full) */
char *hp_connection_describe_attempts (HpConnection *self);
/* In the CLOSED hook: what is left of the link, to be kept a few seconds */
HpConnectionLine *hp_connection_steal_line (HpConnection *self);

/* hp-connection-sockets.c: opens what the link wants, closes what it gives
 * back; all of them at the end */
void hp_connection_line_serve_sockets (HpConnectionLine *self, gint64 now);
void hp_connection_line_close_sockets (HpConnectionLine *self);

/* hp-connection-figures.c: they notify */
void hp_connection_update_route (HpConnection *self);
void hp_connection_set_path (HpConnection *self, HpPathKind path);
/* What it sends would leave from another address than the user was told of */
gboolean hp_connection_has_moved (HpConnection *self);
void hp_connection_update_interface (HpConnection *self, gint64 now);
void hp_connection_update_datagram_size (HpConnection *self);
void hp_connection_update_figures (HpConnection *self, gint64 now);

/* hp-connection.c, for hp-connection-line.c */
void hp_connection_emit_message (HpConnection *self, GBytes *message);
void hp_connection_emit_stream (HpConnection *self, HpStream *stream);
void hp_connection_emit_closed (HpConnection *self, const GError *error);
