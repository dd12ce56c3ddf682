/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* Where a packet comes from and goes to, to be read and to be rewritten. */

/* IPv4 addresses are written as in RFC 4291, section 2.5.5.2: ::ffff:… */
typedef struct
{
  guint8 address[16];
  guint16 port;
} Endpoint;

typedef enum
{
  PACKET_UDP,
  PACKET_TCP,
  PACKET_ECHO,  /* ICMP echo, whose identifier is the inner side's port */
  PACKET_ERROR, /* ICMP about a packet that is quoted */
  PACKET_OTHER,
  PACKET_FRAGMENT, /* one without ports */
  PACKET_MALFORMED,
} PacketKind;

typedef struct
{
  PacketKind kind;
  gboolean ipv6;
  gboolean is_reply;  /* of an echo */
  gboolean is_summed; /* else the transport's checksum is left to do */
  guint8 *ip;
  guint8 *transport;
  gsize transport_size;
  Endpoint source, destination;
} Headers;

void headers_parse (Headers *self, guint8 *data, gsize size,
                    gboolean is_summed);
gboolean headers_parse_quoted (Headers *self, const Headers *outer);

void headers_set_source (Headers *self, const Endpoint *source);
void headers_set_destination (Headers *self, const Endpoint *destination);
void headers_sum_error (Headers *self);
gboolean headers_pass_hop (Headers *self);
gboolean headers_end_connection (const Headers *self);

gboolean endpoint_parse_address (Endpoint *self, const char *text);
char *endpoint_write_address (const Endpoint *self);
gboolean endpoint_has_address_of (const Endpoint *self, const Endpoint *other);
