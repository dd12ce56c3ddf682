/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server at work, from its start to its end.
 *
 *   SIGHUP            the configuration is read again: what can be changed is,
 *                     what cannot is said; a broken one changes nothing.
 *   SIGTERM, SIGINT   the peers are told to go elsewhere or come back, then it
 *                     ends; a second one ends it at once.
 */

#pragma once

#include "hole-punch/tools/hp-tool-config.h"
#include "hole-punch/tools/hp-tool-options.h"

typedef struct
{
  const HpToolOptions *options;
  const char *filename; /* of the configuration; NULL: none */
  GKeyFile *given;      /* on the command line, which counts more */
  gboolean is_verbose;
} HpToolServingSettings;

/* Until its end; the exit status */
int hp_tool_serving_run (const HpToolServingSettings *settings);
/* As hp_tool_serving_run() would read it; NULL: it would not */
HpToolConfig *hp_tool_serving_read_config (
    const HpToolServingSettings *settings, GError **error);
