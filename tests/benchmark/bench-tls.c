/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* TLS 1.3 over TCP by GnuTLS, AES-256-GCM: blocking sockets, one thread a
 * side, which is as fast as it gets.
 */

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "bench-common.h"
#include "bench-options.h"

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM"
#define BUFFER_SIZE (256 * 1024)

#define CHECK(call)                                                            \
  G_STMT_START                                                                 \
  {                                                                            \
    int check_result = (call);                                                 \
    if (check_result < 0)                                                      \
      g_error (#call ": %s", gnutls_strerror (check_result));                  \
  }                                                                            \
  G_STMT_END

/* Whatever certificate there is: what it costs is not measured. */
static void
make_certificate (gnutls_certificate_credentials_t credentials)
{
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;

  CHECK (gnutls_x509_privkey_init (&key));
  CHECK (gnutls_x509_privkey_generate (
      key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1),
      0));
  CHECK (gnutls_x509_crt_init (&certificate));
  CHECK (gnutls_x509_crt_set_version (certificate, 3));
  CHECK (gnutls_x509_crt_set_serial (certificate, "\1", 1));
  CHECK (gnutls_x509_crt_set_dn (certificate, "CN=benchmark", NULL));
  CHECK (gnutls_x509_crt_set_key (certificate, key));
  CHECK (gnutls_x509_crt_set_activation_time (certificate, time (NULL)));
  CHECK (gnutls_x509_crt_set_expiration_time (certificate,
                                              time (NULL) + 86400));
  CHECK (gnutls_x509_crt_sign2 (certificate, certificate, key,
                                GNUTLS_DIG_SHA256, 0));
  CHECK (gnutls_certificate_set_x509_key (credentials, &certificate, 1, key));
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_privkey_deinit (key);
}

static gnutls_session_t
session_new (GSocket *socket, guint flags,
             gnutls_certificate_credentials_t credentials)
{
  int fd = g_socket_get_fd (socket);
  gnutls_session_t session;
  int result;

  /* GSocket's own are never blocking, and waiting is left to the kernel here */
  if (fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) & ~O_NONBLOCK) != 0)
    g_error ("fcntl: %s", g_strerror (errno));
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  CHECK (gnutls_init (&session, flags));
  CHECK (gnutls_priority_set_direct (session, PRIORITY, NULL));
  CHECK (gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE,
                                 credentials));
  gnutls_transport_set_int (session, fd);
  do
    result = gnutls_handshake (session);
  while (result < 0 && !gnutls_error_is_fatal (result));
  CHECK (result);
  return session;
}

static void
send_all (gnutls_session_t session, const char *bytes, gsize size)
{
  while (size > 0)
    {
      ssize_t n = gnutls_record_send (session, bytes, size);

      if (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN)
        continue;
      CHECK ((int) n);
      bytes += n;
      size -= n;
    }
}

/* 0 at the end */
static gsize
receive_some (gnutls_session_t session, char *bytes, gsize size)
{
  ssize_t n;

  do
    n = gnutls_record_recv (session, bytes, size);
  while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
  CHECK ((int) n);
  return n;
}

/* Small ones come alone and are sent back */
static void
serve (const BenchOptions *options)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string (
      options->listen != NULL ? options->listen : "127.0.0.1", options->port);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gnutls_certificate_credentials_t credentials;
  gnutls_session_t session;
  guint64 bytes = 0;
  gint64 start;
  double cpu;
  gsize n;
  BenchJson json;

  if (!g_socket_listener_add_address (listener, any, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &address,
                                      &error))
    g_error ("%s", error->message);
  CHECK (gnutls_certificate_allocate_credentials (&credentials));
  make_certificate (credentials);
  bench_print_ready (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)), NULL);
  socket = g_socket_listener_accept_socket (listener, NULL, NULL, &error);
  if (socket == NULL)
    g_error ("%s", error->message);
  session = session_new (socket, GNUTLS_SERVER, credentials);
  start = g_get_monotonic_time ();
  cpu = bench_get_cpu_seconds ();
  while ((n = receive_some (session, buffer, BUFFER_SIZE)) > 0)
    {
      bytes += n;
      if (n == BENCH_PING_SIZE)
        send_all (session, buffer, n);
    }
  bench_json_begin (&json);
  bench_json_add_number (&json, "bytes", bytes);
  bench_json_add_number (&json, "seconds",
                         (g_get_monotonic_time () - start) / 1e6);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
}

static gnutls_session_t
call (const BenchOptions *options)
{
  g_autoptr (GSocketAddress) address = bench_parse_address (options->to);
  g_autoptr (GError) error = NULL;
  gnutls_certificate_credentials_t credentials;
  GSocket *socket
      = g_socket_new (g_socket_address_get_family (address),
                      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  if (socket == NULL || !g_socket_connect (socket, address, NULL, &error))
    g_error ("%s", error->message);
  CHECK (gnutls_certificate_allocate_credentials (&credentials));
  /* Used until the process ends */
  return session_new (socket, GNUTLS_CLIENT, credentials);
}

static void
bulk (const BenchOptions *options)
{
  gnutls_session_t session = call (options);
  g_autofree char *message = g_malloc0 (options->message_size);
  double cpu = bench_get_cpu_seconds ();
  BenchJson json;
  guint64 size = (guint64) MAX (options->mebibytes, 1) * BENCH_MIB;

  for (guint64 sent = 0; sent < size; sent += options->message_size)
    send_all (session, message, options->message_size);
  CHECK (gnutls_bye (session, GNUTLS_SHUT_WR));
  bench_json_begin (&json);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
}

static void
latency (const BenchOptions *options)
{
  gnutls_session_t session = call (options);
  char ping[BENCH_PING_SIZE] = { 0 };
  double cpu = bench_get_cpu_seconds ();
  BenchDurations pongs;
  BenchJson json;

  bench_durations_init (&pongs);
  for (guint i = 0; i < options->count; i++)
    {
      gint64 start = g_get_monotonic_time ();

      send_all (session, ping, sizeof ping);
      receive_some (session, ping, sizeof ping);
      bench_durations_add (&pongs, g_get_monotonic_time () - start);
    }
  CHECK (gnutls_bye (session, GNUTLS_SHUT_WR));
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
