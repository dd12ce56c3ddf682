/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Introductions, candidates, and what the puncher sends to them: openers are
 * PROBEs; checks are INITIATIONs of the caller, PROBEs of the callee, and,
 * once there is a session, DATA with a PATH_CHALLENGE of both.
 */

#include "hole-punch/link/hp-link-private.h"

#include <string.h>

#define NEVER G_MAXINT64
/* Nobody is made to wait longer for the synchronised start */
#define MAX_START_DELAY (5 * G_TIME_SPAN_SECOND)
/* How long an introduction leads over one in the other direction */
#define LEAD_TIME (4 * G_TIME_SPAN_SECOND)
/* RFC 6335, section 6: 49152 to 65535 */
#define FIRST_DYNAMIC_PORT 0xc000
/* How long those are tried that come when there is a good path */
#define TRICKLE_GRACE (3 * G_TIME_SPAN_SECOND)
/* Told inside the session. Public ones come without proof: few, so that
 * nobody can aim our checks at a stranger. */
#define MAX_TRICKLED_PRIVATE HP_MAX_HOST_CANDIDATES
#define MAX_TRICKLED_PUBLIC 4

static const HpIntroduction *
get_newest (const HpLink *self)
{
  return self->n_introductions > 0
             ? &self->introductions[self->n_introductions - 1]
             : NULL;
}

/* Candidates */

/* What answers from @start_at on ends the punching */
static void
punch_from (HpLink *self, gint64 start_at)
{
  guint i;

  /* What was tried in vain may work now: the budgets are an introduction's */
  for (i = self->paths->len; i-- > 0;)
    {
      HpPath *path = self->paths->pdata[i];

      if (path->is_proven)
        continue;
      path->unproven_left = HP_UNPROVEN_DATAGRAMS;
      path->n_unanswered = 0;
      path->unanswered_since = 0;
    }
  self->punched_from = start_at;
  self->grace_until = NEVER;
  self->trickled.n_candidates = 0;
}

static void
add_candidates (HpLink *self, const HpWireCandidates *candidates,
                gint64 now)
{
  guint i;

  hp_link_rank_paths (self, now);
  if (self->state == HP_LINK_READY
      && !hp_puncher_is_running (self->puncher))
    self->grace_until = now + TRICKLE_GRACE;
  else if (self->state == HP_LINK_READY && self->grace_until != NEVER)
    self->grace_until = MAX (self->grace_until, now + TRICKLE_GRACE);

  for (i = 0; i < candidates->n_candidates; i++)
    {
      HpRoute route = { .remote = candidates->candidates[i].address };
      const HpPath *known = hp_link_find_path (self, &route);

      if (known == NULL || !known->is_proven)
        hp_puncher_add (self->puncher, &route,
                        candidates->candidates[i].kind, now);
    }
}

static gboolean
may_trickle (const HpLink *self, const HpWireCandidate *candidate)
{
  gboolean is_private = hp_address_is_private (&candidate->address);
  guint count = 0;
  guint i;

  if (hp_address_get_scope (&candidate->address) == HP_SCOPE_LOOPBACK
      || candidate->kind == HP_CANDIDATE_PEER_REFLEXIVE
      || hp_candidates_contain (&self->trickled, &candidate->address))
    return FALSE;
  for (i = 0; i < self->trickled.n_candidates; i++)
    count += hp_address_is_private (&self->trickled.candidates[i].address)
             == is_private;
  return count < (is_private ? MAX_TRICKLED_PRIVATE : MAX_TRICKLED_PUBLIC);
}

void
hp_link_receive_candidates (HpLink *self, const HpWireCandidates *candidates,
                            gint64 now)
{
  HpWireCandidates taken = { 0 };
  guint i;

  for (i = 0; i < candidates->n_candidates; i++)
    {
      const HpWireCandidate *candidate = &candidates->candidates[i];

      if (!may_trickle (self, candidate))
        continue;
      hp_candidates_add (&self->trickled, &candidate->address,
                         candidate->kind, NULL);
      hp_candidates_add (&taken, &candidate->address, candidate->kind, NULL);
    }
  if (taken.n_candidates > 0)
    add_candidates (self, &taken, now);
}

