/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* libnice's reliable mode (TCP's algorithms over UDP), in the clear. The two
 * agents learn of each other through a TCP connection, and then use host
 * candidates. Messages are bytes on a stream: large ones are counted, small
 * ones sent back.
 */

#include <nice/agent.h>
#include <string.h>

#include "bench-common.h"
#include "bench-options.h"

#define COMPONENT 1

typedef struct
{
  const BenchOptions *options;
  NiceAgent *agent;
  guint stream;
  gboolean gathered, writable;

  /* Receiver */
  guint64 bytes;
  gint64 last;

  /* Sender */
  char *message;
  guint64 unsent;
  guint pong; /* bytes of it that have come */
} Side;

static void
on_gathered (NiceAgent *agent, guint stream, gpointer user_data)
{
  ((Side *) user_data)->gathered = TRUE;
}

static void
on_state (NiceAgent *agent, guint stream, guint component, guint state,
          gpointer user_data)
{
  if (state == NICE_COMPONENT_STATE_FAILED)
    g_error ("libnice does not connect");
}

static void
on_received (NiceAgent *agent, guint stream, guint component, guint size,
             char *bytes, gpointer user_data)
{
  Side *self = user_data;

  self->bytes += size;
  self->last = g_get_monotonic_time ();
  if (self->message == NULL && size <= BENCH_PING_SIZE)
    nice_agent_send (agent, stream, component, size, bytes);
  self->pong += size;
}

static void
send_bulk (Side *self)
{
  while (self->unsent > 0)
    {
      gsize size = MIN (self->unsent, (guint64) self->options->message_size);
      int n = nice_agent_send (self->agent, self->stream, COMPONENT, size,
                               self->message);

      if (n <= 0)
        break;
      self->unsent -= n;
    }
}

static void
on_writable (NiceAgent *agent, guint stream, guint component,
             gpointer user_data)
{
  Side *self = user_data;

  self->writable = TRUE;
  send_bulk (self);
}

static void
side_init (Side *self, const BenchOptions *options, const char *ip,
           gboolean calls)
{
  NiceAddress address;

  *self = (Side) { .options = options };
  self->agent = nice_agent_new_reliable (g_main_context_default (),
                                         NICE_COMPATIBILITY_RFC5245);
  g_object_set (self->agent, "controlling-mode", calls, "upnp", FALSE,
                "ice-tcp", FALSE, NULL);
  nice_address_init (&address);
  if (!nice_address_set_from_string (&address, ip)
      || !nice_agent_add_local_address (self->agent, &address))
    g_error ("%s is no address", ip);
  self->stream = nice_agent_add_stream (self->agent, 1);
  g_signal_connect (self->agent, "candidate-gathering-done",
                    G_CALLBACK (on_gathered), self);
  g_signal_connect (self->agent, "component-state-changed",
                    G_CALLBACK (on_state), self);
  g_signal_connect (self->agent, "reliable-transport-writable",
                    G_CALLBACK (on_writable), self);
  nice_agent_attach_recv (self->agent, self->stream, COMPONENT,
                          g_main_context_default (), on_received, self);
  nice_agent_gather_candidates (self->agent, self->stream);
  while (!self->gathered)
    g_main_context_iteration (NULL, TRUE);
}

static void
send_line (GSocket *socket, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (g_socket_send (socket, text, strlen (text) + 1, NULL, &error) < 0)
    g_error ("%s", error->message);
}

/* Until a null byte */
static char *
receive_line (GSocket *socket)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  char c;

  while (g_socket_receive (socket, &c, 1, NULL, &error) == 1 && c != '\0')
    g_string_append_c (text, c);
  if (error != NULL)
    g_error ("%s", error->message);
  return g_string_free (text, FALSE);
}

