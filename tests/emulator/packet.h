/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <linux/virtio_net.h>

/* An IP packet on its way through the emulator. */
typedef struct _Packet Packet;

struct _Packet
{
  Packet *next;
  gint64 arrived; /* when it came to its lane, in ns */
  gint64 due;     /* when it leaves it */
  guint64 number; /* the order of packets due at the same time */
  gsize size;
  /* What the kernel left to do: a checksum that nobody has computed. */
  struct virtio_net_hdr offload;
  guint8 data[];
};

/* First in, first out. */
typedef struct
{
  Packet *first, *last;
} PacketList;

/* Packets that are used again. */
typedef struct
{
  Packet *unused;
} PacketPool;

Packet *packet_new (PacketPool *pool, gsize size);
Packet *packet_copy (PacketPool *pool, const Packet *packet);
void packet_free (PacketPool *pool, Packet *packet);
void packet_pool_clear (PacketPool *pool);

void packet_list_append (PacketList *list, Packet *packet);
Packet *packet_list_pop (PacketList *list);

gboolean packet_mark_congestion (Packet *packet);
