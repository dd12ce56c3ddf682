/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What GSocket allows at most: UDP in the clear, no order, nothing sent again,
 * nothing put together. --mode says how:
 *
 *   single   one datagram of 1024 bytes a call
 *   batch    64 of them a call
 *   segment  64 of them as one, cut by the kernel (UDP_SEGMENT) and joined by
 *            it again on the other side (UDP_GRO)
 *
 * The receiver grants credit, so that its buffer never overflows for long.
 */

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "bench-common.h"
#include "bench-options.h"

#define DATAGRAM_SIZE 1024
#define BATCH 64
/* Of an IPv4 datagram: 63 segments */
#define SEGMENTS ((65535 - 28) / DATAGRAM_SIZE)
#define BUFFER_SIZE (4 * BENCH_MIB)
/* Less than half of the buffer is ever under way */
#define WINDOW BENCH_MIB
#define CREDIT_EVERY (64 * 1024)
/* The end is told so often, since it may be lost */
#define HANG_UPS 3
#define CREDIT_PATIENCE (20 * G_TIME_SPAN_MILLISECOND)

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* The segment's size, told to the kernel or by it */
#define BENCH_TYPE_SEGMENT (bench_segment_get_type ())
G_DECLARE_FINAL_TYPE (BenchSegment, bench_segment, BENCH, SEGMENT,
                      GSocketControlMessage)

struct _BenchSegment
{
  GSocketControlMessage parent_instance;
  guint16 size;
};

G_DEFINE_FINAL_TYPE (BenchSegment, bench_segment, G_TYPE_SOCKET_CONTROL_MESSAGE)

static gsize
bench_segment_get_size (GSocketControlMessage *message)
{
  return sizeof (guint16);
}

static int
bench_segment_get_level (GSocketControlMessage *message)
{
  return SOL_UDP;
}

static int
bench_segment_get_kind (GSocketControlMessage *message)
{
  return UDP_SEGMENT;
}

static void
bench_segment_serialize (GSocketControlMessage *message, gpointer data)
{
  memcpy (data, &BENCH_SEGMENT (message)->size, sizeof (guint16));
}

static GSocketControlMessage *
bench_segment_deserialize (int level, int kind, gsize size, gpointer data)
{
  if (level != SOL_UDP || kind != UDP_GRO)
    return NULL;
  return g_object_new (BENCH_TYPE_SEGMENT, NULL);
}

static void
bench_segment_class_init (BenchSegmentClass *class)
{
  GSocketControlMessageClass *message_class
      = G_SOCKET_CONTROL_MESSAGE_CLASS (class);

  message_class->get_size = bench_segment_get_size;
  message_class->get_level = bench_segment_get_level;
  message_class->get_type = bench_segment_get_kind;
  message_class->serialize = bench_segment_serialize;
  message_class->deserialize = bench_segment_deserialize;
}

static void
bench_segment_init (BenchSegment *self)
{
  self->size = DATAGRAM_SIZE;
}

/* One side */
typedef struct
{
  const BenchOptions *options;
  GSocket *socket;
  GMainLoop *loop;
  guint8 *buffer;            /* BATCH datagrams */
  GInputVector places[BATCH];
  GInputMessage messages[BATCH];
  gboolean is_single, is_segmented;

  /* Receiver */
  GSocketAddress *caller;
  guint64 bytes, granted;
  gint64 start;
  double cpu;

  /* Sender */
  guint64 sent, acknowledged;
} Side;

static void
side_init (Side *self, const BenchOptions *options, GSocketAddress *bind,
           GSocketAddress *to)
{
  const char *mode = options->mode != NULL ? options->mode : "single";
  g_autoptr (GError) error = NULL;

  *self = (Side) { .options = options,
                   .loop = g_main_loop_new (NULL, FALSE),
                   .buffer = g_malloc0 (BATCH * DATAGRAM_SIZE),
                   .is_single = g_str_equal (mode, "single"),
                   .is_segmented = g_str_equal (mode, "segment") };
  self->socket
      = g_socket_new (g_socket_address_get_family (to != NULL ? to : bind),
                      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);
  if (self->socket == NULL
      || (bind != NULL && !g_socket_bind (self->socket, bind, FALSE, &error))
      || (to != NULL && !g_socket_connect (self->socket, to, NULL, &error)))
    g_error ("%s", error->message);
  g_socket_set_blocking (self->socket, FALSE);
  /* More than the limit if that is allowed */
  if (!g_socket_set_option (self->socket, SOL_SOCKET, SO_RCVBUFFORCE,
                            BUFFER_SIZE, NULL))
    g_socket_set_option (self->socket, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE,
                         NULL);
  g_type_ensure (BENCH_TYPE_SEGMENT);
  if (self->is_segmented
      && !g_socket_set_option (self->socket, IPPROTO_UDP, UDP_GRO, 1, &error))
    g_error ("UDP_GRO: %s", error->message);
  for (guint i = 0; i < BATCH; i++)
    {
      self->places[i]
          = (GInputVector) { self->buffer + i * DATAGRAM_SIZE, DATAGRAM_SIZE };
      self->messages[i] = (GInputMessage) { .vectors = &self->places[i],
                                            .num_vectors = 1 };
    }
}