/* Introductions */

static HpIntroduction *
find_introduction (HpLink *self, const HpTicket *ticket)
{
  guint i;

  for (i = 0; i < self->n_introductions; i++)
    {
      const HpTicket *known = &self->introductions[i].ticket;

      if (known->number == ticket->number
          && known->secret_length == ticket->secret_length
          && hp_crypto_equal (known->secret, ticket->secret,
                              ticket->secret_length))
        return &self->introductions[i];
    }
  return NULL;
}

static HpIntroduction *
append_introduction (HpLink *self, const HpIntroduction *introduction,
                     gint64 now)
{
  HpIntroduction *added;

  if (self->n_introductions == HP_LINK_MAX_INTRODUCTIONS)
    {
      self->n_introductions--;
      memmove (&self->introductions[0], &self->introductions[1],
               self->n_introductions * sizeof (HpIntroduction));
    }
  added = &self->introductions[self->n_introductions++];
  *added = *introduction;
  self->n_attempts = 0;
  added->start_at = CLAMP (introduction->start_at, now,
                           now + MAX_START_DELAY);
  return added;
}

/* While connecting, simultaneous calls have two introductions with mostly the
 * same candidates: all of them are tried */
static void
gather_candidates (const HpLink *self, HpWireCandidates *all)
{
  guint i, j;

  *all = get_newest (self)->candidates;
  if (self->session != NULL)
    return;
  for (i = 0; i + 1 < self->n_introductions; i++)
    for (j = 0; j < self->introductions[i].candidates.n_candidates; j++)
      {
        const HpWireCandidate *candidate
            = &self->introductions[i].candidates.candidates[j];

        hp_candidates_add (all, &candidate->address, candidate->kind, NULL);
      }
}

static void
note_relayed (HpIntroduction *introduction, const HpAddress *address)
{
  guint i;

  for (i = 0; i < introduction->candidates.n_candidates; i++)
    {
      HpWireCandidate *known = &introduction->candidates.candidates[i];

      if (hp_address_equal (&known->address, address))
        known->kind = HP_CANDIDATE_RELAYED;
    }
}

/* It comes again, with what was found out since */
static void
update_introduction (HpLink *self, HpIntroduction *known,
                     const HpIntroduction *again, gint64 now)
{
  const HpWireCandidates *candidates = &again->candidates;
  HpWireCandidates fresh = { 0 };
  guint i;

  for (i = 0; i < candidates->n_candidates; i++)
    {
      const HpWireCandidate *candidate = &candidates->candidates[i];

      if (candidate->kind == HP_CANDIDATE_RELAYED)
        note_relayed (known, &candidate->address);
      if (hp_candidates_contain (&known->candidates, &candidate->address))
        continue;
      hp_candidates_add (&known->candidates, &candidate->address,
                         candidate->kind, NULL);
      hp_candidates_add (&fresh, &candidate->address, candidate->kind, NULL);
    }
  if (fresh.n_candidates > 0)
    add_candidates (self, &fresh, now);
  hp_link_rank_paths (self, now);
  hp_link_receive_nat (self, &again->nat, now);
}

void
hp_link_set_nat (HpLink *self, const HpNatFacts *local, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_NAT, .nat = *local };

  if (memcmp (&self->nat, local, sizeof *local) == 0
      || self->state == HP_LINK_CLOSED)
    return;
  self->nat = *local;
  hp_puncher_set_facts (self->puncher, local, NULL, now);
  if (self->session != NULL)
    hp_link_send_control (self, &frame);
}

