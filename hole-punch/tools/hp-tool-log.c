/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-log.h"

#include <string.h>
#include <unistd.h>

#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-text.h"

static const char *const level_names[] = { "warnings", "server", "peers" };
static int log_level = HP_TOOL_LOG_SERVER;
static gboolean is_journal;
static gboolean is_terminal;

gboolean
hp_tool_log_parse_level (const char *text, HpToolLogLevel *level)
{
  for (guint i = 0; i < G_N_ELEMENTS (level_names); i++)
    if (strcmp (text, level_names[i]) == 0)
      {
        *level = i;
        return TRUE;
      }
  return FALSE;
}

const char *
hp_tool_log_get_level_name (HpToolLogLevel level)
{
  return level_names[level];
}

static const GLogField *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0)
      return &fields[i];
  return NULL;
}

static gboolean
is_wanted (GLogLevelFlags level, const char *domain)
{
  const GLogLevelFlags kind = level & G_LOG_LEVEL_MASK;

  if (g_strcmp0 (domain, HP_TOOL_LOG_DOMAIN) != 0)
    return !g_log_writer_default_would_drop (level, domain);
  switch ((HpToolLogLevel) g_atomic_int_get (&log_level))
    {
    case HP_TOOL_LOG_WARNINGS:
      return kind <= G_LOG_LEVEL_WARNING;
    case HP_TOOL_LOG_SERVER:
      return kind <= HP_TOOL_LOG_NOTICE;
    case HP_TOOL_LOG_PEERS:
      return kind <= HP_TOOL_LOG_PEER;
    }
  return TRUE;
}

/* A terminal's reader knows what time it is. */
static void
write_line (GLogLevelFlags level, const char *message, gssize length)
{
  g_autofree char *safe = hp_tool_text_safe (message, length);
  g_autofree char *stamp = NULL;
  g_autofree char *line = NULL;

  if (!is_terminal)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

      stamp = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ ");
    }
  line = g_strdup_printf (
      "%s%s%s\n", stamp != NULL ? stamp : "",
      (level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_WARNING ? "Warning: " : "",
      safe);
  hp_tool_output_problem (line);
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
           gpointer user_data)
{
  const GLogField *domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  const GLogField *message = find_field (fields, n_fields, "MESSAGE");

  if (!is_wanted (level, domain != NULL ? domain->value : NULL))
    return G_LOG_WRITER_HANDLED;
  if (is_journal
      && g_log_writer_journald (level, fields, n_fields, NULL)
             == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  /* A mistake in a program: all that there is of it */
  if (message == NULL || (level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_CRITICAL)
    return g_log_writer_standard_streams (level, fields, n_fields, NULL);
  write_line (level, message->value, message->length);
  return G_LOG_WRITER_HANDLED;
}

void
hp_tool_log_init (void)
{
  is_journal = g_log_writer_is_journald (STDERR_FILENO);
  is_terminal = isatty (STDERR_FILENO);
  g_log_set_writer_func (write_log, NULL, NULL);
}

void
hp_tool_log_set_level (HpToolLogLevel level)
{
  g_atomic_int_set (&log_level, level);
}

gboolean
hp_tool_log_is_journal (void)
{
  return is_journal;
}
