/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* REGISTER: authorize (if it is new) → claim at the registry → if an ephemeral
 * holder is in the way, see whether it is still there → REGISTERED or REFUSED.
 */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* A holder is PINGed so often in the time that it has */
#define CHALLENGE_PINGS 3
#define CHALLENGE_INTERVAL (HP_MATCH_CHALLENGE_TIMEOUT / CHALLENGE_PINGS)
/* Holders that may be waited for at once */
#define MAX_CHALLENGES 64

static void
add_id_event (HpMatchService *self, HpServiceEventType type, const char *id,
              const guint8 public_key[HP_KEY_SIZE])
{
  HpServiceEvent *event = hp_match_service_add_event (self, type);

  g_strlcpy (event->id, id, sizeof event->id);
  memcpy (event->public_key, public_key, HP_KEY_SIZE);
}

static void
remove_presence (HpMatchService *self, HpMatchSession *session)
{
  hp_match_networks_remove (&self->networks, &session->route.remote);
  hp_match_presences_remove (&self->presences, session->presence);
}

void
hp_match_service_end_presence (HpMatchService *self, HpMatchSession *session)
{
  HpMatchPresence *presence = session->presence;

  if (presence == NULL)
    return;
  add_id_event (self, HP_SERVICE_EVENT_EXPIRED, presence->id,
                session->public_key);
  if (presence->flags & HP_REGISTER_EPHEMERAL)
    add_id_event (self, HP_SERVICE_EVENT_RELEASE, presence->id,
                  session->public_key);
  remove_presence (self, session);
}

void
hp_match_service_inherit_presence (HpMatchService *self,
                                   HpMatchSession *older,
                                   HpMatchSession *session)
{
  if (older->presence == NULL)
    return;
  hp_match_networks_remove (&self->networks, &older->route.remote);
  hp_match_networks_add (&self->networks, &session->route.remote);
  hp_match_presences_move (&self->presences, older, session);
}

/* Who moves keeps what it has, be it beyond a limit there. */
void
hp_match_service_move_session (HpMatchService *self, HpMatchSession *session,
                               const HpRoute *route)
{
  if (session->presence != NULL)
    hp_match_networks_remove (&self->networks, &session->route.remote);
  hp_match_sessions_set_route (&self->sessions, session, route);
  if (session->presence != NULL)
    hp_match_networks_add (&self->networks, &session->route.remote);
}

void
hp_match_service_move_presence (HpMatchService *self, HpMatchSession *session)
{
  HpServiceEvent *event;

  if (session->presence == NULL)
    return;
  event = hp_match_service_add_event (self, HP_SERVICE_EVENT_EXPIRED);
  g_strlcpy (event->id, session->presence->id, sizeof event->id);
  memcpy (event->public_key, session->public_key, HP_KEY_SIZE);
  event->replaced = TRUE;
  remove_presence (self, session);
}

static HpMatchSession *
find_holder (HpMatchService *self, const HpMatchPresence *presence)
{
  return hp_match_presences_get_holder (&self->presences, presence);
}

void
hp_match_service_expire_presences (HpMatchService *self, gint64 now)
{
  HpMatchPresence *presence;

  while (hp_match_presences_get_deadline (&self->presences,
                                          self->config.registration_lifetime)
         <= now)
    {
      presence = hp_match_presences_oldest (&self->presences);
      hp_match_service_end_presence (self, find_holder (self, presence));
    }
}

static void
leave_challenges (HpMatchService *self, HpMatchClaim *claim)
{
  HpMatchPresence *presence
      = hp_match_presences_find (&self->presences, claim->id);

  if (claim->state != HP_MATCH_CLAIM_CHALLENGING)
    return;
  g_queue_unlink (&self->challenges, &claim->link);
  if (presence != NULL && presence->n_challengers > 0)
    presence->n_challengers--;
}

void
hp_match_service_cancel_claim (HpMatchService *self, HpMatchClaim *claim)
{
  hp_match_questions_remove (&self->questions, claim->handle);
  leave_challenges (self, claim);
  if (claim->network.family != HP_ADDRESS_NONE)
    hp_match_networks_remove (&self->networks, &claim->network);
  claim->session->claim = NULL;
  g_free (claim);
}

