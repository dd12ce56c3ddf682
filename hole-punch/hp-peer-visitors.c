/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-visitors-private.h"

#include <string.h>

#include "hole-punch/hp-authorization-private.h"
#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-call-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/nat/hp-candidate.h"

/* Strangers are cheap: so many at once of all, and of one prefix */
#define MAX_STRANGERS 64
#define MAX_OF_PREFIX 4
/* … of whom so many, and of one prefix, take hundreds of NAT entries */
#define MAX_SPRAYING 4
#define MAX_SPRAYING_OF_PREFIX 2
/* Tickets that are remembered to have had their answer */
#define MAX_SETTLED 256
#define QUESTION_DEADLINE (60 * G_TIME_SPAN_SECOND)
#define MAX_INTRODUCTIONS 4

typedef struct
{
  HpPeerMatch *match;
  HpMatchIntroduction introduction;
} Introduced;

/* Somebody about whom the application is asked */
typedef struct
{
  guint64 question;
  guint8 key[HP_KEY_SIZE];
  Introduced introduced[MAX_INTRODUCTIONS]; /* by several servers, perhaps */
  guint n_introduced;
} HpPeerVisitor;

static void
visitor_free (gpointer data)
{
  HpPeerVisitor *visitor = data;

  for (guint i = 0; i < visitor->n_introduced; i++)
    hp_peer_match_unref (visitor->introduced[i].match);
  g_free (visitor);
}

GPtrArray *
hp_peer_visitors_new (void)
{
  return g_ptr_array_new_with_free_func (visitor_free);
}

/* Questions */

typedef struct
{
  GWeakRef peer;
  guint64 number;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_weak_ref_clear (&question->peer);
  g_free (question);
}

static HpPeerVisitor *
find_question (GPtrArray *visitors, guint64 number)
{
  for (guint i = 0; i < visitors->len; i++)
    {
      HpPeerVisitor *visitor = visitors->pdata[i];

      if (visitor->question == number)
        return visitor;
    }
  return NULL;
}

static void visitor_decided (HpPeer *peer, HpPeerVisitor *visitor,
                             gboolean allowed);
static gboolean link_decided (HpPeer *peer, guint64 number, gboolean allowed);

static void
on_answer (gboolean allowed, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (HpPeer) peer = g_weak_ref_get (&question->peer);
  HpPeerVisitor *visitor;

  if (peer == NULL || !hp_peer_is_active (peer))
    return;
  visitor = find_question (hp_peer_get_private (peer)->visitors,
                           question->number);
  if (visitor != NULL)
    visitor_decided (peer, visitor, allowed);
  else if (!link_decided (peer, question->number, allowed))
    hp_peer_calls_decided (peer, question->number, allowed);
}

guint64
hp_peer_questions_next (HpPeer *peer)
{
  return ++hp_peer_get_private (peer)->last_question;
}

void
hp_peer_questions_ask (HpPeer *peer, guint64 number,
                       const HpPeerQuestion *question)
{
  g_autoptr (HpAuthorization) authorization = NULL;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  Question *asked = g_new0 (Question, 1);

  g_weak_ref_init (&asked->peer, peer);
  asked->number = number;
  hp_fingerprint_format (fingerprint, question->key);
  authorization = hp_authorization_new_private (
      question->id, fingerprint, question->wanted_id,
      hp_peer_get_private (peer)->context, QUESTION_DEADLINE, on_answer, asked,
      question_free);
  hp_peer_emit_authorize (peer, authorization);
}

/* Introductions */

/* One that has had its answer */
typedef struct
{
  guint64 number;
  gboolean is_allowed;
  /* Let in, but the server has to say when both sides begin: knocking before
   * the caller has opened its NAT would spoil the mapping there */
  gboolean is_awaited;
  gboolean is_stranger;
} Settled;

GArray *
hp_peer_visitors_new_settled (void)
{
  return g_array_new (FALSE, FALSE, sizeof (Settled));
}

static void
settle (HpPeer *peer, const Settled *entry)
{
  GArray *settled = hp_peer_get_private (peer)->settled;

  if (settled->len >= MAX_SETTLED)
    g_array_remove_range (settled, 0, MAX_SETTLED / 2);
  g_array_append_val (settled, *entry);
}

static Settled *
find_settled (HpPeer *peer, guint64 number)
{
  GArray *settled = hp_peer_get_private (peer)->settled;

  for (guint i = 0; i < settled->len; i++)
    {
      Settled *entry = &g_array_index (settled, Settled, i);

      if (entry->number == number)
        return entry;
    }
  return NULL;
}

