/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The settings of a match server: a group “match-server” in a file, and over it
 * what was given on the command line. Most keys are properties of
 * HpMatchServer. They are read as a whole: what is wrong anywhere changes
 * nothing. */

#pragma once

#include "hole-punch/tools/hp-tool-config-values.h"
#include "hole-punch/tools/hp-tool-log.h"
#include "hole-punch/tools/hp-tool-policy.h"

#define HP_TOOL_CONFIG_GROUP "match-server"

typedef struct
{
  HpMatchServer *wanted;           /* has the properties; is never started */
  HpToolSecret *registry;          /* "memory", or a URI */
  char *registry_file;             /* NULL: none */
  HpToolSecret *registry_password; /* NULL: none */
  HpToolPolicy *policy;
  char *metrics; /* NULL: none */
  HpToolLogLevel log;
  gboolean log_addresses;
} HpToolConfig;

/* @filename: NULL: none; @given: what the command line says, in the same
 * form */
HpToolConfig *hp_tool_config_new (const char *filename, GKeyFile *given,
                                  GError **error);
void hp_tool_config_free (HpToolConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpToolConfig, hp_tool_config_free)

/* All settings, as a file would have them; secrets are left out */
char *hp_tool_config_to_text (HpToolConfig *self);
/* Of a server that does not run */
void hp_tool_config_set_all (HpToolConfig *self, HpMatchServer *server);
/* Of one that runs, which has the settings of @old, and of @started where it
 * would have to be started again. What differs is named: in @changed, and its
 * properties are set; or in @kept. */
void hp_tool_config_apply (HpToolConfig *self, HpToolConfig *old,
                           HpToolConfig *started, HpMatchServer *server,
                           GPtrArray *changed, GPtrArray *kept);
