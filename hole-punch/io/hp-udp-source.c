/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-udp-source.h"

#include "hole-punch/io/hp-clock.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 64
/* poll() waits whole milliseconds, which is late by half of one on average. A
 * nearer deadline is worth the system calls of a finer timer. */
#define FINE_WAIT (3 * G_TIME_SPAN_MILLISECOND)
/* Iterations without a nearer deadline until the timer goes: each poll() of one
 * more file descriptor takes 0.2 µs, a hundredth of a small message's way there
 * and back. */
#define TIMER_KEPT 256

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
  gint64 awake_until;
  int timer;       /* -1: none, or not needed so far */
  gpointer timer_tag;
  gint64 timer_at;   /* what it is armed for; 0: it is not */
  guint timer_turn;  /* in which it was last armed */
  gboolean is_due;   /* this is a dispatch for the deadline */
  guint turn;         /* of the context */
  gboolean is_inside; /* a dispatch */
  gboolean is_muted;
  guint n_watches;
  Watch watches[MAX_FDS];
} HpUdpSource;

/* CLOCK_BOOTTIME goes on in a suspend, the main loop's clock does not: a
 * deadline that passed meanwhile is due with the first wake-up after it. */
static gboolean
is_due (HpUdpSource *self)
{
  return self->deadline == 0
         || (self->deadline != G_MAXINT64 && self->deadline <= hp_clock_now ());
}

/* For the dispatch to come */
static gboolean
note_due (HpUdpSource *self, gboolean due)
{
  self->is_due = due;
  return due;
}

static gboolean
ensure_timer (HpUdpSource *self)
{
  if (self->timer >= 0)
    return TRUE;
  self->timer = timerfd_create (CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (self->timer < 0)
    return FALSE;
  self->timer_tag
      = g_source_add_unix_fd (&self->parent, self->timer, G_IO_IN);
  return TRUE;
}

/* @at 0: never. Either way it is not readable any more, so that nobody needs
 * to read from it. */
static void
arm_timer (HpUdpSource *self, gint64 at)
{
  struct itimerspec when = { 0 };

  if (self->timer_at == at || !ensure_timer (self))
    return;
  when.it_value.tv_sec = at / G_USEC_PER_SEC;
  when.it_value.tv_nsec = at % G_USEC_PER_SEC * 1000;
  timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &when, NULL);
  self->timer_at = at;
  self->timer_turn = self->turn;
}

static void
drop_timer (HpUdpSource *self)
{
  g_source_remove_unix_fd (&self->parent, self->timer_tag);
  close (self->timer);
  self->timer = -1;
  self->timer_at = 0;
}

/* Not g_source_set_ready_time(): each call of it from outside a dispatch writes
 * to the context's eventfd, which the next iteration reads again. */
static gboolean
hp_udp_source_prepare (GSource *source, int *timeout)
{
  HpUdpSource *self = (HpUdpSource *) source;
  gint64 now;

  self->turn++;
  *timeout = -1;
  if (self->is_inside)
    return FALSE;
  if (self->deadline == 0)
    return note_due (self, TRUE);
  if (self->deadline == G_MAXINT64 && self->timer < 0
      && self->awake_until == 0)
    return FALSE;
  now = hp_clock_now ();
  if (self->deadline <= now)
    return note_due (self, TRUE);
  if (self->awake_until > now)
    {
      *timeout = 0;
      /* Not one that the timer is kept for in vain */
      self->timer_turn++;
      return FALSE;
    }
  self->awake_until = 0;
  if (self->deadline - now < FINE_WAIT)
    arm_timer (self, self->deadline);
  else if (self->timer_at != 0 && self->timer_at <= now)
    arm_timer (self, 0);
  else if (self->timer >= 0 && self->turn - self->timer_turn > TIMER_KEPT)
    drop_timer (self);
  if (self->deadline != G_MAXINT64)
    *timeout = MIN ((self->deadline - now + 999) / 1000, G_MAXINT);
  return FALSE;
}

static gboolean
hp_udp_source_check (GSource *source)
{
  HpUdpSource *self = (HpUdpSource *) source;

  if (self->is_inside)
    return FALSE;
  for (guint i = 0; i < self->n_watches; i++)
    if (g_source_query_unix_fd (source, self->watches[i].tag) != 0)
      {
        note_due (self, FALSE);
        return TRUE;
      }
  return note_due (self, is_due (self));
}

