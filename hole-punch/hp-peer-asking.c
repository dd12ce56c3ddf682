/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-call-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-report-private.h"
#include "hole-punch/hp-peer-visitors-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/nat/hp-candidate.h"

/* Milliseconds between asking one server and the next */
#define STAGGER 250

static HpPeerCall *
find_ask (HpPeer *peer, HpPeerMatch *match, guint64 request, HpPeerAsk **found)
{
  GPtrArray *calls = hp_peer_get_private (peer)->calls;

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *call = calls->pdata[i];

      for (guint k = 0; k < call->asks->len; k++)
        {
          *found = &g_array_index (call->asks, HpPeerAsk, k);
          if ((*found)->match == match && (*found)->request == request)
            return call;
        }
    }
  return NULL;
}

static gboolean
was_asked (HpPeerCall *call, HpPeerMatch *match)
{
  for (guint i = 0; i < call->asks->len; i++)
    {
      if (g_array_index (call->asks, HpPeerAsk, i).match == match)
        return TRUE;
    }
  return FALSE;
}

/* One with a session first */
static HpPeerMatch *
choose_server (HpPeerCall *call)
{
  GPtrArray *matches = hp_peer_get_private (call->peer)->matches;
  HpPeerMatch *chosen = NULL;

  for (guint i = 0; i < matches->len; i++)
    {
      HpPeerMatch *match = matches->pdata[i];

      if (was_asked (call, match))
        continue;
      if (hp_match_client_is_connected (match->client))
        return match;
      if (chosen == NULL)
        chosen = match;
    }
  return chosen;
}

static gboolean ask_next (HpPeerCall *call);

static gboolean
on_next (gpointer user_data)
{
  HpPeerCall *call = user_data;

  hp_peer_clear_source (&call->next_source);
  ask_next (call);
  return G_SOURCE_REMOVE;
}

/* FALSE: all have been asked */
static gboolean
ask_next (HpPeerCall *call)
{
  HpPeerMatch *match = choose_server (call);
  HpPeerAsk ask = { .match = match };

  hp_peer_clear_source (&call->next_source);
  if (match == NULL)
    return FALSE;
  ask.match = hp_peer_match_ref (match);
  ask.request = hp_peer_match_ask (match, call->target.id,
                                   call->target.id == NULL ? call->target.key
                                                           : NULL);
  g_array_append_val (call->asks, ask);
  if (choose_server (call) != NULL)
    call->next_source = hp_peer_add_timeout (call->peer, STAGGER, "hp-call-ask",
                                             on_next, call);
  return TRUE;
}

void
hp_peer_call_stop_asking (HpPeerCall *call)
{
  hp_peer_clear_source (&call->next_source);
  for (guint i = 0; i < call->asks->len; i++)
    {
      HpPeerAsk *ask = &g_array_index (call->asks, HpPeerAsk, i);

      hp_peer_match_stop_asking (ask->match, ask->request);
      hp_peer_match_unref (ask->match);
    }
  g_array_set_size (call->asks, 0);
  call->answered = (HpPeerAsk){ 0 };
}

void
hp_peer_call_ask (HpPeerCall *call)
{
  g_autoptr (GError) error = NULL;

  call->state = HP_PEER_CALL_ASKING;
  hp_peer_call_stop_asking (call);
  g_clear_error (&call->refusal);
  if (ask_next (call))
    return;
  error = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                       "No match server is set");
  hp_peer_call_fail (call, error);
}

/* Refusals */

static GError *
error_from_code (HpPeerCall *call, HpRefusedCode code)
{
  switch (code)
    {
    case HP_REFUSED_UNKNOWN_ID:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID,
                          "“%s” is not there", call->target.text);
    case HP_REFUSED_RATE_LIMITED:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED,
                          "Too many calls; try again later");
    case HP_REFUSED_INVALID:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                          "The match server does not take “%s”",
                          call->target.text);
    case HP_REFUSED_TEMPORARY:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                          "The match server cannot look up “%s” now",
                          call->target.text);
    case HP_REFUSED_ID_TAKEN:
    case HP_REFUSED_POLICY:
    default:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_REFUSED,
                          "The match server does not allow to call “%s”",
                          call->target.text);
    }
}

