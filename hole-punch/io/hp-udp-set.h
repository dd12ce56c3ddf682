/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Any number of sockets behind one file descriptor (epoll(7)), which is
 * readable while any of them has something to say. A main loop that polls
 * hundreds of sockets one by one would ask for each of them, each time. */

#pragma once

#include <glib.h>

typedef struct _HpUdpSet HpUdpSet;

typedef struct
{
  guint number;
  gboolean is_readable; /* or has an error to be read off */
  gboolean is_writable;
} HpUdpReady;

HpUdpSet *hp_udp_set_new (GError **error);
void hp_udp_set_free (HpUdpSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpUdpSet, hp_udp_set_free)
int hp_udp_set_get_fd (const HpUdpSet *self);
gboolean hp_udp_set_add (HpUdpSet *self, int fd, guint number,
                         GError **error);
/* Before @fd is closed: a copy of it, as a forked process has, would keep it in
 * the set */
void hp_udp_set_remove (HpUdpSet *self, int fd);
void hp_udp_set_want_writable (HpUdpSet *self, int fd, guint number,
                               gboolean want);
/* Those that have something to say now, @most of them; the others have their
 * turn with the next calls. How many. */
guint hp_udp_set_ask (HpUdpSet *self, HpUdpReady *ready, guint most);
