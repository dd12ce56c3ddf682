/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "packet.h"

/* A TUN device. */
typedef struct _Tun Tun;

Tun *tun_open (const char *where, PacketPool *pool, char **problem);
void tun_free (Tun *self);

int tun_get_fd (Tun *self);
gboolean tun_read (Tun *self, PacketList *packets);
void tun_write (Tun *self, PacketList *packets);
