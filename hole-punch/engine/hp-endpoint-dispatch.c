/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-endpoint-private.h"

#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-source.h"

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
/* Datagrams received before the clock is looked at: fewer where they take
 * longer, as handshakes do, a thousand times of a keepalive */
#define MAX_RECEIVE_QUOTA 64
#define MIN_RECEIVE_QUOTA 2
#define MAX_QUOTA_TIME (MAX_RECEIVE_TIME / 2)
#define MIN_QUOTA_TIME (MAX_RECEIVE_TIME / 8)
/* Datagrams that are received or sent sooner than it is worth to look at the
 * clock again, which takes 25 ns */
#define TIMELESS 4
/* Dispatches in a row with nothing left over before the endpoint has its usual
 * priority again */
#define MAX_LULLS 16
/* Datagrams of one party before it is the next one's turn, and bytes; fewer
 * when they fill a batch */
#define QUOTA 63
#define QUOTA_SIZE HP_UDP_MAX_SEGMENTS_SIZE
/* Bytes of what comes in and goes out in a dispatch, both together, that may be
 * one of many short exchanges: more is one of a large transfer, where it saves
 * to let some gather */
#define MAX_EXCHANGE 8192
/* What a party may still send when it is removed: a match server says goodbye
 * to each of its clients */
#define FLUSH_QUOTA (1024 * 1024)

void
hp_endpoint_enter (HpEndpoint *self, HpCall *call, HpParty *party,
                   gboolean is_pull)
{
  *call = (HpCall){ party, is_pull, self->calls };
  self->calls = call;
}

gboolean
hp_endpoint_leave (HpEndpoint *self, HpCall *call)
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

static void
send_batch (HpEndpoint *self, HpSendBatch *batch)
{
  if (hp_send_batch_is_empty (batch) || self->is_closed)
    return;
  hp_endpoint_send_runs (self, batch->runs, batch->n);
  hp_send_batch_empty (batch);
}

typedef enum
{
  PULL_IDLE, /* nothing left */
  PULL_MORE, /* the quota is used up */
  PULL_GONE, /* the party was removed meanwhile */
} PullResult;

/* A full batch is a turn, or as many bytes, unless @quota says more. */
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
      hp_endpoint_enter (self, &call, party, TRUE);
      pulled = party->klass->pull (party, &outgoing, now);
      is_there = hp_endpoint_leave (self, &call);
      *sent += pulled;
      if (pulled && outgoing.length > 0)
        hp_send_batch_add (batch, &outgoing);
      if (!is_there)
        return PULL_GONE;
      if (!pulled || outgoing.is_last)
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
  if (*sent - before > TIMELESS)
    self->now = hp_clock_now ();
  return result;
}

gboolean
hp_endpoint_flush (HpEndpoint *self, HpParty *party)
{
  PullResult result = PULL_MORE;
  HpSendBatch batch;
  guint sent = 0;

  for (HpCall *call = self->calls; call != NULL; call = call->outer)
    if (call->party == party && call->is_pull)
      return TRUE;
  /* Not the endpoint's: this may happen inside another party's pull. */
  hp_send_batch_init (&batch);
  while (result == PULL_MORE && sent < FLUSH_QUOTA
         && hp_endpoint_unblock (self))
    {
      self->now = hp_clock_now ();
      result = pull_party (self, party, &batch, FLUSH_QUOTA - sent, &sent);
    }
  hp_send_batch_clear (&batch);
  return result != PULL_GONE;
}

/* The dispatch */

static void
adapt_quota (HpEndpoint *self, gint64 taken)
{
  if (taken > MAX_QUOTA_TIME)
    self->receive_quota = MAX (self->receive_quota / 2, MIN_RECEIVE_QUOTA);
  else if (taken < MIN_QUOTA_TIME)
    self->receive_quota = MIN (self->receive_quota * 2, MAX_RECEIVE_QUOTA);
}

/* FALSE: something may be left */
static gboolean
receive_from_main (HpEndpoint *self, guint most, gint64 until)
{
  gboolean is_drained = FALSE;
  guint received = 0;

  self->receiving = &self->main;
  if (self->receive_quota == 0)
    self->receive_quota = MAX_RECEIVE_QUOTA;
  while (!self->is_closed && !is_drained && received < most
         && self->now < until)
    {
      gint64 before = self->now;
      guint n = hp_udp_socket_receive (self->main.socket, self->receive_quota,
                                       hp_endpoint_take, self);

      received += n;
      is_drained = hp_udp_socket_is_drained (self->main.socket);
      if (n <= TIMELESS && is_drained)
        break;
      self->now = hp_clock_now ();
      adapt_quota (self, self->now - before);
    }
  self->receiving = NULL;
  return is_drained;
}

