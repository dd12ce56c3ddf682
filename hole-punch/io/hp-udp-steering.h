/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which of several sockets at one port gets a datagram: a program that the
 * kernel runs for each (socket(7), SO_ATTACH_REUSEPORT_CBPF).
 *
 *   DATA            by the last byte of the session's index, so that a peer's
 *                   packets find the session wherever they come from
 *   all else        by the network that it comes from, /24 or /48, so that
 *                   what is counted by network is counted in one place
 */

#pragma once

#include "hole-punch/base/hp-address.h"

/* What one byte of an index can tell apart, and more than is of use */
#define HP_UDP_MAX_SHARES 64

/* For all sockets that share the port with @fd, which has to be bound; there
 * are @n_shares of them. FALSE with NOT_SUPPORTED: the system cannot. */
gboolean hp_udp_steering_attach (int fd, guint n_shares, GError **error);
/* What the program makes of a datagram: of all but DATA, by where it is from */
guint hp_udp_steering_get_share (const HpAddress *remote, guint n_shares);
