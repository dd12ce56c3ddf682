/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-requests.h"

#include <string.h>

#define NEVER G_MAXINT64
/* Repeated after 1.5 round trips, doubling to a second */
#define FIRST_INTERVAL_MIN (50 * G_TIME_SPAN_MILLISECOND)
#define FIRST_INTERVAL_UNKNOWN (250 * G_TIME_SPAN_MILLISECOND)
#define LAST_INTERVAL G_TIME_SPAN_SECOND
/* A refusal that passes (limits, a registry that cannot be reached): many get
 * it at the same time. As with handshakes, chance decides (see
 * hp-match-client-leaving.c). */
#define RETRY_INTERVAL (500 * G_TIME_SPAN_MILLISECOND)
#define RETRY_SPREAD (4 * G_TIME_SPAN_SECOND)
#define MAX_DOUBLINGS 3 /* to 32 s */
#define MAX_INCOMING 64
/* News about ourselves: a REPLY is not answered, and may be lost */
#define TELLINGS 2
/* So long after an introduction its sides try to reach each other */
#define INTRODUCTION_TIME (10 * G_TIME_SPAN_SECOND)

void
hp_match_requests_init (HpMatchRequests *self, const HpRandom *random)
{
  memset (self, 0, sizeof *self);
  self->random = *random;
  self->last_request = hp_random_u64 (random) >> 16;
  self->registration.repeat.next_at = NEVER;
  self->registration.renew_at = NEVER;
  g_queue_init (&self->queries);
  g_queue_init (&self->incoming);
}

static void
clear_queue (GQueue *queue)
{
  GList *link;

  while ((link = g_queue_pop_head_link (queue)) != NULL)
    g_free (link->data);
}

void
hp_match_requests_clear (HpMatchRequests *self)
{
  clear_queue (&self->queries);
  clear_queue (&self->incoming);
}

/* Repeats */

static void
say_now (HpMatchRepeat *repeat, gint64 now)
{
  *repeat = (HpMatchRepeat){ .next_at = now };
}

static void
say_no_more (HpMatchRepeat *repeat)
{
  *repeat = (HpMatchRepeat){ .next_at = NEVER };
}

static void
said (HpMatchRepeat *repeat, gint64 round_trip, gint64 now)
{
  if (repeat->interval == 0 && round_trip < 0)
    repeat->interval = FIRST_INTERVAL_UNKNOWN;
  else if (repeat->interval == 0)
    repeat->interval
        = CLAMP (round_trip * 3 / 2, FIRST_INTERVAL_MIN, LAST_INTERVAL);
  else
    repeat->interval = MIN (2 * repeat->interval, LAST_INTERVAL);
  repeat->next_at = now + repeat->interval;
}

/* Registration */

static void
begin_registration (HpMatchRegistration *registration, guint64 request,
                    gint64 now)
{
  registration->request = request;
  registration->is_outdated = FALSE;
  registration->renew_at = NEVER;
  say_now (&registration->repeat, now);
}

void
hp_match_requests_register (HpMatchRequests *self, const char *id,
                            guint flags, gint64 now)
{
  HpMatchRegistration *registration = &self->registration;

  if (id == NULL)
    {
      registration->is_unregistering
          = registration->is_wanted || registration->is_unregistering;
      registration->is_wanted = FALSE;
      registration->is_registered = FALSE;
      registration->renew_at = NEVER;
      if (registration->is_unregistering)
        begin_registration (registration, ++self->last_request, now);
      return;
    }
  if (strcmp (registration->id, id) != 0)
    registration->is_registered = FALSE;
  g_strlcpy (registration->id, id, sizeof registration->id);
  registration->flags = flags;
  registration->is_wanted = TRUE;
  registration->is_unregistering = FALSE;
  begin_registration (registration, ++self->last_request, now);
}

void
hp_match_requests_restart (HpMatchRequests *self, gint64 now)
{
  HpMatchRegistration *registration = &self->registration;

  registration->is_registered = FALSE;
  /* The new session has no presence that could be ended. */
  registration->is_unregistering = FALSE;
  say_no_more (&registration->repeat);
  if (registration->is_wanted)
    begin_registration (registration, ++self->last_request, now);
  for (GList *link = self->queries.head; link != NULL; link = link->next)
    say_now (&((HpMatchQuery *) link->data)->repeat, now);
}

void
hp_match_requests_hold (HpMatchRequests *self, gint64 now)
{
  HpMatchRegistration *registration = &self->registration;

  if (!registration->is_wanted)
    return;
  registration->is_unregistering = TRUE;
  begin_registration (registration, ++self->last_request, now);
}

static gint64
get_retry_time (HpMatchRequests *self, gint64 now)
{
  guint doublings = MIN (self->registration.refusals, MAX_DOUBLINGS);

  self->registration.refusals++;
  return now + RETRY_INTERVAL
         + hp_random_u64 (&self->random) % (RETRY_SPREAD << doublings);
}

