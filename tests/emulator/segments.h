/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "packet.h"

#include <sys/uio.h>

/* Segmentation offload, in a TUN device's terms: many packets of one flow as
 * one large one that says how it is to be cut. */

#define SEGMENTS_LARGEST 65536
#define SEGMENTS_MAX 64
#define SEGMENTS_HEADER 120 /* IPv6 and TCP with all its options */

typedef struct
{
  struct virtio_net_hdr offload;
  guint8 header[SEGMENTS_HEADER];
  struct iovec parts[2 + SEGMENTS_MAX];
  guint n_parts;
} Segments;

void segments_cut (const struct virtio_net_hdr *offload, const guint8 *data,
                   gsize size, PacketPool *pool, PacketList *packets);
guint segments_join (Segments *self, const Packet *first);