/* That somebody else answers for the target is worse than that a server does
 * not know it, and that a server cannot tell is no news at all */
static guint
get_weight (const GError *error)
{
  if (error == NULL)
    return 0;
  if (error->code == HP_PUNCH_ERROR_IDENTITY_MISMATCH)
    return 4;
  if (error->code == HP_PUNCH_ERROR_MATCH_SERVER)
    return 1;
  return error->code == HP_PUNCH_ERROR_UNKNOWN_ID ? 2 : 3;
}

static void
take_refusal (HpPeerCall *call, HpPeerAsk *ask, GError *error)
{
  gboolean all_refused = TRUE;

  ask->is_refused = TRUE;
  hp_peer_match_stop_asking (ask->match, ask->request);
  if (get_weight (error) > get_weight (call->refusal))
    {
      g_clear_error (&call->refusal);
      call->refusal = g_steal_pointer (&error);
    }
  g_clear_error (&error);

  if (ask_next (call))
    return;
  for (guint i = 0; i < call->asks->len; i++)
    all_refused &= g_array_index (call->asks, HpPeerAsk, i).is_refused;
  if (all_refused)
    {
      g_autoptr (GError) refusal = g_steal_pointer (&call->refusal);

      hp_peer_call_fail (call, refusal);
    }
}

void
hp_peer_calls_refused (HpPeer *peer, HpPeerMatch *match, guint64 request,
                       HpRefusedCode code)
{
  HpPeerAsk *ask;
  HpPeerCall *call = find_ask (peer, match, request, &ask);

  if (call != NULL && call->state == HP_PEER_CALL_ASKING && !ask->is_refused)
    take_refusal (call, ask, error_from_code (call, code));
}

void
hp_peer_calls_forget (HpPeer *peer, HpPeerMatch *match)
{
  g_autoptr (GPtrArray) calls = hp_peer_calls_list (peer);

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *call = calls->pdata[i];

      for (guint k = 0; k < call->asks->len; k++)
        {
          HpPeerAsk *ask = &g_array_index (call->asks, HpPeerAsk, k);

          if (ask->match != match || ask->is_refused
              || call->state != HP_PEER_CALL_ASKING)
            continue;
          take_refusal (call, ask,
                        g_error_new (HP_PUNCH_ERROR,
                                     HP_PUNCH_ERROR_MATCH_SERVER,
                                     "The match server was changed"));
          break;
        }
    }
}

/* Answers */

static gboolean
check_answer (HpPeerCall *call, HpPeerAsk *ask,
              const HpMatchIntroduction *introduction)
{
  HpPeerPrivate *priv = hp_peer_get_private (call->peer);
  const guint8 *key = introduction->public_key;
  g_autoptr (GError) error = NULL;

  if (memcmp (hp_identity_get_key_pair (priv->identity)->public_key, key,
              HP_KEY_SIZE)
      == 0)
    {
      error = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                           "“%s” is this peer itself", call->target.text);
      hp_peer_call_fail (call, error);
      return FALSE;
    }
  if (call->target.has_key && memcmp (call->target.key, key, HP_KEY_SIZE) != 0)
    {
      take_refusal (call, ask,
                    g_error_new (HP_PUNCH_ERROR,
                                 HP_PUNCH_ERROR_IDENTITY_MISMATCH,
                                 "Whoever answers for “%s” has another key",
                                 call->target.text));
      return FALSE;
    }
  return TRUE;
}

/* The others are not asked any more; the winner is, until the peer is heard: a
 * lost INTRODUCE heals */
