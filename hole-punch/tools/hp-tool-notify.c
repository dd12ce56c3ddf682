/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-notify.h"

#include <gio/gunixsocketaddress.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hole-punch/tools/hp-tool-run.h"

struct _HpToolNotify
{
  GSocket *socket;
  GSocketAddress *address;
  char *status;      /* that was said last */
  gint64 interval;   /* of the watchdog, µs; 0: there is none */
  GSource *watchdog; /* NULL: not ready yet */
};

/* A path, or “@” and an abstract name */
static GSocketAddress *
get_address (void)
{
  const char *name = g_getenv ("NOTIFY_SOCKET");

  if (name == NULL || (*name != '/' && *name != '@') || name[1] == '\0')
    return NULL;
  if (*name == '/')
    return g_unix_socket_address_new (name);
  return g_unix_socket_address_new_with_type (name + 1, -1,
                                              G_UNIX_SOCKET_ADDRESS_ABSTRACT);
}

/* Half the time after which it would be ended: sd_watchdog_enabled(3) */
static gint64
get_interval (void)
{
  const char *microseconds = g_getenv ("WATCHDOG_USEC");
  const char *pid = g_getenv ("WATCHDOG_PID");
  guint64 number;

  if (microseconds == NULL
      || !g_ascii_string_to_unsigned (microseconds, 10, 2, G_MAXINT64, &number,
                                      NULL))
    return 0;
  if (pid != NULL && strtoll (pid, NULL, 10) != getpid ())
    return 0;
  return number / 2;
}

HpToolNotify *
hp_tool_notify_new (void)
{
  g_autoptr (GSocketAddress) address = get_address ();
  g_autoptr (GSocket) socket = NULL;
  HpToolNotify *self;

  if (address == NULL)
    return NULL;
  socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM,
                         G_SOCKET_PROTOCOL_DEFAULT, NULL);
  if (socket == NULL)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  self = g_new0 (HpToolNotify, 1);
  self->socket = g_steal_pointer (&socket);
  self->address = g_steal_pointer (&address);
  self->interval = get_interval ();
  return self;
}

void
hp_tool_notify_free (HpToolNotify *self)
{
  if (self == NULL)
    return;
  hp_tool_clear_source (&self->watchdog);
  g_object_unref (self->socket);
  g_object_unref (self->address);
  g_free (self->status);
  g_free (self);
}

/* What cannot be told is not worth ending for. */
static void
send_text (HpToolNotify *self, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (g_socket_send_to (self->socket, self->address, text, strlen (text), NULL,
                        &error)
      < 0)
    g_debug ("The service manager cannot be told: %s", error->message);
}

static void
send_with_status (HpToolNotify *self, const char *text, const char *status)
{
  g_autofree char *all = g_strconcat (text, "STATUS=", status, "\n", NULL);

  g_free (self->status);
  self->status = g_strdup (status);
  send_text (self, all);
}

static gboolean
on_watchdog (gpointer user_data)
{
  HpToolNotify *self = user_data;

  send_text (self, "WATCHDOG=1\n");
  hp_tool_clear_source (&self->watchdog);
  self->watchdog = hp_tool_add_timeout ("hole-punch-watchdog", self->interval,
                                        on_watchdog, self);
  return G_SOURCE_REMOVE;
}

void
hp_tool_notify_ready (HpToolNotify *self, const char *status)
{
  if (self == NULL)
    return;
  send_with_status (self, "READY=1\n", status);
  if (self->interval > 0 && self->watchdog == NULL)
    self->watchdog = hp_tool_add_timeout ("hole-punch-watchdog", 0,
                                          on_watchdog, self);
}

/* With the time, as managers from systemd 253 on want it of those that they
 * reload by a signal: g_get_monotonic_time() is CLOCK_MONOTONIC. */
void
hp_tool_notify_reloading (HpToolNotify *self)
{
  g_autofree char *text = NULL;

  if (self == NULL)
    return;
  text = g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT "\n",
                          g_get_monotonic_time ());
  send_with_status (self, text, "Reloading");
}

void
hp_tool_notify_stopping (HpToolNotify *self)
{
  if (self != NULL)
    send_with_status (self, "STOPPING=1\n", "Sending the peers away");
}

void
hp_tool_notify_status (HpToolNotify *self, const char *status)
{
  if (self != NULL && g_strcmp0 (status, self->status) != 0)
    send_with_status (self, "", status);
}
