/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The callers, written one step after the other: await_…() runs the main loop
 * until what it waits for has come.
 */

#include "bench-peer.h"

#include <string.h>

#define PATIENCE 30         /* s, for an answer */
#define CLOSE_PATIENCE 1000 /* ms */

typedef struct
{
  const BenchOptions *options;
  HpPeer *peer;
  HpConnection *connection;
  GAsyncResult *result; /* of the call that is waited for */
  char *report;         /* the callee's, once it has come */
  gboolean begun;

  GBytes *bulk;
  guint64 unsent; /* bytes */
  guint64 queued; /* bytes that are not acknowledged */

  GBytes *ping;
  gint64 pinged; /* when; 0: not on its way */
  BenchDurations pongs;
} Caller;

static void
on_result (GObject *object, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static void
on_message (HpPeer *peer, HpConnection *connection, GBytes *message,
            gpointer user_data)
{
  Caller *self = user_data;
  gsize size;
  const char *bytes = g_bytes_get_data (message, &size);

  switch (size > 0 ? bytes[0] : 0)
    {
    case BENCH_BEGIN:
      self->begun = TRUE;
      break;
    case BENCH_PING:
      bench_durations_add (&self->pongs,
                           g_get_monotonic_time () - self->pinged);
      self->pinged = 0;
      break;
    case BENCH_REPORT:
      self->report = g_strndup (bytes + 1, size - 1);
      break;
    default:
      g_error ("a message that the callee does not send");
    }
}

static HpConnection *
await_connection (const BenchOptions *options, HpPeer *peer)
{
  g_autoptr (GSocketAddress) address = bench_parse_address (options->to);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  HpConnection *connection;

  if (options->fingerprint == NULL)
    g_error ("--fingerprint is needed");
  hp_peer_connect_to_address_async (peer, address, options->fingerprint, NULL,
                                    on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  connection = hp_peer_connect_to_address_finish (peer, result, &error);
  if (connection == NULL)
    g_error ("%s: %s", options->to, error->message);
  return connection;
}

static GBytes *
message_new (char kind, gsize size)
{
  char *bytes = g_malloc (size);

  memset (bytes, 0x5a, size);
  bytes[0] = kind;
  return g_bytes_new_take (bytes, size);
}

static void
caller_init (Caller *self, const BenchOptions *options)
{
  *self = (Caller) { .options = options, .peer = bench_peer_new (options) };
  self->bulk = message_new (BENCH_BULK, options->message_size);
  self->ping = message_new (BENCH_PING, BENCH_PING_SIZE);
  bench_durations_init (&self->pongs);
  g_signal_connect (self->peer, "message-received", G_CALLBACK (on_message),
                    self);
  self->connection = await_connection (options, self->peer);
}

static gboolean
on_timeout (gpointer is_over)
{
  *(gboolean *) is_over = TRUE;
  return G_SOURCE_REMOVE;
}

/* What is still queued on a slow link is not waited for long. */
static void
caller_close (Caller *self)
{
  gboolean is_over = FALSE;
  guint id = g_timeout_add (CLOSE_PATIENCE, on_timeout, &is_over);

  g_clear_object (&self->result);
  hp_peer_close_async (self->peer, NULL, on_result, &self->result);
  while (self->result == NULL && !is_over)
    g_main_context_iteration (NULL, TRUE);
  if (!is_over)
    g_source_remove (id);
}

static void
send_small (Caller *self, GBytes *message)
{
  g_autoptr (GError) error = NULL;

  if (!hp_connection_send_message_full (self->connection, message,
                                        HP_MESSAGE_FLAGS_UNORDERED, 0, &error))
    g_error ("%s", error->message);
}

static gboolean
on_impatience (gpointer what)
{
  g_error ("waited in vain for %s", (const char *) what);
  return G_SOURCE_REMOVE;
}

static void
order (Caller *self, char kind)
{
  g_autoptr (GBytes) message = message_new (kind, 1);

  send_small (self, message);
}

static void
await_begin (Caller *self)
{
  guint id = g_timeout_add_seconds (PATIENCE, on_impatience,
                                    (gpointer) "the beginning");

  self->begun = FALSE;
  order (self, BENCH_BEGIN);
  while (!self->begun)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (id);
  bench_reset_turns ();
}

static void
await_report (Caller *self)
{
  guint id
      = g_timeout_add_seconds (PATIENCE, on_impatience, (gpointer) "a report");

  order (self, BENCH_REPORT);
  while (self->report == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (id);
}

static void fill_queue (Caller *self);

static void
on_bulk_sent (GObject *connection, GAsyncResult *result, gpointer user_data)
{
  Caller *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!hp_connection_send_message_full_finish (HP_CONNECTION (connection),
                                               result, &error)
      && self->report == NULL)
    g_error ("%s", error->message);
  self->queued -= g_bytes_get_size (self->bulk);
  fill_queue (self);
}

static void
fill_queue (Caller *self)
{
  gsize size = g_bytes_get_size (self->bulk);

  while (self->unsent >= size
         && self->queued + size <= MAX (size, (gsize) self->options->queue))
    {
      self->unsent -= size;
      self->queued += size;
      hp_connection_send_message_full_async (
          self->connection, self->bulk,
          self->options->unordered ? HP_MESSAGE_FLAGS_UNORDERED
                                   : HP_MESSAGE_FLAGS_NONE,
          0, NULL, on_bulk_sent, self);
    }
}

static void
send_for (Caller *self, double seconds)
{
  gboolean is_over = FALSE;

  g_timeout_add ((guint) (seconds * 1000), on_timeout, &is_over);
  self->unsent = G_MAXUINT64;
  fill_queue (self);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
}

/* Both sides' figures; @seconds are the callee's, as it counts what came */
static void
print_report (Caller *self, BenchJson *json, double cpu)
{
  bench_peer_add_figures (json, self->connection,
                          bench_get_cpu_seconds () - cpu);
  bench_json_add_object (json, "receiver", self->report);
  bench_json_print (json);
}

void
bench_bulk (const BenchOptions *options)
{
  Caller self;
  BenchJson json;
  gint64 start;
  double cpu;

  bench_watch_turns ();
  caller_init (&self, options);
  if (options->warm_up > 0)
    send_for (&self, options->warm_up);
  await_begin (&self);
  start = g_get_monotonic_time ();
  cpu = bench_get_cpu_seconds ();
  if (options->stream)
    bench_write_stream (self.connection, self.bulk,
                        (guint64) MAX (options->mebibytes, 1) * BENCH_MIB);
  else if (options->mebibytes > 0)
    {
      self.unsent = (guint64) options->mebibytes * BENCH_MIB;
      fill_queue (&self);
      while (self.queued > 0)
        g_main_context_iteration (NULL, TRUE);
    }
  else
    send_for (&self, options->seconds);
  self.unsent = 0;
  bench_json_begin (&json);
  bench_json_add_number (&json, "seconds",
                         (g_get_monotonic_time () - start) / 1e6);
  await_report (&self);
  print_report (&self, &json, cpu);
  caller_close (&self);
}

static void
await_pong (Caller *self)
{
  self->pinged = g_get_monotonic_time ();
  send_small (self, self->ping);
  while (self->pinged != 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
await_interval (const BenchOptions *options)
{
  gint64 end = g_get_monotonic_time () + options->interval;
  g_autoptr (GSource) source = NULL;
  gboolean is_over = FALSE;

  if (options->interval == 0)
    return;
  source = g_timeout_source_new (0);
  g_source_set_ready_time (source, end);
  g_source_set_callback (source, on_timeout, &is_over, NULL);
  g_source_attach (source, NULL);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
}

void
bench_latency (const BenchOptions *options)
{
  Caller self;
  BenchJson json;
  double cpu;

  caller_init (&self, options);
  if (options->load)
    send_for (&self, MAX (options->warm_up, 0.2));
  else
    for (guint i = 0; i < 100; i++)
      await_pong (&self);
  g_array_set_size (self.pongs.values, 0);
  await_begin (&self);
  cpu = bench_get_cpu_seconds ();
  for (guint i = 0; i < options->count; i++)
    {
      await_pong (&self);
      await_interval (options);
    }
  self.unsent = 0;
  await_report (&self);
  bench_json_begin (&json);
  bench_json_add_durations (&json, &self.pongs);
  print_report (&self, &json, cpu);
  caller_close (&self);
}

void
bench_query (const BenchOptions *options)
{
  Caller self;

  caller_init (&self, options);
  await_report (&self);
  g_print ("%s\n", self.report);
  caller_close (&self);
}

static gboolean
on_never (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

void
bench_hold (const BenchOptions *options)
{
  g_autoptr (GPtrArray) peers = g_ptr_array_new ();

  bench_raise_descriptor_limit ();
  for (guint i = 0; i < options->count; i++)
    {
      HpPeer *peer = bench_peer_new (options);

      hp_peer_set_max_nat_entries (peer, 4096);
      g_ptr_array_add (peers, peer);
      g_ptr_array_add (peers, await_connection (options, peer));
    }
  g_timeout_add_seconds (3600, on_never, NULL);
  bench_print_ready (0, NULL);
  for (;;)
    g_main_context_iteration (NULL, TRUE);
}
