/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-endpoint-private.h"

#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-source.h"
#include "hole-punch/wire/hp-packet.h"

#include <string.h>

/* Bounds of one dispatch, so that whatever else lives in the context gets its
 * turn; what is left is done in the next one. Half of them in time is for what
 * comes in, half for what goes out. Each is looked at between batches, of which
 * one takes 0.1 ms when it is full, so that together with that a dispatch is
 * over within 1.5 ms, but for what the user's own handlers take: a frame on a
 * screen has 16 ms. */
#define MAX_RECEIVED 512
#define MAX_RECEIVE_TIME (500 /* µs */)
#define MAX_SENT 512
#define MAX_SEND_TIME (500 /* µs */)
#define MAX_VISITS 256
#define MAX_EXPIRED 256
/* Datagrams received before the clock is looked at */
#define RECEIVE_QUOTA 64
/* Dispatches in a row with nothing left over before the endpoint has its usual
 * priority again */
#define MAX_LULLS 16
/* Datagrams of one party before it is the next one's turn, and bytes; fewer
 * when they fill a batch */
#define QUOTA 63
#define QUOTA_SIZE HP_UDP_MAX_SEGMENTS_SIZE
/* What a party may still send when it is removed: a match server says goodbye
 * to each of its clients */
#define FLUSH_QUOTA (1024 * 1024)

static void
enter_call (HpEndpoint *self, HpCall *call, HpParty *party, gboolean is_pull)
{
  *call = (HpCall){ party, is_pull, self->calls };
  self->calls = call;
}

/* Whether the party is still there */
static gboolean
leave_call (HpEndpoint *self, HpCall *call)
{
  g_assert (self->calls == call);
  self->calls = call->outer;
  return call->party != NULL;
}

void
hp_endpoint_touch (HpEndpoint *self, HpParty *party)
{
  if (party->is_touched)
    return;
  party->is_touched = TRUE;
  party->touched_link.data = party;
  g_queue_push_tail_link (&self->touched, &party->touched_link);
}

void
hp_endpoint_untouch (HpEndpoint *self, HpParty *party)
{
  if (!party->is_touched)
    return;
  party->is_touched = FALSE;
  g_queue_unlink (&self->touched, &party->touched_link);
}

/* Sending */

gboolean
hp_endpoint_is_blocked (const HpEndpoint *self)
{
  return self->kept.head != NULL;
}

HpSendResult
hp_endpoint_transmit (HpEndpoint *self, HpOutgoing *outgoing, gsize segment)
{
  gsize before = outgoing->length;
  gsize sent = before;
  HpSendResult result
      = hp_udp_socket_send_segments (self->socket, outgoing, segment);

  switch (result)
    {
    case HP_SEND_OK:
      break;
    case HP_SEND_FAILED:
      self->statistics.send_failures++;
      return result;
    case HP_SEND_BLOCKED:
      sent = before - outgoing->length;
      break;
    }
  self->statistics.datagrams_sent += (sent + segment - 1) / segment;
  self->statistics.bytes_sent += sent;
  return result;
}

static void
keep (HpEndpoint *self, const HpSendBatch *batch)
{
  HpKept *kept = g_malloc (sizeof *kept + batch->all.length);

  memcpy (kept->bytes, batch->all.bytes, batch->all.length);
  kept->outgoing = batch->all;
  kept->outgoing.bytes = kept->bytes;
  kept->segment = batch->segment;
  g_queue_push_tail (&self->kept, kept);
  hp_udp_source_want_writable (self->source,
                               hp_udp_socket_get_fd (self->socket), TRUE);
}

static void
send_kept (HpEndpoint *self)
{
  HpKept *kept;

  while ((kept = g_queue_peek_head (&self->kept)) != NULL)
    {
      if (hp_endpoint_transmit (self, &kept->outgoing, kept->segment)
          == HP_SEND_BLOCKED)
        return;
      g_free (g_queue_pop_head (&self->kept));
    }
  hp_udp_source_want_writable (self->source,
                               hp_udp_socket_get_fd (self->socket), FALSE);
}

static void
send_batch (HpEndpoint *self, HpSendBatch *batch)
{
  if (hp_send_batch_is_empty (batch) || self->is_closed)
    return;
  if (hp_endpoint_is_blocked (self)
      || hp_endpoint_transmit (self, &batch->all, batch->segment)
             == HP_SEND_BLOCKED)
    keep (self, batch);
  hp_send_batch_empty (batch);
}

