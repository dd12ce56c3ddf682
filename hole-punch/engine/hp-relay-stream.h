/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The messages of a TURN server over TCP or TLS: connecting (through a proxy,
 * if the system has one), bounded queues, nothing that blocks.
 */

#pragma once

#include "hole-punch/engine/hp-relay-server.h"

/* Bytes that wait for the network; data that does not fit is lost, as it would
 * be in a router */
#define HP_RELAY_QUEUE_SIZE (256 * 1024)

typedef struct _HpRelayStream HpRelayStream;

/* Called from the main loop; the stream may be closed from each */
typedef struct
{
  void (*opened) (gpointer user_data);
  /* One message, without a rest; its bytes may be changed */
  void (*received) (gpointer user_data, guint8 *bytes, gsize length);
  /* Not opened, or lost; once, and nothing comes after it */
  void (*failed) (gpointer user_data, const GError *error);
} HpRelayStreamEvents;

/* Connects, in the context; @database NULL: the system's */
HpRelayStream *hp_relay_stream_new (GMainContext *context,
                                    const HpRelayServer *server,
                                    GTlsDatabase *database,
                                    const HpRelayStreamEvents *events,
                                    gpointer user_data);
gboolean hp_relay_stream_is_open (const HpRelayStream *self);
/* Queues one message; FALSE: no room */
gboolean hp_relay_stream_send (HpRelayStream *self, const guint8 *bytes,
                               gsize length);
/* Writes what is queued, as far as the network takes it now; the rest goes
 * later by itself */
void hp_relay_stream_flush (HpRelayStream *self);
/* Flushes and goes: nobody is called any more. Frees @self. */
void hp_relay_stream_close (HpRelayStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpRelayStream, hp_relay_stream_close)
