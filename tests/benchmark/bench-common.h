/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the benchmark programs share: the processor's time, percentiles, the
 * longest turn of a main loop, and a line of JSON. A program that cannot go on
 * dies by g_error(): a benchmark has nobody to recover for.
 */

#pragma once

#include <gio/gio.h>

#define BENCH_MIB (1024 * 1024)
/* Bulk messages */
#define BENCH_MESSAGE_SIZE BENCH_MIB
/* Small ones */
#define BENCH_PING_SIZE 64

/* User and system time of this process so far, in s */
double bench_get_cpu_seconds (void);
/* Memory that is only this process's own, in bytes */
guint64 bench_get_private_memory (void);
/* As many descriptors as the system allows */
void bench_raise_descriptor_limit (void);
/* Sources of @context that are attached now */
guint bench_count_sources (GMainContext *context);

/* From now on measures how long each turn of the default context takes between
 * two polls: so long a user interface would stand still. */
void bench_watch_turns (void);
void bench_reset_turns (void);
/* In µs */
gint64 bench_get_longest_turn (void);

/* "HOST:PORT" */
GSocketAddress *bench_parse_address (const char *text);
/* Tells whoever started this process that it listens */
void bench_print_ready (guint port, const char *fingerprint);

/* Durations in µs */
typedef struct
{
  GArray *values; /* double */
} BenchDurations;
void bench_durations_init (BenchDurations *self);
void bench_durations_add (BenchDurations *self, double microseconds);
void bench_durations_clear (BenchDurations *self);

/* An object, to be printed in one line; names and strings are plain ASCII */
typedef struct
{
  GString *text;
} BenchJson;
void bench_json_begin (BenchJson *self);
void bench_json_add_number (BenchJson *self, const char *name, double value);
void bench_json_add_string (BenchJson *self, const char *name,
                            const char *value);
/* @object is JSON itself */
void bench_json_add_object (BenchJson *self, const char *name,
                            const char *object);
/* count, p50, p90, p99, p999, max */
void bench_json_add_durations (BenchJson *self, BenchDurations *durations);
char *bench_json_end (BenchJson *self) G_GNUC_WARN_UNUSED_RESULT;
void bench_json_print (BenchJson *self);
