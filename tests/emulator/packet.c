/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "packet.h"

#include <string.h>

/* Larger ones are rare, and have memory of their own. */
#define USUAL_SIZE 1600

Packet *
packet_new (PacketPool *pool, gsize size)
{
  Packet *packet = pool->unused;

  if (size > USUAL_SIZE)
    packet = g_malloc (sizeof (Packet) + size);
  else if (packet == NULL)
    packet = g_malloc (sizeof (Packet) + USUAL_SIZE);
  else
    pool->unused = packet->next;
  packet->next = NULL;
  packet->size = size;
  return packet;
}

Packet *
packet_copy (PacketPool *pool, const Packet *packet)
{
  Packet *copy = packet_new (pool, packet->size);

  memcpy (copy, packet, sizeof (Packet) + packet->size);
  return copy;
}

void
packet_free (PacketPool *pool, Packet *packet)
{
  if (packet->size > USUAL_SIZE)
    {
      g_free (packet);
      return;
    }
  packet->next = pool->unused;
  pool->unused = packet;
}

void
packet_pool_clear (PacketPool *pool)
{
  Packet *packet;

  while ((packet = pool->unused) != NULL)
    {
      pool->unused = packet->next;
      g_free (packet);
    }
}

void
packet_list_append (PacketList *list, Packet *packet)
{
  packet->next = NULL;
  if (list->first == NULL)
    list->first = packet;
  else
    list->last->next = packet;
  list->last = packet;
}

/* The first one, or %NULL. */
Packet *
packet_list_pop (PacketList *list)
{
  Packet *packet = list->first;

  if (packet != NULL)
    list->first = packet->next;
  return packet;
}

/* RFC 1624: the header's checksum after one of its 16-bit words changed. */
static void
update_checksum (guint8 *header, guint before, guint after)
{
  guint32 sum = ~((guint32) header[10] << 8 | header[11]) & 0xffff;

  sum += (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~(sum + (sum >> 16)) & 0xffff;
  header[10] = sum >> 8;
  header[11] = sum & 0xff;
}

/* RFC 3168: "congestion experienced", on a packet whose sender understands
 * it.  FALSE for one that it cannot be said on. */
gboolean
packet_mark_congestion (Packet *packet)
{
  guint8 *header = packet->data;
  guint shift, before;

  if (packet->size < 20)
    return FALSE;
  shift = header[0] >> 4 == 6 ? 4 : 0;
  if ((header[1] >> shift & 3) == 0)
    return FALSE;
  before = header[0] << 8 | header[1];
  header[1] |= 3 << shift;
  if (shift == 0)
    update_checksum (header, before, header[0] << 8 | header[1]);
  return TRUE;
}
