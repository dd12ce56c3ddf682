/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a puncher is told, what it says, and what it reports. */

#pragma once

#include "hole-punch/nat/hp-ladder.h"
#include "hole-punch/wire/hp-frame.h"

/* Carriers of ours that checks go from */
#define HP_PUNCH_MAX_RELAYS 4

/* One datagram that is to be sent so that a NAT opens, or to find out whether
 * it has */
typedef struct
{
  HpRoute route;
  HpCandidateKind kind; /* RELAYED, whatever the candidate, from a carrier */
  guint ttl;         /* 0: the system's */
  gboolean is_probe; /* always a PROBE: an opener, or one of very many */
} HpPunch;

typedef struct
{
  HpWireCandidates candidates; /* of the other side */
  gboolean openers;
  gint64 start_at;
  /* We asked. It also settles who does what where both sides could do either:
   * so it must be the opposite on the other side. */
  gboolean is_caller;
  HpNatFacts local, remote; /* as of now: with their age */
  /* The other side as the match server sees it; NONE: not known. The ladder
   * aims only there. */
  HpAddress observed;
  gboolean may_spray; /* the application wants this peer: methods that need many
                         NAT entries are allowed */
  gint64 round_trip;  /* µs between both sides, a guess; -1: not known */
  gboolean relay_only; /* only carriers send */
  gboolean by_relay;   /* as relays are all that works so far, they do not wait
                          for direct checks */
  /* A port for a fresh socket of each side, made out of what only both know;
   * 0: none */
  guint16 fresh_local, fresh_remote;
} HpPunchPlan;

typedef enum
{
  HP_PUNCH_ONGOING,
  HP_PUNCH_SUCCEEDED,  /* a direct path was proven during it */
  HP_PUNCH_UNANSWERED, /* nothing came of it */
  HP_PUNCH_STOPPED,    /* before its time was up */
  HP_PUNCH_NO_BUDGET,  /* too few NAT entries left */
  HP_PUNCH_NO_SOCKETS,
  HP_PUNCH_NOT_WANTED, /* the application has not accepted the peer */
  HP_PUNCH_NO_ADDRESS, /* none that the match server has seen, or no port of the
                          other side's to start from */
} HpPunchOutcome;

/* One rung that was tried, for the report */
typedef struct
{
  HpRung rung;
  gboolean opens;
  guint n_sockets; /* extra ones of ours */
  guint n_ports;   /* of the other side's that we aimed at */
  guint n_entries; /* that it made in our NAT */
  gdouble odds;    /* reckoned beforehand, 0 to 1; 0: not reckoned */
  gint64 began_at, ended_at; /* 0: not yet */
  HpPunchOutcome outcome;
} HpPunchAttempt;
