/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Orders of a worker that several have use for */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/io/hp-clock.h"

#include <string.h>

gpointer
hp_match_order_new (gsize size, void (*obey) (HpMatchWorker *, HpMatchOrder *))
{
  HpMatchOrder *self = g_malloc0 (size);

  self->obey = obey;
  return self;
}

void
hp_match_order_free (gpointer order)
{
  HpMatchOrder *self = order;

  if (self->clear != NULL)
    self->clear (self);
  g_free (self);
}

/* Answers */

typedef struct
{
  HpMatchOrder order;
  guint64 handle;
  gboolean has_holder;
  guint8 holder[HP_KEY_SIZE];
  gboolean has_place;
  HpMatchPlace place;
  HpRefusedCode code;
} Answer;

static void
obey_answer (HpMatchWorker *self, HpMatchOrder *order)
{
  Answer *answer = (Answer *) order;

  hp_match_service_answer_claim (self->service, answer->handle,
                                 answer->has_holder ? answer->holder : NULL,
                                 answer->code, hp_clock_now ());
  hp_match_worker_wake (self);
}

static void
obey_lookup_answer (HpMatchWorker *self, HpMatchOrder *order)
{
  Answer *answer = (Answer *) order;

  hp_match_service_answer_lookup (
      self->service, answer->handle,
      answer->has_holder ? answer->holder : NULL,
      answer->has_place ? &answer->place : NULL, answer->code,
      hp_clock_now ());
  hp_match_worker_wake (self);
}

HpMatchOrder *
hp_match_order_new_answer (guint64 handle, const guint8 *holder,
                           HpRefusedCode code)
{
  Answer *answer = hp_match_order_new (sizeof *answer, obey_answer);

  answer->handle = handle;
  answer->has_holder = holder != NULL;
  if (holder != NULL)
    memcpy (answer->holder, holder, HP_KEY_SIZE);
  answer->code = code;
  return &answer->order;
}

HpMatchOrder *
hp_match_order_new_lookup_answer (guint64 handle, const guint8 *holder,
                                  const HpMatchPlace *place,
                                  HpRefusedCode code)
{
  HpMatchOrder *order = hp_match_order_new_answer (handle, holder, code);
  Answer *answer = (Answer *) order;

  order->obey = obey_lookup_answer;
  answer->has_place = place != NULL;
  if (place != NULL)
    answer->place = *place;
  return order;
}

typedef struct
{
  HpMatchOrder order;
  HpMatchPlace from;
  gsize length;
  guint8 bytes[];
} Message;

static void
obey_message (HpMatchWorker *self, HpMatchOrder *order)
{
  Message *message = (Message *) order;

  hp_match_service_receive_message (self->service, &message->from,
                                    message->bytes, message->length,
                                    hp_clock_now ());
  hp_match_worker_wake (self);
}

HpMatchOrder *
hp_match_order_new_message (const HpMatchPlace *from, const guint8 *bytes,
                            gsize length)
{
  Message *message
      = hp_match_order_new (sizeof *message + length, obey_message);

  message->from = *from;
  message->length = length;
  memcpy (message->bytes, bytes, length);
  return &message->order;
}
