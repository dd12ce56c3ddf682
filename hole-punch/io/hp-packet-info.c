/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-packet-info.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

/* Sending */

void
hp_packet_info_begin (HpPacketInfo *self, struct msghdr *message)
{
  message->msg_control = self->bytes;
  message->msg_controllen = 0;
}

static void
add (struct msghdr *message, int level, int type, gconstpointer data,
     gsize size)
{
  guint8 *end = (guint8 *) message->msg_control + message->msg_controllen;
  struct cmsghdr *header = (struct cmsghdr *) (gpointer) end;

  g_assert (message->msg_controllen + CMSG_SPACE (size)
            <= sizeof (HpPacketInfo));

  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN (size);
  memcpy (CMSG_DATA (header), data, size);
  message->msg_controllen += CMSG_SPACE (size);
}

void
hp_packet_info_add_source (struct msghdr *message, const HpAddress *local)
{
  if (local->family == HP_ADDRESS_IPV6)
    {
      struct in6_pktinfo info = { .ipi6_ifindex = local->scope_id };

      memcpy (&info.ipi6_addr, local->ip, 16);
      add (message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
  else
    {
      struct in_pktinfo info = { 0 };

      memcpy (&info.ipi_spec_dst, local->ip, 4);
      add (message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
}

static void
add_number (struct msghdr *message, HpAddressFamily family, int type,
            int ipv6_type, int number)
{
  if (family == HP_ADDRESS_IPV6)
    add (message, IPPROTO_IPV6, ipv6_type, &number, sizeof number);
  else
    add (message, IPPROTO_IP, type, &number, sizeof number);
}

void
hp_packet_info_add_ttl (struct msghdr *message, guint ttl,
                        HpAddressFamily family)
{
  add_number (message, family, IP_TTL, IPV6_HOPLIMIT, MIN (ttl, 255));
}

void
hp_packet_info_add_ecn (struct msghdr *message, HpEcn ecn,
                        HpAddressFamily family)
{
  add_number (message, family, IP_TOS, IPV6_TCLASS, ecn);
}

void
hp_packet_info_add_segment (struct msghdr *message, guint16 segment)
{
  add (message, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
}

/* Receiving */

/* FALSE: @header has another size, and is none that we know */
static gboolean
take (const struct cmsghdr *header, gpointer data, gsize size)
{
  if (header->cmsg_len < CMSG_LEN (size))
    return FALSE;
  memcpy (data, CMSG_DATA (header), size);
  return TRUE;
}

static void
read_ipv4 (const struct cmsghdr *header, HpDatagram *each)
{
  struct sockaddr_in in = { .sin_family = AF_INET };
  struct in_pktinfo info;
  guint8 tos; /* of which the mark is the two low bits */

  if (header->cmsg_type == IP_PKTINFO && take (header, &info, sizeof info))
    {
      in.sin_addr = info.ipi_addr;
      hp_address_from_native (&each->route.local, &in, sizeof in);
    }
  else if (header->cmsg_type == IP_TOS && take (header, &tos, sizeof tos))
    {
      each->ecn = tos & HP_ECN_CE;
    }
}

static void
read_ipv6 (const struct cmsghdr *header, HpDatagram *each)
{
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
  struct in6_pktinfo info;
  int class; /* as the TOS */

  if (header->cmsg_type == IPV6_PKTINFO && take (header, &info, sizeof info))
    {
      in6.sin6_addr = info.ipi6_addr;
      in6.sin6_scope_id = info.ipi6_ifindex;
      hp_address_from_native (&each->route.local, &in6, sizeof in6);
    }
  else if (header->cmsg_type == IPV6_TCLASS
           && take (header, &class, sizeof class))
    {
      each->ecn = class & HP_ECN_CE;
    }
}

static void
read_udp (const struct cmsghdr *header, gsize *segment)
{
  int size;

  if (header->cmsg_type == UDP_GRO && take (header, &size, sizeof size)
      && size > 0)
    *segment = size;
}

void
hp_packet_info_read (struct msghdr *message, HpDatagram *each, gsize *segment)
{
  for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header != NULL;
       header = CMSG_NXTHDR (message, header))
    switch (header->cmsg_level)
      {
      case IPPROTO_IP:
        read_ipv4 (header, each);
        break;
      case IPPROTO_IPV6:
        read_ipv6 (header, each);
        break;
      case IPPROTO_UDP:
        read_udp (header, segment);
        break;
      default:
        break;
      }
}