gboolean
hp_match_requests_registered (HpMatchRequests *self, guint64 request,
                              gint64 lifetime, gint64 now)
{
  HpMatchRegistration *registration = &self->registration;

  if (request != registration->request
      || registration->repeat.next_at == NEVER)
    return FALSE;
  say_no_more (&registration->repeat);
  if (registration->is_unregistering)
    {
      registration->is_unregistering = FALSE;
      return FALSE;
    }
  /* 0: it has ended again, before this answer reached us */
  registration->is_registered = lifetime > 0;
  if (lifetime == 0)
    {
      registration->renew_at = get_retry_time (self, now);
      return FALSE;
    }
  registration->refusals = 0;
  registration->renew_at
      = registration->is_outdated ? now : now + MAX (lifetime / 3, 1);
  return TRUE;
}

gboolean
hp_match_requests_refused (HpMatchRequests *self, guint64 request,
                           HpRefusedCode code, gint64 now)
{
  HpMatchRegistration *registration = &self->registration;

  if (request != registration->request
      || registration->repeat.next_at == NEVER)
    return FALSE;
  say_no_more (&registration->repeat);
  registration->is_unregistering = FALSE;
  if (code == HP_REFUSED_TEMPORARY || code == HP_REFUSED_RATE_LIMITED)
    {
      /* What was granted before still holds. */
      registration->renew_at = get_retry_time (self, now);
    }
  else
    {
      registration->is_registered = FALSE;
      registration->renew_at = NEVER;
    }
  return TRUE;
}

/* ASKs */

HpMatchQuery *
hp_match_requests_ask (HpMatchRequests *self, const char *id,
                       const guint8 *public_key, gint64 now)
{
  HpMatchQuery *query = g_new0 (HpMatchQuery, 1);

  query->request = ++self->last_request;
  query->by_key = public_key != NULL;
  if (public_key != NULL)
    memcpy (query->public_key, public_key, HP_KEY_SIZE);
  else
    g_strlcpy (query->id, id, sizeof query->id);
  say_now (&query->repeat, now);
  query->link.data = query;
  g_queue_push_tail_link (&self->queries, &query->link);
  return query;
}

HpMatchQuery *
hp_match_requests_find_query (HpMatchRequests *self, guint64 request)
{
  for (GList *link = self->queries.head; link != NULL; link = link->next)
    if (((HpMatchQuery *) link->data)->request == request)
      return link->data;
  return NULL;
}

void
hp_match_requests_remove_query (HpMatchRequests *self, HpMatchQuery *query)
{
  g_queue_unlink (&self->queries, &query->link);
  g_free (query);
}

/* REPLYs */

HpMatchIncoming *
hp_match_requests_find_incoming (HpMatchRequests *self, guint64 ticket_number)
{
  for (GList *link = self->incoming.tail; link != NULL; link = link->prev)
    if (((HpMatchIncoming *) link->data)->ticket_number == ticket_number)
      return link->data;
  return NULL;
}

HpMatchIncoming *
hp_match_requests_add_incoming (HpMatchRequests *self, guint64 ticket_number)
{
  HpMatchIncoming *incoming = g_new0 (HpMatchIncoming, 1);

  if (self->incoming.length >= MAX_INCOMING)
    g_free (g_queue_pop_head_link (&self->incoming)->data);
  incoming->ticket_number = ticket_number;
  say_no_more (&incoming->repeat);
  incoming->link.data = incoming;
  g_queue_push_tail_link (&self->incoming, &incoming->link);
  return incoming;
}

void
hp_match_requests_reply (HpMatchIncoming *incoming, gboolean accept,
                         guint times, gint64 now)
{
  incoming->is_decided = TRUE;
  incoming->accept = accept;
  incoming->repeats_left = times;
  if (times > 0)
    say_now (&incoming->repeat, now);
  else
    say_no_more (&incoming->repeat);
}

void
hp_match_requests_tell_nat (HpMatchRequests *self, gboolean register_too,
                            gint64 now)
{
  HpMatchRegistration *registration = &self->registration;

  /* While one is not answered, another would only be one more that somebody may
   * have to decide on: it waits. */
  if (register_too && registration->repeat.interval > 0)
    registration->is_outdated = TRUE;
  else if (register_too && registration->is_wanted
           && registration->is_registered)
    begin_registration (registration, ++self->last_request, now);
  for (GList *link = self->queries.head; link != NULL; link = link->next)
    say_now (&((HpMatchQuery *) link->data)->repeat, now);
  for (GList *link = self->incoming.head; link != NULL; link = link->next)
    {
      HpMatchIncoming *incoming = link->data;
      gboolean is_accepted = incoming->is_decided ? incoming->accept
                                                  : !incoming->needed_reply;

      if (is_accepted && now - incoming->came_at < INTRODUCTION_TIME)
        hp_match_requests_reply (incoming, TRUE,
                                 MAX (incoming->repeats_left, TELLINGS), now);
    }
}

