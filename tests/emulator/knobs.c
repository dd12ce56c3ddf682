/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "knobs.h"

#include "words.h"

static const Unit rate_units[] = {
  { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { NULL, 0 },
};
static const Unit size_units[] = {
  { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { NULL, 0 },
};
static const Unit packet_units[] = { { "p", 1 }, { NULL, 0 } };
static const Unit part_units[] = { { "", 0.01 }, { "%", 0.01 }, { NULL, 0 } };

/* In bytes, or as the time that the wire needs for them. */
static gboolean
parse_size (const char *text, guint64 rate, guint64 *bytes)
{
  double number;

  if (words_parse_number (text, time_units, 1e12, &number))
    number = number * rate / 8e9;
  else if (!words_parse_number (text, size_units, 1e12, &number))
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
  if (!words_parse_number (text, packet_units, 1e12, &packets))
    return parse_size (text, knobs->rate, &knobs->queue_bytes);
  knobs->queue_packets = packets;
  return TRUE;
}

static gboolean
parse_rate (const char *text, guint64 *rate)
{
  double number;

  if (!words_parse_number (text, rate_units, 1e12, &number))
    return FALSE;
  *rate = number;
  return TRUE;
}

static gboolean
take_knob (gpointer user, const char *name, const char *value)
{
  Knobs *knobs = user;

  if (g_str_equal (name, "delay"))
    return words_parse_time (value, &knobs->delay);
  if (g_str_equal (name, "jitter"))
    return words_parse_time (value, &knobs->jitter);
  if (g_str_equal (name, "rate"))
    return parse_rate (value, &knobs->rate);
  if (g_str_equal (name, "queue"))
    return parse_queue (knobs, value);
  if (g_str_equal (name, "ecn"))
    return parse_size (value, knobs->rate, &knobs->ecn_bytes);
  if (g_str_equal (name, "mtu"))
    return parse_size (value, 0, &knobs->mtu);
  if (g_str_equal (name, "loss"))
    return words_parse_number (value, part_units, 1, &knobs->loss);
  if (g_str_equal (name, "burst"))
    return words_parse_number (value, count_units, 1e6, &knobs->burst);
  if (g_str_equal (name, "reorder"))
    return words_parse_number (value, part_units, 1, &knobs->reorder);
  if (g_str_equal (name, "reorder-delay"))
    return words_parse_time (value, &knobs->reorder_delay);
  if (g_str_equal (name, "duplicate"))
    return words_parse_number (value, part_units, 1, &knobs->duplicate);
  return FALSE;
}

/* Words like "delay=25ms rate=100M queue=50ms loss=1%"; those not named stay
 * as they are.  A queue given as a time is at the rate known by then.  Nothing
 * changes if one is wrong, and @problem says which. */
gboolean
knobs_parse (Knobs *knobs, const char *text, char **problem)
{
  Knobs changed = *knobs;

  if (!words_parse (text, take_knob, &changed, problem))
    return FALSE;
  *knobs = changed;
  return TRUE;
}
