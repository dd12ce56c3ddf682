/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Bytes between whoever uses a stream, in any thread, and the thread of its
 * connection. The two never wait for each other: each leaves behind a lock what
 * the other is to have.
 *
 *       any thread             │         the connection's thread
 *                              │
 *   hp_pipe_write () ───────▸ orders ───▸ hp_pipe_take_orders () ──▸ transport
 *   hp_pipe_close_…()          │
 *   hp_pipe_read () ◂──────── news ◂──── hp_pipe_tell () ◂────────── transport
 *
 * Whoever waits does so for a condition: in a blocked thread, or by a GSource
 * in any context. A source is in the list of those to be woken only while it
 * waits; what it is woken by is its ready time, and what it believes is the
 * condition itself, which it looks at under the lock before every sleep. So no
 * wake-up is lost whichever thread attaches, wakes or destroys it, and one that
 * is never attached holds nothing up.
 *
 * A gate is the way from the pipes of one connection to its thread: a queue of
 * those with orders. One lock may be taken inside another only in this order:
 * pipe, gate, context.
 */

#pragma once

#include <gio/gio.h>

typedef struct _HpPipe HpPipe;
typedef struct _HpPipeGate HpPipeGate;

/* The output takes so much, unless told of a faster way */
#define HP_PIPE_BOUND (2 * 1024 * 1024)
/* Bytes read before the other side is granted more */
#define HP_PIPE_CONSUME_STEP (4 * 1024)
/* A large write is cut into these, a splice reads them */
#define HP_PIPE_SEGMENT (256 * 1024)

typedef enum
{
  HP_PIPE_READABLE, /* or at its end, or failed */
  HP_PIPE_WRITABLE, /* or closed, or failed */
  HP_PIPE_SENT,     /* the other side has all and knows the end; or failed */
} HpPipeCondition;

#define HP_PIPE_N_CONDITIONS 3

/* Gates; made, closed and emptied in the connection's thread */

typedef void (*HpPipeGateWake) (gpointer user_data);

/* @wake: in the connection's thread: a pipe has got orders */
HpPipeGate *hp_pipe_gate_new (GMainContext *context, HpPipeGateWake wake,
                              gpointer user_data);
HpPipeGate *hp_pipe_gate_ref (HpPipeGate *self);
void hp_pipe_gate_unref (HpPipeGate *self);
/* Nothing goes through any more, @wake is not called again */
void hp_pipe_gate_close (HpPipeGate *self);
/* A pipe that has orders (transfer full); NULL: none has */
HpPipe *hp_pipe_gate_pop (HpPipeGate *self);
/* For pipes, of which one says it under its own lock */
void hp_pipe_gate_push (HpPipeGate *self, HpPipe *pipe);
/* In this thread one may not wait for the connection's */
gboolean hp_pipe_gate_is_here (HpPipeGate *self);

/* Pipes, from any thread */

/* @gate NULL: one that belongs to no connection, and fails at everything */
HpPipe *hp_pipe_new (HpPipeGate *gate);
HpPipe *hp_pipe_ref (HpPipe *self);
void hp_pipe_unref (HpPipe *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpPipe, hp_pipe_unref)

/* None of these waits: G_IO_ERROR_WOULD_BLOCK. Bytes, 0 at the end, or -1 */
gssize hp_pipe_read (HpPipe *self, void *buffer, gsize count, GError **error);
gssize hp_pipe_write (HpPipe *self, const void *buffer, gsize count,
                      GError **error);
/* All or nothing, without a copy; may exceed the bound by one of them */
gboolean hp_pipe_write_bytes (HpPipe *self, GBytes *bytes, GError **error);
/* The end comes after what was written. */
void hp_pipe_close_output (HpPipe *self);
/* What is there or comes is not wanted. */
void hp_pipe_close_input (HpPipe *self);
/* Nobody will use it: gives up what was not closed in good order */
void hp_pipe_abandon (HpPipe *self);
guint hp_pipe_get_weight (HpPipe *self);
/* FALSE: it was the same */
gboolean hp_pipe_set_weight (HpPipe *self, guint weight);
/* Why not all that was written has arrived; FALSE: it has */
gboolean hp_pipe_get_output_error (HpPipe *self, GError **error);

gboolean hp_pipe_is_ready (HpPipe *self, HpPipeCondition condition);
/* Blocks the thread; G_IO_ERROR_WOULD_BLOCK in that of the connection */
gboolean hp_pipe_wait (HpPipe *self, HpPipeCondition condition,
                       GCancellable *cancellable, GError **error);
gboolean hp_pipe_can_wait (HpPipe *self);
/* Ready while @condition holds. Its callback is a
 * GSourceFunc. */
GSource *hp_pipe_create_source (HpPipe *self, HpPipeCondition condition);

/* Pipes, from the connection's thread */

typedef struct
{
  GQueue written; /* GBytes (transfer full) */
  gsize consumed; /* bytes that the user has read since */
  guint weight;   /* 0: unchanged */
  gboolean finish, reset, stop;
} HpPipeOrders;

typedef struct
{
  GQueue received; /* GBytes (transfer full) */
  gboolean at_end; /* after these */
  gboolean sent;
  gsize acked;     /* bytes of what was written */
  gsize bound;     /* 0: unchanged */
  gboolean reset;   /* what was received and not read yet is given up, too */
  gboolean stopped; /* the other side does not want more, says output_error */
  GError *input_error, *output_error; /* (transfer full) */
} HpPipeNews;

void hp_pipe_take_orders (HpPipe *self, HpPipeOrders *orders);
/* Empties @news */
void hp_pipe_tell (HpPipe *self, HpPipeNews *news);
/* What the connection notes of it */
gpointer hp_pipe_get_lane (HpPipe *self);
void hp_pipe_set_lane (HpPipe *self, gpointer lane);
