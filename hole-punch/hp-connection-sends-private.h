/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The messages of a connection that somebody waits for.
 *
 *   waiting ── the link has room ──▸ queued ── DELIVERED, FAILED ──▸ done
 *      │                               │
 *      └────── cancelled, closed ──────┴────────────────────────────▸ done
 *
 * Each task is returned exactly once: whoever takes the record out of its list
 * or table returns it.
 */

#pragma once

#include "hole-punch/hp-enums.h"
#include "hole-punch/link/hp-link.h"

typedef void (*HpSendsWake) (gpointer user_data);

typedef struct
{
  HpLink *link; /* not owned */
  GMainContext *context;
  HpSendsWake wake; /* the link was changed outside of its dispatch */
  gpointer user_data;
  GHashTable *queued; /* stream number → HpSend */
  GQueue waiting;     /* of HpSend; back-pressure keeps them from the link */
  gsize waiting_bytes;
} HpSends;

typedef struct
{
  GBytes *message;
  HpMessageFlags flags;
  gint64 lifetime; /* µs; 0: none */
} HpOutbound;

void hp_sends_init (HpSends *self, HpLink *link, GMainContext *context,
                    HpSendsWake wake, gpointer user_data);
/* There must be no tasks any more */
void hp_sends_clear (HpSends *self);

/* Nobody waits for it; G_IO_ERROR_WOULD_BLOCK when the queue is full */
gboolean hp_sends_post (HpSends *self, const HpOutbound *outbound, gint64 now,
                        GError **error);
/* Takes over @task; its cancellable cancels the message */
void hp_sends_add (HpSends *self, const HpOutbound *outbound, GTask *task,
                   gint64 now);
/* Queues what has room by now; TRUE if there was something */
gboolean hp_sends_pump (HpSends *self, gint64 now);
/* DELIVERED and FAILED; may return a task, and so do anything */
void hp_sends_handle (HpSends *self, const HpTransportEvent *event);
/* Takes all tasks out; they are to be given to hp_sends_fail() */
GList *hp_sends_take_all (HpSends *self);
void hp_sends_fail (GList *taken, const GError *error);

gsize hp_sends_get_bytes (const HpSends *self);