/* Writing */

static void
set_bytes (HpBytes *to, const char *text)
{
  to->data = (const guint8 *) text;
  to->length = strlen (text);
}

/* FALSE, and nothing written: it does not fit. */
static gboolean
write_frame (const HpFrame *frame, HpWriter *writer)
{
  gsize before = writer->offset;

  hp_frame_write (frame, writer);
  if (hp_writer_ok (writer))
    return TRUE;
  writer->failed = FALSE;
  writer->offset = before;
  return FALSE;
}

static gboolean
write_registration (HpMatchRequests *self, const HpMatchSelf *about,
                    HpWriter *writer, gint64 now)
{
  HpMatchRegistration *registration = &self->registration;
  HpFrame frame = { .type = registration->is_unregistering
                                ? HP_FRAME_UNREGISTER
                                : HP_FRAME_REGISTER };

  if (registration->renew_at <= now)
    begin_registration (registration, ++self->last_request, now);
  if (registration->repeat.next_at > now)
    return FALSE;
  frame.reg.request = registration->request;
  frame.reg.flags = registration->flags;
  frame.reg.suites = about->suites;
  frame.reg.nat = about->nat;
  set_bytes (&frame.reg.id, registration->id);
  if (!write_frame (&frame, writer))
    return FALSE;
  said (&registration->repeat, about->round_trip, now);
  return TRUE;
}

static gboolean
write_query (HpMatchQuery *query, const HpMatchSelf *about, HpWriter *writer,
             gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_ASK };

  if (query->repeat.next_at > now)
    return FALSE;
  frame.ask.request = query->request;
  frame.ask.by_key = query->by_key;
  if (query->by_key)
    frame.ask.target = (HpBytes){ query->public_key, HP_KEY_SIZE };
  else
    set_bytes (&frame.ask.target, query->id);
  frame.ask.suites = about->suites;
  frame.ask.round_trip = MAX (about->round_trip, 0);
  frame.ask.nat = about->nat;
  frame.ask.candidates = *about->candidates;
  if (!write_frame (&frame, writer))
    return FALSE;
  said (&query->repeat, about->round_trip, now);
  return TRUE;
}

static gboolean
write_reply (HpMatchIncoming *incoming, const HpMatchSelf *about,
             HpWriter *writer, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_REPLY };

  if (incoming->repeat.next_at > now)
    return FALSE;
  frame.reply.ticket_number = incoming->ticket_number;
  frame.reply.accept = incoming->accept;
  frame.reply.suites = about->suites;
  frame.reply.round_trip = MAX (about->round_trip, 0);
  if (incoming->accept)
    {
      frame.reply.nat = about->nat;
      frame.reply.candidates = *about->candidates;
    }
  if (!write_frame (&frame, writer))
    return FALSE;
  incoming->repeats_left--;
  if (incoming->repeats_left > 0)
    said (&incoming->repeat, about->round_trip, now);
  else
    say_no_more (&incoming->repeat);
  return TRUE;
}

gboolean
hp_match_requests_write (HpMatchRequests *self, const HpMatchSelf *about,
                         HpWriter *writer, gint64 now)
{
  gboolean wrote = (!about->is_held || self->registration.is_unregistering)
                   && write_registration (self, about, writer, now);

  if (about->is_held)
    return wrote;
  for (GList *link = self->incoming.head; link != NULL; link = link->next)
    wrote |= write_reply (link->data, about, writer, now);
  for (GList *link = self->queries.head; link != NULL; link = link->next)
    wrote |= write_query (link->data, about, writer, now);
  return wrote;
}

void
hp_match_requests_write_unregister (HpMatchRequests *self, HpWriter *writer)
{
  HpFrame frame = { .type = HP_FRAME_UNREGISTER };

  if (!self->registration.is_wanted)
    return;
  frame.reg.request = ++self->last_request;
  set_bytes (&frame.reg.id, self->registration.id);
  write_frame (&frame, writer);
}

gint64
hp_match_requests_get_deadline (const HpMatchRequests *self, gboolean is_held)
{
  const HpMatchRegistration *registration = &self->registration;
  gint64 deadline = MIN (registration->repeat.next_at, registration->renew_at);

  if (is_held)
    return registration->is_unregistering ? deadline : NEVER;
  for (GList *link = self->incoming.head; link != NULL; link = link->next)
    deadline = MIN (deadline,
                    ((HpMatchIncoming *) link->data)->repeat.next_at);
  for (GList *link = self->queries.head; link != NULL; link = link->next)
    deadline = MIN (deadline, ((HpMatchQuery *) link->data)->repeat.next_at);
  return deadline;
}
