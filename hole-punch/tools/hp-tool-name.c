/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-name.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-text.h"

#define FALLBACK "unnamed"
/* A longer "extension" is not one, and is cut as the rest */
#define EXTENSION_LENGTH 20

/* Backslashes too: the sender's system may take them for separators, and a
 * name that holds one is a nuisance in any shell. */
static gboolean
is_separator (gunichar c)
{
  return c == '/' || c == '\\';
}

/* The last component, as basename(1) has it */
static const char *
cut_folders (char *name)
{
  gsize end = strlen (name);
  gsize start;

  while (end > 0 && is_separator (name[end - 1]))
    end--;
  name[end] = '\0';
  for (start = end; start > 0 && !is_separator (name[start - 1]); start--)
    ;
  return name + start;
}

/* A dot would hide it, a dash would make an option of it. */
static gboolean
is_bad_start (gunichar c)
{
  return c == '.' || c == '-' || g_unichar_isspace (c);
}

static const char *
find_extension (const char *name)
{
  const char *end = name + strlen (name);
  const char *dot = strrchr (name, '.');

  if (dot == NULL || dot == name || end - dot > EXTENSION_LENGTH)
    return end;
  if (dot - name > 4 && strncmp (dot - 4, ".tar", 4) == 0)
    return dot - 4;
  return dot;
}

static char *
shorten (const char *name)
{
  const char *extension = find_extension (name);
  gsize room = HP_TOOL_NAME_LENGTH - strlen (extension);
  const char *end = name + MIN ((gsize) (extension - name), room);

  /* Not in the middle of a character */
  while (end > name && (*end & 0xc0) == 0x80)
    end--;
  return g_strdup_printf ("%.*s%s", (int) (end - name), name, extension);
}

char *
hp_tool_name_clean (const guint8 *bytes, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid ((const char *) bytes, length);
  g_autoptr (GString) name = g_string_new (NULL);

  for (const char *c = cut_folders (valid); *c != '\0';
       c = g_utf8_next_char (c))
    {
      gunichar unichar = g_utf8_get_char (c);

      if (name->len == 0 && is_bad_start (unichar))
        continue;
      if (hp_tool_text_is_bad (unichar))
        unichar = '_';
      g_string_append_unichar (name, unichar);
    }
  g_strchomp (name->str);
  return shorten (*name->str != '\0' ? name->str : FALLBACK);
}

char *
hp_tool_name_number (const char *name, guint number)
{
  const char *extension = find_extension (name);

  if (number == 0)
    return g_strdup (name);
  return g_strdup_printf ("%.*s (%u)%s", (int) (extension - name), name, number,
                          extension);
}