/* Bytes of what has come, < 0 if nothing is there */
static gssize
receive (Side *self)
{
  GInputVector whole = { self->buffer, BATCH * DATAGRAM_SIZE };
  gssize n, bytes = 0;

  if (self->is_single)
    return g_socket_receive (self->socket, (char *) self->buffer,
                             BATCH * DATAGRAM_SIZE, NULL, NULL);
  if (self->is_segmented)
    {
      int flags = 0;

      return g_socket_receive_message (self->socket, NULL, &whole, 1, NULL,
                                       NULL, &flags, NULL, NULL);
    }
  n = g_socket_receive_messages (self->socket, self->messages, BATCH, 0, NULL,
                                 NULL);
  for (gssize i = 0; i < n; i++)
    bytes += self->messages[i].bytes_received;
  return n < 0 ? -1 : bytes;
}

static void
print_and_quit (Side *self)
{
  BenchJson json;

  bench_json_begin (&json);
  bench_json_add_number (&json, "bytes", self->bytes);
  bench_json_add_number (&json, "seconds",
                         (g_get_monotonic_time () - self->start) / 1e6);
  bench_json_add_number (&json, "cpu_seconds",
                         bench_get_cpu_seconds () - self->cpu);
  bench_json_print (&json);
  g_main_loop_quit (self->loop);
}

static void
grant (Side *self)
{
  self->granted = self->bytes;
  g_socket_send (self->socket, (const char *) &self->granted,
                 sizeof self->granted, NULL, NULL);
}

/* Of what arrives: pings go back; a few bytes too many are the end. */
static gboolean
on_serve_readable (GSocket *socket, GIOCondition condition, gpointer data)
{
  Side *self = data;
  gssize n;

  if (self->caller == NULL)
    {
      /* From here on as fast as the caller's */
      n = g_socket_receive_from (socket, &self->caller, (char *) self->buffer,
                                 DATAGRAM_SIZE, NULL, NULL);
      if (n < 0 || !g_socket_connect (socket, self->caller, NULL, NULL))
        g_error ("the caller cannot be answered");
      self->start = g_get_monotonic_time ();
      self->cpu = bench_get_cpu_seconds ();
      grant (self);
      return G_SOURCE_CONTINUE;
    }
  n = receive (self);
  if (n > 0 && n % DATAGRAM_SIZE >= 1 && n % DATAGRAM_SIZE <= HANG_UPS)
    {
      print_and_quit (self);
      return G_SOURCE_REMOVE;
    }
  if (n == BENCH_PING_SIZE)
    g_socket_send (socket, (const char *) self->buffer, n, NULL, NULL);
  if (n > 0)
    self->bytes += n;
  if (n >= DATAGRAM_SIZE && self->bytes - self->granted >= CREDIT_EVERY)
    grant (self);
  return G_SOURCE_CONTINUE;
}

static void
watch (Side *self, GSocketSourceFunc function)
{
  g_autoptr (GSource) source
      = g_socket_create_source (self->socket, G_IO_IN, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (function), self, NULL);
  g_source_attach (source, NULL);
}

static void
serve (const BenchOptions *options)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string (
      options->listen != NULL ? options->listen : "127.0.0.1", options->port);
  g_autoptr (GSocketAddress) address = NULL;
  Side self;

  side_init (&self, options, any, NULL);
  address = g_socket_get_local_address (self.socket, NULL);
  bench_print_ready (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)), NULL);
  watch (&self, (GSocketSourceFunc) on_serve_readable);
  g_main_loop_run (self.loop);
}

