/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A UDP socket: dual-stack where there is IPv6, datagrams in batches, the local
 * address of each known and kept (IP_PKTINFO), a TTL for a single datagram, the
 * marks of congestion (ECN) of each. Never blocks. GSocket opens it; datagrams
 * go past that, see receive_messages().
 *
 * Nearly all that a datagram costs is its way through the kernel, and many of
 * one size to one place go that way together (udp(7), UDP_SEGMENT and
 * UDP_GRO): measured on loopback, 0.9 µs each instead of 9.6.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"

typedef struct _HpUdpSocket HpUdpSocket;

/* @address: an IP to bind to, NULL any (dual stack); @port 0: a free one.
 * @number becomes HpRoute.socket of what it receives. */
HpUdpSocket *hp_udp_socket_new (const char *address, guint16 port,
                                guint number, GError **error);
/* The same, for one of many: it receives into the buffers of @other, so that
 * neither may be asked to receive inside the other's HpDatagramFunc. */
HpUdpSocket *hp_udp_socket_new_beside (const HpUdpSocket *other,
                                       const char *address, guint16 port,
                                       guint number, GError **error);
/* The same, for another thread: bound to the address of @first, of @n_shares
 * sockets the one that gets what hp-udp-steering.h says is for @share, from 1
 * on; @first is 0. In that order, in one thread, before anything is received.
 * NOT_SUPPORTED: the system has no such thing. */
HpUdpSocket *hp_udp_socket_new_sharing (HpUdpSocket *first, guint share,
                                        guint n_shares, guint number,
                                        GError **error);
/* Both: @other is a socket of the same thread */
HpUdpSocket *hp_udp_socket_new_sharing_beside (HpUdpSocket *first, guint share,
                                               guint n_shares,
                                               const HpUdpSocket *other,
                                               GError **error);
void hp_udp_socket_free (HpUdpSocket *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpUdpSocket, hp_udp_socket_free)
int hp_udp_socket_get_fd (const HpUdpSocket *self);
guint hp_udp_socket_get_number (const HpUdpSocket *self);
/* What it is bound to; the IP unspecified when bound to any */
const HpAddress *hp_udp_socket_get_address (const HpUdpSocket *self);
/* The address (with our port) that a datagram to @remote would leave from */
gboolean hp_udp_socket_get_source (HpUdpSocket *self, const HpAddress *remote,
                                   HpAddress *source);
/* UDP payload that the interface carries by which a datagram to @remote would
 * leave; 0: not known. Asks the system: not for each datagram. */
gsize hp_udp_socket_get_interface_size (HpUdpSocket *self,
                                        const HpAddress *remote);
gboolean hp_udp_socket_has_ipv6 (const HpUdpSocket *self);
/* What the system has granted: bytes of datagrams that wait in the kernel */
gsize hp_udp_socket_get_receive_buffer (const HpUdpSocket *self);
gsize hp_udp_socket_get_send_buffer (const HpUdpSocket *self);

typedef void (*HpDatagramFunc) (gpointer user_data,
                                const HpDatagram *datagram);
/* Receives datagrams, calling @func for each, and asks for no more when there
 * were @most, or some 200 KB; how many. Errors of single datagrams (ICMP) are
 * passed over. */
guint hp_udp_socket_receive (HpUdpSocket *self, guint most,
                             HpDatagramFunc func, gpointer user_data);
/* That was all, as far as could be told without asking in vain: what is left,
 * if anything, shows as readable */
gboolean hp_udp_socket_is_drained (const HpUdpSocket *self);

typedef enum
{
  HP_SEND_OK,
  HP_SEND_BLOCKED, /* try again when writable */
  HP_SEND_FAILED,  /* this datagram is lost: unreachable, too large … */
} HpSendResult;
HpSendResult hp_udp_socket_send (HpUdpSocket *self,
                                 const HpOutgoing *outgoing);

/* After HP_SEND_BLOCKED: waits @time µs at most; FALSE: in vain */
gboolean hp_udp_socket_await_writable (HpUdpSocket *self, gint64 time);

/* Datagrams that may go together, and the bytes of all of them */
#define HP_UDP_MAX_SEGMENTS 64
#define HP_UDP_MAX_SEGMENTS_SIZE 65000
/* @outgoing's bytes are several datagrams of @segment bytes, the last one at
 * most that long; the system's TTL. With HP_SEND_BLOCKED @outgoing is what is
 * left to be sent; FAILED: not all went. */
HpSendResult hp_udp_socket_send_segments (HpUdpSocket *self,
                                          HpOutgoing *outgoing,
                                          gsize segment);

/* What goes one way: see hp_udp_socket_send_segments() */
typedef struct
{
  HpOutgoing all;
  gsize segment;
} HpUdpRun;

#define HP_UDP_MAX_RUNS 64
/* The first of @runs, which go many ways, in one call; how many went. The one
 * after those is to be sent by itself, to learn what is the matter with it. */
guint hp_udp_socket_send_runs (HpUdpSocket *self, const HpUdpRun *runs,
                               guint n);
