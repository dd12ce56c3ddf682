/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-endpoint-private.h"

#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-source.h"
#include "hole-punch/secure/hp-crypto.h"

/* UNKNOWN answered to one prefix, heeded from one, and heeded at all, each
 * second */
#define UNKNOWN_PER_PREFIX 4
#define UNKNOWN_HEEDED 20
#define LIMITER_BUCKETS 256
/* What closing waits, all told, for a kernel that takes nothing: farewells of a
 * match server are more than it takes at once, but a network that is stuck must
 * not hold whoever closes. */
#define PATIENCE (2 * G_USEC_PER_SEC)

static HpRateLimiter *
new_limiter (guint tokens, guint n_buckets)
{
  return hp_rate_limiter_new (tokens, G_USEC_PER_SEC, n_buckets,
                              hp_random_u64 (&hp_crypto_random));
}

/* Takes over @socket */
static HpEndpoint *
endpoint_new (HpUdpSocket *socket, HpStrayFunc stray, gpointer user_data)
{
  HpEndpoint *self = g_new0 (HpEndpoint, 1);

  g_atomic_ref_count_init (&self->references);
  self->context = g_main_context_ref_thread_default ();
  self->main.socket = socket;
  self->further = g_hash_table_new (NULL, NULL);
  self->carriers = g_hash_table_new (NULL, NULL);
  self->address = *hp_udp_socket_get_address (self->main.socket);
  self->has_ipv6 = hp_udp_socket_has_ipv6 (self->main.socket);
  self->stray = stray;
  self->user_data = user_data;
  self->parties = g_ptr_array_new ();
  self->by_index = g_hash_table_new (NULL, NULL);
  self->by_ticket = g_hash_table_new (g_int64_hash, g_int64_equal);
  hp_deadline_heap_init (&self->deadlines);
  hp_send_batch_init (&self->batch);
  self->unknown_answers = new_limiter (UNKNOWN_PER_PREFIX, LIMITER_BUCKETS);
  self->unknown_hints = new_limiter (UNKNOWN_PER_PREFIX, LIMITER_BUCKETS);
  self->unknown_hints_together = new_limiter (UNKNOWN_HEEDED, 1);
  self->source = hp_udp_source_new (hp_endpoint_dispatch, self);
  hp_udp_source_add (self->source, hp_udp_socket_get_fd (self->main.socket));
  g_source_attach (self->source, self->context);
  return self;
}

HpEndpoint *
hp_endpoint_new (const char *address, guint16 port, HpStrayFunc stray,
                 gpointer user_data, GError **error)
{
  HpUdpSocket *socket = hp_udp_socket_new (address, port, 0, error);

  return socket != NULL ? endpoint_new (socket, stray, user_data) : NULL;
}

HpEndpoint *
hp_endpoint_new_sharing (HpEndpoint *first, guint share, guint n_shares,
                         HpStrayFunc stray, gpointer user_data, GError **error)
{
  HpUdpSocket *socket = hp_udp_socket_new_sharing (first->main.socket, share,
                                                   n_shares, 0, error);
  g_autoptr (HpEndpoint) self = NULL;

  if (socket == NULL)
    return NULL;
  self = endpoint_new (socket, stray, user_data);
  if (!hp_endpoint_share_further (self, first, share, n_shares, error))
    return NULL;
  return g_steal_pointer (&self);
}

