/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "turn-server.h"

#include <glib/gstdio.h>
#include <string.h>

#include "test-utils.h"

#define LOG_PATIENCE 3000 /* ms */

struct _TurnServer
{
  GSubprocess *process; /* NULL: stopped */
  GStrv arguments;
  char *directory;
  char *log;
  guint port, tls_port;
};

static const char *const user_arguments[]
    = { "--user", TURN_USER ":" TURN_PASSWORD, NULL };

static guint
find_free_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  return g_socket_listener_add_any_inet_port (listener, NULL, NULL);
}

static gboolean
is_listening (guint port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL,
                                         NULL);

  return connection != NULL;
}

static void
add (GPtrArray *arguments, const char *argument, const char *value)
{
  g_ptr_array_add (arguments, g_strdup (argument));
  if (value != NULL)
    g_ptr_array_add (arguments, g_strdup (value));
}

static void
add_path (GPtrArray *arguments, const char *argument, const char *directory,
          const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  add (arguments, argument, path);
}

static GStrv
collect_arguments (TurnServer *self, const char *const *extra)
{
  GPtrArray *arguments = g_ptr_array_new ();
  g_autofree char *port = g_strdup_printf ("%u", self->port);
  g_autofree char *tls_port = g_strdup_printf ("%u", self->tls_port);
  const char *sources = g_getenv ("G_TEST_SRCDIR");

  g_assert_nonnull (sources);
  add (arguments, "turnserver", NULL);
  add (arguments, "-n", NULL);
  add (arguments, "--no-cli", NULL);
  add (arguments, "--simple-log", NULL);
  add (arguments, "--verbose", NULL);
  add (arguments, "--fingerprint", NULL);
  add (arguments, "--allow-loopback-peers", NULL);
  add (arguments, "--lt-cred-mech", NULL);
  add (arguments, "--listening-ip", "127.0.0.1");
  add (arguments, "--relay-ip", "127.0.0.1");
  add (arguments, "--listening-port", port);
  add (arguments, "--tls-listening-port", tls_port);
  add (arguments, "--realm", "example.org");
  add (arguments, "--log-file", self->log);
  add_path (arguments, "--pidfile", self->directory, "pid");
  add_path (arguments, "--userdb", self->directory, "users");
  add_path (arguments, "--cert", sources, "peer/relay-certificate.pem");
  add_path (arguments, "--pkey", sources, "peer/relay-key.pem");
  for (guint i = 0; extra[i] != NULL; i++)
    add (arguments, extra[i], NULL);
  g_ptr_array_add (arguments, NULL);
  return (GStrv) g_ptr_array_free (arguments, FALSE);
}

void
turn_server_start (TurnServer *self)
{
  g_autoptr (GError) error = NULL;
  gint64 until = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  g_assert_null (self->process);
  self->process = g_subprocess_newv ((const char *const *) self->arguments,
                                     G_SUBPROCESS_FLAGS_STDOUT_SILENCE
                                         | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                     &error);
  g_assert_no_error (error);
  while (!is_listening (self->port) || !is_listening (self->tls_port))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (20000);
    }
}

void
turn_server_stop (TurnServer *self)
{
  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, NULL);
  g_clear_object (&self->process);
}

TurnServer *
turn_server_new (const char *const *arguments)
{
  TurnServer *self = g_new0 (TurnServer, 1);
  g_autoptr (GError) error = NULL;

  self->port = find_free_port ();
  self->tls_port = find_free_port ();
  self->directory = g_dir_make_tmp ("hole-punch-turn-XXXXXX", &error);
  g_assert_no_error (error);
  self->log = g_build_filename (self->directory, "log", NULL);
  self->arguments = collect_arguments (
      self, arguments != NULL ? arguments : user_arguments);
  turn_server_start (self);
  return self;
}

static void
remove_file (TurnServer *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->directory, name, NULL);

  g_remove (path);
}

void
turn_server_free (TurnServer *self)
{
  if (self->process != NULL)
    turn_server_stop (self);
  remove_file (self, "log");
  remove_file (self, "pid");
  remove_file (self, "users");
  g_rmdir (self->directory);
  g_strfreev (self->arguments);
  g_free (self->directory);
  g_free (self->log);
  g_free (self);
}

guint
turn_server_get_port (TurnServer *self)
{
  return self->port;
}

guint
turn_server_get_tls_port (TurnServer *self)
{
  return self->tls_port;
}

static guint
count (const char *log, const char *text)
{
  guint n = 0;

  for (const char *at = strstr (log, text); at != NULL;
       at = strstr (at + 1, text))
    n++;
  return n;
}

guint
turn_server_count (TurnServer *self, const char *text)
{
  gint64 until = g_get_monotonic_time ()
                 + LOG_PATIENCE * G_TIME_SPAN_MILLISECOND;
  guint n = 0;

  while (n == 0 && g_get_monotonic_time () < until)
    {
      g_autofree char *log = NULL;

      await_time (50);
      if (g_file_get_contents (self->log, &log, NULL, NULL))
        n = count (log, text);
    }
  return n;
}