static gboolean
receive_all (HpEndpoint *self, guint64 readable)
{
  guint parts = readable == (HP_ENDPOINT_MAIN | HP_ENDPOINT_FURTHER) ? 2 : 1;
  guint most = MAX_RECEIVED / parts;
  gint64 time = MAX_RECEIVE_TIME / parts;
  gboolean is_drained = TRUE;

  if ((readable & HP_ENDPOINT_MAIN) != 0)
    is_drained = receive_from_main (self, most, self->now + time);
  if ((readable & HP_ENDPOINT_FURTHER) != 0 && !self->is_closed)
    is_drained
        &= hp_endpoint_receive_from_further (self, most, self->now + time);
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
      hp_endpoint_enter (self, &call, party, FALSE);
      party->klass->expire (party, now);
      if (hp_endpoint_leave (self, &call))
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
  hp_endpoint_enter (self, &call, party, FALSE);
  party->klass->deliver (party, self->now);
  if (!hp_endpoint_leave (self, &call))
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
      if (self->touched.head != NULL)
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

  if (self->is_steadfast)
    return;
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

/* After bytes that came, if any, and what was said then */
static void
look_out (HpEndpoint *self, guint64 received, guint64 sent)
{
  guint turn = hp_udp_source_get_turn (self->source);

  if (!self->is_busy_polling || sent == 0 || received + sent > MAX_EXCHANGE)
    return;
  hp_udp_source_stay_awake (
      self->source,
      hp_busy_poll_asked (&self->busy_poll, turn, hp_clock_now ()));
}

static void
hear (HpEndpoint *self)
{
  hp_busy_poll_heard (&self->busy_poll, hp_udp_source_get_turn (self->source),
                      self->now);
  hp_udp_source_stay_awake (self->source, 0);
}

void
hp_endpoint_dispatch (gpointer endpoint, guint64 readable,
                      guint64 writable)
{
  g_autoptr (HpEndpoint) self = hp_endpoint_ref (endpoint);
  guint64 received = self->statistics.bytes_received;
  guint64 sent = self->statistics.bytes_sent;
  gboolean is_drained = TRUE;

  self->is_dispatching = TRUE;
  if (writable != 0)
    hp_endpoint_send_kept (self, &self->main);
  self->now = hp_clock_now ();
  if (readable != 0)
    {
      hear (self);
      is_drained = receive_all (self, readable);
    }
  expire_due (self);
  visit_touched (self);
  self->is_dispatching = FALSE;
  if (self->is_closed)
    g_clear_pointer (&self->main.socket, hp_udp_socket_free);
  else
    {
      set_priority (self, !is_drained || has_backlog (self));
      arm (self);
      if (readable != 0)
        look_out (self, self->statistics.bytes_received - received,
                  self->statistics.bytes_sent - sent);
    }
}

/* Not inside of another one's callback, nor its own pull() */
static gboolean
is_at_hand (const HpEndpoint *self, const HpParty *party)
{
  const HpCall *call = self->calls;

  if (call == NULL)
    return !self->is_dispatching;
  return call->party == party && !call->is_pull && call->outer == NULL;
}

/* Nor before others that wait */
static gboolean
may_hurry (HpEndpoint *self, const HpParty *party)
{
  return !self->is_closed && is_at_hand (self, party)
         && self->touched.head == NULL && !hp_endpoint_is_blocked (self)
         && self->hurried_in != hp_udp_source_get_turn (self->source);
}

void
hp_endpoint_hurry (HpEndpoint *self, HpParty *party)
{
  guint64 before = self->statistics.bytes_sent;
  guint sent = 0;

  if (party->endpoint == NULL)
    return;
  g_assert (party->endpoint == self);

  if (!may_hurry (self, party) || !g_main_context_acquire (self->context))
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
      /* A dispatch asks for it in the end. */
      if (self->is_dispatching)
        break;
      update_deadline (self, party);
      if (self->is_closed)
        break;
      arm (self);
      look_out (self, 0, self->statistics.bytes_sent - before);
      break;
    }
  g_main_context_release (self->context);
}
