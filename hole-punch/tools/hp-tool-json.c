/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-json.h"

#include <string.h>

static void
append_escaped (GString *self, char c)
{
  switch (c)
    {
    case '"':
    case '\\':
      g_string_append_c (self, '\\');
      g_string_append_c (self, c);
      break;
    case '\n':
      g_string_append (self, "\\n");
      break;
    case '\r':
      g_string_append (self, "\\r");
      break;
    case '\t':
      g_string_append (self, "\\t");
      break;
    default:
      /* RFC 8259, section 7, wants it of U+0000 to U+001F; terminals would
       * rather not see DEL either. */
      if ((guchar) c < 0x20 || c == 0x7f)
        g_string_append_printf (self, "\\u%04x", (guchar) c);
      else
        g_string_append_c (self, c);
    }
}

static void
append_string (GString *self, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_string_append_c (self, '"');
  for (const char *c = valid; *c != '\0'; c++)
    append_escaped (self, *c);
  g_string_append_c (self, '"');
}

static void
append_name (GString *self, const char *name)
{
  if (self->len > 1)
    g_string_append_c (self, ',');
  append_string (self, name);
  g_string_append_c (self, ':');
}

GString *
hp_tool_json_new (const char *event)
{
  GString *self = g_string_new ("{");

  hp_tool_json_add_string (self, "event", event);
  return self;
}

void
hp_tool_json_add_string (GString *self, const char *name, const char *value)
{
  append_name (self, name);
  if (value != NULL)
    append_string (self, value);
  else
    g_string_append (self, "null");
}

void
hp_tool_json_add_strings (GString *self, const char *name,
                          const char *const *values)
{
  append_name (self, name);
  g_string_append_c (self, '[');
  for (guint i = 0; values[i] != NULL; i++)
    {
      if (i > 0)
        g_string_append_c (self, ',');
      append_string (self, values[i]);
    }
  g_string_append_c (self, ']');
}

void
hp_tool_json_add_number (GString *self, const char *name, gint64 value)
{
  append_name (self, name);
  g_string_append_printf (self, "%" G_GINT64_FORMAT, value);
}

void
hp_tool_json_add_milliseconds (GString *self, const char *name,
                               gint64 microseconds)
{
  append_name (self, name);
  if (microseconds < 0)
    g_string_append (self, "null");
  else
    g_string_append_printf (self, "%" G_GINT64_FORMAT ".%03d",
                            microseconds / 1000, (int) (microseconds % 1000));
}

void
hp_tool_json_add_boolean (GString *self, const char *name, gboolean value)
{
  append_name (self, name);
  g_string_append (self, value ? "true" : "false");
}

char *
hp_tool_json_finish (GString *self)
{
  g_string_append (self, "}\n");
  return g_string_free (self, FALSE);
}
