/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asks STUN and TURN servers whether they answer, and how fast: a STUN server
 * by a Binding request, a TURN server by having it make an allocation, which is
 * given back at once.
 *
 *   add_stun, add_relay ──▸ ASKED ──┬──▸ ANSWERED
 *                                   └──▸ FAILED
 *
 * It has an endpoint of its own, so that it is in nobody's way: to a TURN
 * server, two allocations by one socket were one.
 */

#pragma once

#include "hole-punch/base/hp-random.h"
#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-relay-server.h"

/* A further one is not taken */
#define HP_SERVER_PROBE_MAX 24

typedef enum
{
  HP_SERVER_PROBE_ASKED,
  HP_SERVER_PROBE_ANSWERED,
  HP_SERVER_PROBE_FAILED,
} HpServerProbeState;

typedef struct _HpServerProbe HpServerProbe;

/* Binds in the caller's thread-default context. @database: whom to trust by
 * TLS; NULL: whom the system trusts */
HpServerProbe *hp_server_probe_new (GTlsDatabase *database,
                                    const HpRandom *random, GError **error);
void hp_server_probe_free (HpServerProbe *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpServerProbe, hp_server_probe_free)

/* The number that its figures are had by; -1: too many */
int hp_server_probe_add_stun (HpServerProbe *self, const HpAddress *server);
int hp_server_probe_add_relay (HpServerProbe *self,
                               const HpRelayServer *server);

HpServerProbeState hp_server_probe_get_state (const HpServerProbe *self,
                                              int number);
/* µs; -1: not measured */
gint64 hp_server_probe_get_round_trip (const HpServerProbe *self, int number);
/* Why it FAILED, else NULL */
const GError *hp_server_probe_get_error (const HpServerProbe *self,
                                         int number);
/* Nobody's answer is waited for */
gboolean hp_server_probe_is_done (const HpServerProbe *self);
