/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who is allowed at a match server, when not everybody is: by its authorize-…
 * signals, which cost nothing as long as everybody is. */

#pragma once

#include <hole-punch/hole-punch.h>

typedef struct _HpToolPolicy HpToolPolicy;

HpToolPolicy *hp_tool_policy_new (void);
void hp_tool_policy_free (HpToolPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpToolPolicy, hp_tool_policy_free)

/* From the first one on, all others may neither register nor ask. */
gboolean hp_tool_policy_allow (HpToolPolicy *self, const char *fingerprint,
                               GError **error);
/* "ID=FINGERPRINT": from the first one of an id on, all others may not
 * register it. */
gboolean hp_tool_policy_reserve (HpToolPolicy *self, const char *text,
                                 GError **error);
/* One a line, with or without a comment behind a “#”; a file without any allows
 * nobody */
gboolean hp_tool_policy_allow_file (HpToolPolicy *self, const char *filename,
                                    GError **error);

/* The same text for the same policy; NULL: everybody, none */
char *hp_tool_policy_describe_allowed (HpToolPolicy *self);
char *hp_tool_policy_describe_reserved (HpToolPolicy *self);
/* It has to be there until it is detached. */
void hp_tool_policy_attach (HpToolPolicy *self, HpMatchServer *server);
void hp_tool_policy_detach (HpToolPolicy *self, HpMatchServer *server);
