/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which of the paths is used.
 *
 * The initiator chooses among the proven ones; the responder follows the
 * highest-numbered packet that is no probe. When the other side's NAT gives
 * it a new address its packets come from there: the responder follows at
 * once; the initiator challenges the new path and the old one, and moves if
 * only the new one answers. A path that stops to answer is left for any that
 * does, by either side; if there is none the link is silent
 * (hp-link-silence.c).
 */

#include "hole-punch/link/hp-link-private.h"

#include <string.h>

#define NEVER G_MAXINT64
#define MS G_TIME_SPAN_MILLISECOND

/* After the first proof, for a better path to answer as well: all the time
 * there is while it is only a relayed one */
#define GRACE (500 * MS)
#define RELAYED_GRACE HP_PUNCH_TIMEOUT
/* Relayed: direct paths are tried again after so long, twice as long each time
 */
#define DIRECT_INTERVAL (5 * G_TIME_SPAN_SECOND)
#define DIRECT_INTERVAL_MAX (5 * G_TIME_SPAN_MINUTE)
/* An unanswered challenge is repeated after two round trips, within these */
#define REPEAT_MIN (200 * MS)
#define REPEAT_MAX G_TIME_SPAN_SECOND
/* … and on a path that is not proven, slower each time, so often */
#define UNPROVEN_REPEAT (100 * MS)
#define UNPROVEN_CHALLENGES 5
/* Proven paths not in use, kept by the initiator to fall back on */
#define SPARE_INTERVAL (12 * G_TIME_SPAN_SECOND)
#define SPARE_CHALLENGES 3
/* Paths asked at a time only because something came by them */
#define MAX_ASKED 8
/* Unanswered so long: failing, another that answers is taken */
#define FAILING_MIN (300 * MS)
#define HINT_GAP (250 * MS)
/* From a new address: an early knock at the other side's NAT would spoil what
 * the introduction is about to open there */
#define MOVED_DELAY (3 * G_TIME_SPAN_SECOND)

/* Challenges */

static gint64
jitter (HpLink *self, gint64 interval)
{
  gint64 tenth = interval / 10;

  return 8 * tenth + hp_random_u64 (&self->config.random) % (4 * tenth + 1);
}

static gint64
get_consent_interval (HpLink *self)
{
  gint64 interval = jitter (self, HP_CONSENT_INTERVAL);

  if (self->config.keepalive_interval > 0)
    interval = MIN (interval, self->config.keepalive_interval);
  return interval;
}

gboolean
hp_link_is_consent_due (const HpLink *self, gboolean is_answering, gint64 now)
{
  const HpPath *path = self->path;
  gint64 interval = HP_CONSENT_INTERVAL;

  if (path->challenge_at <= now)
    return TRUE;
  if (self->config.keepalive_interval > 0)
    interval = MIN (interval, self->config.keepalive_interval);
  return is_answering && path->is_proven && path->n_unanswered == 0
         && path->challenge_at - now <= interval / 2;
}

gint64
hp_link_get_failing_time (const HpPath *path)
{
  if (path->unanswered_since == 0)
    return NEVER;
  return path->unanswered_since + MAX (FAILING_MIN, 2 * path->round_trip);
}

void
hp_link_challenge (HpLink *self, HpPath *path, gint64 now)
{
  if (!path->is_proven && path->n_unanswered >= UNPROVEN_CHALLENGES)
    return;
  path->challenge_at = MIN (path->challenge_at, now);
}

void
hp_link_challenge_spares (HpLink *self, gint64 now)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];

      if (path != self->path && path->is_proven)
        hp_link_challenge (self, path, now);
    }
}

void
hp_link_challenge_sent (HpLink *self, HpPath *path, gint64 now)
{
  path->n_unanswered++;
  if (path->unanswered_since == 0)
    path->unanswered_since = now;

  if (!path->is_proven)
    path->challenge_at
        = path->n_unanswered >= UNPROVEN_CHALLENGES
              ? NEVER
              : now + (UNPROVEN_REPEAT << (path->n_unanswered - 1));
  else if (self->state == HP_LINK_SILENT)
    path->challenge_at = now + REPEAT_MAX;
  else if (path == self->path)
    path->challenge_at
        = now + CLAMP (2 * path->round_trip, REPEAT_MIN, REPEAT_MAX);
  else
    path->challenge_at
        = path->n_unanswered >= SPARE_CHALLENGES ? NEVER : now + REPEAT_MAX;

  if (path == self->path && path->n_unanswered == 2)
    hp_link_challenge_spares (self, now);
}

static void
schedule_consent (HpLink *self, HpPath *path, gint64 now)
{
  if (path == self->path)
    path->challenge_at = now + get_consent_interval (self);
  else if (hp_link_is_initiator (self))
    path->challenge_at = now + jitter (self, SPARE_INTERVAL);
  else
    path->challenge_at = NEVER;
}

