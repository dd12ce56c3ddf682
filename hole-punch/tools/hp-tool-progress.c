/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-progress.h"

#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-text.h"

#define INTERVAL (100 * G_TIME_SPAN_MILLISECOND)
#define MAX_NAME_LENGTH 24
#define MIN_BAR_LENGTH 4
#define MAX_BAR_LENGTH 40

void
hp_tool_progress_begin (HpToolProgress *self, const char *name, guint64 size,
                        gint64 now)
{
  *self = (HpToolProgress){ .name = name, .size = size };
  hp_tool_rate_init (&self->rate, now);
  hp_tool_progress_update (self, 0, now);
}

static char *
format_bar (guint length, double part)
{
  GString *bar = g_string_new ("[");
  guint n_full = MIN ((guint) (part * length), length);

  for (guint i = 0; i < length; i++)
    g_string_append_c (bar, i < n_full ? '#' : '-');
  g_string_append_c (bar, ']');
  return g_string_free (bar, FALSE);
}

/* At most six columns */
static char *
format_time_left (gint64 left)
{
  guint64 seconds = left / G_TIME_SPAN_SECOND;

  if (left < 0 || seconds / 3600 > 9999)
    return g_strdup ("-:--");
  if (seconds / 60 >= 100)
    return g_strdup_printf ("%u h", (guint) (seconds / 3600));
  return g_strdup_printf ("%u:%02u", (guint) (seconds / 60),
                          (guint) (seconds % 60));
}

/* Always as wide, or the bar would jump */
static char *
format_figures (const HpToolProgress *self, double part)
{
  g_autofree char *rate = hp_tool_text_size (hp_tool_rate_get (&self->rate));
  g_autofree char *left = format_time_left (
      hp_tool_rate_get_time_left (&self->rate, self->size));

  return g_strdup_printf ("%3d %%  %9s/s  %6s left", (int) (part * 100), rate,
                          left);
}

static char *
format_sizeless (const HpToolProgress *self, const char *name, guint64 done,
                 guint width)
{
  g_autofree char *size = hp_tool_text_size (done);
  g_autofree char *rate = hp_tool_text_size (hp_tool_rate_get (&self->rate));
  g_autofree char *text = g_strdup_printf ("%s  %9s  %9s/s", name, size, rate);

  return g_utf8_substring (
      text, 0, MIN (g_utf8_strlen (text, -1), MAX ((glong) width, 1) - 1));
}

char *
hp_tool_progress_format (const HpToolProgress *self, guint64 done, guint width)
{
  double part = self->size > 0 ? (double) done / self->size : 1;
  g_autofree char *figures = format_figures (self, part);
  g_autofree char *name = g_utf8_substring (
      self->name, 0,
      MIN (g_utf8_strlen (self->name, -1), (glong) MAX_NAME_LENGTH));
  g_autofree char *bar = NULL;
  /* Two spaces twice, two brackets, and the last column left free */
  glong taken = g_utf8_strlen (name, -1) + g_utf8_strlen (figures, -1) + 7;
  glong room = MIN ((glong) width - taken, (glong) MAX_BAR_LENGTH);

  if (self->size == HP_TOOL_SIZE_UNKNOWN)
    return format_sizeless (self, name, done, width);
  if (room < MIN_BAR_LENGTH)
    return g_strndup (figures, MAX (width, 1) - 1);
  bar = format_bar (room, part);
  return g_strdup_printf ("%s  %s  %s", name, bar, figures);
}

void
hp_tool_progress_update (HpToolProgress *self, guint64 done, gint64 now)
{
  g_autofree char *bar = NULL;

  hp_tool_rate_update (&self->rate, done, now);
  if (!hp_tool_output_has_bar ()
      || (self->shown_at != 0 && now - self->shown_at < INTERVAL))
    return;
  self->shown_at = now;
  bar = hp_tool_progress_format (self, done, hp_tool_output_get_width ());
  hp_tool_output_set_bar (bar);
}
