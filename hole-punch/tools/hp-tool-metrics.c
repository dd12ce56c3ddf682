/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-metrics.h"

#include "hole-punch/tools/hp-tool-process.h"

#define PREFIX "hole_punch_"

typedef guint64 (*GetFunc) (HpServerStatistics *statistics);

typedef enum
{
  COUNTER,
  GAUGE,
  INFO,
} Kind;

/* A name ends in its unit, as OpenMetrics wants it, and that of a counter's
 * samples in _total besides. */
typedef struct
{
  Kind kind;
  const char *name;
  const char *unit; /* "": none */
  const char *help;
  GetFunc get;
} Family;

#define GET(member) hp_server_statistics_get_##member

static const Family families[] = {
  { GAUGE, PREFIX "peers", "", "Peers with a session.", GET (peers) },
  { GAUGE, PREFIX "registrations", "", "Registered ids.",
    GET (registrations) },
  { GAUGE, PREFIX "workers", "", "Threads that serve.", GET (workers) },
  { COUNTER, PREFIX "handshakes", "", "Completed handshakes.",
    GET (handshakes) },
  { COUNTER, PREFIX "register_requests", "",
    "Requests to register an id or to refresh that.", GET (registers) },
  { COUNTER, PREFIX "keepalives", "", "Signs of life of peers.",
    GET (keepalives) },
  { COUNTER, PREFIX "asks", "", "Questions for a peer.", GET (asks) },
  { COUNTER, PREFIX "introductions", "", "Pairs of introduced peers.",
    GET (introductions) },
  { COUNTER, PREFIX "forwarded_messages", "",
    "Messages to other workers and servers.", GET (forwarded) },
  { COUNTER, PREFIX "refused_requests", "", "Requests that were refused.",
    GET (refused) },
  { COUNTER, PREFIX "cookies", "", "Cookies handed to strangers.",
    GET (cookies) },
  { COUNTER, PREFIX "stun_answers", "", "Answered STUN Binding requests.",
    GET (stun_answers) },
  { COUNTER, PREFIX "received_datagrams", "", "Datagrams that came in.",
    GET (datagrams_received) },
  { COUNTER, PREFIX "sent_datagrams", "", "Datagrams that were sent.",
    GET (datagrams_sent) },
  { COUNTER, PREFIX "received_bytes", "bytes",
    "Bytes of the datagrams that came in.", GET (bytes_received) },
  { COUNTER, PREFIX "sent_bytes", "bytes",
    "Bytes of the datagrams that were sent.", GET (bytes_sent) },
  { COUNTER, PREFIX "send_failures", "",
    "Datagrams that the system did not take.", GET (send_failures) },
  { COUNTER, PREFIX "registry_failures", "",
    "Questions that the registry could not answer.",
    GET (registry_failures) },
  { COUNTER, PREFIX "unclaimed_refreshes", "",
    "Registrations that went on without the registry.",
    GET (unclaimed_refreshes) },
};

/* Labels of one family */
static const struct
{
  const char *reason;
  GetFunc get;
} drops[] = {
  { "malformed", GET (dropped_malformed) },
  { "ticket", GET (dropped_ticket) },
  { "forged", GET (dropped_forged) },
  { "replayed", GET (dropped_replayed) },
  { "unknown", GET (dropped_unknown) },
  { "rate_limited", GET (dropped_rate_limited) },
  { "full", GET (dropped_full) },
};

static const char *
get_type (Kind kind, HpToolMetricsFormat format)
{
  switch (kind)
    {
    case COUNTER:
      return "counter";
    case GAUGE:
      return "gauge";
    case INFO:
      return format == HP_TOOL_METRICS_OPEN_METRICS ? "info" : "gauge";
    }
  g_assert_not_reached ();
}

static const char *
get_suffix (Kind kind)
{
  return kind == COUNTER ? "_total" : kind == INFO ? "_info" : "";
}