void
hp_link_receive_nat (HpLink *self, const HpNatFacts *nat, gint64 now)
{
  if (nat->mapping == HP_WIRE_MAPPING_UNKNOWN
      || memcmp (&self->remote_nat, nat, sizeof *nat) == 0)
    return;
  self->remote_nat = *nat;
  hp_puncher_set_facts (self->puncher, NULL, nat, now);
}

char *
hp_link_describe_attempts (const HpLink *self)
{
  return hp_puncher_describe (self->puncher);
}

/* Where the fresh sockets of the caller and the callee are: known to both and
 * to nobody else, so that nothing knocks there before its time */
static void
choose_fresh_ports (const HpTicket *ticket, guint16 *callers, guint16 *callees)
{
  static const guint8 label[] = "fresh ports";
  HpHashPart part = { label, sizeof label };
  guint8 digest[HP_HASH_SIZE];
  HpReader reader;

  hp_crypto_hmac (digest, ticket->secret, ticket->secret_length, &part, 1);
  hp_reader_init (&reader, digest, sizeof digest);
  *callers = FIRST_DYNAMIC_PORT | hp_reader_u16 (&reader);
  *callees = FIRST_DYNAMIC_PORT | hp_reader_u16 (&reader);
}

/* Both sides have asked, and hear of it in different orders: the introduction
 * of the one with the larger key leads, so that both climb one ladder together
 */
static gboolean
is_led (const HpLink *self, gint64 now)
{
  gboolean is_larger = memcmp (self->config.local.public_key,
                               self->config.remote_public, HP_KEY_SIZE)
                       > 0;
  const HpIntroduction *newest = get_newest (self);
  guint i;

  if (!newest->punch || newest->is_caller == is_larger
      || !hp_puncher_is_running (self->puncher))
    return FALSE;
  for (i = 0; i + 1 < self->n_introductions; i++)
    {
      const HpIntroduction *earlier = &self->introductions[i];

      if (earlier->punch && earlier->is_caller == is_larger
          && now - earlier->start_at < LEAD_TIME)
        return TRUE;
    }
  return FALSE;
}

static void
start_puncher (HpLink *self, const HpIntroduction *introduction, gint64 now)
{
  HpPunchPlan plan = {
    .openers = introduction->punch,
    .start_at = introduction->start_at,
    .is_caller = introduction->is_caller,
    .local = self->nat,
    .remote = self->remote_nat,
    .observed = introduction->observed,
    .may_spray = introduction->may_spray,
    .relay_only = self->config.relay_only,
    .by_relay = introduction->by_relay,
    .round_trip = hp_link_get_round_trip (self),
  };

  gather_candidates (self, &plan.candidates);
  if (!introduction->may_spray)
    plan.fresh_local = plan.fresh_remote = 0;
  else if (introduction->is_caller)
    choose_fresh_ports (&introduction->ticket, &plan.fresh_local,
                        &plan.fresh_remote);
  else
    choose_fresh_ports (&introduction->ticket, &plan.fresh_remote,
                        &plan.fresh_local);
  hp_puncher_start (self->puncher, &plan, now);
}

void
hp_link_introduce (HpLink *self, const HpIntroduction *introduction,
                   gint64 now)
{
  HpIntroduction *known = find_introduction (self, &introduction->ticket);

  if (self->state == HP_LINK_CLOSED)
    return;
  if (known != NULL)
    {
      update_introduction (self, known, introduction, now);
      return;
    }

  known = append_introduction (self, introduction, now);
  self->remote_nat = known->nat;
  hp_link_rank_paths (self, now);
  if (self->session == NULL)
    {
      gint64 until = known->start_at + HP_PUNCH_TIMEOUT;

      if (self->state == HP_LINK_NEW)
        self->connect_until = until;
      self->connect_until = MAX (self->connect_until, until);
      hp_link_set_state (self, HP_LINK_CONNECTING, now);
      /* With its INITIATION answered, ours would make a second session */
      if (known->is_caller && self->config.has_remote_public
          && !hp_link_has_answered (self))
        hp_link_initiate (self, known);
    }
  /* Who is silent asks by itself, but not what would be knocked at early */
  else if (self->state != HP_LINK_SILENT)
    hp_link_ask_paths (self, now);

  if (is_led (self, now))
    {
      add_candidates (self, &known->candidates, now);
      return;
    }
  start_puncher (self, known, now);
  punch_from (self, known->start_at);
}