typedef enum
{
  PULL_IDLE, /* nothing left */
  PULL_MORE, /* the quota is used up */
  PULL_GONE, /* the party was removed meanwhile */
} PullResult;

/* @batch is empty at first. A full one is a turn, or as many bytes, unless
 * @quota says more. */
static PullResult
pull_into_batch (HpEndpoint *self, HpParty *party, HpSendBatch *batch,
                 guint quota, guint *sent)
{
  gint64 now = self->now;
  gsize size = 0;

  for (guint i = 0; i < quota && !hp_endpoint_is_blocked (self); i++)
    {
      HpOutgoing outgoing;
      gboolean is_there;
      gboolean pulled;
      HpCall call;

      hp_send_batch_prepare (batch, &outgoing);
      enter_call (self, &call, party, TRUE);
      pulled = party->klass->pull (party, &outgoing, now);
      is_there = leave_call (self, &call);
      *sent += pulled;
      if (pulled && outgoing.length > 0
          && !hp_send_batch_join (batch, &outgoing))
        {
          send_batch (self, batch);
          hp_send_batch_begin (batch, &outgoing);
        }
      if (!is_there)
        return PULL_GONE;
      if (!pulled)
        return PULL_IDLE;
      size += outgoing.length;
      if (quota <= QUOTA
          && (size >= QUOTA_SIZE || hp_send_batch_is_full (batch)))
        break;
      if (hp_send_batch_is_full (batch))
        send_batch (self, batch);
    }
  return PULL_MORE;
}

static PullResult
pull_party (HpEndpoint *self, HpParty *party, HpSendBatch *batch, guint quota,
            guint *sent)
{
  guint before = *sent;
  PullResult result = pull_into_batch (self, party, batch, quota, sent);

  send_batch (self, batch);
  if (*sent != before)
    self->now = hp_clock_now ();
  return result;
}

gboolean
hp_endpoint_flush (HpEndpoint *self, HpParty *party)
{
  PullResult result;
  HpSendBatch batch;
  guint sent = 0;

  for (HpCall *call = self->calls; call != NULL; call = call->outer)
    if (call->party == party && call->is_pull)
      return TRUE;
  if (hp_endpoint_is_blocked (self))
    return TRUE;
  self->now = hp_clock_now ();
  /* Not the endpoint's: this may happen inside another party's pull. */
  hp_send_batch_init (&batch);
  result = pull_party (self, party, &batch, FLUSH_QUOTA, &sent);
  hp_send_batch_clear (&batch);
  return result != PULL_GONE;
}

/* Receiving */

