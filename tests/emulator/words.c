/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "words.h"

const Unit time_units[] = {
  { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { NULL, 0 },
};
const Unit count_units[] = { { "", 1 }, { NULL, 0 } };

gboolean
words_parse_number (const char *text, const Unit *units, double max,
                    double *number)
{
  char *end;
  double value = g_ascii_strtod (text, &end);

  if (end == text || !(value >= 0))
    return FALSE;
  for (; units->suffix != NULL; units++)
    if (g_str_equal (end, units->suffix) && value * units->factor <= max)
      {
        *number = value * units->factor;
        return TRUE;
      }
  return FALSE;
}

gboolean
words_parse_time (const char *text, gint64 *time)
{
  double number;

  /* Up to 11 days; "0" needs no unit. */
  if (!words_parse_number (text, time_units, 1e15, &number)
      && !words_parse_number (text, count_units, 0, &number))
    return FALSE;
  *time = number;
  return TRUE;
}

gboolean
words_parse_count (const char *text, guint max, guint *count)
{
  double number;

  if (!words_parse_number (text, count_units, max, &number))
    return FALSE;
  *count = number;
  return TRUE;
}

/* The position of @text among @choices, which end with %NULL. */
gboolean
words_parse_choice (const char *text, const char *const *choices,
                    guint *choice)
{
  for (guint i = 0; choices[i] != NULL; i++)
    if (g_str_equal (text, choices[i]))
      {
        *choice = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
words_parse_boolean (const char *text, gboolean *yes)
{
  static const char *const choices[] = { "no", "yes", NULL };
  guint choice;

  if (!words_parse_choice (text, choices, &choice))
    return FALSE;
  *yes = choice;
  return TRUE;
}

/* Hands each to @take.  FALSE if one is not understood, and @problem says
 * which. */
gboolean
words_parse (const char *text, WordFunc take, gpointer user, char **problem)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (words[i], "=", 2);

      if (*words[i] == '\0')
        continue;
      if (g_strv_length (pair) == 2 && take (user, pair[0], pair[1]))
        continue;
      *problem = g_strdup_printf ("not understood: %s", words[i]);
      return FALSE;
    }
  return TRUE;
}