static void
send_registered (HpMatchService *self, HpMatchSession *session,
                 guint64 request, gint64 lifetime, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_REGISTERED };

  frame.registered.request = request;
  frame.registered.lifetime = lifetime / G_USEC_PER_SEC;
  frame.registered.observed = session->route.remote;
  hp_match_service_send_frame (self, session, &frame, now);
}

static gboolean
is_refresh (const HpMatchSession *session, const char *id)
{
  return session->presence != NULL
         && strcmp (session->presence->id, id) == 0;
}

static void
refuse (HpMatchService *self, HpMatchClaim *claim, HpRefusedCode code,
        gint64 now)
{
  HpMatchSession *session = claim->session;

  session->register_done = TRUE;
  session->register_code = code;
  self->statistics.refused++;
  /* It is not its own any more. */
  if ((code == HP_REFUSED_POLICY || code == HP_REFUSED_ID_TAKEN)
      && is_refresh (session, claim->id))
    hp_match_service_end_presence (self, session);
  hp_match_service_send_refused (self, session, claim->request, code, now);
  hp_match_service_cancel_claim (self, claim);
}

/* Two may have the right to an id in turn, when the registry changed its
 * mind: the present one is right. */
static void
end_other_presence (HpMatchService *self, HpMatchSession *session,
                    const char *id)
{
  HpMatchPresence *presence = hp_match_presences_find (&self->presences, id);

  if (presence != NULL && presence != session->presence)
    hp_match_service_end_presence (self, find_holder (self, presence));
  if (session->presence != NULL && strcmp (session->presence->id, id) != 0)
    hp_match_service_end_presence (self, session);
}

static void
grant (HpMatchService *self, HpMatchClaim *claim, gint64 now)
{
  HpMatchSession *session = claim->session;
  HpServiceEvent *event;
  gboolean first_time;

  end_other_presence (self, session, claim->id);
  first_time = session->presence == NULL;
  session->is_known = TRUE;
  if (first_time)
    {
      hp_match_presences_add (&self->presences, session, claim->id,
                              claim->flags, now);
      hp_match_networks_add (&self->networks, &session->route.remote);
    }
  else
    hp_match_presences_refresh (&self->presences, session->presence,
                                claim->flags, now);
  event = hp_match_service_add_event (self, HP_SERVICE_EVENT_REGISTERED);
  g_strlcpy (event->id, claim->id, sizeof event->id);
  memcpy (event->public_key, session->public_key, HP_KEY_SIZE);
  event->address = session->route.remote;
  event->ephemeral = (claim->flags & HP_REGISTER_EPHEMERAL) != 0;
  event->first_time = first_time;
  session->presence->review = claim->review;
  /* Others who waited for an earlier holder to keep silent */
  hp_match_service_settle_challenges (self, session->presence, now);
  session->register_done = TRUE;
  session->register_code = 0;
  self->statistics.registers++;
  send_registered (self, session, claim->request,
                   self->config.registration_lifetime, now);
  hp_match_service_cancel_claim (self, claim);
}

static void
put_question (HpMatchService *self, HpMatchClaim *claim,
              HpMatchQuestionKind kind, HpServiceEventType type, gint64 now)
{
  HpServiceEvent *event = hp_match_service_add_event (self, type);

  claim->handle
      = hp_match_questions_add (&self->questions, kind, claim, now);
  event->handle = claim->handle;
  event->address = claim->session->route.remote;
  event->ephemeral = (claim->flags & HP_REGISTER_EPHEMERAL) != 0;
  g_strlcpy (event->id, claim->id, sizeof event->id);
  memcpy (event->public_key, claim->session->public_key, HP_KEY_SIZE);
}

static void
ask_registry (HpMatchService *self, HpMatchClaim *claim, gint64 now)
{
  leave_challenges (self, claim);
  claim->state = HP_MATCH_CLAIM_CLAIMING;
  put_question (self, claim, HP_MATCH_QUESTION_CLAIM, HP_SERVICE_EVENT_CLAIM,
                now);
}

/* Challenges: is the ephemeral holder still there? */

