/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A socket address as a plain value. GSocketAddress is for the edge only.
 *
 * IPv4-mapped IPv6 addresses (::ffff:a.b.c.d, what a dual-stack socket gives)
 * are always kept as IPv4.
 */

#pragma once

#include <gio/gio.h>

#include "hole-punch/base/hp-cursor.h"

typedef enum
{
  HP_ADDRESS_NONE = 0,
  HP_ADDRESS_IPV4 = 4,
  HP_ADDRESS_IPV6 = 6,
} HpAddressFamily;

/* How far an address reaches: RFC 1918, 3927, 4193, 4291, 6598 */
typedef enum
{
  HP_SCOPE_LOOPBACK,
  HP_SCOPE_LINK,    /* fe80::/10, 169.254/16 */
  HP_SCOPE_PRIVATE, /* RFC 1918, ULA */
  HP_SCOPE_CARRIER, /* 100.64/10 */
  HP_SCOPE_GLOBAL,
  HP_SCOPE_INVALID, /* unspecified, multicast, broadcast */
} HpAddressScope;

typedef struct
{
  guint8 family; /* HpAddressFamily */
  guint16 port;  /* host order */
  guint32 scope_id; /* of an IPv6 link-local address, else 0; never sent */
  guint8 ip[16]; /* network order; IPv4 in the first four, the rest zero */
} HpAddress;

/* Family, port and IP as on the wire: 7 or 19 bytes; NONE is one byte */
#define HP_ADDRESS_MAX_WIRE_SIZE 19

/* Which socket of ours, from where, to where: one way to send a datagram */
typedef struct
{
  guint socket;     /* number of the socket within its endpoint */
  HpAddress local;  /* our address (its port may be 0), or NONE: any */
  HpAddress remote;
} HpRoute;

/* What the network may say of congestion in a datagram's IP header (RFC 3168,
 * section 5) */
typedef enum
{
  HP_ECN_NOT_ECT = 0, /* it says it by losses */
  HP_ECN_ECT_1 = 1,
  HP_ECN_ECT_0 = 2,   /* may become CE instead of being lost */
  HP_ECN_CE = 3,      /* congestion experienced */
} HpEcn;

/* A datagram that came in; its bytes may be changed in place */
typedef struct
{
  HpRoute route;
  guint8 *bytes;
  gsize length;
  guint8 ecn; /* HpEcn */
} HpDatagram;

gboolean hp_address_equal (gconstpointer a, gconstpointer b);
guint hp_address_hash (gconstpointer address);
gboolean hp_address_same_host (const HpAddress *a, const HpAddress *b);
/* What one customer usually has, /24 of IPv4 and /48 of IPv6: the family and
 * so many bytes. Gives how many bytes these are. */
#define HP_ADDRESS_PREFIX_SIZE 7
gsize hp_address_get_prefix (const HpAddress *self,
                             guint8 prefix[HP_ADDRESS_PREFIX_SIZE]);
HpAddressScope hp_address_get_scope (const HpAddress *self);
/* Not HP_SCOPE_GLOBAL nor HP_SCOPE_INVALID */
gboolean hp_address_is_private (const HpAddress *self);
/* Can be a datagram's destination: a family, a port, no multicast */
gboolean hp_address_is_usable (const HpAddress *self);

gboolean hp_address_from_socket_address (HpAddress *self,
                                         GSocketAddress *address);
/* (transfer full), NULL if NONE */
GSocketAddress *hp_address_to_socket_address (const HpAddress *self);
gboolean hp_address_from_native (HpAddress *self, gconstpointer sockaddr,
                                 gsize length);
/* @sockaddr: room for a struct sockaddr_in6; how long it is, 0 if NONE */
gsize hp_address_to_native (const HpAddress *self, gpointer sockaddr);
/* "192.0.2.1:4222", "[2001:db8::1]:4222"; an IPv6 address may need brackets */
gboolean hp_address_parse (HpAddress *self, const char *text);
char *hp_address_to_string (const HpAddress *self);

void hp_address_write (const HpAddress *self, HpWriter *writer);
/* Fails @reader on an unknown family, and on an IPv4-mapped address: each
 * address has one form on the wire */
void hp_address_read (HpAddress *self, HpReader *reader);

gboolean hp_route_equal (const HpRoute *a, const HpRoute *b);