static void
take_answer (HpPeerCall *call, const HpPeerAsk *ask,
             const HpMatchIntroduction *introduction)
{
  call->introduction = *introduction;
  call->answered = *ask;
  hp_peer_clear_source (&call->next_source);
  for (guint i = 0; i < call->asks->len; i++)
    {
      HpPeerAsk *other = &g_array_index (call->asks, HpPeerAsk, i);

      if (other->match != ask->match)
        hp_peer_match_stop_asking (other->match, other->request);
    }
}

static gboolean
needs_decision (HpPeerCall *call)
{
  const guint8 *key = call->introduction.public_key;

  if (call->recovers || call->target.has_key
      || !hp_peer_has_authorizer (call->peer))
    return FALSE;
  if (call->is_decided && memcmp (call->decided_key, key, HP_KEY_SIZE) == 0)
    return FALSE;
  return hp_peer_links_find_open (call->peer, key) == NULL;
}

static gboolean
is_call (HpPeer *peer, HpPeerCall *call, guint64 question)
{
  return g_ptr_array_find (hp_peer_get_private (peer)->calls, call, NULL)
         && call->question == question;
}

/* The user may take a while: the server is not asked again meanwhile, but
 * anew after that */
static void
decide (HpPeerCall *call)
{
  HpPeer *peer = call->peer;
  guint64 number = hp_peer_questions_next (peer);
  guint8 key[HP_KEY_SIZE];
  char id[HP_ID_MAX_SIZE + 1];
  HpPeerQuestion question = { .id = id,
                              .key = key,
                              .wanted_id = call->target.id };

  memcpy (key, call->introduction.public_key, HP_KEY_SIZE);
  g_strlcpy (id,
             *call->introduction.id != '\0' ? call->introduction.id
                                            : call->target.id,
             sizeof id);
  call->state = HP_PEER_CALL_DECIDING;
  call->question = number;
  hp_peer_clear_source (&call->timeout);
  hp_peer_questions_ask (peer, number, &question);
  if (hp_peer_is_active (peer) && is_call (peer, call, number))
    hp_peer_call_stop_asking (call);
}

void
hp_peer_calls_decided (HpPeer *peer, guint64 question, gboolean allowed)
{
  GPtrArray *calls = hp_peer_get_private (peer)->calls;
  g_autoptr (GError) error = NULL;
  HpPeerCall *call = NULL;

  for (guint i = 0; i < calls->len && call == NULL; i++)
    {
      HpPeerCall *candidate = calls->pdata[i];

      if (candidate->question == question)
        call = candidate;
    }
  if (call == NULL || call->state != HP_PEER_CALL_DECIDING)
    return;

  call->question = 0;
  if (!allowed)
    {
      error = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_DENIED,
                           "The call to “%s” was not allowed",
                           call->target.text);
      hp_peer_call_fail (call, error);
      return;
    }
  call->is_decided = TRUE;
  memcpy (call->decided_key, call->introduction.public_key, HP_KEY_SIZE);
  hp_peer_call_set_timeout (call);
  if (call->answered.match != NULL)
    hp_peer_call_link (call);
  else
    hp_peer_call_ask (call);
}

void
hp_peer_calls_answered (HpPeer *peer, HpPeerMatch *match, guint64 request,
                        const HpMatchIntroduction *introduction)
{
  HpPeerAsk *ask;
  HpPeerCall *call = find_ask (peer, match, request, &ask);

  if (call == NULL || ask->is_refused)
    return;
  /* A repeat tells of new candidates */
  if (call->state == HP_PEER_CALL_LINKING)
    {
      if (call->answered.match == match && call->answered.request == request)
        {
          call->introduction = *introduction;
          hp_peer_call_link (call);
        }
      return;
    }
  if (call->state != HP_PEER_CALL_ASKING
      || !check_answer (call, ask, introduction))
    return;
  take_answer (call, ask, introduction);
  if (needs_decision (call))
    decide (call);
  else
    hp_peer_call_link (call);
}

