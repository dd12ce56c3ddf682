/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-pcp.h"

#include <string.h>

#define ANSWER 0x80
#define PCP_ANNOUNCE 0
#define PCP_MAP 1
#define NAT_PMP_ADDRESS 0
#define NAT_PMP_MAP_UDP 1

static const guint8 mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* NONE is the unspecified IPv4 address: any (RFC 6887, section 5) */
static void
write_ip (HpWriter *writer, const HpAddress *address)
{
  if (address->family == HP_ADDRESS_IPV6)
    {
      hp_writer_bytes (writer, address->ip, 16);
      return;
    }
  hp_writer_bytes (writer, mapped_prefix, sizeof mapped_prefix);
  hp_writer_bytes (writer, address->ip, 4);
}

static void
read_ip (HpReader *reader, HpAddress *address)
{
  guint8 ip[16];

  hp_reader_copy (reader, ip, sizeof ip);
  memset (address->ip, 0, sizeof address->ip);
  if (memcmp (ip, mapped_prefix, sizeof mapped_prefix) == 0)
    {
      address->family = HP_ADDRESS_IPV4;
      memcpy (address->ip, ip + sizeof mapped_prefix, 4);
    }
  else
    {
      address->family = HP_ADDRESS_IPV6;
      memcpy (address->ip, ip, sizeof ip);
    }
}

static gsize
finish (const HpWriter *writer)
{
  return hp_writer_ok (writer) ? writer->offset : 0;
}

gsize
hp_pcp_write_map (const HpPcpMap *map, gpointer bytes, gsize capacity)
{
  HpWriter writer;

  hp_writer_init (&writer, bytes, capacity);
  hp_writer_u8 (&writer, HP_PCP_VERSION_PCP);
  hp_writer_u8 (&writer, PCP_MAP);
  hp_writer_u16 (&writer, 0);
  hp_writer_u32 (&writer, map->lifetime);
  write_ip (&writer, &map->client);
  hp_writer_bytes (&writer, map->nonce, sizeof map->nonce);
  hp_writer_u8 (&writer, HP_PCP_PROTOCOL_UDP);
  hp_writer_zeros (&writer, 3);
  hp_writer_u16 (&writer, map->client.port);
  hp_writer_u16 (&writer, map->external.port);
  write_ip (&writer, &map->external);
  return finish (&writer);
}

gsize
hp_nat_pmp_write_address (gpointer bytes, gsize capacity)
{
  HpWriter writer;

  hp_writer_init (&writer, bytes, capacity);
  hp_writer_u8 (&writer, HP_PCP_VERSION_NAT_PMP);
  hp_writer_u8 (&writer, NAT_PMP_ADDRESS);
  return finish (&writer);
}

gsize
hp_nat_pmp_write_map (const HpPcpMap *map, gpointer bytes, gsize capacity)
{
  HpWriter writer;

  hp_writer_init (&writer, bytes, capacity);
  hp_writer_u8 (&writer, HP_PCP_VERSION_NAT_PMP);
  hp_writer_u8 (&writer, NAT_PMP_MAP_UDP);
  hp_writer_u16 (&writer, 0);
  hp_writer_u16 (&writer, map->client.port);
  hp_writer_u16 (&writer, map->external.port);
  hp_writer_u32 (&writer, map->lifetime);
  return finish (&writer);
}

/* A refusal may be cut off after its head */
static gboolean
ends_here (const HpPcpAnswer *answer, const HpReader *reader)
{
  return answer->result != HP_PCP_SUCCESS && hp_reader_left (reader) == 0;
}

static void
read_pcp (HpPcpAnswer *answer, HpReader *reader)
{
  guint8 opcode = hp_reader_u8 (reader);

  (void) hp_reader_u8 (reader);
  answer->result = hp_reader_u8 (reader);
  answer->lifetime = hp_reader_u32 (reader);
  answer->epoch = hp_reader_u32 (reader);
  (void) hp_reader_bytes (reader, 12);
  if (opcode == (ANSWER | PCP_ANNOUNCE))
    {
      answer->opcode = HP_PCP_ANNOUNCE;
      return;
    }
  answer->opcode = HP_PCP_MAP;
  if (opcode != (ANSWER | PCP_MAP))
    reader->failed = TRUE;
  if (ends_here (answer, reader))
    return;
  hp_reader_copy (reader, answer->nonce, sizeof answer->nonce);
  answer->protocol = hp_reader_u8 (reader);
  (void) hp_reader_bytes (reader, 3);
  answer->internal_port = hp_reader_u16 (reader);
  answer->external.port = hp_reader_u16 (reader);
  read_ip (reader, &answer->external);
}

static void
read_nat_pmp (HpPcpAnswer *answer, HpReader *reader)
{
  guint8 opcode = hp_reader_u8 (reader);

  answer->protocol = HP_PCP_PROTOCOL_UDP;
  answer->result = hp_reader_u16 (reader);
  answer->epoch = hp_reader_u32 (reader);
  if (opcode == (ANSWER | NAT_PMP_ADDRESS))
    {
      answer->opcode = HP_PCP_ADDRESS;
      if (ends_here (answer, reader))
        return;
      answer->external.family = HP_ADDRESS_IPV4;
      hp_reader_copy (reader, answer->external.ip, 4);
      return;
    }
  answer->opcode = HP_PCP_MAP;
  if (opcode != (ANSWER | NAT_PMP_MAP_UDP))
    reader->failed = TRUE;
  if (ends_here (answer, reader))
    return;
  answer->internal_port = hp_reader_u16 (reader);
  answer->external.port = hp_reader_u16 (reader);
  answer->lifetime = hp_reader_u32 (reader);
}

gboolean
hp_pcp_parse (HpPcpAnswer *answer, gconstpointer bytes, gsize length)
{
  HpReader reader;

  memset (answer, 0, sizeof *answer);
  if (length > HP_PCP_ANSWER_MAX_SIZE)
    return FALSE;
  hp_reader_init (&reader, bytes, length);
  switch (hp_reader_u8 (&reader))
    {
    case HP_PCP_VERSION_PCP:
      answer->version = HP_PCP_VERSION_PCP;
      /* Options follow, in fours; we have asked for none. */
      if (length % 4 != 0)
        return FALSE;
      read_pcp (answer, &reader);
      break;
    case HP_PCP_VERSION_NAT_PMP:
      answer->version = HP_PCP_VERSION_NAT_PMP;
      read_nat_pmp (answer, &reader);
      break;
    default:
      return FALSE;
    }
  return hp_reader_ok (&reader);
}