/* In OpenMetrics a family's name is without that suffix. */
static void
add_family (GString *text, HpToolMetricsFormat format, Kind kind,
            const char *name, const char *unit, const char *help)
{
  const char *suffix
      = format == HP_TOOL_METRICS_OPEN_METRICS ? "" : get_suffix (kind);

  g_string_append_printf (text, "# TYPE %s%s %s\n", name, suffix,
                          get_type (kind, format));
  if (format == HP_TOOL_METRICS_OPEN_METRICS && *unit != '\0')
    g_string_append_printf (text, "# UNIT %s %s\n", name, unit);
  g_string_append_printf (text, "# HELP %s%s %s\n", name, suffix, help);
}

static void
add_number (GString *text, HpToolMetricsFormat format, Kind kind,
            const char *name, const char *unit, const char *help,
            guint64 number)
{
  add_family (text, format, kind, name, unit, help);
  g_string_append_printf (text, "%s%s %" G_GUINT64_FORMAT "\n", name,
                          get_suffix (kind), number);
}

static void
add_drops (GString *text, HpToolMetricsFormat format,
           HpServerStatistics *statistics)
{
  static const char name[] = PREFIX "dropped_datagrams";

  add_family (text, format, COUNTER, name, "",
              "Datagrams that came in and were not served, by the reason.");
  for (guint i = 0; i < G_N_ELEMENTS (drops); i++)
    g_string_append_printf (
        text, "%s%s{reason=\"%s\"} %" G_GUINT64_FORMAT "\n", name,
        get_suffix (COUNTER), drops[i].reason, drops[i].get (statistics));
}

/* With the names that all programs use for these */
static void
add_process (GString *text, HpToolMetricsFormat format)
{
  const guint64 cpu_time = hp_tool_process_get_cpu_time ();

  add_number (text, format, GAUGE, "process_resident_memory_bytes", "bytes",
              "Memory that the process has.",
              hp_tool_process_get_resident_memory ());
  add_number (text, format, GAUGE, "process_start_time_seconds", "seconds",
              "When the process was started, since 1970-01-01.",
              hp_tool_process_get_start_time ());
  add_family (text, format, COUNTER, "process_cpu_seconds", "seconds",
              "Processor time of all threads.");
  g_string_append_printf (text,
                          "process_cpu_seconds_total %" G_GUINT64_FORMAT
                          ".%06u\n",
                          cpu_time / G_USEC_PER_SEC,
                          (guint) (cpu_time % G_USEC_PER_SEC));
}

char *
hp_tool_metrics_to_text (HpMatchServer *server, HpToolMetricsFormat format)
{
  g_autoptr (HpServerStatistics) statistics
      = hp_match_server_get_statistics (server);
  GString *text = g_string_sized_new (8192);

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    add_number (text, format, families[i].kind, families[i].name,
                families[i].unit, families[i].help,
                families[i].get (statistics));
  add_drops (text, format, statistics);
  add_number (text, format, GAUGE, PREFIX "max_peers", "",
              "Most peers at a time.", hp_match_server_get_max_peers (server));
  add_number (text, format, GAUGE, PREFIX "registry_healthy", "",
              "1: the registry answered when it was last asked.",
              hp_server_statistics_get_registry_healthy (statistics) ? 1 : 0);
  add_family (text, format, INFO, PREFIX "build", "", "What is running.");
  g_string_append_printf (text, PREFIX "build_info{version=\"%d.%d.%d\"} 1\n",
                          HP_MAJOR_VERSION, HP_MINOR_VERSION,
                          HP_MICRO_VERSION);
  add_process (text, format);
  if (format == HP_TOOL_METRICS_OPEN_METRICS)
    g_string_append (text, "# EOF\n");
  return g_string_free (text, FALSE);
}

const char *
hp_tool_metrics_get_content_type (HpToolMetricsFormat format)
{
  return format == HP_TOOL_METRICS_OPEN_METRICS
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}