static const char *
null_if_empty (const char *text)
{
  return *text != '\0' ? text : NULL;
}

/* On the same machine or network no NAT is between us whose entries would have
 * to be spared */
static gboolean
is_too_many (HpPeer *peer, const HpAddress *from)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  guint all = 0;
  guint of_prefix = 0;

  hp_peer_links_count_strangers (peer, from, &all, &of_prefix);
  for (guint i = 0; i < priv->visitors->len; i++)
    {
      HpPeerVisitor *visitor = priv->visitors->pdata[i];

      all++;
      if (hp_peer_links_same_prefix (
              &visitor->introduced[0].introduction.observed, from))
        of_prefix++;
    }
  return all >= MAX_STRANGERS
         || (of_prefix >= MAX_OF_PREFIX && !hp_address_is_private (from));
}

static gboolean
may_spray (HpPeer *peer, const HpPeerLink *link)
{
  guint all = 0;
  guint of_prefix = 0;

  if (!link->is_stranger)
    return TRUE;
  /* It is one of them */
  hp_peer_links_count_strangers (peer, &link->from, &all, &of_prefix);
  return all <= MAX_SPRAYING && of_prefix <= MAX_SPRAYING_OF_PREFIX;
}

/* Their call is awaited */
static void
await (HpPeer *peer, const HpMatchIntroduction *introduction,
       gboolean is_stranger, gint64 now)
{
  HpPeerLink *open = hp_peer_links_find_open (peer, introduction->public_key);
  HpPeerLink *link = hp_peer_links_find_pending (peer,
                                                 introduction->public_key);
  HpPeerLinkName name = { .key = introduction->public_key,
                          .remote_id = null_if_empty (introduction->id),
                          .asked_at = now,
                          .is_stranger = is_stranger };
  HpIntroduction converted;

  hp_peer_links_convert (&converted, introduction, FALSE);
  /* Whom we are connected to may be looking for a new path, or may have begun
   * anew: both are met. The second link goes away by itself if nobody calls. */
  if (open != NULL)
    hp_peer_links_introduce (open, &converted, now);
  if (link == NULL)
    {
      link = hp_peer_links_add (peer, &name, now);
      link->from = introduction->observed;
    }
  link->is_visited = TRUE;
  /* Only one of the two takes the sockets and the NAT entries */
  converted.may_spray = open == NULL && may_spray (peer, link);
  hp_peer_links_introduce (link, &converted, now);
}

static void
let_in (HpPeer *peer, HpPeerMatch *match,
        const HpMatchIntroduction *introduction, gboolean is_stranger,
        gint64 now)
{
  Settled entry = { .number = introduction->ticket.number,
                    .is_allowed = TRUE,
                    .is_awaited = introduction->needs_reply,
                    .is_stranger = is_stranger };

  settle (peer, &entry);
  if (introduction->needs_reply)
    hp_peer_match_reply (match, introduction, TRUE);
  else
    await (peer, introduction, is_stranger, now);
}

static void
turn_away (HpPeer *peer, HpPeerMatch *match,
           const HpMatchIntroduction *introduction)
{
  Settled entry = { .number = introduction->ticket.number };

  settle (peer, &entry);
  hp_peer_match_reply (match, introduction, FALSE);
}

/* An introduction that was answered comes again */
static void
handle_settled (HpPeer *peer, HpPeerMatch *match, Settled *entry,
                const HpMatchIntroduction *introduction, gint64 now)
{
  /* The client repeats what was replied, but has room for so many only */
  if (introduction->needs_reply && !introduction->repeated)
    {
      entry->is_awaited = entry->is_allowed;
      hp_peer_match_reply (match, introduction, entry->is_allowed);
    }
  else if (!introduction->needs_reply && entry->is_awaited)
    {
      entry->is_awaited = FALSE;
      await (peer, introduction, entry->is_stranger, now);
    }
}

static void
visitor_decided (HpPeer *peer, HpPeerVisitor *visitor, gboolean allowed)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  guint index;

  if (!g_ptr_array_find (priv->visitors, visitor, &index))
    return;
  g_ptr_array_steal_index (priv->visitors, index);

  for (guint i = 0; i < visitor->n_introduced; i++)
    {
      Introduced *introduced = &visitor->introduced[i];

      if (allowed)
        let_in (peer, introduced->match, &introduced->introduction, TRUE,
                hp_clock_now ());
      else
        turn_away (peer, introduced->match, &introduced->introduction);
    }
  visitor_free (visitor);
}