/* Sizes */

gsize
hp_link_get_base_size (const HpLink *self)
{
  if (self->session == NULL)
    return self->config.datagram_size;
  return MIN (self->config.datagram_size,
              self->remote_parameters.max_datagram_size);
}

/* Larger datagrams go only where somebody wants what we send. */
static void
allow_size (HpLink *self, gint64 now)
{
  gsize maximum = MIN (self->config.max_datagram_size, self->interface_size);

  if (self->path->is_proven && self->interface_size > 0)
    hp_transport_allow_size (
        self->transport,
        MIN (maximum, self->remote_parameters.max_datagram_size), now);
}

void
hp_link_set_interface_size (HpLink *self, gsize size, gint64 now)
{
  if (self->state == HP_LINK_CLOSED || self->path == NULL)
    return;
  self->interface_size = size;
  allow_size (self, now);
}

/* Choosing */

static void
tell_transport (HpLink *self, gboolean afresh, gint64 now)
{
  if (afresh && self->transport_path == self->path->id)
    self->path->id = ++self->next_path_id;
  if (self->transport_path != self->path->id)
    {
      self->transport_path = self->path->id;
      self->interface_size = 0;
      hp_transport_set_path (self->transport, self->path->id,
                             hp_link_get_base_size (self), now);
    }
  if (self->path->round_trip >= 0)
    hp_transport_suggest_round_trip (self->transport, self->path->round_trip,
                                     now);
  /* Tells a responder of the move, and finds out what was lost */
  hp_transport_ping (self->transport);
}

/* The initiator sees to it that a direct path is found in the end */
void
hp_link_plan_direct (HpLink *self, gint64 now)
{
  if (self->path->rank != HP_PATH_RELAYED || !hp_link_is_initiator (self)
      || self->config.relay_only)
    {
      self->direct_at = NEVER;
    }
  else if (self->direct_at == NEVER)
    {
      self->direct_interval = DIRECT_INTERVAL;
      self->direct_at = now + self->direct_interval;
    }
}

void
hp_link_try_direct (HpLink *self, gint64 now)
{
  if (!hp_puncher_is_running (self->puncher))
    {
      self->direct_interval = MIN (2 * self->direct_interval,
                                   DIRECT_INTERVAL_MAX);
      if (self->state == HP_LINK_READY)
        hp_link_emit (self, HP_LINK_EVENT_RELAYED);
    }
  self->direct_at = now + self->direct_interval;
}

void
hp_link_use_path (HpLink *self, HpPath *path, gint64 now)
{
  if (path == self->path)
    return;
  hp_link_keep_socket (self, path->route.socket);
  self->path = path;
  self->path_since = now;
  self->heard_at = now;
  self->is_failing = FALSE;
  self->n_hints = 0;
  path->appeared_at = 0;
  tell_transport (self, FALSE, now);
  hp_link_plan_direct (self, now);
  if (path->is_proven)
    schedule_consent (self, path, now);
  else
    hp_link_challenge (self, path, now);
  if (self->state == HP_LINK_READY)
    hp_link_emit (self, HP_LINK_EVENT_PATH);
}

/* The other side went on from @path, and the path in use has not answered
 * since */
static gboolean
has_moved_to (const HpLink *self, const HpPath *path)
{
  return path->appeared_at != 0
         && path->answered_sent_at >= path->appeared_at
         && self->path->answered_sent_at < path->appeared_at;
}

static gboolean
is_to_be_used (const HpLink *self, const HpPath *path, gint64 now)
{
  if (self->path == NULL || self->state == HP_LINK_SILENT)
    return TRUE;
  if (self->state == HP_LINK_CONNECTING && !self->path->is_proven)
    return TRUE;
  if (now >= hp_link_get_failing_time (self->path))
    return TRUE;
  return hp_link_is_initiator (self)
         && (has_moved_to (self, path)
             || hp_path_is_better (path, self->path));
}

static void
become_ready (HpLink *self, gint64 now)
{
  if (self->path == NULL || !self->path->is_proven)
    return;
  if (self->state == HP_LINK_SILENT)
    tell_transport (self, TRUE, now);
  hp_link_set_state (self, HP_LINK_READY, now);
}

static void
begin_grace (HpLink *self, const HpPath *path, gint64 now)
{
  gboolean may_be_relayed
      = path->rank == HP_PATH_RELAYED
        || hp_puncher_may_be_relayed (self->puncher, &path->route);
  gint64 grace = may_be_relayed && !self->config.relay_only
                     ? RELAYED_GRACE
                     : GRACE + 2 * MAX (path->round_trip, 0);

  if (self->state != HP_LINK_CONNECTING
      && path->answered_sent_at < self->punched_from)
    return;
  self->grace_until = MIN (self->grace_until, now + grace);
}