static void
ping_holder (HpMatchService *self, HpMatchClaim *claim, gint64 now)
{
  HpMatchPresence *presence
      = hp_match_presences_find (&self->presences, claim->id);

  claim->pings++;
  if (presence != NULL)
    hp_match_service_send_frame (self, find_holder (self, presence),
                                 &(HpFrame){ .type = HP_FRAME_PING }, now);
}

/* Whoever holds @id may be dropped if it keeps silent: it is here, with this
 * key, and ephemeral. */
static gboolean
can_challenge (HpMatchService *self, const char *id, const guint8 *holder)
{
  HpMatchPresence *presence = hp_match_presences_find (&self->presences, id);

  return presence != NULL && (presence->flags & HP_REGISTER_EPHEMERAL)
         && memcmp (find_holder (self, presence)->public_key, holder,
                    HP_KEY_SIZE)
                == 0
         && self->challenges.length < MAX_CHALLENGES;
}

static void
challenge_holder (HpMatchService *self, HpMatchClaim *claim, gint64 now)
{
  HpMatchPresence *presence
      = hp_match_presences_find (&self->presences, claim->id);

  claim->state = HP_MATCH_CLAIM_CHALLENGING;
  claim->challenged_at = now;
  claim->pings = 0;
  claim->link.data = claim;
  g_queue_push_tail_link (&self->challenges, &claim->link);
  presence->n_challengers++;
  ping_holder (self, claim, now);
}

void
hp_match_service_settle_challenges (HpMatchService *self,
                                    HpMatchPresence *presence, gint64 now)
{
  GList *next;

  for (GList *link = self->challenges.head; link != NULL; link = next)
    {
      HpMatchClaim *claim = link->data;

      next = link->next;
      if (strcmp (claim->id, presence->id) == 0)
        refuse (self, claim, HP_REFUSED_ID_TAKEN, now);
    }
}

static void
drop_silent_holder (HpMatchService *self, HpMatchClaim *claim, gint64 now)
{
  HpMatchPresence *presence
      = hp_match_presences_find (&self->presences, claim->id);
  HpMatchSession *holder;

  if (presence == NULL)
    return;
  holder = find_holder (self, presence);
  if (holder != claim->session)
    hp_match_service_drop_session (self, holder, now);
}

void
hp_match_service_expire_challenges (HpMatchService *self, gint64 now)
{
  GList *next;

  for (GList *link = self->challenges.head; link != NULL; link = next)
    {
      HpMatchClaim *claim = link->data;

      next = link->next;
      if (claim->challenged_at + claim->pings * CHALLENGE_INTERVAL > now)
        continue;
      if (claim->pings < CHALLENGE_PINGS)
        {
          ping_holder (self, claim, now);
          continue;
        }
      drop_silent_holder (self, claim, now);
      ask_registry (self, claim, now);
      /* The holder may itself have been waiting for another id. */
      next = self->challenges.head;
    }
}

gint64
hp_match_service_get_challenge_deadline (const HpMatchService *self)
{
  gint64 deadline = G_MAXINT64;

  for (GList *link = self->challenges.head; link != NULL; link = link->next)
    {
      const HpMatchClaim *claim = link->data;

      deadline = MIN (deadline, claim->challenged_at
                                    + claim->pings * CHALLENGE_INTERVAL);
    }
  return deadline;
}

/* Answers to questions */

/* The registry cannot be asked; but the id was this session's all the time, and
 * so it is now. */
static gboolean
may_refresh (HpMatchService *self, const HpMatchClaim *claim)
{
  if (!is_refresh (claim->session, claim->id))
    return FALSE;
  self->statistics.unclaimed_refreshes++;
  return TRUE;
}

void
hp_match_service_claim_answered (HpMatchService *self, HpMatchClaim *claim,
                                 const guint8 *holder, HpRefusedCode code,
                                 gint64 now)
{
  claim->handle = 0;
  if (code == HP_REFUSED_TEMPORARY && may_refresh (self, claim))
    grant (self, claim, now);
  else if (code != 0)
    refuse (self, claim, code, now);
  else if (holder == NULL)
    refuse (self, claim, HP_REFUSED_TEMPORARY, now);
  else if (memcmp (holder, claim->session->public_key, HP_KEY_SIZE) == 0)
    grant (self, claim, now);
  else if (can_challenge (self, claim->id, holder))
    challenge_holder (self, claim, now);
  else
    refuse (self, claim, HP_REFUSED_ID_TAKEN, now);
}