static void
visitor_add (HpPeerVisitor *visitor, HpPeerMatch *match,
             const HpMatchIntroduction *introduction)
{
  Introduced *introduced;

  for (guint i = 0; i < visitor->n_introduced; i++)
    {
      introduced = &visitor->introduced[i];
      if (introduced->introduction.ticket.number == introduction->ticket.number)
        {
          introduced->introduction = *introduction;
          return;
        }
    }
  if (visitor->n_introduced == MAX_INTRODUCTIONS)
    return;
  introduced = &visitor->introduced[visitor->n_introduced++];
  introduced->match = hp_peer_match_ref (match);
  introduced->introduction = *introduction;
}

static HpPeerVisitor *
find_visitor (HpPeer *peer, const guint8 *key)
{
  GPtrArray *visitors = hp_peer_get_private (peer)->visitors;

  for (guint i = 0; i < visitors->len; i++)
    {
      HpPeerVisitor *visitor = visitors->pdata[i];

      if (memcmp (visitor->key, key, HP_KEY_SIZE) == 0)
        return visitor;
    }
  return NULL;
}

static void
ask_about (HpPeer *peer, HpPeerMatch *match,
           const HpMatchIntroduction *introduction)
{
  HpPeerVisitor *visitor = find_visitor (peer, introduction->public_key);
  HpPeerQuestion question = {
    .id = null_if_empty (introduction->id),
    .key = introduction->public_key,
    .wanted_id = null_if_empty (introduction->wanted_id),
  };

  /* Asked once, however many servers and repeats bring the same peer */
  if (visitor != NULL)
    {
      visitor_add (visitor, match, introduction);
      return;
    }
  visitor = g_new0 (HpPeerVisitor, 1);
  visitor->question = hp_peer_questions_next (peer);
  memcpy (visitor->key, introduction->public_key, HP_KEY_SIZE);
  visitor_add (visitor, match, introduction);
  g_ptr_array_add (hp_peer_get_private (peer)->visitors, visitor);
  hp_peer_questions_ask (peer, visitor->question, &question);
}

static gboolean
is_self (HpPeer *peer, const guint8 *key)
{
  HpIdentity *identity = hp_peer_get_private (peer)->identity;

  return memcmp (hp_identity_get_key_pair (identity)->public_key, key,
                 HP_KEY_SIZE)
         == 0;
}

/* Connected, called by us, or let in before: introduced by another server */
static gboolean
is_known (HpPeer *peer, const guint8 *key)
{
  HpPeerLink *pending = hp_peer_links_find_pending (peer, key);

  return hp_peer_links_find_open (peer, key) != NULL
         || hp_peer_calls_include (peer, key)
         || (pending != NULL && pending->question == 0);
}

/* A link that waited for two processes of one identity has opened for the one:
 * the other, which goes on asking, needs a link of its own */
static gboolean
is_met (const HpPeerLink *self, const HpMatchIntroduction *introduction)
{
  HpLink *link = hp_connection_get_link (self->connection);

  return !self->is_open || introduction->needs_reply
         || hp_link_get_session_ticket (link) == introduction->ticket.number;
}

void
hp_peer_visitors_introduced (HpPeer *peer, HpPeerMatch *match,
                             const HpMatchIntroduction *introduction,
                             gint64 now)
{
  const guint8 *key = introduction->public_key;
  HpPeerLink *link = hp_peer_links_find_ticket (peer,
                                                introduction->ticket.number);
  HpIntroduction converted;
  Settled *settled;

  if (is_self (peer, key))
    return;
  if (link != NULL && is_met (link, introduction))
    {
      hp_peer_links_convert (&converted, introduction, FALSE);
      hp_peer_links_introduce (link, &converted, now);
      return;
    }
  if (link != NULL)
    {
      await (peer, introduction, FALSE, now);
      return;
    }
  settled = find_settled (peer, introduction->ticket.number);
  if (settled != NULL)
    {
      handle_settled (peer, match, settled, introduction, now);
      return;
    }

  if (is_known (peer, key))
    {
      let_in (peer, match, introduction, FALSE, now);
      return;
    }
  /* Without an id nobody is meant to call us but those we know */
  if (hp_peer_get_private (peer)->id == NULL)
    {
      turn_away (peer, match, introduction);
      return;
    }
  /* Its caller asks again, and may be luckier then */
  if (find_visitor (peer, key) == NULL
      && is_too_many (peer, &introduction->observed))
    return;
  if (hp_peer_has_authorizer (peer))
    ask_about (peer, match, introduction);
  else
    let_in (peer, match, introduction, TRUE, now);
}

/* Direct calls to us */

