/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A subcommand from its start to its end: the main loop, the signals of the
 * system, the peer.
 *
 *   starting ──▸ at work ──▸ ending ──▸ over
 *       └─ failed, SIGTERM ─────▴         the peer is closed, others are told
 */

#pragma once

#include <hole-punch/hole-punch.h>

#include "hole-punch/tools/hp-tool-options.h"

typedef struct _HpToolRun HpToolRun;

/* SIGINT or SIGTERM came: it is for this to call hp_tool_run_end() */
typedef void (*HpToolStop) (HpToolRun *run, gpointer user_data);
typedef void (*HpToolStarted) (HpToolRun *run, gpointer user_data);

struct _HpToolRun
{
  const HpToolOptions *options;
  HpPeer *peer; /* NULL: the run has none */
  /* Of what is being waited for; cancelled by the end, and by the deadline */
  GCancellable *cancellable;
  gboolean is_late; /* the deadline is over */
  gboolean is_ending;

  GMainLoop *loop;
  GPtrArray *sources; /* of the signals */
  GSource *deadline;
  guint n_signals;
  guint n_holds;
  int status;
  HpToolStarted started;
  HpToolStop stop;
  gpointer user_data;
};

/* @stop: NULL: end with @status */
void hp_tool_run_init (HpToolRun *self, const HpToolOptions *options,
                       int status, HpToolStop stop, gpointer user_data);
/* Makes the peer, with the options' match server and identity; @id: NULL:
 * none. FALSE: failed, and has told why. */
gboolean hp_tool_run_make_peer (HpToolRun *self, const char *id);
/* Lets the peer begin, and the deadline run */
void hp_tool_run_start (HpToolRun *self, HpToolStarted started);
/* An operation has begun whose callback needs what is cleared after the end,
 * or has ended */
void hp_tool_run_hold (HpToolRun *self);
void hp_tool_run_release (HpToolRun *self);
/* Until the end, and until nobody holds it; the exit status */
int hp_tool_run_wait (HpToolRun *self);
void hp_tool_run_clear (HpToolRun *self);

/* What was waited for is there */
void hp_tool_run_stop_deadline (HpToolRun *self);
/* µs until it */
gint64 hp_tool_run_get_time_left (HpToolRun *self);
/* Closes politely; only the first call counts */
void hp_tool_run_end (HpToolRun *self, int status);
/* Tells why, then ends with EXIT_FAILURE. Says nothing when it is ending. */
void hp_tool_run_fail (HpToolRun *self, const GError *error);
/* Takes over the line, and ends the run if nobody reads it */
void hp_tool_run_print (HpToolRun *self, char *line);

/* @func in @microseconds; (transfer full) */
GSource *hp_tool_add_timeout (const char *name, gint64 microseconds,
                              GSourceFunc func, gpointer user_data);
void hp_tool_clear_source (GSource **source);
/* Loads it, or makes and saves it; @is_new: may be NULL */
HpIdentity *hp_tool_open_identity (const char *filename, gboolean *is_new,
                                   GError **error);
