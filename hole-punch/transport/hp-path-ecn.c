/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-path-ecn.h"

static void
restart (HpPathEcn *self)
{
  self->state = HP_PATH_ECN_TESTING;
  self->n_tests = 0;
  self->n_lost = 0;
  self->n_unmarked = 0;
}

gboolean
hp_path_ecn_is_wanted (HpPathEcn *self, gboolean is_proven,
                       guint32 path_epoch, guint64 number)
{
  gboolean was_proven = self->is_proven;

  self->is_proven = is_proven;
  if (!is_proven)
    return FALSE;
  if (!was_proven || self->path_epoch != path_epoch)
    {
      restart (self);
      self->path_epoch = path_epoch;
      self->first = number;
    }
  return self->state == HP_PATH_ECN_CAPABLE
         || (self->state == HP_PATH_ECN_TESTING
             && self->n_tests < HP_PATH_ECN_TESTS);
}

void
hp_path_ecn_sent (HpPathEcn *self)
{
  self->n_sent++;
  if (self->n_tests < HP_PATH_ECN_TESTS)
    self->n_tests++;
}

static gboolean
is_concerned (const HpPathEcn *self, const HpSentPacket *packet)
{
  return packet->path_epoch == self->path_epoch
         && packet->number >= self->first;
}

void
hp_path_ecn_acked (HpPathEcn *self, const HpSentPacket *packet)
{
  if (!is_concerned (self, packet))
    return;
  if (packet->is_marked)
    {
      self->sent_at = self->n_acked > 0 ? MAX (self->sent_at, packet->sent_at)
                                        : packet->sent_at;
      self->n_acked++;
      self->n_lost = 0;
      self->n_unmarked = 0;
    }
  else if (self->n_lost >= HP_PATH_ECN_MAX_LOST
           && ++self->n_unmarked >= HP_PATH_ECN_MAX_UNMARKED)
    {
      self->state = HP_PATH_ECN_FAILED;
    }
}

void
hp_path_ecn_lost (HpPathEcn *self, const HpSentPacket *packet)
{
  if (is_concerned (self, packet) && packet->is_marked)
    self->n_lost++;
}

/* RFC 9000, section 13.4.2.1 */
static gboolean
adds_up (const HpPathEcn *self, const HpMarks *before, guint n_acked)
{
  const HpMarks *after = &self->counted;
  guint64 n_before = before->ect_0 + before->ce;
  guint64 n_after = after->ect_0 + after->ce;

  return after->ect_0 >= before->ect_0 && after->ce >= before->ce
         && after->ect_1 == before->ect_1 && n_after - n_before >= n_acked
         && n_after <= self->n_sent;
}

guint64
hp_path_ecn_take (HpPathEcn *self, const HpAckFrame *ack)
{
  HpMarks before = self->counted;
  guint n_acked = self->n_acked;

  self->n_acked = 0;
  /* One that was overtaken says what was so before. */
  if (ack->largest < self->next_number)
    return 0;
  self->next_number = ack->largest + 1;
  self->counted = ack->has_marks ? ack->marks : (HpMarks){ 0 };
  if (self->state == HP_PATH_ECN_FAILED)
    return 0;
  if (!adds_up (self, &before, n_acked))
    {
      self->state = HP_PATH_ECN_FAILED;
      return 0;
    }
  if (n_acked > 0)
    self->state = HP_PATH_ECN_CAPABLE;
  /* What is counted besides came by an earlier path. */
  return MIN (self->counted.ce - before.ce, n_acked);
}
