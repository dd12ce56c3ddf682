/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One GSource for an endpoint: sockets readable (or writable), or a deadline
 * due. */

#pragma once

#include <glib.h>

/* @readable: of the sockets added, those with GIOConditions now, as bits by
 * the order of adding */
typedef void (*HpUdpSourceFunc) (gpointer user_data, guint64 readable,
                                 guint64 writable);

/* Not attached yet; (transfer full) */
GSource *hp_udp_source_new (HpUdpSourceFunc func, gpointer user_data);
void hp_udp_source_add (GSource *source, int fd);
void hp_udp_source_want_writable (GSource *source, int fd, gboolean want);
/* @deadline in hp_clock_now()'s µs; G_MAXINT64 never, 0 at once */
void hp_udp_source_set_deadline (GSource *source, gint64 deadline);
/* Until then its context does not sleep: it looks for what has happened to this
 * or any other source again and again. In hp_clock_now()'s µs */
void hp_udp_source_stay_awake (GSource *source, gint64 until);
/* Another one with every iteration of the context that asks the source */
guint hp_udp_source_get_turn (GSource *source);
