/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-common.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

double
bench_get_cpu_seconds (void)
{
  struct rusage usage;

  if (getrusage (RUSAGE_SELF, &usage) != 0)
    g_error ("getrusage: %s", g_strerror (errno));
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
         + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

guint64
bench_get_private_memory (void)
{
  g_autofree char *text = NULL;
  guint64 bytes = 0;

  if (!g_file_get_contents ("/proc/self/smaps_rollup", &text, NULL, NULL))
    g_error ("/proc/self/smaps_rollup cannot be read");
  for (const char *line = text; line != NULL; line = strchr (line, '\n'))
    {
      guint64 kibibytes;

      line += *line == '\n';
      if (sscanf (line, "Private_Clean: %" G_GUINT64_FORMAT, &kibibytes) == 1
          || sscanf (line, "Private_Dirty: %" G_GUINT64_FORMAT, &kibibytes)
                 == 1)
        bytes += kibibytes * 1024;
    }
  return bytes;
}

void
bench_raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_error ("getrlimit: %s", g_strerror (errno));
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_error ("setrlimit: %s", g_strerror (errno));
}

guint
bench_count_sources (GMainContext *context)
{
  g_autoptr (GSource) newest = g_idle_source_new ();
  guint last = g_source_attach (newest, context);
  guint n = 0;

  /* Ids are given out in ascending order */
  g_source_destroy (newest);
  for (guint id = 1; id < last; id++)
    n += g_main_context_find_source_by_id (context, id) != NULL;
  return n;
}

static GPollFunc turns_poll;
static gint64 turns_start;   /* of this turn; 0: before the first poll */
static gint64 turns_longest; /* µs */

static int
poll_and_watch (GPollFD *fds, guint n_fds, int timeout)
{
  int result;

  if (turns_start != 0)
    turns_longest = MAX (turns_longest, g_get_monotonic_time () - turns_start);
  result = turns_poll (fds, n_fds, timeout);
  turns_start = g_get_monotonic_time ();
  return result;
}

void
bench_watch_turns (void)
{
  if (turns_poll != NULL)
    return;
  turns_poll = g_main_context_get_poll_func (NULL);
  g_main_context_set_poll_func (NULL, poll_and_watch);
}

void
bench_reset_turns (void)
{
  turns_longest = 0;
}

gint64
bench_get_longest_turn (void)
{
  return turns_longest;
}

GSocketAddress *
bench_parse_address (const char *text)
{
  const char *colon = text != NULL ? strrchr (text, ':') : NULL;
  g_autofree char *host = NULL;
  GSocketAddress *address;

  if (colon == NULL)
    g_error ("--to HOST:PORT is needed");
  host = g_strndup (text, colon - text);
  address = g_inet_socket_address_new_from_string (
      host, (guint) g_ascii_strtoull (colon + 1, NULL, 10));
  if (address == NULL)
    g_error ("%s is no address", text);
  return address;
}

void
bench_print_ready (guint port, const char *fingerprint)
{
  g_print ("READY %u %s\n", port, fingerprint != NULL ? fingerprint : "-");
  fflush (stdout);
}

void
bench_durations_init (BenchDurations *self)
{
  self->values = g_array_new (FALSE, FALSE, sizeof (double));
}

void
bench_durations_add (BenchDurations *self, double microseconds)
{
  g_array_append_val (self->values, microseconds);
}

void
bench_durations_clear (BenchDurations *self)
{
  g_clear_pointer (&self->values, g_array_unref);
}

static int
compare_durations (gconstpointer a, gconstpointer b)
{
  double first = *(const double *) a, second = *(const double *) b;

  return (first > second) - (first < second);
}

void
bench_json_begin (BenchJson *self)
{
  self->text = g_string_new ("{");
}

static void
add_name (BenchJson *self, const char *name)
{
  if (self->text->len > 1)
    g_string_append (self->text, ", ");
  g_string_append_printf (self->text, "\"%s\": ", name);
}

void
bench_json_add_number (BenchJson *self, const char *name, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  add_name (self, name);
  g_string_append (self->text, g_ascii_formatd (number, sizeof number,
                                                "%.12g", value));
}

void
bench_json_add_string (BenchJson *self, const char *name, const char *value)
{
  add_name (self, name);
  g_string_append_printf (self->text, "\"%s\"", value);
}

void
bench_json_add_object (BenchJson *self, const char *name, const char *object)
{
  add_name (self, name);
  g_string_append (self->text, object);
}

void
bench_json_add_durations (BenchJson *self, BenchDurations *durations)
{
  const struct
  {
    const char *name;
    double share;
  } quantiles[] = {
    { "p50", 0.5 },    { "p90", 0.9 }, { "p99", 0.99 },
    { "p999", 0.999 }, { "max", 1 },
  };
  guint n = durations->values->len;

  g_array_sort (durations->values, compare_durations);
  bench_json_add_number (self, "count", n);
  for (guint i = 0; n > 0 && i < G_N_ELEMENTS (quantiles); i++)
    {
      guint at = MIN ((guint) (quantiles[i].share * n), n - 1);

      bench_json_add_number (self, quantiles[i].name,
                             g_array_index (durations->values, double, at));
    }
}

char *
bench_json_end (BenchJson *self)
{
  g_string_append_c (self->text, '}');
  return g_string_free (g_steal_pointer (&self->text), FALSE);
}

void
bench_json_print (BenchJson *self)
{
  g_autofree char *line = bench_json_end (self);

  g_print ("%s\n", line);
  fflush (stdout);
}