static void
meet (Side *self, GSocket *socket)
{
  g_autofree char *ours = nice_agent_generate_local_sdp (self->agent);
  g_autofree char *theirs = NULL;

  send_line (socket, ours);
  theirs = receive_line (socket);
  if (nice_agent_parse_remote_sdp (self->agent, theirs) <= 0)
    g_error ("libnice does not understand itself");
  while (!self->writable)
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
on_hang_up (GSocket *socket, GIOCondition condition, gpointer is_over)
{
  *(gboolean *) is_over = TRUE;
  return G_SOURCE_REMOVE;
}

static void
await_hang_up (GSocket *socket)
{
  g_autoptr (GSource) source = g_socket_create_source (socket, G_IO_IN, NULL);
  gboolean is_over = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (on_hang_up), &is_over, NULL);
  g_source_attach (source, NULL);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
}

static void
serve (const BenchOptions *options)
{
  const char *ip = options->listen != NULL ? options->listen : "127.0.0.1";
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress)
      any = g_inet_socket_address_new_from_string (ip, options->port);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start;
  double cpu;
  BenchJson json;
  Side self;

  side_init (&self, options, ip, FALSE);
  if (!g_socket_listener_add_address (listener, any, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &address,
                                      &error))
    g_error ("%s", error->message);
  bench_print_ready (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)), NULL);
  socket = g_socket_listener_accept_socket (listener, NULL, NULL, &error);
  if (socket == NULL)
    g_error ("%s", error->message);
  meet (&self, socket);
  start = g_get_monotonic_time ();
  cpu = bench_get_cpu_seconds ();
  await_hang_up (socket);
  bench_json_begin (&json);
  bench_json_add_number (&json, "bytes", self.bytes);
  bench_json_add_number (&json, "seconds", (self.last - start) / 1e6);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
}

/* The connection is kept until the end of the process, which tells the callee
 */
static void
call (Side *self, const BenchOptions *options, GSocket **socket)
{
  g_autoptr (GSocketAddress) to = bench_parse_address (options->to);
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *ip = NULL;

  *socket = g_socket_new (g_socket_address_get_family (to),
                          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  if (*socket == NULL || !g_socket_connect (*socket, to, NULL, &error))
    g_error ("%s", error->message);
  from = g_socket_get_local_address (*socket, NULL);
  ip = g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (from)));
  side_init (self, options, ip, TRUE);
  self->message = g_malloc0 (options->message_size);
  meet (self, *socket);
}

static void
bulk (const BenchOptions *options)
{
  double cpu;
  BenchJson json;
  Side self;
  GSocket *socket;
  guint64 size = (guint64) MAX (options->mebibytes, 1) * BENCH_MIB;

  call (&self, options, &socket);
  cpu = bench_get_cpu_seconds ();
  self.unsent = size;
  send_bulk (&self);
  /* There is no word for "acknowledged"; the last bytes that the library's
   * buffer holds need their time. */
  while (self.unsent > 0)
    g_main_context_iteration (NULL, TRUE);
  bench_json_begin (&json);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  for (gint64 end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
       g_get_monotonic_time () < end;)
    g_main_context_iteration (NULL, TRUE);
  bench_json_print (&json);
}

static void
latency (const BenchOptions *options)
{
  BenchDurations pongs;
  BenchJson json;
  double cpu;
  Side self;
  GSocket *socket;

  call (&self, options, &socket);
  cpu = bench_get_cpu_seconds ();
  bench_durations_init (&pongs);
  for (guint i = 0; i < options->count; i++)
    {
      gint64 start = g_get_monotonic_time ();

      self.pong = 0;
      nice_agent_send (self.agent, self.stream, COMPONENT, BENCH_PING_SIZE,
                       self.message);
      while (self.pong < BENCH_PING_SIZE)
        g_main_context_iteration (NULL, TRUE);
      bench_durations_add (&pongs, g_get_monotonic_time () - start);
    }
  bench_json_begin (&json);
  bench_json_add_durations (&json, &pongs);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
}

int
main (int argc, char **argv)
{
  static const BenchCommand commands[] = {
    { "serve", serve },
    { "bulk", bulk },
    { "latency", latency },
    { NULL, NULL },
  };

  return bench_run (argc, argv, commands);
}
