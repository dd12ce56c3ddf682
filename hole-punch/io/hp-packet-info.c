/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-packet-info.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

struct _HpPacketInfo
{
  GSocketControlMessage parent;

  int level;
  int type;
  gsize size;
  union
  {
    struct in_pktinfo ipv4;
    struct in6_pktinfo ipv6;
    int number; /* the TTL, the traffic class, or the size of segments that
                   came */
    guint8 tos; /* what IPv4 had before the traffic class, that came */
    guint16 segment;
  } data;
};

G_DEFINE_FINAL_TYPE (HpPacketInfo, hp_packet_info,
                     G_TYPE_SOCKET_CONTROL_MESSAGE)

/* Asked for several times with each datagram: GObject has found the class's
 * functions already, which needs no further check of the type. */
static HpPacketInfo *
info_of (GSocketControlMessage *message)
{
  return (HpPacketInfo *) message;
}

static gsize
hp_packet_info_get_size (GSocketControlMessage *message)
{
  return info_of (message)->size;
}

static int
hp_packet_info_get_level (GSocketControlMessage *message)
{
  return info_of (message)->level;
}

static int
hp_packet_info_get_message_type (GSocketControlMessage *message)
{
  return info_of (message)->type;
}

static void
hp_packet_info_serialize (GSocketControlMessage *message, gpointer data)
{
  HpPacketInfo *self = info_of (message);

  memcpy (data, &self->data, self->size);
}

/* The size of the messages that we know, 0 for others */
static gsize
get_known_size (int level, int type)
{
  if (level == IPPROTO_IP && type == IP_PKTINFO)
    return sizeof (struct in_pktinfo);
  if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO)
    return sizeof (struct in6_pktinfo);
  if (level == IPPROTO_UDP && type == UDP_GRO)
    return sizeof (int);
  if (level == IPPROTO_IP && type == IP_TOS)
    return sizeof (guint8);
  if (level == IPPROTO_IPV6 && type == IPV6_TCLASS)
    return sizeof (int);
  return 0;
}

/* Datagram after datagram tells the same: the last few messages that came, of
 * each thread. Nobody changes one. */
#define N_RECENT 8

typedef struct
{
  HpPacketInfo *messages[N_RECENT];
  guint next;
} Recent;

static void
recent_free (gpointer data)
{
  Recent *recent = data;

  for (guint i = 0; i < N_RECENT; i++)
    g_clear_object (&recent->messages[i]);
  g_free (recent);
}

static Recent *
get_recent (void)
{
  static GPrivate private = G_PRIVATE_INIT (recent_free);
  Recent *recent = g_private_get (&private);

  if (recent == NULL)
    {
      recent = g_new0 (Recent, 1);
      g_private_set (&private, recent);
    }
  return recent;
}

static HpPacketInfo *
find_recent (const Recent *recent, int level, int type, gconstpointer data)
{
  for (guint i = 0; i < N_RECENT; i++)
    {
      HpPacketInfo *message = recent->messages[i];

      if (message != NULL && message->level == level && message->type == type
          && memcmp (&message->data, data, message->size) == 0)
        return message;
    }
  return NULL;
}

static GSocketControlMessage *
hp_packet_info_deserialize (int level, int type, gsize size, gpointer data)
{
  gsize known = get_known_size (level, type);
  HpPacketInfo *self;
  Recent *recent;

  if (known == 0 || size < known)
    return NULL;
  recent = get_recent ();
  self = find_recent (recent, level, type, data);
  if (self != NULL)
    return g_object_ref (&self->parent);
  self = g_object_new (HP_TYPE_PACKET_INFO, NULL);
  self->level = level;
  self->type = type;
  self->size = known;
  memcpy (&self->data, data, known);
  g_set_object (&recent->messages[recent->next], self);
  recent->next = (recent->next + 1) % N_RECENT;
  return &self->parent;
}

static void
hp_packet_info_class_init (HpPacketInfoClass *klass)
{
  GSocketControlMessageClass *message_class
      = G_SOCKET_CONTROL_MESSAGE_CLASS (klass);

  message_class->get_size = hp_packet_info_get_size;
  message_class->get_level = hp_packet_info_get_level;
  message_class->get_type = hp_packet_info_get_message_type;
  message_class->serialize = hp_packet_info_serialize;
  message_class->deserialize = hp_packet_info_deserialize;
}

