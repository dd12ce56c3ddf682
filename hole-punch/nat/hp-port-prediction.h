/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* At which external ports a NAT's next mappings may be found, how many sockets
 * and probes that takes, and in which order to try. */

#pragma once

#include <glib.h>

#include "hole-punch/wire/hp-nat-facts.h"

/* NATs map to these */
#define HP_FIRST_NAT_PORT 1024
#define HP_N_NAT_PORTS (65536 - HP_FIRST_NAT_PORT)

/* What a volley is to succeed with */
#define HP_PORT_ODDS 0.98

/* The odds that @n_opened different mappings and @n_tried different ports out
 * of @n_ports have one in common */
gdouble hp_port_odds (guint n_opened, guint n_tried, guint n_ports);
/* How many of each, when as many are opened as are tried, for HP_PORT_ODDS */
guint hp_port_odds_to_count (guint n_ports);

/* The @index-th of a permutation of 0 … @n - 1, chosen by @seed; n ≤ 65536 */
guint hp_port_permute (guint index, guint n, guint64 seed);

/* The port that the @index-th mapping after facts.port gets, from 1 on */
guint16 hp_port_predict (const HpNatFacts *facts, gint index);

/* Which of the mappings after facts.port are those that are made now, @elapsed
 * µs after the facts were told: from @first to @last, @n of them ours */
void hp_port_predict_window (const HpNatFacts *facts, gint64 elapsed,
                             guint n, gint *first, gint *last);

/* The ports that a block has: @n from @first on. FALSE: none are known. What
 * was seen of it is hardly all of it. */
gboolean hp_port_get_block (const HpNatFacts *facts, guint16 *first,
                            guint *n);
