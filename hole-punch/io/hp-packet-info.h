/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a datagram's control messages tell and ask besides its bytes: to which
 * of our addresses it came, from which it is to leave, how far it may go
 * (RFC 3542, section 6; ip(7)), what it says of congestion (RFC 3168; RFC 3542,
 * section 6.5), and that it is several in one (segmentation and receive
 * offload, udp(7)).
 *
 * On a dual-stack socket Linux tells the address of an IPv4 datagram in an
 * IPV6_PKTINFO, mapped, and takes it so; its TTL and its mark have the options
 * of IPv4 on either kind of socket.
 */

#pragma once

#include "hole-punch/base/hp-address.h"

#define HP_TYPE_PACKET_INFO (hp_packet_info_get_type ())
G_DECLARE_FINAL_TYPE (HpPacketInfo, hp_packet_info, HP, PACKET_INFO,
                      GSocketControlMessage)

/* Leave from @local, on a socket of IPv6 or IPv4 */
GSocketControlMessage *hp_packet_info_new_source (const HpAddress *local,
                                                  gboolean is_ipv6_socket);
/* Go at most @ttl hops to a destination of @family */
GSocketControlMessage *hp_packet_info_new_ttl (guint ttl,
                                               HpAddressFamily family);
/* Be marked @ecn on the way to a destination of @family */
GSocketControlMessage *hp_packet_info_new_ecn (HpEcn ecn,
                                               HpAddressFamily family);
/* The bytes are several datagrams of @segment bytes; the last may be shorter */
GSocketControlMessage *hp_packet_info_new_segment (guint16 segment);
/* The same of bytes that came; FALSE: this is a message of another kind */
gboolean hp_packet_info_get_segment (HpPacketInfo *self, gsize *segment);
/* How what came is marked (HpEcn); FALSE: this is a message of another kind */
gboolean hp_packet_info_get_ecn (HpPacketInfo *self, guint8 *ecn);
/* The address that a datagram came to, its port 0; FALSE: this is a message
 * of another kind */
gboolean hp_packet_info_get_local (HpPacketInfo *self, HpAddress *local);