static void
give (HpEndpoint *self, HpParty *party, const HpDatagram *datagram)
{
  HpCall call;

  enter_call (self, &call, party, FALSE);
  party->klass->receive (party, datagram, self->now);
  if (leave_call (self, &call))
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

static void
on_datagram (gpointer user_data, const HpDatagram *datagram)
{
  HpEndpoint *self = user_data;

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

/* The dispatch */

/* FALSE: something may be left */
static gboolean
receive_all (HpEndpoint *self)
{
  gint64 until = self->now + MAX_RECEIVE_TIME;
  gboolean is_drained = FALSE;
  guint received = 0;

  self->is_receiving = TRUE;
  while (!self->is_closed && !is_drained && received < MAX_RECEIVED
         && self->now < until)
    {
      received += hp_udp_socket_receive (self->socket, RECEIVE_QUOTA,
                                         on_datagram, self);
      is_drained = hp_udp_socket_is_drained (self->socket);
      self->now = hp_clock_now ();
    }
  self->is_receiving = FALSE;
  return is_drained;
}

static void
expire_due (HpEndpoint *self)
{
  gint64 now = self->now;

  for (guint i = 0; i < MAX_EXPIRED && !self->is_closed; i++)
    {
      HpParty *party = hp_deadline_heap_peek (&self->deadlines);
      HpCall call;

      if (party == NULL || party->deadline > now)
        return;
      /* Its next deadline is asked for when all else is done. */
      hp_deadline_heap_set (&self->deadlines, party, G_MAXINT64);
      enter_call (self, &call, party, FALSE);
      party->klass->expire (party, now);
      if (leave_call (self, &call))
        hp_endpoint_touch (self, party);
    }
}

static void
update_deadline (HpEndpoint *self, HpParty *party)
{
  gint64 deadline = party->klass->get_deadline (party, self->now);

  hp_deadline_heap_set (&self->deadlines, party, deadline);
}

static void
visit_party (HpEndpoint *self, HpParty *party, guint *sent)
{
  PullResult result = pull_party (self, party, &self->batch, QUOTA, sent);
  HpCall call;

  if (result == PULL_GONE)
    return;
  enter_call (self, &call, party, FALSE);
  party->klass->deliver (party, self->now);
  if (!leave_call (self, &call))
    return;
  if (result == PULL_MORE)
    hp_endpoint_touch (self, party);
  /* Its next visit will ask. */
  if (party->is_touched)
    hp_deadline_heap_set (&self->deadlines, party, G_MAXINT64);
  else
    update_deadline (self, party);
}

static void
visit_touched (HpEndpoint *self)
{
  gint64 until = self->now + MAX_SEND_TIME;
  guint visits = 0;
  guint sent = 0;

  while (self->touched.head != NULL && !hp_endpoint_is_blocked (self)
         && visits < MAX_VISITS && sent < MAX_SENT && self->now < until)
    {
      HpParty *party = self->touched.head->data;

      hp_endpoint_untouch (self, party);
      visit_party (self, party, &sent);
      visits++;
      self->now = hp_clock_now ();
    }
}

static gboolean
has_backlog (const HpEndpoint *self)
{
  return self->touched.head != NULL && !hp_endpoint_is_blocked (self);
}

/* @is_busy: there was more to do than one dispatch does. Then whoever has a
 * lower priority, such as a redraw, is to have its turn before the rest. To
 * change the priority makes the context look at its file descriptors anew, so
 * it is not taken back at the first lull. */
static void
set_priority (HpEndpoint *self, gboolean is_busy)
{
  int priority = g_source_get_priority (self->source);

  if (is_busy)
    {
      self->lulls = 0;
      if (priority != G_PRIORITY_DEFAULT_IDLE)
        g_source_set_priority (self->source, G_PRIORITY_DEFAULT_IDLE);
    }
  else if (priority != G_PRIORITY_DEFAULT && ++self->lulls == MAX_LULLS)
    {
      g_source_set_priority (self->source, G_PRIORITY_DEFAULT);
    }
}

static void
arm (HpEndpoint *self)
{
  HpParty *party = hp_deadline_heap_peek (&self->deadlines);

  if (has_backlog (self))
    hp_udp_source_set_deadline (self->source, 0);
  else
    hp_udp_source_set_deadline (self->source, party != NULL ? party->deadline
                                                            : G_MAXINT64);
}

void
hp_endpoint_dispatch (gpointer endpoint, guint64 readable,
                      guint64 writable)
{
  g_autoptr (HpEndpoint) self = hp_endpoint_ref (endpoint);
  gboolean is_drained = TRUE;

  self->is_dispatching = TRUE;
  if (writable != 0)
    send_kept (self);
  self->now = hp_clock_now ();
  if (readable != 0)
    is_drained = receive_all (self);
  expire_due (self);
  visit_touched (self);
  self->is_dispatching = FALSE;
  if (self->is_closed)
    g_clear_pointer (&self->socket, hp_udp_socket_free);
  else
    {
      set_priority (self, !is_drained || has_backlog (self));
      arm (self);
    }
}

/* Neither inside of a callback, nor before others that wait */
static gboolean
may_hurry (HpEndpoint *self)
{
  return !self->is_closed && !self->is_dispatching && self->calls == NULL
         && self->touched.head == NULL && !hp_endpoint_is_blocked (self)
         && self->hurried_in != hp_udp_source_get_turn (self->source);
}

void
hp_endpoint_hurry (HpEndpoint *self, HpParty *party)
{
  guint sent = 0;

  if (party->endpoint == NULL)
    return;
  g_assert (party->endpoint == self);

  if (!may_hurry (self) || !g_main_context_acquire (self->context))
    {
      hp_endpoint_wake (self, party);
      return;
    }
  self->hurried_in = hp_udp_source_get_turn (self->source);
  self->now = hp_clock_now ();
  switch (pull_party (self, party, &self->batch, QUOTA, &sent))
    {
    case PULL_GONE:
      break;
    case PULL_MORE:
      hp_endpoint_wake (self, party);
      break;
    case PULL_IDLE:
      update_deadline (self, party);
      if (!self->is_closed)
        arm (self);
      break;
    }
  g_main_context_release (self->context);
}
