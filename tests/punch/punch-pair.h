/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two punchers behind two NATs, with an invented clock and no bytes: only who
 * sends from where to where. What a link does of it is played by a few lines:
 *
 *   caller   its checks are INITIATIONs, which are answered by a RESPONSE on
 *            the way that they came by: then there is a path
 *   callee   its checks are PROBEs, as is all that is marked as such
 *
 *   caller ── NAT ──────── network, delay ──────── NAT ── callee
 *
 * A probe whose TTL is small goes through its own NATs and dies. A NAT behind
 * another one (n_nats is 2) lets TTL 2 die before the second, so that it leaves
 * nothing there. */

#pragma once

#include "hole-punch/nat/hp-puncher.h"

typedef struct
{
  HpWireMapping mapping;
  HpWireFiltering filtering;
  HpWireAllocation allocation;
  gint step;           /* SEQUENTIAL */
  guint drift;         /* foreign mappings per second */
  guint16 first_port;  /* BLOCK */
  guint block;
  guint n_nats;        /* 1 or 2, both of this kind */
  gboolean trap;       /* unasked packets take their tuple */
} PairNatKind;

typedef struct
{
  guint32 random;
  guint sockets;       /* how many extra ones are to be had; 0: as many as
                          wanted, G_MAXUINT: none */
  guint budget;        /* each side's; 0: HP_NAT_BUDGET_DEFAULT */
  gdouble loss;
  gint64 skew;         /* between both sides' starts */
  gint64 age;          /* of the port that was sampled */
  gint64 late;         /* the callee's application accepts so much later */
  gboolean early_knock; /* the caller's first check comes before anything */
  guint16 fresh;       /* the caller's fresh port, the callee's one above */
} PairSettings;

typedef struct
{
  gboolean is_connected;
  gint64 time;            /* from the start until then */
  guint n_entries[2];     /* at the NATs */
  guint n_sent[2];        /* datagrams */
  guint n_open[2];        /* extra sockets that are open at the end */
  guint most_in_burst;    /* probes at one instant */
  char *reports[2];
  HpRung rung;            /* under way at success */
} PairResult;

/* [0] is the caller, [1] the callee */
void pair_run (const PairNatKind *caller, const PairNatKind *callee,
               const PairSettings *settings, PairResult *result);
void pair_result_clear (PairResult *self);

/* What a peer behind such a NAT tells */
void pair_tell_facts (const PairNatKind *kind, HpNatFacts *facts);
