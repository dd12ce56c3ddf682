/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether one path may be sent marked packets, which its routers can mark once
 * more instead of losing them (ECN: RFC 3168; RFC 9000, section 13.4).
 *
 *             acknowledged, and counted
 *   TESTING ───────────────────────────▸ CAPABLE
 *      │                                    │
 *      ╰──────────────▸ FAILED ◂────────────╯
 *          the counts do not add up, or
 *          only marked packets are lost
 *
 * The other side counts over all of the session, so what a path did is seen by
 * how much the counts grew from one ACK to the next. What it counted too much
 * or too little of makes us send without marks: nobody gains by lying.
 */

#pragma once

#include "hole-punch/transport/hp-sent-ring.h"
#include "hole-punch/wire/hp-frame.h"

/* Marked packets of a path before one of them is acknowledged */
#define HP_PATH_ECN_TESTS 10
/* Of marked packets so many lost in a row, and of others so many arrived since:
 * it is for the marks that they are lost */
#define HP_PATH_ECN_MAX_LOST 4
#define HP_PATH_ECN_MAX_UNMARKED 3

typedef enum
{
  HP_PATH_ECN_TESTING,
  HP_PATH_ECN_CAPABLE,
  HP_PATH_ECN_FAILED,
} HpPathEcnState;

typedef struct
{
  HpPathEcnState state;
  guint32 path_epoch; /* of the path that this is about */
  guint64 first;      /* number of its first packet */
  gboolean is_proven; /* when the last packet was sent */
  guint n_tests;      /* marked packets sent on it */
  guint n_lost;       /* of them, since one arrived */
  guint n_unmarked;   /* arrived since there were too many of those */

  /* Of all paths */
  guint64 n_sent;
  HpMarks counted;     /* by the other side, */
  guint64 next_number; /* told by the ACK of all numbers below this */

  /* Of the ACK that is being taken in: marked ones of this path */
  guint n_acked;
  gint64 sent_at; /* the newest of them */
} HpPathEcn;

/* Whether packet @number, to be sent on the path of @path_epoch, is to be
 * marked. Another path than the last one starts afresh, and so does one that
 * was not proven meanwhile: only losses would have told of its marks, and what
 * was lost before that was lost to a NAT. */
gboolean hp_path_ecn_is_wanted (HpPathEcn *self, gboolean is_proven,
                                guint32 path_epoch, guint64 number);
/* It was. */
void hp_path_ecn_sent (HpPathEcn *self);
/* Of all packets that are to be acknowledged, marked or not */
void hp_path_ecn_acked (HpPathEcn *self, const HpSentPacket *packet);
void hp_path_ecn_lost (HpPathEcn *self, const HpSentPacket *packet);
/* What @ack acknowledges has been told. How many of them experienced
 * congestion; 0 as well if what it says is not to be believed */
guint64 hp_path_ecn_take (HpPathEcn *self, const HpAckFrame *ack)
    G_GNUC_WARN_UNUSED_RESULT;
