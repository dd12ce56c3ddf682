/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The byte streams of a connection, in its thread: what their pipes order goes
 * to the transport, what the transport tells goes to their pipes.
 *
 *   open () ─▸ waiting ── the link is ready ──▸ a lane ◂── STREAM_OPENED
 *                                                 │              │
 *                                         ENDED, end ()    to be announced
 *
 * A lane is the connection's side of one stream. It does not hold the HpStream,
 * which comes and goes with its user; it holds the pipe, so that what was
 * closed in good order is delivered also when nobody holds the HpStream any
 * more.
 */

#pragma once

#include "hole-punch/hp-pipe-private.h"
#include "hole-punch/hp-stream.h"
#include "hole-punch/link/hp-link.h"

/* The link has something to do */
typedef void (*HpStreamsWake) (HpConnection *connection);

typedef struct
{
  HpLink *link; /* not owned; NULL: the end has been told */
  GMainContext *context;
  HpConnection *connection;
  HpStreamsWake wake;
  HpPipeGate *gate;  /* NULL: there was no stream yet */
  GHashTable *lanes; /* number → HpLane; NULL as well */
  GQueue told;       /* HpLane: have news for their pipes */
  GQueue waiting;    /* HpOpening: until the link is ready */
  GQueue announced;  /* HpStream of the other side, to be announced */
} HpStreams;

void hp_streams_init (HpStreams *self, HpConnection *connection, HpLink *link,
                      GMainContext *context, HpStreamsWake wake);
/* There must be no tasks any more */
void hp_streams_clear (HpStreams *self);

/* Takes over @task, which gets an HpStream */
void hp_streams_open (HpStreams *self, GTask *task, gint64 now);
/* The link is ready: those who waited get theirs */
void hp_streams_ready (HpStreams *self, gint64 now);
/* One of the transport's events of byte streams … */
void hp_streams_handle (HpStreams *self, const HpTransportEvent *event);
/* … and after several of them: tells the pipes */
void hp_streams_flush (HpStreams *self);
/* Before pulling from the link: hands it what the pipes order */
void hp_streams_serve (HpStreams *self, gint64 now);
/* The next one that the other side has opened (transfer full); NULL: none */
HpStream *hp_streams_pop_announced (HpStreams *self);
void hp_streams_clear_announced (HpStreams *self);
/* Everybody gets @error. */
void hp_streams_end (HpStreams *self, const GError *error);