void
hp_peer_visitors_identified (HpPeerLink *link)
{
  HpPeer *peer = link->peer;
  const guint8 *key = hp_link_get_remote_public (
      hp_connection_get_link (link->connection));
  HpPeerQuestion question = { .key = key };

  if (is_self (peer, key))
    {
      hp_connection_close_private (link->connection, HP_CLOSE_DENIED, NULL);
      return;
    }
  if (hp_peer_links_find_open (peer, key) != NULL
      || hp_peer_calls_include (peer, key) || !hp_peer_has_authorizer (peer))
    {
      hp_link_accept (hp_connection_get_link (link->connection),
                      hp_clock_now ());
      hp_connection_wake (link->connection);
      return;
    }
  link->question = hp_peer_questions_next (peer);
  hp_peer_questions_ask (peer, link->question, &question);
}

static gboolean
link_decided (HpPeer *peer, guint64 number, gboolean allowed)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (link->question != number)
        continue;
      link->question = 0;
      if (hp_connection_get_close_error (link->connection) != NULL)
        return TRUE;
      if (allowed)
        hp_link_accept (hp_connection_get_link (link->connection),
                        hp_clock_now ());
      else
        hp_connection_close_private (link->connection, HP_CLOSE_DENIED, NULL);
      hp_connection_wake (link->connection);
      return TRUE;
    }
  return FALSE;
}

/* Stateless: the address is proven, and that the caller knows our key */
static gboolean
receive_hello (HpPeer *peer, const HpDatagram *datagram, gint64 now)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  const HpKeyPair *local = hp_identity_get_key_pair (priv->identity);
  guint8 bytes[HP_HELLO_MIN_SIZE];
  HpOutgoing outgoing = { .route = datagram->route,
                          .bytes = bytes,
                          .capacity = sizeof bytes };
  HpCookiePacket cookie = { .version = HP_PROTOCOL_VERSION,
                            .suites = hp_crypto_get_suites (),
                            .observed = datagram->route.remote };
  HpHello hello;
  HpWriter writer;

  if (!hp_packet_parse_hello (&hello, datagram->bytes, datagram->length)
      || !hp_hello_check_proof (local->public_key, &hello, datagram->bytes))
    return FALSE;

  memcpy (cookie.transaction, hello.transaction, HP_TRANSACTION_SIZE);
  hp_cookie_jar_rotate (&priv->cookie_jar, now);
  hp_cookie_jar_create (&priv->cookie_jar, &datagram->route.remote,
                        cookie.cookie);
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_cookie (&cookie, &writer);
  outgoing.length = writer.offset;
  hp_endpoint_send (priv->endpoint, &outgoing);
  return TRUE;
}

static gboolean
receive_initiation (HpPeer *peer, const HpDatagram *datagram, gint64 now)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  const HpAddress *from = &datagram->route.remote;
  HpIntroduction introduction = { .suites = hp_crypto_get_suites (),
                                  .start_at = now };
  HpPeerLinkName name = { .asked_at = now, .is_stranger = TRUE };
  HpInitiation initiation;
  HpPeerLink *link;

  if (!hp_packet_parse_initiation (&initiation, datagram->bytes,
                                   datagram->length)
      || initiation.ticket_number != 0)
    return FALSE;

  link = hp_peer_links_find_direct (peer, from, initiation.sender_index);
  if (link == NULL)
    {
      hp_cookie_jar_rotate (&priv->cookie_jar, now);
      if (hp_cookie_jar_check_initiation (
              &priv->cookie_jar, from, &initiation, datagram->bytes,
              hp_crypto_get_suites (), &introduction.ticket)
              != HP_HANDSHAKE_OK
          || is_too_many (peer, from))
        return FALSE;
      link = hp_peer_links_add (peer, &name, now);
      link->is_direct = TRUE;
      link->is_visited = TRUE;
      link->from = *from;
      link->remote_index = initiation.sender_index;
      hp_candidates_add (&introduction.candidates, from, HP_CANDIDATE_HOST,
                         NULL);
      hp_peer_links_introduce (link, &introduction, now);
    }
  hp_link_receive (hp_connection_get_link (link->connection), datagram, now);
  hp_connection_wake (link->connection);
  return TRUE;
}

gboolean
hp_peer_visitors_receive (HpPeer *peer, const HpDatagram *datagram, gint64 now)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  /* An answer would tell where we are. */
  if (!priv->direct_calls || hp_peer_relay_is_only (peer)
      || datagram->length == 0)
    return FALSE;
  if (datagram->bytes[0] == HP_PACKET_HELLO)
    return receive_hello (peer, datagram, now);
  if (datagram->bytes[0] == HP_PACKET_INITIATION)
    return receive_initiation (peer, datagram, now);
  return FALSE;
}
