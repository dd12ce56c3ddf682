/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "knobs.h"

#include <string.h>

typedef struct
{
  const char *suffix;
  double factor;
} Unit;

static const Unit time_units[] = {
  { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { NULL, 0 },
};
static const Unit rate_units[] = {
  { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { NULL, 0 },
};
static const Unit size_units[] = {
  { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { NULL, 0 },
};
static const Unit packet_units[] = { { "p", 1 }, { NULL, 0 } };
static const Unit part_units[] = { { "", 0.01 }, { "%", 0.01 }, { NULL, 0 } };
static const Unit count_units[] = { { "", 1 }, { NULL, 0 } };

static gboolean
parse_number (const char *text, const Unit *units, double max, double *number)
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

/* In bytes, or as the time that the wire needs for them. */
static gboolean
parse_size (const char *text, guint64 rate, guint64 *bytes)
{
  double number;

  if (parse_number (text, time_units, 1e12, &number))
    number = number * rate / 8e9;
  else if (!parse_number (text, size_units, 1e12, &number))
    return FALSE;
  *bytes = number;
  return TRUE;
}

static gboolean
parse_queue (Knobs *knobs, const char *text)
{
  double packets;

  knobs->queue_bytes = 0;
  knobs->queue_packets = 0;
  if (!parse_number (text, packet_units, 1e12, &packets))
    return parse_size (text, knobs->rate, &knobs->queue_bytes);
  knobs->queue_packets = packets;
  return TRUE;
}

static gboolean
parse_time (const char *text, gint64 *time)
{
  double number;

  if (!parse_number (text, time_units, 1e12, &number))
    return FALSE;
  *time = number;
  return TRUE;
}

static gboolean
parse_rate (const char *text, guint64 *rate)
{
  double number;

  if (!parse_number (text, rate_units, 1e12, &number))
    return FALSE;
  *rate = number;
  return TRUE;
}

static gboolean
parse_knob (Knobs *knobs, const char *name, const char *value)
{
  if (g_str_equal (name, "delay"))
    return parse_time (value, &knobs->delay);
  if (g_str_equal (name, "jitter"))
    return parse_time (value, &knobs->jitter);
  if (g_str_equal (name, "rate"))
    return parse_rate (value, &knobs->rate);
  if (g_str_equal (name, "queue"))
    return parse_queue (knobs, value);
  if (g_str_equal (name, "ecn"))
    return parse_size (value, knobs->rate, &knobs->ecn_bytes);
  if (g_str_equal (name, "mtu"))
    return parse_size (value, 0, &knobs->mtu);
  if (g_str_equal (name, "loss"))
    return parse_number (value, part_units, 1, &knobs->loss);
  if (g_str_equal (name, "burst"))
    return parse_number (value, count_units, 1e6, &knobs->burst);
  if (g_str_equal (name, "reorder"))
    return parse_number (value, part_units, 1, &knobs->reorder);
  if (g_str_equal (name, "reorder-delay"))
    return parse_time (value, &knobs->reorder_delay);
  if (g_str_equal (name, "duplicate"))
    return parse_number (value, part_units, 1, &knobs->duplicate);
  return FALSE;
}

/* Words like "delay=25ms rate=100M queue=50ms loss=1%"; those not named stay
 * as they are.  A queue given as a time is at the rate known by then.  Nothing
 * changes if one is wrong, and @problem says which. */
gboolean
knobs_parse (Knobs *knobs, const char *text, char **problem)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  Knobs changed = *knobs;

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (words[i], "=", 2);

      if (*words[i] == '\0')
        continue;
      if (g_strv_length (pair) == 2 && parse_knob (&changed, pair[0], pair[1]))
        continue;
      *problem = g_strdup_printf ("not understood: %s", words[i]);
      return FALSE;
    }
  *knobs = changed;
  return TRUE;
}