static void
stop_failing (HpLink *self)
{
  if (!self->is_failing)
    return;
  self->is_failing = FALSE;
  if (self->state == HP_LINK_READY)
    hp_link_emit (self, HP_LINK_EVENT_PATH);
}

void
hp_link_path_answered (HpLink *self, HpPath *path, gint64 now)
{
  hp_link_keep_socket (self, path->route.socket);
  hp_puncher_remove (self->puncher, &path->route);
  begin_grace (self, path, now);
  if (path != self->path && is_to_be_used (self, path, now))
    hp_link_use_path (self, path, now);
  if (path == self->path)
    {
      self->heard_at = now;
      stop_failing (self);
      allow_size (self, now);
      if (path->round_trip >= 0)
        hp_transport_suggest_round_trip (self->transport, path->round_trip,
                                         now);
    }
  schedule_consent (self, path, now);
  become_ready (self, now);
}

/* The responder's packets came from elsewhere than where we send to: is its
 * NAT's mapping new? Not if we have just moved ourselves. */
static void
suspect_move (HpLink *self, HpPath *path, gint64 now)
{
  gint64 settled = 2 * MAX (self->path->round_trip, 0) + REPEAT_MIN;

  if (now - self->path_since < settled
      || (path->appeared_at != 0
          && now - path->appeared_at < G_TIME_SPAN_SECOND))
    return;
  path->appeared_at = now;
  hp_link_challenge (self, path, now);
  hp_link_challenge (self, self->path, now);
}

/* An authentic packet from a new address may be the other side's, or copied
 * by somebody on the way: asked, but not any number of them */
static void
ask_unproven (HpLink *self, HpPath *path, gint64 now)
{
  guint n_asked = 0;
  guint i;

  if (path->is_proven || path->n_unanswered > 0)
    return;
  for (i = 0; i < self->paths->len; i++)
    {
      const HpPath *other = self->paths->pdata[i];

      n_asked += !other->is_proven && other->challenge_at != NEVER;
    }
  if (n_asked < MAX_ASKED)
    hp_link_challenge (self, path, now);
}

void
hp_link_path_heard (HpLink *self, HpPath *path, guint64 number,
                    gboolean is_probe, gint64 now)
{
  if (path == self->path)
    {
      self->heard_at = now;
      self->n_hints = 0;
    }
  ask_unproven (self, path, now);
  if (is_probe || number < self->followed_number)
    return;
  self->followed_number = number + 1;
  if (path == self->path)
    return;
  if (self->path == NULL || !hp_link_is_initiator (self))
    hp_link_use_path (self, path, now);
  else
    suspect_move (self, path, now);
}

void
hp_link_ask_paths (HpLink *self, gint64 now)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];

      /* The address that we had may be gone */
      memset (&path->route.local, 0, sizeof path->route.local);
      if (path->is_proven)
        hp_link_challenge (self, path, now);
    }
}

static void
delay_challenges (HpLink *self, gint64 until)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];

      path->n_answers = 0;
      if (path->challenge_at != NEVER)
        path->challenge_at = MAX (path->challenge_at, until);
    }
}

static gboolean
was_introduced (const HpLink *self)
{
  guint i;

  for (i = 0; i < self->n_introductions; i++)
    if (self->introductions[i].punch)
      return TRUE;
  return FALSE;
}

void
hp_link_check_paths (HpLink *self, gboolean moved, gint64 now)
{
  self->checked_at = now;
  hp_link_ask_paths (self, now);
  if (moved && self->state == HP_LINK_READY && was_introduced (self))
    {
      hp_link_set_state (self, HP_LINK_SILENT, now);
      delay_challenges (self, now + MOVED_DELAY);
    }
}

/* What was agreed to before is too old to be relied on (RFC 7675), but it may
 * well be as it was: nothing but challenges goes there before an answer. */
void
hp_link_wake_paths (HpLink *self, gint64 now)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];

      if (!path->is_proven)
        continue;
      hp_path_doubt (path);
      hp_link_challenge (self, path, now);
    }
  self->checked_at = now;
  self->heard_at = now;
}

void
hp_link_receive_unknown (HpLink *self, const HpDatagram *datagram, gint64 now)
{
  HpUnknown unknown;

  if (!hp_packet_parse_unknown (&unknown, datagram->bytes, datagram->length))
    {
      self->statistics.dropped_malformed++;
      return;
    }
  if (self->session == NULL || self->path == NULL
      || self->state == HP_LINK_CLOSED
      || unknown.receiver_index
             != hp_session_get_remote_index (self->session)
      || unknown.number >= hp_session_get_next_number (self->session))
    {
      self->statistics.dropped_forged++;
      return;
    }
  self->n_hints++;
  if (now - hp_path_get_token_time (self->path) >= HINT_GAP)
    hp_link_challenge (self, self->path, now);
}