static GIOCondition
get_conditions (const Watch *watch)
{
  return G_IO_IN | G_IO_ERR | (watch->wants_writable ? G_IO_OUT : 0);
}

static void
set_muted (HpUdpSource *self, gboolean is_muted)
{
  GSource *source = &self->parent;

  if (self->is_muted == is_muted)
    return;
  self->is_muted = is_muted;
  for (guint i = 0; i < self->n_watches; i++)
    g_source_modify_unix_fd (source, self->watches[i].tag,
                             is_muted ? 0 : get_conditions (self->watches + i));
  if (self->timer >= 0)
    g_source_modify_unix_fd (source, self->timer_tag, is_muted ? 0 : G_IO_IN);
}

static void
query_watches (HpUdpSource *self, guint64 *readable, guint64 *writable)
{
  *readable = *writable = 0;
  for (guint i = 0; i < self->n_watches; i++)
    {
      GIOCondition condition
          = g_source_query_unix_fd (&self->parent, self->watches[i].tag);

      /* An error is to be read off the socket, else it wakes us for ever. */
      if (condition & (G_IO_IN | G_IO_ERR | G_IO_HUP))
        *readable |= G_GUINT64_CONSTANT (1) << i;
      if (condition & G_IO_OUT)
        *writable |= G_GUINT64_CONSTANT (1) << i;
    }
}

/* GLib would see to it itself that there is no dispatch inside another, in a
 * main loop that a handler runs. But it takes the file descriptors out of the
 * context each time, and puts them in again, whereby it writes to its eventfd
 * twice and looks for events once more: a quarter of all that a round trip of
 * a small message costs. So it is told that recursion is fine, and when there
 * is one, which is rare, we take no notice of anything till it is over. */
static gboolean
hp_udp_source_dispatch (GSource *source, GSourceFunc callback,
                        gpointer user_data)
{
  HpUdpSource *self = (HpUdpSource *) source;
  guint64 readable;
  guint64 writable;

  if (self->is_inside)
    {
      set_muted (self, TRUE);
      return G_SOURCE_CONTINUE;
    }
  query_watches (self, &readable, &writable);
  if (self->is_due)
    self->deadline = G_MAXINT64;
  self->is_inside = TRUE;
  self->func (self->user_data, readable, writable);
  self->is_inside = FALSE;
  if (!g_source_is_destroyed (source))
    set_muted (self, FALSE);
  return G_SOURCE_CONTINUE;
}

static void
hp_udp_source_finalize (GSource *source)
{
  HpUdpSource *self = (HpUdpSource *) source;

  if (self->timer >= 0)
    close (self->timer);
}

static GSourceFuncs hp_udp_source_funcs = {
  hp_udp_source_prepare,
  hp_udp_source_check,
  hp_udp_source_dispatch,
  hp_udp_source_finalize,
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
  self->timer = -1;
  g_source_set_can_recurse (source, TRUE);
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
  watch->tag = g_source_add_unix_fd (
      source, fd, self->is_muted ? 0 : get_conditions (watch));
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
      if (!self->is_muted)
        g_source_modify_unix_fd (source, watch->tag, get_conditions (watch));
    }
}

void
hp_udp_source_set_deadline (GSource *source, gint64 deadline)
{
  HpUdpSource *self = (HpUdpSource *) source;
  GMainContext *context = g_source_get_context (source);
  gboolean is_earlier = deadline < self->deadline;

  self->deadline = deadline;
  if (!is_earlier || context == NULL || self->is_inside)
    return;
  /* Whoever waits in the context's poll() owns it: another thread. If nobody
   * does, the next iteration sees for itself, and saves three system calls. */
  if (g_main_context_acquire (context))
    g_main_context_release (context);
  else
    g_main_context_wakeup (context);
}

void
hp_udp_source_stay_awake (GSource *source, gint64 until)
{
  ((HpUdpSource *) source)->awake_until = until;
}

guint
hp_udp_source_get_turn (GSource *source)
{
  return ((HpUdpSource *) source)->turn;
}
