/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The socket's inside, shared by its life and receiving (hp-udp-socket.c) and
 * its sending (hp-udp-socket-send.c). */

#pragma once

#include "hole-punch/io/hp-udp-socket.h"

/* Buffers that the kernel fills in one call, at most; each may hold several
 * datagrams */
#define HP_UDP_BATCH 16
/* Hosts remembered to which segmentation fails */
#define HP_UDP_MAX_TROUBLES 8

/* A host that segments do not reach, though single datagrams do */
typedef struct
{
  HpAddress remote;
  guint failures; /* in a row */
  guint passed;   /* sends since, without trying */
} HpUdpTrouble;

struct _HpUdpSocket
{
  GSocket *socket;
  guint number;
  gboolean is_ipv6;
  HpAddress address; /* bound to */

  /* Receiving */
  guint8 *buffers;
  guint n_wanted; /* buffers for the next call */
  guint n_single; /* calls that were given one, and filled it */
  gboolean is_drained;
  GInputVector vectors[HP_UDP_BATCH];
  GInputMessage messages[HP_UDP_BATCH];
  GSocketAddress *senders[HP_UDP_BATCH];
  GSocketControlMessage **controls[HP_UDP_BATCH];
  guint n_controls[HP_UDP_BATCH];

  /* Sending */
  gboolean has_segments; /* the kernel knows of them at all */
  guint n_troubles;
  guint next_trouble; /* the one to be forgotten for another */
  HpUdpTrouble troubles[HP_UDP_MAX_TROUBLES];
  /* What the last datagram needed: the next one nearly always the same */
  HpAddress remote;
  GSocketAddress *remote_address;
  HpAddress local;
  GSocketControlMessage *local_info;
  gsize segment;
  GSocketControlMessage *segment_info;
  HpEcn usual_ecn;  /* what the socket marks with by itself */
  guint n_unusual;  /* datagrams in a row with another mark */
  HpEcn ecn;
  HpAddressFamily ecn_family;
  GSocketControlMessage *ecn_info;
};

/* Whether the kernel can send several datagrams in one call */
gboolean hp_udp_socket_probe_segments (HpUdpSocket *self);
/* Frees what sending has kept */
void hp_udp_socket_clear_sending (HpUdpSocket *self);
