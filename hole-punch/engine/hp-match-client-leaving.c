/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When and where a match client goes once its server is gone. All the others
 * that were there go too: how they spread decides how soon they are back.
 *
 *   PINGs unanswered   The silent address is asked last, the others at once:
 *                      keepalives, by which it is noticed, are spread already
 *   UNKNOWN            the same, but it is asked first: it is there, and has
 *                      only forgotten
 *   CLOSE              another server within MOVE_SPREAD; if there is none, the
 *                      same within RETURN_SPREAD
 *   no RESPONSE        a server that has too much to do answers a HELLO, which
 *                      costs it little, but not the handshake: as with a CLOSE
 *
 * What is left to chance is the whole of the delay, and the most that it may be
 * doubles with each failure: of the ways to spread retries this gets all done
 * with the least work ("full jitter": M. Brooker, Exponential Backoff And
 * Jitter, AWS Architecture Blog, 2015; that there be a back-off, RFC 8085,
 * section 3.1.2).
 */

#include "hole-punch/engine/hp-match-client-private.h"

#define NEVER G_MAXINT64

#define MOVE_SPREAD (500 * G_TIME_SPAN_MILLISECOND)
#define RETURN_SPREAD (2 * G_TIME_SPAN_SECOND)
#define LAST_SPREAD (64 * G_TIME_SPAN_SECOND)
#define MAX_DOUBLINGS 7
/* Others are preferred for so long */
#define SHUN_TIME (4 * G_TIME_SPAN_SECOND)
/* A session that lasted so long was no failure */
#define LASTING (10 * G_TIME_SPAN_SECOND)

static void
leave (HpMatchClient *self, const HpAddress *server, gint64 now)
{
  gint64 spread = hp_match_greeting_has_other (&self->greeting, server, now)
                      ? MOVE_SPREAD
                      : RETURN_SPREAD;

  spread = MIN (spread << MIN (self->failures, MAX_DOUBLINGS), LAST_SPREAD);
  self->failures++;
  hp_match_greeting_put_last (&self->greeting, server, now + SHUN_TIME);
  hp_match_client_rest (self, now
                                  + hp_random_u64 (&self->config.random)
                                        % spread);
}

static void
judge_session (HpMatchClient *self, gint64 now)
{
  if (now - self->connected_at >= LASTING)
    self->failures = 0;
}

void
hp_match_client_dismissed (HpMatchClient *self, HpCloseCode code, gint64 now)
{
  judge_session (self, now);
  if (code == HP_CLOSE_REPLACED)
    hp_match_client_rest (self, NEVER);
  else
    leave (self, &self->route.remote, now);
  hp_match_client_add_event (self, HP_MATCH_EVENT_LOST);
}

void
hp_match_client_handshake_failed (HpMatchClient *self, gint64 now)
{
  HpAddress server = self->handshake_route.remote;

  if (self->session == NULL)
    {
      leave (self, &server, now);
    }
  else
    {
      /* The old one may still be heard of. */
      hp_match_greeting_put_last (&self->greeting, &server, now + SHUN_TIME);
      hp_match_client_greet (self, now);
    }
}

void
hp_match_client_silent (HpMatchClient *self, gint64 now)
{
  HpAddress server = self->route.remote;

  judge_session (self, now);
  if (self->hinted_at > self->heard_at)
    hp_match_greeting_put_first (&self->greeting, &server);
  else
    hp_match_greeting_put_last (&self->greeting, &server, 0);
  hp_match_client_greet (self, now);
}
