/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asks the gateway for a port of its own that leads to ours, and keeps it. No
 * I/O, no clock; whoever owns it lets in only what the gateway sends.
 *
 *             ┌────────────── expired, a restart told ──────────────┐
 *             ▾                                                     │
 *   ASKING ── MAP by PCP ─────────────── answer ───────────────▸ MAPPED ⟲ renew
 *     │   └── "version!": NAT-PMP, its address, then MAP ─ answer ──▸
 *     ├── refused ──▸ REFUSED ── the refusal's lifetime ──▸ ASKING
 *     └── close ──▸ CLOSING (MAP, lifetime 0) ── answer, 300 ms ──▸ CLOSED
 *
 * A PCP request is repeated after 3 s, then twice as late each time up to
 * 1024 s, for as long as it takes (RFC 6887, section 8.1.1); one by NAT-PMP
 * after 250 ms, doubling, nine times (RFC 6886, section 3.1). A mapping is
 * renewed when half of its lifetime or a little more is over, and then again
 * and again in half of what is left (RFC 6887, section 11.2.1).
 *
 * Every answer tells how long ago the gateway forgot everything. When that is
 * not what it should be, the mapping is asked for again (RFC 6887, section
 * 8.5; RFC 6886, section 3.6).
 */

#pragma once

#include "hole-punch/base/hp-random.h"
#include "hole-punch/wire/hp-pcp.h"

/* Seconds to ask for: what RFC 6886 recommends, and gateways are used to */
#define HP_PORT_MAPPER_LIFETIME 7200
/* How long closing waits for the answer */
#define HP_PORT_MAPPER_FAREWELL (300 * G_TIME_SPAN_MILLISECOND)

typedef enum
{
  HP_PORT_MAPPER_ASKING,
  HP_PORT_MAPPER_MAPPED,
  HP_PORT_MAPPER_REFUSED,
  HP_PORT_MAPPER_CLOSING,
  HP_PORT_MAPPER_CLOSED,
} HpPortMapperState;

typedef struct
{
  HpAddress client; /* as the gateway sees us; the port to be mapped */
  HpRandom random;
} HpPortMapperConfig;

typedef struct _HpPortMapper HpPortMapper;

/* Asks at once */
HpPortMapper *hp_port_mapper_new (const HpPortMapperConfig *config,
                                  gint64 now);
void hp_port_mapper_free (HpPortMapper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpPortMapper, hp_port_mapper_free)

/* What the gateway sent us, or everybody; TRUE: it was of use */
gboolean hp_port_mapper_receive (HpPortMapper *self, gconstpointer bytes,
                                 gsize length, gint64 now);
/* The next request for the gateway; 0: none now */
gsize hp_port_mapper_pull (HpPortMapper *self, gpointer bytes, gsize capacity,
                           gint64 now);
gint64 hp_port_mapper_get_deadline (const HpPortMapper *self);
void hp_port_mapper_expire (HpPortMapper *self, gint64 now);
/* Something has changed out there: is the mapping still there? */
void hp_port_mapper_check (HpPortMapper *self, gint64 now);
/* Has the mapping removed, if there is or may be one; go on until CLOSED */
void hp_port_mapper_close (HpPortMapper *self, gint64 now);

HpPortMapperState hp_port_mapper_get_state (const HpPortMapper *self);
HpPcpVersion hp_port_mapper_get_version (const HpPortMapper *self);
/* While MAPPED, else NULL. It may be a private one: there is another NAT. */
const HpAddress *hp_port_mapper_get_external (const HpPortMapper *self);
/* Seconds, as granted last */
guint32 hp_port_mapper_get_lifetime (const HpPortMapper *self);
/* Why it is REFUSED: the gateway's result code; 0: it is silent */
guint hp_port_mapper_get_result (const HpPortMapper *self);