void
hp_match_service_claim_authorized (HpMatchService *self, HpMatchClaim *claim,
                                   gboolean allow, gint64 now)
{
  claim->handle = 0;
  if (allow)
    ask_registry (self, claim, now);
  else
    refuse (self, claim, HP_REFUSED_POLICY, now);
}

/* Requests */

static void
copy_id (char to[HP_ID_MAX_SIZE + 1], const HpBytes *id)
{
  memcpy (to, id->data, id->length);
  to[id->length] = '\0';
}

static void
repeat_answer (HpMatchService *self, HpMatchSession *session, gint64 now)
{
  if (!session->register_done)
    return;
  if (session->register_code != 0)
    hp_match_service_send_refused (self, session, session->register_request,
                                   session->register_code, now);
  else
    send_registered (self, session, session->register_request,
                     session->presence != NULL
                         ? self->config.registration_lifetime
                         : 0,
                     now);
}

/* Whether the request is a new one; a repeated one is answered as before. */
static gboolean
begin_request (HpMatchService *self, HpMatchSession *session, guint64 request,
               gint64 now)
{
  if (request < session->register_request)
    return FALSE;
  if (request == session->register_request)
    {
      repeat_answer (self, session, now);
      return FALSE;
    }
  session->register_request = request;
  session->register_done = FALSE;
  if (session->claim != NULL)
    hp_match_service_cancel_claim (self, session->claim);
  return TRUE;
}

/* FALSE: it was refused. What is under way counts like what is there; another
 * id instead of one that is there is no more than that. */
static gboolean
admit (HpMatchService *self, HpMatchClaim *claim, gint64 now)
{
  const HpMatchSession *session = claim->session;
  const HpAddress *network = &session->route.remote;

  if (hp_rate_limiter_take (self->registers, session->public_key,
                            HP_KEY_SIZE, now)
      && (session->presence != NULL
          || hp_match_service_has_network_room (self, network))
      && (is_refresh (session, claim->id)
          || hp_match_service_admit_id (self, network, now)))
    {
      if (session->presence == NULL)
        {
          claim->network = *network;
          hp_match_networks_add (&self->networks, network);
        }
      return TRUE;
    }
  self->statistics.dropped_rate_limited++;
  refuse (self, claim, HP_REFUSED_RATE_LIMITED, now);
  return FALSE;
}

void
hp_match_service_receive_register (HpMatchService *self,
                                   HpMatchSession *session,
                                   const HpFrame *frame, gint64 now)
{
  HpMatchClaim *claim;

  /* A repeat may know more than the first one did. */
  if (frame->reg.request >= session->register_request)
    hp_match_service_note_nat (session, &frame->reg.nat, now);
  if (!begin_request (self, session, frame->reg.request, now))
    return;
  session->suites = frame->reg.suites;
  claim = g_new0 (HpMatchClaim, 1);
  claim->session = session;
  claim->request = frame->reg.request;
  claim->review = self->config.review;
  claim->flags = frame->reg.flags & (HP_REGISTER_OPEN | HP_REGISTER_EPHEMERAL);
  copy_id (claim->id, &frame->reg.id);
  session->claim = claim;
  if (!admit (self, claim, now))
    return;
  if (self->asks_registration
      && (!is_refresh (session, claim->id)
          || session->presence->review != self->config.review))
    {
      claim->state = HP_MATCH_CLAIM_AUTHORIZING;
      put_question (self, claim, HP_MATCH_QUESTION_AUTHORIZE_REGISTRATION,
                    HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION, now);
    }
  else
    {
      ask_registry (self, claim, now);
    }
}

void
hp_match_service_receive_unregister (HpMatchService *self,
                                     HpMatchSession *session,
                                     const HpFrame *frame, gint64 now)
{
  char id[HP_ID_MAX_SIZE + 1];

  if (!begin_request (self, session, frame->reg.request, now))
    return;
  copy_id (id, &frame->reg.id);
  if (session->presence != NULL && strcmp (session->presence->id, id) == 0)
    hp_match_service_end_presence (self, session);
  session->register_done = TRUE;
  session->register_code = 0;
  send_registered (self, session, frame->reg.request, 0, now);
}
