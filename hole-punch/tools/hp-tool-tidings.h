/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match server tells of itself: as JSON or in words on standard output,
 * where somebody is there to read that, and else in the log. */

#pragma once

#include "hole-punch/tools/hp-tool-config.h"
#include "hole-punch/tools/hp-tool-run.h"

typedef struct
{
  HpToolRun *run;
  HpMatchServer *server;
  gboolean in_words;     /* on standard output, unless as JSON */
  gboolean has_handlers; /* of what peers do */
  gboolean log_addresses;
} HpToolTidings;

/* @is_verbose: peers' doings, too, even if nobody seems to be there */
void hp_tool_tidings_init (HpToolTidings *self, HpToolRun *run,
                           HpMatchServer *server, gboolean is_verbose);
void hp_tool_tidings_clear (HpToolTidings *self);
/* What is to be in the log; at any time */
void hp_tool_tidings_set_log (HpToolTidings *self, HpToolLogLevel level,
                              gboolean addresses);

/* @metrics: a URI; NULL: there are none */
void hp_tool_tidings_started (HpToolTidings *self, const char *metrics);
void hp_tool_tidings_reloaded (HpToolTidings *self, GPtrArray *changed,
                               GPtrArray *kept);
void hp_tool_tidings_reload_failed (HpToolTidings *self, const GError *error);
void hp_tool_tidings_stopped (HpToolTidings *self);
