/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-process.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Field @n, from 0, of a file of one line whose fields have spaces in between;
 * @skip: what comes before them ends with the last one of this character */
static gboolean
read_number (const char *filename, char skip, guint n, guint64 *number)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;
  const char *start;

  if (!g_file_get_contents (filename, &text, NULL, NULL))
    return FALSE;
  start = skip != '\0' ? strrchr (text, skip) : text;
  if (start == NULL)
    return FALSE;
  if (skip != '\0')
    start++;
  while (*start == ' ')
    start++;
  fields = g_strsplit (start, " ", n + 2);
  return g_strv_length (fields) > n
         && g_ascii_string_to_unsigned (fields[n], 10, 0, G_MAXUINT64, number,
                                        NULL);
}

guint64
hp_tool_process_get_resident_memory (void)
{
  guint64 pages;

  return read_number ("/proc/self/statm", '\0', 1, &pages)
             ? pages * sysconf (_SC_PAGESIZE)
             : 0;
}

static gint64
to_microseconds (const struct timeval *time)
{
  return time->tv_sec * G_TIME_SPAN_SECOND + time->tv_usec;
}

gint64
hp_tool_process_get_cpu_time (void)
{
  struct rusage usage = { 0 };

  getrusage (RUSAGE_SELF, &usage);
  return to_microseconds (&usage.ru_utime) + to_microseconds (&usage.ru_stime);
}

/* Its age, by proc(5) field 22, "starttime", in ticks since the machine was
 * started; the 20th behind the name, which is in parentheses */
static gint64
find_start_time (void)
{
  const gint64 now = g_get_real_time () / G_TIME_SPAN_SECOND;
  struct timespec up;
  guint64 ticks;

  if (!read_number ("/proc/self/stat", ')', 19, &ticks)
      || clock_gettime (CLOCK_BOOTTIME, &up) != 0)
    return now;
  return now - (up.tv_sec - (gint64) (ticks / sysconf (_SC_CLK_TCK)));
}

gint64
hp_tool_process_get_start_time (void)
{
  static gint64 start_time;

  if (start_time == 0)
    start_time = find_start_time ();
  return start_time;
}