HpEndpoint *
hp_endpoint_ref (HpEndpoint *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
hp_endpoint_unref (HpEndpoint *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  /* Nobody could be told any more, but the source must not outlive us. */
  g_atomic_ref_count_init (&self->references);
  hp_endpoint_close (self);
  g_hash_table_unref (self->further);
  g_hash_table_unref (self->carriers);
  g_ptr_array_unref (self->parties);
  g_hash_table_unref (self->by_index);
  g_hash_table_unref (self->by_ticket);
  hp_deadline_heap_clear (&self->deadlines);
  hp_rate_limiter_free (self->unknown_answers);
  hp_rate_limiter_free (self->unknown_hints);
  hp_rate_limiter_free (self->unknown_hints_together);
  hp_send_batch_clear (&self->batch);
  g_main_context_unref (self->context);
  g_free (self);
}

void
hp_endpoint_close (HpEndpoint *self)
{
  if (self->is_closed)
    return;
  self->patience = PATIENCE;
  while (self->parties->len > 0)
    hp_endpoint_remove_party (
        self, g_ptr_array_index (self->parties, self->parties->len - 1));
  /* By one of them, that was asked what it still has to send */
  if (self->is_closed)
    return;
  hp_endpoint_unblock (self);
  self->is_closed = TRUE;
  self->stray = NULL;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  /* At once if possible: whoever closes may want to bind the port again right
   * away, be it from inside a party's callback. */
  hp_endpoint_close_sockets (self);
}

const HpAddress *
hp_endpoint_get_address (const HpEndpoint *self)
{
  return &self->address;
}

gboolean
hp_endpoint_has_ipv6 (const HpEndpoint *self)
{
  return self->has_ipv6;
}

gboolean
hp_endpoint_get_source (HpEndpoint *self, const HpAddress *remote,
                        HpAddress *source)
{
  return !self->is_closed
         && hp_udp_socket_get_source (self->main.socket, remote, source);
}

GMainContext *
hp_endpoint_get_context (HpEndpoint *self)
{
  return self->context;
}

gsize
hp_endpoint_get_receive_buffer (const HpEndpoint *self)
{
  return self->is_closed
             ? 0
             : hp_udp_socket_get_receive_buffer (self->main.socket);
}

/* Parties */

guint32
hp_endpoint_allocate_index (HpEndpoint *self)
{
  for (;;)
    {
      guint32 index = hp_random_u64 (&hp_crypto_random) & 0xfffffffe;

      if (index != 0
          && !g_hash_table_contains (self->by_index,
                                     GUINT_TO_POINTER (index / 2)))
        return index;
    }
}

void
hp_endpoint_add_party (HpEndpoint *self, HpParty *party,
                       const HpPartyClass *klass, guint32 index)
{
  g_assert (!self->is_closed && party->endpoint == NULL && index % 2 == 0);

  *party = (HpParty){
    .klass = klass,
    .endpoint = self,
    .index = index,
    .position = self->parties->len,
    .deadline = G_MAXINT64,
  };
  g_ptr_array_add (self->parties, party);
  if (index != 0)
    g_hash_table_insert (self->by_index, GUINT_TO_POINTER (index / 2), party);
  hp_endpoint_wake (self, party);
}

static void
remove_ticket (HpEndpoint *self, HpParty *party, guint64 *number)
{
  if (g_hash_table_lookup (self->by_ticket, number) == party)
    g_hash_table_remove (self->by_ticket, number);
}

static void
forget_tickets (HpEndpoint *self, HpParty *party)
{
  guint n = MIN (party->n_tickets, HP_PARTY_MAX_TICKETS);

  for (guint i = 0; i < n; i++)
    remove_ticket (self, party, party->tickets + i);
  party->n_tickets = 0;
}

void
hp_endpoint_remove_party (HpEndpoint *self, HpParty *party)
{
  HpParty *last;

  if (party->endpoint == NULL)
    return;
  g_assert (party->endpoint == self);

  if (!hp_endpoint_flush (self, party))
    return;
  for (HpCall *call = self->calls; call != NULL; call = call->outer)
    if (call->party == party)
      call->party = NULL;
  hp_endpoint_untouch (self, party);
  hp_deadline_heap_set (&self->deadlines, party, G_MAXINT64);
  forget_tickets (self, party);
  if (self->last_party == party)
    self->last_party = NULL;
  if (party->index != 0)
    g_hash_table_remove (self->by_index, GUINT_TO_POINTER (party->index / 2));
  g_ptr_array_remove_index_fast (self->parties, party->position);
  if (party->position < self->parties->len)
    {
      last = g_ptr_array_index (self->parties, party->position);
      last->position = party->position;
    }
  party->endpoint = NULL;
}

void
hp_endpoint_add_ticket (HpEndpoint *self, HpParty *party, guint64 number)
{
  guint64 *slot = party->tickets + party->n_tickets % HP_PARTY_MAX_TICKETS;

  g_assert (party->endpoint == self);

  if (g_hash_table_lookup (self->by_ticket, &number) == party)
    return;
  if (party->n_tickets >= HP_PARTY_MAX_TICKETS)
    remove_ticket (self, party, slot);
  *slot = number;
  party->n_tickets++;
  /* The key is inside the party: replace, not insert. */
  g_hash_table_replace (self->by_ticket, slot, party);
}

void
hp_endpoint_wake (HpEndpoint *self, HpParty *party)
{
  if (party->endpoint == NULL)
    return;
  g_assert (party->endpoint == self);

  hp_endpoint_touch (self, party);
  if (!self->is_dispatching && !hp_endpoint_is_blocked (self))
    hp_udp_source_set_deadline (self->source, 0);
}

void
hp_endpoint_set_answer_unknown (HpEndpoint *self, gboolean answer)
{
  self->answers_unknown = answer;
}

void
hp_endpoint_set_busy_polling (HpEndpoint *self, gboolean is_busy_polling)
{
  self->is_busy_polling = is_busy_polling;
}

void
hp_endpoint_set_steadfast (HpEndpoint *self, gboolean is_steadfast)
{
  self->is_steadfast = is_steadfast;
}

const HpEndpointStatistics *
hp_endpoint_get_statistics (const HpEndpoint *self)
{
  return &self->statistics;
}