static void
side_call (Side *self, const BenchOptions *options)
{
  g_autoptr (GSocketAddress) to = bench_parse_address (options->to);

  side_init (self, options, NULL, to);
  g_socket_send (self->socket, "hello", 5, NULL, NULL);
  g_socket_condition_timed_wait (self->socket, G_IO_IN, G_TIME_SPAN_SECOND,
                                 NULL, NULL);
}

static void
hang_up (Side *self)
{
  for (guint i = 0; i < HANG_UPS; i++)
    g_socket_send (self->socket, "", 1, NULL, NULL);
}

/* Credit that has come. Without any for a while what is under way is lost. */
static void
take_credit (Side *self)
{
  guint64 granted;

  if (self->sent + BATCH * DATAGRAM_SIZE > self->acknowledged + WINDOW
      && !g_socket_condition_timed_wait (self->socket, G_IO_IN,
                                         CREDIT_PATIENCE, NULL, NULL))
    self->acknowledged = self->sent;
  while (g_socket_receive (self->socket, (char *) &granted, sizeof granted,
                           NULL, NULL)
         == sizeof granted)
    self->acknowledged = MAX (self->acknowledged, granted);
}

static gssize
send_some (Side *self, GOutputMessage *messages, GSocketControlMessage *segment)
{
  GOutputVector whole = { self->buffer, SEGMENTS * DATAGRAM_SIZE };
  gssize n;

  if (self->is_single)
    return g_socket_send (self->socket, (const char *) self->buffer,
                          DATAGRAM_SIZE, NULL, NULL);
  if (self->is_segmented)
    return g_socket_send_message (self->socket, NULL, &whole, 1, &segment, 1,
                                  0, NULL, NULL);
  n = g_socket_send_messages (self->socket, messages, BATCH, 0, NULL, NULL);
  return n < 0 ? -1 : n * DATAGRAM_SIZE;
}

static void
bulk (const BenchOptions *options)
{
  guint64 size = (guint64) MAX (options->mebibytes, 1) * BENCH_MIB;
  g_autoptr (GSocketControlMessage)
      segment = g_object_new (BENCH_TYPE_SEGMENT, NULL);
  GOutputVector vectors[BATCH];
  GOutputMessage messages[BATCH];
  BenchJson json;
  double cpu;
  Side self;

  side_call (&self, options);
  for (guint i = 0; i < BATCH; i++)
    {
      vectors[i] = (GOutputVector) { self.buffer, DATAGRAM_SIZE };
      messages[i] = (GOutputMessage) { .vectors = &vectors[i],
                                       .num_vectors = 1 };
    }
  cpu = bench_get_cpu_seconds ();
  while (self.sent < size)
    {
      gssize n;

      if (self.sent + BATCH * DATAGRAM_SIZE > self.acknowledged + WINDOW)
        take_credit (&self);
      else if ((n = send_some (&self, messages, segment)) > 0)
        self.sent += n;
      else
        g_socket_condition_wait (self.socket, G_IO_OUT, NULL, NULL);
    }
  bench_json_begin (&json);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
  hang_up (&self);
}

static gboolean
on_pong (GSocket *socket, GIOCondition condition, gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static void
latency (const BenchOptions *options)
{
  char ping[BENCH_PING_SIZE] = { 0 };
  g_autoptr (GSource) source = NULL;
  double cpu = bench_get_cpu_seconds ();
  BenchDurations pongs;
  BenchJson json;
  Side self;

  side_call (&self, options);
  g_socket_receive (self.socket, ping, sizeof ping, NULL, NULL);
  source = g_socket_create_source (self.socket, G_IO_IN, NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (on_pong), self.loop, NULL);
  g_source_attach (source, NULL);
  bench_durations_init (&pongs);
  for (guint i = 0; i < options->count; i++)
    {
      gint64 start = g_get_monotonic_time ();

      g_socket_send (self.socket, ping, sizeof ping, NULL, NULL);
      g_main_loop_run (self.loop);
      if (g_socket_receive (self.socket, ping, sizeof ping, NULL, NULL)
          != sizeof ping)
        g_error ("a ping did not come back as it went");
      bench_durations_add (&pongs, g_get_monotonic_time () - start);
    }
  bench_json_begin (&json);
  bench_json_add_durations (&json, &pongs);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
  hang_up (&self);
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
