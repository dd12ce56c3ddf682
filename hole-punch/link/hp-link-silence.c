/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The paths' time: when the one in use is doubted, when it is silent, and
 * which others are kept.
 */

#include "hole-punch/link/hp-link-private.h"

#define NEVER G_MAXINT64
#define MS G_TIME_SPAN_MILLISECOND

#define MAX_SPARES 2
/* Unanswered so long: silent */
#define SILENT_AFTER (2500 * MS)
#define SILENT_AFTER_HINTS G_TIME_SPAN_SECOND
#define SILENT_AFTER_WAITING G_TIME_SPAN_SECOND
#define MANY_HINTS 3
/* … after the network has changed, and three round trips */
#define SILENT_AFTER_CHECK (300 * MS)
/* Something waits for its acknowledgement: time to ask the path */
#define DOUBT_MIN (200 * MS)
/* A path that stalls again and again is not for the match server to mend */
#define FAILING_INTERVAL (3 * G_TIME_SPAN_SECOND)

/* Since when nothing has come back for what waits; 0: nothing waits */
static gint64
get_waiting_since (const HpLink *self)
{
  gint64 since = hp_transport_get_waiting_since (self->transport);

  return since == 0 ? 0 : MAX (since, self->heard_at);
}

/* When the path in use is to be asked, because something waits */
static gint64
get_doubt_time (const HpLink *self)
{
  gint64 since = get_waiting_since (self);
  gint64 timeout;

  if (self->state != HP_LINK_READY || self->path == NULL || since == 0
      || self->path->unanswered_since != 0)
    return NEVER;
  timeout = hp_transport_get_probe_timeout (self->transport);
  return since + MAX (DOUBT_MIN, timeout * 3 / 2);
}

/* Long enough for the question to have been repeated; and it takes a round trip
 * to the match server at least until the answer makes a difference */
static gint64
get_failing_time (const HpLink *self)
{
  if (self->state != HP_LINK_READY || self->path == NULL || self->is_failing
      || get_waiting_since (self) == 0)
    return NEVER;
  return MAX (hp_link_get_failing_time (self->path),
              self->failing_told_at == 0
                  ? 0
                  : self->failing_told_at + FAILING_INTERVAL);
}

static gint64
get_silence_time (const HpLink *self)
{
  gint64 since = get_waiting_since (self);
  gint64 timeout, asked, silent;

  if (self->state != HP_LINK_READY)
    return NEVER;
  if (self->path == NULL)
    return 0;
  asked = self->path->unanswered_since;
  if (asked == 0)
    return NEVER;

  timeout = hp_transport_get_probe_timeout (self->transport);
  silent = asked + (self->n_hints >= MANY_HINTS ? SILENT_AFTER_HINTS
                                                : SILENT_AFTER);
  if (self->checked_at != 0 && asked >= self->checked_at)
    silent = MIN (silent, asked + SILENT_AFTER_CHECK
                              + 3 * MAX (self->path->round_trip, 0));
  if (since != 0)
    silent = MIN (silent,
                  MAX (since + MAX (SILENT_AFTER_WAITING, 3 * timeout),
                       asked + MAX (SILENT_AFTER_WAITING,
                                    3 * self->path->round_trip)));
  return silent;
}

gint64
hp_link_get_paths_deadline (const HpLink *self)
{
  gint64 deadline = MIN (self->grace_until, self->direct_at);
  gint64 doubt, failing, silence;
  guint i;

  if (self->session == NULL)
    return NEVER;
  /* MIN() asks twice for what it is told to ask for. */
  doubt = get_doubt_time (self);
  failing = get_failing_time (self);
  silence = get_silence_time (self);
  deadline = MIN (MIN (deadline, doubt), MIN (failing, silence));
  for (i = 0; i < self->paths->len; i++)
    {
      const HpPath *path = self->paths->pdata[i];

      deadline = MIN (deadline, path->challenge_at);
      if (path->is_proven)
        deadline = MIN (deadline, path->answered_at + HP_CONSENT_EXPIRY);
    }
  return deadline;
}

/* A path not in use that no token is under way for and that nobody needs */
static gboolean
is_useless (const HpLink *self, const HpPath *path, gint64 now)
{
  if (path->is_proven && now - path->answered_at >= HP_CONSENT_EXPIRY)
    return TRUE;
  return path != self->path && !path->is_proven && path->n_answers == 0
         && path->challenge_at == NEVER
         && !hp_puncher_is_running (self->puncher);
}

static HpPath *
find_worst_spare (HpLink *self, guint *n_spares)
{
  HpPath *worst = NULL;
  guint i;

  *n_spares = 0;
  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];

      if (path == self->path || !path->is_proven)
        continue;
      (*n_spares)++;
      if (worst == NULL || hp_path_is_better (worst, path))
        worst = path;
    }
  return worst;
}

static void
tidy (HpLink *self, gint64 now)
{
  guint n_spares;
  HpPath *spare;
  guint i;

  for (i = self->paths->len; i-- > 0;)
    if (is_useless (self, self->paths->pdata[i], now))
      hp_link_remove_path (self, self->paths->pdata[i]);
  if (hp_puncher_is_running (self->puncher))
    return;
  while ((spare = find_worst_spare (self, &n_spares)) != NULL
         && n_spares > MAX_SPARES)
    hp_link_remove_path (self, spare);
}

static void
become_silent (HpLink *self, gint64 now)
{
  self->is_failing = FALSE;
  hp_link_set_state (self, HP_LINK_SILENT, now);
  if (self->path != NULL && self->path->is_proven)
    hp_link_challenge (self, self->path, now);
  hp_link_challenge_spares (self, now);
}

void
hp_link_expire_paths (HpLink *self, gint64 now)
{
  if (self->session == NULL)
    return;
  if (now >= self->grace_until)
    {
      self->grace_until = NEVER;
      hp_puncher_stop (self->puncher);
      hp_link_end_handshakes (self);
    }
  if (now >= self->direct_at)
    hp_link_try_direct (self, now);
  tidy (self, now);
  if (now >= get_doubt_time (self))
    {
      hp_link_challenge (self, self->path, now);
      self->path->unanswered_since = now;
    }
  if (now >= get_failing_time (self))
    {
      self->is_failing = TRUE;
      self->failing_told_at = now;
      hp_link_emit (self, HP_LINK_EVENT_FAILING);
    }
  if (now >= get_silence_time (self))
    become_silent (self, now);
}
