/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* What one direction of an emulated link is like. */
typedef struct
{
  gint64 delay;  /* of the wire, in ns */
  gint64 jitter; /* up to this much more, evenly spread; keeps the order */
  guint64 rate;  /* bit/s of IP packets; 0: without limit */

  /* What waits for the wire, with the packet that is on it; 0: any */
  guint64 queue_bytes;
  guint64 queue_packets;
  guint64 ecn_bytes; /* mark what comes when this much waits; 0: never */
  guint64 mtu;       /* lose what is larger, silently; 0: nothing */

  double loss;  /* the part of packets lost on the wire */
  double burst; /* how many in a row on the average; 0: at random */
  double reorder; /* the part that is overtaken … */
  gint64 reorder_delay; /* … because it comes this much later */
  double duplicate; /* the part that comes twice */
} Knobs;

gboolean knobs_parse (Knobs *knobs, const char *text, char **problem);