static void
hp_packet_info_init (HpPacketInfo *self)
{
}

static void
set_ipv6 (struct in6_addr *to, const HpAddress *address)
{
  if (address->family == HP_ADDRESS_IPV6)
    {
      memcpy (to, address->ip, 16);
      return;
    }
  memset (to, 0, sizeof *to);
  to->s6_addr[10] = to->s6_addr[11] = 0xff;
  memcpy (to->s6_addr + 12, address->ip, 4);
}

GSocketControlMessage *
hp_packet_info_new_source (const HpAddress *local, gboolean is_ipv6_socket)
{
  HpPacketInfo *self = g_object_new (HP_TYPE_PACKET_INFO, NULL);

  if (is_ipv6_socket)
    {
      self->level = IPPROTO_IPV6;
      self->type = IPV6_PKTINFO;
      self->size = sizeof self->data.ipv6;
      set_ipv6 (&self->data.ipv6.ipi6_addr, local);
      self->data.ipv6.ipi6_ifindex = local->scope_id;
    }
  else
    {
      self->level = IPPROTO_IP;
      self->type = IP_PKTINFO;
      self->size = sizeof self->data.ipv4;
      memcpy (&self->data.ipv4.ipi_spec_dst, local->ip, 4);
    }
  return G_SOCKET_CONTROL_MESSAGE (self);
}

GSocketControlMessage *
hp_packet_info_new_ttl (guint ttl, HpAddressFamily family)
{
  HpPacketInfo *self = g_object_new (HP_TYPE_PACKET_INFO, NULL);

  self->level = family == HP_ADDRESS_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP;
  self->type = family == HP_ADDRESS_IPV6 ? IPV6_HOPLIMIT : IP_TTL;
  self->size = sizeof self->data.number;
  self->data.number = MIN (ttl, 255);
  return G_SOCKET_CONTROL_MESSAGE (self);
}

GSocketControlMessage *
hp_packet_info_new_ecn (HpEcn ecn, HpAddressFamily family)
{
  HpPacketInfo *self = g_object_new (HP_TYPE_PACKET_INFO, NULL);

  self->level = family == HP_ADDRESS_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP;
  self->type = family == HP_ADDRESS_IPV6 ? IPV6_TCLASS : IP_TOS;
  self->size = sizeof self->data.number;
  self->data.number = ecn;
  return G_SOCKET_CONTROL_MESSAGE (self);
}

GSocketControlMessage *
hp_packet_info_new_segment (guint16 segment)
{
  HpPacketInfo *self = g_object_new (HP_TYPE_PACKET_INFO, NULL);

  self->level = IPPROTO_UDP;
  self->type = UDP_SEGMENT;
  self->size = sizeof self->data.segment;
  self->data.segment = segment;
  return G_SOCKET_CONTROL_MESSAGE (self);
}

gboolean
hp_packet_info_get_segment (HpPacketInfo *self, gsize *segment)
{
  if (self->level != IPPROTO_UDP || self->type != UDP_GRO
      || self->data.number <= 0)
    return FALSE;
  *segment = self->data.number;
  return TRUE;
}

/* Of the traffic class they are the two low bits. */
gboolean
hp_packet_info_get_ecn (HpPacketInfo *self, guint8 *ecn)
{
  if (self->level == IPPROTO_IP && self->type == IP_TOS)
    *ecn = self->data.tos & HP_ECN_CE;
  else if (self->level == IPPROTO_IPV6 && self->type == IPV6_TCLASS)
    *ecn = self->data.number & HP_ECN_CE;
  else
    return FALSE;
  return TRUE;
}

gboolean
hp_packet_info_get_local (HpPacketInfo *self, HpAddress *local)
{
  if (self->level == IPPROTO_IP && self->type == IP_PKTINFO)
    {
      struct sockaddr_in in = { .sin_family = AF_INET };

      in.sin_addr = self->data.ipv4.ipi_addr;
      return hp_address_from_native (local, &in, sizeof in);
    }
  if (self->level == IPPROTO_IPV6 && self->type == IPV6_PKTINFO)
    {
      struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

      in6.sin6_addr = self->data.ipv6.ipi6_addr;
      in6.sin6_scope_id = self->data.ipv6.ipi6_ifindex;
      return hp_address_from_native (local, &in6, sizeof in6);
    }
  return FALSE;
}