/* Silence */

/* @attempts as a text: sentences */
static char *
join_attempts (HpPeerCall *call)
{
  g_autoptr (GPtrArray) attempts = hp_peer_call_list_attempts (call);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < attempts->len; i++)
    g_string_append_printf (text, " %s.", (char *) attempts->pdata[i]);
  return g_string_free (text, FALSE);
}

GError *
hp_peer_call_describe_silence (HpPeerCall *call)
{
  g_autofree char *tried = NULL;
  gboolean is_connected = FALSE;

  if (call->refusal != NULL)
    return g_steal_pointer (&call->refusal);
  if (call->is_direct)
    {
      tried = hp_address_to_string (&call->address);
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE,
                          "“%s” does not answer at %s", call->target.text,
                          tried);
    }
  tried = join_attempts (call);
  if (call->answered.match != NULL)
    return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE,
                        "No path to “%s” was found.%s", call->target.text,
                        tried);
  for (guint i = 0; i < call->asks->len; i++)
    is_connected |= hp_match_client_is_connected (
        g_array_index (call->asks, HpPeerAsk, i).match->client);
  if (is_connected)
    return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE,
                        "“%s” has not answered in time", call->target.text);
  return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                      "The match server does not answer.%s", tried);
}

/* Direct calls: the peer itself is asked */

static HpPeerCall *
call_of (HpParty *party)
{
  gpointer call = (guint8 *) party
                  - G_STRUCT_OFFSET (HpPeerCall, greeter_party);

  return call;
}

static void
greeter_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  /* It has no index; a COOKIE comes by hp_peer_calls_receive() */
}

static gboolean
greeter_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  return hp_greeter_pull (&call_of (party)->greeter, outgoing, now);
}

static gint64
greeter_get_deadline (HpParty *party, gint64 now)
{
  return call_of (party)->greeter.next_at;
}

static void
greeter_expire (HpParty *party, gint64 now)
{
}

static void
greeter_deliver (HpParty *party, gint64 now)
{
}

static const HpPartyClass greeter_class = {
  .name = "greeter",
  .receive = greeter_receive,
  .pull = greeter_pull,
  .get_deadline = greeter_get_deadline,
  .expire = greeter_expire,
  .deliver = greeter_deliver,
};

void
hp_peer_call_greet (HpPeerCall *call)
{
  HpEndpoint *endpoint = hp_peer_get_private (call->peer)->endpoint;
  HpRoute route = { .remote = call->address };

  call->state = HP_PEER_CALL_ASKING;
  hp_greeter_init (&call->greeter, &route, call->target.key, &hp_crypto_random,
                   hp_clock_now ());
  hp_endpoint_add_party (endpoint, &call->greeter_party, &greeter_class, 0);
  hp_endpoint_wake (endpoint, &call->greeter_party);
}

gboolean
hp_peer_calls_receive (HpPeer *peer, const HpDatagram *datagram, gint64 now)
{
  GPtrArray *calls = hp_peer_get_private (peer)->calls;
  HpCookiePacket cookie;
  gint64 round_trip;

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *call = calls->pdata[i];

      if (!call->is_direct || call->state != HP_PEER_CALL_ASKING
          || !hp_greeter_receive (&call->greeter, datagram, now, &cookie,
                                  &round_trip))
        continue;
      call->introduction = (HpMatchIntroduction){ .suites = cookie.suites,
                                                  .start_at = now };
      memcpy (call->introduction.public_key, call->target.key, HP_KEY_SIZE);
      hp_ticket_init (&call->introduction.ticket, 0, cookie.cookie,
                      HP_COOKIE_SIZE);
      hp_candidates_add (&call->introduction.candidates, &call->address,
                         HP_CANDIDATE_HOST, NULL);
      hp_peer_call_link (call);
      return TRUE;
    }
  return FALSE;
}
