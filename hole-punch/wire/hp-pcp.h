/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a gateway is asked for a port of its own: PCP (RFC 6887), and NAT-PMP
 * (RFC 6886), its elder, which has the same port and is told apart by the first
 * byte.
 *
 *   PCP request    version 2 │ opcode │ 0 (2) │ lifetime (4) │ client (16)
 *   PCP answer     version 2 │ 0x80 + opcode │ 0 │ result │ lifetime (4)
 *                  │ epoch (4) │ 0 (12)
 *   MAP, of both   nonce (12) │ protocol │ 0 (3) │ internal port (2)
 *                  │ external port (2) │ external IP (16)
 *
 *   NAT-PMP request  0 │ opcode, and to map │ 0 (2) │ internal port (2)
 *                    │ external port (2) │ lifetime (4)
 *   NAT-PMP answer   0 │ 0x80 + opcode │ result (2) │ epoch (4), and
 *                    │ external IP (4)       to the question for it
 *                    │ internal port (2) │ external port (2) │ lifetime (4)
 *
 * IPv4 addresses are IPv4-mapped in PCP.
 */

#pragma once

#include "hole-punch/base/hp-address.h"

#define HP_PCP_PORT 5351          /* where gateways are asked */
#define HP_PCP_ANNOUNCE_PORT 5350 /* where they announce, by 224.0.0.1 */
#define HP_PCP_NONCE_SIZE 12
#define HP_PCP_REQUEST_MAX_SIZE 60
#define HP_PCP_ANSWER_MAX_SIZE 1100 /* RFC 6887, section 7 */
#define HP_PCP_PROTOCOL_UDP 17      /* IANA's number */

typedef enum
{
  HP_PCP_VERSION_NAT_PMP = 0,
  HP_PCP_VERSION_PCP = 2,
} HpPcpVersion;

typedef enum
{
  HP_PCP_ANNOUNCE, /* PCP: I was restarted */
  HP_PCP_ADDRESS,  /* NAT-PMP: my external address; unasked: I was restarted */
  HP_PCP_MAP,
} HpPcpOpcode;

/* Both protocols have these two in common */
#define HP_PCP_SUCCESS 0
#define HP_PCP_UNSUPPORTED_VERSION 1

typedef struct
{
  HpAddress client; /* our own, its port the internal one */
  guint8 nonce[HP_PCP_NONCE_SIZE]; /* PCP */
  HpAddress external; /* wished for; its IP may be NONE (PCP), its port 0 */
  guint32 lifetime;   /* seconds; 0: to be removed */
} HpPcpMap;

typedef struct
{
  HpPcpVersion version;
  HpPcpOpcode opcode;
  guint16 result;
  guint32 epoch;    /* seconds since the gateway forgot everything */
  /* MAP */
  guint32 lifetime; /* seconds; of PCP's refusals, how long they hold */
  guint8 nonce[HP_PCP_NONCE_SIZE]; /* PCP */
  guint8 protocol;                 /* NAT-PMP: always UDP */
  guint16 internal_port;
  HpAddress external; /* NAT-PMP's MAP: NONE with a port; ADDRESS: port 0 */
} HpPcpAnswer;

/* How many bytes they are; 0: @capacity is too small */
gsize hp_pcp_write_map (const HpPcpMap *map, gpointer bytes, gsize capacity);
gsize hp_nat_pmp_write_address (gpointer bytes, gsize capacity);
gsize hp_nat_pmp_write_map (const HpPcpMap *map, gpointer bytes,
                            gsize capacity);

/* An answer or announcement of either version. A refusal need not have more
 * than its head: what is missing is 0. */
gboolean hp_pcp_parse (HpPcpAnswer *answer, gconstpointer bytes, gsize length)
    G_GNUC_WARN_UNUSED_RESULT;
