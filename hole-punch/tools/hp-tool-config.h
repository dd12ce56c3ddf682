/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The configuration file of a match server: a group “match-server”, whose keys
 * are those properties of HpMatchServer that an operator may want to set. */

#pragma once

#include <hole-punch/hole-punch.h>

gboolean hp_tool_config_load (const char *filename, HpMatchServer *server,
                              GError **error);
/* The first line of a file that only the server is to read */
char *hp_tool_config_read_secret (const char *filename, GError **error);
