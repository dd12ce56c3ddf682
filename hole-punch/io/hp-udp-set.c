/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-udp-set.h"

#include <errno.h>
#include <gio/gio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_EVENTS 64

struct _HpUdpSet
{
  int epoll;
};

static void
set_error (GError **error)
{
  int code = errno;

  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (code),
                       g_strerror (code));
}

HpUdpSet *
hp_udp_set_new (GError **error)
{
  HpUdpSet *self;
  int epoll = epoll_create1 (EPOLL_CLOEXEC);

  if (epoll < 0)
    {
      set_error (error);
      return NULL;
    }
  self = g_new (HpUdpSet, 1);
  self->epoll = epoll;
  return self;
}

void
hp_udp_set_free (HpUdpSet *self)
{
  if (self == NULL)
    return;
  close (self->epoll);
  g_free (self);
}

int
hp_udp_set_get_fd (const HpUdpSet *self)
{
  return self->epoll;
}

gboolean
hp_udp_set_add (HpUdpSet *self, int fd, guint number, GError **error)
{
  struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

  if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
    return TRUE;
  set_error (error);
  return FALSE;
}

void
hp_udp_set_remove (HpUdpSet *self, int fd)
{
  epoll_ctl (self->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void
hp_udp_set_want_writable (HpUdpSet *self, int fd, guint number, gboolean want)
{
  struct epoll_event event = { .events = EPOLLIN | (want ? EPOLLOUT : 0),
                               .data.u32 = number };

  epoll_ctl (self->epoll, EPOLL_CTL_MOD, fd, &event);
}

guint
hp_udp_set_ask (HpUdpSet *self, HpUdpReady *ready, guint most)
{
  struct epoll_event events[MAX_EVENTS];
  int n = epoll_wait (self->epoll, events, MIN (most, MAX_EVENTS), 0);

  for (int i = 0; i < n; i++)
    ready[i] = (HpUdpReady){
      .number = events[i].data.u32,
      .is_readable = (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0,
      .is_writable = (events[i].events & EPOLLOUT) != 0,
    };
  return MAX (n, 0);
}
