/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which file holds the identity. */

#pragma once

#include "hole-punch/tools/hp-tool-options.h"

/* That of --identity, or else the match server's own, in the user's data
 * directory, whose folder is made. NULL: it cannot be made. */
char *hp_tool_identity_get_filename (const HpToolOptions *options,
                                     GError **error);
