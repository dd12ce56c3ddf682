/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

/* One of them wins, perhaps, and is the connection's then; the others live as
 * long as the volley that they were opened for. */

/* File descriptors that are left to others when there are no more */
#define SPARED 16

static void
close_socket (HpConnectionLine *self, guint number)
{
  for (guint i = 0; i < self->sockets->len; i++)
    if (g_array_index (self->sockets, guint, i) == number)
      {
        g_array_remove_index_fast (self->sockets, i);
        hp_endpoint_close_socket (self->endpoint, number);
        return;
      }
}

/* As many as there are to be had, as file descriptors may be few. Whatever else
 * the program opens meanwhile needs some as well. */
static void
open_sockets (HpConnectionLine *self, guint wanted, gint64 now)
{
  g_autofree guint *numbers = g_new (guint, wanted);
  guint16 port = hp_link_get_wanted_port (self->link);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  while (n < wanted)
    {
      numbers[n] = hp_endpoint_open_socket (self->endpoint, NULL, port, &error);
      if (numbers[n] == 0)
        {
          g_debug ("A socket for a connection: %s", error->message);
          break;
        }
      g_array_append_val (self->sockets, numbers[n]);
      n++;
    }
  for (guint i = 0; i < SPARED && n > 0
                    && g_error_matches (error, G_IO_ERROR,
                                        G_IO_ERROR_TOO_MANY_OPEN_FILES); i++)
    close_socket (self, numbers[--n]);
  hp_link_add_sockets (self->link, numbers, n, now);
  hp_endpoint_wake (self->endpoint, &self->party);
}

void
hp_connection_line_serve_sockets (HpConnectionLine *self, gint64 now)
{
  guint number;
  guint wanted;

  while (hp_link_next_surplus_socket (self->link, &number))
    close_socket (self, number);
  wanted = hp_link_get_wanted_sockets (self->link);
  if (wanted > 0)
    open_sockets (self, wanted, now);
}

void
hp_connection_line_close_sockets (HpConnectionLine *self)
{
  for (guint i = 0; i < self->sockets->len; i++)
    hp_endpoint_close_socket (self->endpoint,
                              g_array_index (self->sockets, guint, i));
  g_array_set_size (self->sockets, 0);
}