gboolean
hp_link_has_ticket (const HpLink *self, guint64 number)
{
  guint i;

  for (i = 0; i < self->n_introductions; i++)
    if (self->introductions[i].ticket.number == number)
      return TRUE;
  return FALSE;
}

guint64
hp_link_get_session_ticket (const HpLink *self)
{
  return self->session_ticket;
}

/* Punches */

static gboolean
pull_probe (HpLink *self, const HpPunch *punch, HpOutgoing *outgoing)
{
  const HpIntroduction *introduction = get_newest (self);

  if (introduction == NULL || !introduction->punch)
    return FALSE;
  outgoing->length = hp_probe_write (&introduction->ticket,
                                     introduction->is_caller,
                                     outgoing->bytes, outgoing->capacity);
  outgoing->route = punch->route;
  outgoing->ttl = punch->ttl;
  return outgoing->length > 0;
}

static gboolean
pull_initiation (HpLink *self, HpPath *path, HpOutgoing *outgoing, gint64 now)
{
  guint8 token[HP_TOKEN_SIZE];

  hp_path_create_token (path, &self->config.random, now, token);
  outgoing->route = path->route;
  outgoing->length = hp_handshake_write_initiation (
      self->initiating.handshake, token, outgoing->bytes, outgoing->capacity);
  return outgoing->length > 0;
}

static gboolean
write_punch (HpLink *self, const HpPunch *punch, HpOutgoing *outgoing,
             gint64 now)
{
  gboolean initiates = self->initiating.handshake != NULL
                       && !hp_link_has_answered (self);
  HpPath *path;

  if (punch->is_probe || (self->session == NULL && !initiates))
    return pull_probe (self, punch, outgoing);

  path = hp_link_ensure_path (self, &punch->route);
  if (self->session != NULL)
    return hp_link_write_check (self, path, outgoing, now);
  return pull_initiation (self, path, outgoing, now);
}

gboolean
hp_link_pull_punch (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  HpPunch punch;

  while (hp_puncher_next (self->puncher, now, &punch))
    if (write_punch (self, &punch, outgoing, now))
      return TRUE;
  return FALSE;
}

void
hp_link_add_peer_reflexive (HpLink *self,
                            const HpIntroduction *introduction,
                            const HpRoute *route, gint64 now)
{
  HpRoute remote = *route;

  if (!introduction->punch || !hp_puncher_is_running (self->puncher))
    return;
  memset (&remote.local, 0, sizeof remote.local);
  hp_puncher_add (self->puncher, &remote, HP_CANDIDATE_PEER_REFLEXIVE, now);
}

void
hp_link_receive_probe (HpLink *self, const HpDatagram *datagram, gint64 now)
{
  HpProbe probe;
  guint i;

  if (!hp_packet_parse_probe (&probe, datagram->bytes, datagram->length)
      || probe.version != HP_PROTOCOL_VERSION)
    {
      self->statistics.dropped_malformed++;
      return;
    }
  if (self->state == HP_LINK_CLOSED)
    return;
  for (i = self->n_introductions; i-- > 0;)
    {
      const HpIntroduction *introduction = &self->introductions[i];

      if (introduction->ticket.number == probe.ticket_number
          && hp_probe_check (&probe, datagram->bytes, &introduction->ticket,
                             !introduction->is_caller))
        {
          hp_link_add_peer_reflexive (self, introduction, &datagram->route,
                                      now);
          return;
        }
    }
  self->statistics.dropped_ticket++;
}
