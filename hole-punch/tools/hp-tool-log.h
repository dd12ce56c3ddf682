/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The log of a program that runs for months: structured, to the journal when
 * standard error is the journal's, or else short lines on standard error. What
 * others say (the library, GLib) goes the same way.
 *
 * Fields of our own begin with HP_. Never a line for each datagram.
 */

#pragma once

#include <gio/gio.h>

#define HP_TOOL_LOG_DOMAIN "hole-punch"

/* Each includes those above it */
typedef enum
{
  HP_TOOL_LOG_WARNINGS,
  HP_TOOL_LOG_SERVER, /* starts, stops, reloads, limits that were hit */
  HP_TOOL_LOG_PEERS,  /* who comes and goes, and meets whom */
} HpToolLogLevel;

/* For messages about the server and about peers */
#define HP_TOOL_LOG_NOTICE G_LOG_LEVEL_MESSAGE
#define HP_TOOL_LOG_PEER G_LOG_LEVEL_INFO

/* Fields, then "MESSAGE", a format and what is for it; all are strings */
#define hp_tool_log(level, ...)                                               \
  g_log_structured (HP_TOOL_LOG_DOMAIN, (level), "CODE_FILE", __FILE__,       \
                    "CODE_LINE", G_STRINGIFY (__LINE__), "CODE_FUNC",         \
                    G_STRFUNC, __VA_ARGS__)

/* Once, before anything is logged */
void hp_tool_log_init (void);
/* In any thread */
void hp_tool_log_set_level (HpToolLogLevel level);
/* Standard error is the journal's */
gboolean hp_tool_log_is_journal (void);
/* "warnings", "server", "peers" */
gboolean hp_tool_log_parse_level (const char *text, HpToolLogLevel *level);
const char *hp_tool_log_get_level_name (HpToolLogLevel level);
