/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The socket's inside, shared by its life and receiving (hp-udp-socket.c) and
 * its sending (hp-udp-socket-send.c). */

#pragma once

#include "hole-punch/io/hp-packet-info.h"
#include "hole-punch/io/hp-udp-socket.h"

#include <netinet/in.h>

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

/* What the kernel receives into: a megabyte of addresses, of which only pages
 * that datagrams touch are resident. Shared by sockets that are never asked to
 * receive at the same time. */
typedef struct
{
  guint references;
  guint8 *bytes;
  struct iovec vectors[HP_UDP_BATCH];
  struct sockaddr_in6 senders[HP_UDP_BATCH]; /* has room for IPv4's */
  HpPacketInfo infos[HP_UDP_BATCH];
  struct mmsghdr messages[HP_UDP_BATCH];
} HpUdpBuffers;

struct _HpUdpSocket
{
  GSocket *socket;
  int fd; /* its */
  guint number;
  gboolean is_ipv6;
  gboolean is_dual_stack;
  gboolean is_sharing; /* not the first at its port */
  HpAddress address; /* bound to */

  /* Receiving */
  HpUdpBuffers *buffers;
  guint n_wanted; /* buffers for the next call */
  guint n_single; /* calls that were given one, and filled it */
  gboolean is_drained;

  /* Sending */
  gboolean has_segments; /* the kernel knows of them at all */
  guint n_troubles;
  guint next_trouble; /* the one to be forgotten for another */
  HpUdpTrouble troubles[HP_UDP_MAX_TROUBLES];
  HpEcn usual_ecn; /* what the socket marks with by itself */
  guint n_unusual; /* datagrams in a row with another mark */
};

/* Whether the kernel can send several datagrams in one call */
gboolean hp_udp_socket_probe_segments (HpUdpSocket *self);
