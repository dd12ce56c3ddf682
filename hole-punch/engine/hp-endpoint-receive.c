/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whose a datagram is. */

#include "hole-punch/engine/hp-endpoint-private.h"

#include "hole-punch/wire/hp-packet.h"

static void
give (HpEndpoint *self, HpParty *party, const HpDatagram *datagram)
{
  HpCall call;

  hp_endpoint_enter (self, &call, party, FALSE);
  party->klass->receive (party, datagram, self->now);
  if (hp_endpoint_leave (self, &call))
    hp_endpoint_touch (self, party);
}

static gboolean
give_stray (HpEndpoint *self, const HpDatagram *datagram)
{
  return self->stray != NULL
         && self->stray (self->user_data, datagram, self->now);
}

static void
answer_unknown (HpEndpoint *self, const HpDatagram *datagram)
{
  HpDataHeader header;
  HpUnknown unknown;
  HpWriter writer;
  guint8 bytes[HP_UNKNOWN_SIZE];
  HpOutgoing outgoing = { .route = datagram->route, .bytes = bytes };

  if (!self->answers_unknown || self->is_closed
      || !hp_packet_parse_data (&header, datagram->bytes, datagram->length))
    return;
  if (!hp_rate_limiter_take_address (self->unknown_answers,
                                     &datagram->route.remote, self->now))
    {
      self->statistics.dropped_rate_limited++;
      return;
    }
  unknown = (HpUnknown){ header.receiver_index, header.number };
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_unknown (&unknown, &writer);
  outgoing.length = writer.offset;
  hp_endpoint_send (self, &outgoing);
}

/* Most datagrams are for whom the one before was for. */
static HpParty *
find_by_index (HpEndpoint *self, guint32 index)
{
  HpParty *last = self->last_party;

  if (last != NULL && last->index / 2 == index / 2)
    return last;
  self->last_party
      = g_hash_table_lookup (self->by_index, GUINT_TO_POINTER (index / 2));
  return self->last_party;
}

static void
receive_by_index (HpEndpoint *self, const HpDatagram *datagram)
{
  guint32 index;
  HpParty *party;

  if (!hp_packet_get_receiver (datagram->bytes, datagram->length, &index))
    {
      self->statistics.dropped_unclaimed++;
      return;
    }
  party = find_by_index (self, index);
  if (party != NULL)
    {
      give (self, party, datagram);
      return;
    }
  if (give_stray (self, datagram))
    return;
  self->statistics.dropped_unknown_index++;
  answer_unknown (self, datagram);
}

static void
receive_by_ticket (HpEndpoint *self, const HpDatagram *datagram)
{
  HpInitiation initiation;
  HpProbe probe;
  guint64 number = 0;
  HpParty *party;

  if (datagram->bytes[0] == HP_PACKET_INITIATION
      && hp_packet_parse_initiation (&initiation, datagram->bytes,
                                     datagram->length))
    number = initiation.ticket_number;
  else if (datagram->bytes[0] == HP_PACKET_PROBE
           && hp_packet_parse_probe (&probe, datagram->bytes,
                                     datagram->length))
    number = probe.ticket_number;
  party = g_hash_table_lookup (self->by_ticket, &number);
  if (party != NULL)
    give (self, party, datagram);
  else if (!give_stray (self, datagram))
    self->statistics.dropped_unclaimed++;
}

/* Only a hint, and anybody can send one: not too many are passed on. */
static void
receive_unknown (HpEndpoint *self, const HpDatagram *datagram)
{
  if (!hp_rate_limiter_take_address (self->unknown_hints,
                                     &datagram->route.remote, self->now)
      || !hp_rate_limiter_take (self->unknown_hints_together, "", 0,
                                self->now))
    {
      self->statistics.dropped_rate_limited++;
      return;
    }
  /* A removal puts the last one in its place: one may miss a hint. */
  for (guint i = 0; i < self->parties->len; i++)
    give (self, g_ptr_array_index (self->parties, i), datagram);
}

static void
receive_ours (HpEndpoint *self, const HpDatagram *datagram)
{
  switch ((HpPacketType) datagram->bytes[0])
    {
    case HP_PACKET_RESPONSE:
    case HP_PACKET_DATA_0:
    case HP_PACKET_DATA_1:
      receive_by_index (self, datagram);
      break;
    case HP_PACKET_INITIATION:
    case HP_PACKET_PROBE:
      receive_by_ticket (self, datagram);
      break;
    case HP_PACKET_UNKNOWN:
      receive_unknown (self, datagram);
      break;
    case HP_PACKET_HELLO:
    case HP_PACKET_COOKIE:
      if (!give_stray (self, datagram))
        self->statistics.dropped_unclaimed++;
      break;
    }
}

void
hp_endpoint_take (gpointer endpoint, const HpDatagram *datagram)
{
  HpEndpoint *self = endpoint;

  if (self->is_closed)
    return;
  self->statistics.datagrams_received++;
  self->statistics.bytes_received += datagram->length;
  switch (hp_packet_classify (datagram->bytes, datagram->length))
    {
    case HP_PACKET_CLASS_OURS:
      receive_ours (self, datagram);
      break;
    case HP_PACKET_CLASS_STUN:
    case HP_PACKET_CLASS_TURN:
      if (!give_stray (self, datagram))
        self->statistics.dropped_unclaimed++;
      break;
    case HP_PACKET_CLASS_OTHER:
      self->statistics.dropped_unknown_type++;
      break;
    }
}
