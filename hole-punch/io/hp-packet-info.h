/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a datagram's control messages (cmsg(3)) tell and ask besides its bytes:
 * to which of our addresses it came, from which it is to leave, how far it may
 * go (RFC 3542, section 6; ip(7)), what it says of congestion (RFC 3168;
 * RFC 3542, section 6.5), and that it is several in one (segmentation and
 * receive offload, udp(7)).
 *
 * On a dual-stack socket Linux tells the address of an IPv4 datagram in an
 * IPV6_PKTINFO, mapped. All else of it has the options of IPv4 on either kind
 * of socket.
 */

#pragma once

#include <sys/socket.h>

#include "hole-punch/base/hp-address.h"

/* Room for all that we ask for at once, and for all that we are told */
typedef union
{
  struct cmsghdr alignment;
  guint8 bytes[192];
} HpPacketInfo;

/* @message, without control messages so far, gets room for some. */
void hp_packet_info_begin (HpPacketInfo *self, struct msghdr *message);
/* Leave from @local, to a destination of its family */
void hp_packet_info_add_source (struct msghdr *message,
                                const HpAddress *local);
/* Go at most @ttl hops to a destination of @family */
void hp_packet_info_add_ttl (struct msghdr *message, guint ttl,
                             HpAddressFamily family);
/* Be marked @ecn on the way to a destination of @family */
void hp_packet_info_add_ecn (struct msghdr *message, HpEcn ecn,
                             HpAddressFamily family);
/* The bytes are several datagrams of @segment bytes; the last may be shorter */
void hp_packet_info_add_segment (struct msghdr *message, guint16 segment);

/* What @message, that came, tells of each of its datagrams: the address that
 * it came to, its port 0, and its mark; and their size, if it is several of
 * one size. What is not told stays as it is. */
void hp_packet_info_read (struct msghdr *message, HpDatagram *each,
                          gsize *segment);
