/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-udp-source.h"

#include "hole-punch/io/hp-clock.h"

#include <string.h>

#define MAX_FDS 64

typedef struct
{
  int fd;
  gpointer tag;
  gboolean wants_writable;
} Watch;

typedef struct
{
  GSource parent;

  HpUdpSourceFunc func;
  gpointer user_data;
  gint64 deadline; /* CLOCK_BOOTTIME */
  guint n_watches;
  Watch watches[MAX_FDS];
} HpUdpSource;

/* CLOCK_BOOTTIME goes on in a suspend, the main loop's clock does not: a
 * deadline that passed meanwhile is due with the first wake-up after it. */
static gboolean
is_due (HpUdpSource *self)
{
  return self->deadline != G_MAXINT64 && self->deadline <= hp_clock_now ();
}

static gboolean
hp_udp_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return is_due ((HpUdpSource *) source);
}

static gboolean
hp_udp_source_check (GSource *source)
{
  return is_due ((HpUdpSource *) source);
}

static gboolean
hp_udp_source_dispatch (GSource *source, GSourceFunc callback,
                        gpointer user_data)
{
  HpUdpSource *self = (HpUdpSource *) source;
  guint64 readable = 0;
  guint64 writable = 0;

  for (guint i = 0; i < self->n_watches; i++)
    {
      GIOCondition condition
          = g_source_query_unix_fd (source, self->watches[i].tag);

      /* An error is to be read off the socket, else it wakes us for ever. */
      if (condition & (G_IO_IN | G_IO_ERR | G_IO_HUP))
        readable |= G_GUINT64_CONSTANT (1) << i;
      if (condition & G_IO_OUT)
        writable |= G_GUINT64_CONSTANT (1) << i;
    }
  if (is_due (self))
    hp_udp_source_set_deadline (source, G_MAXINT64);
  self->func (self->user_data, readable, writable);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs hp_udp_source_funcs = {
  hp_udp_source_prepare,
  hp_udp_source_check,
  hp_udp_source_dispatch,
  NULL,
  NULL,
  NULL,
};

GSource *
hp_udp_source_new (HpUdpSourceFunc func, gpointer user_data)
{
  GSource *source
      = g_source_new (&hp_udp_source_funcs, sizeof (HpUdpSource));
  HpUdpSource *self = (HpUdpSource *) source;

  self->func = func;
  self->user_data = user_data;
  self->deadline = G_MAXINT64;
  g_source_set_static_name (source, "HpUdpSource");
  return source;
}

void
hp_udp_source_add (GSource *source, int fd)
{
  HpUdpSource *self = (HpUdpSource *) source;
  Watch *watch = self->watches + self->n_watches;

  g_assert (self->n_watches < MAX_FDS);

  watch->fd = fd;
  watch->tag = g_source_add_unix_fd (source, fd, G_IO_IN | G_IO_ERR);
  self->n_watches++;
}

void
hp_udp_source_want_writable (GSource *source, int fd, gboolean want)
{
  HpUdpSource *self = (HpUdpSource *) source;

  for (guint i = 0; i < self->n_watches; i++)
    {
      Watch *watch = self->watches + i;

      if (watch->fd != fd || watch->wants_writable == !!want)
        continue;
      watch->wants_writable = !!want;
      g_source_modify_unix_fd (source, watch->tag,
                               G_IO_IN | G_IO_ERR | (want ? G_IO_OUT : 0));
    }
}

void
hp_udp_source_set_deadline (GSource *source, gint64 deadline)
{
  HpUdpSource *self = (HpUdpSource *) source;
  gint64 wait;

  if (self->deadline == deadline)
    return;
  self->deadline = deadline;
  if (deadline == G_MAXINT64)
    {
      g_source_set_ready_time (source, -1);
      return;
    }
  wait = deadline - hp_clock_now ();
  g_source_set_ready_time (
      source, wait <= 0 ? 0 : g_get_monotonic_time () + wait);
}
