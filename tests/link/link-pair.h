/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two links, each on a simulated host, and a match server that is only a
 * script: it sees both hosts and introduces them.
 */

#pragma once

#include "hole-punch/link/hp-link.h"
#include "simulated-world.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND

typedef struct _Pair Pair;
typedef struct _Node Node;

struct _Node
{
  Pair *pair;
  const char *name;
  SimHost *host;
  HpKeyPair keys;
  HpLink *link;
  HpWireCandidates host_candidates; /* offered besides the observed one */
  HpNatBudget *budget;              /* for node_renew(), or NULL */
  gboolean relay_only;              /* for node_renew() */
  /* Of datagrams, for node_renew(); 0: the default, nothing larger is tried */
  gsize datagram_size, max_datagram_size;
  gsize interface_size; /* told to the link when it is ready; 0: not */

  /* What happened; times are 0 for never */
  gint64 confirmed_at, ready_at, silent_at, path_at, closed_at;
  guint n_confirmed, n_ready, n_failing, n_silent, n_path, n_identified,
      n_closed, n_relayed;
  HpLinkClosedBy closed_by;
  guint64 close_code;
  guint64 n_sent, n_delivered, n_failed; /* messages */
  GHashTable *expected;                  /* stream → message number */
  GHashTable *received;                  /* message number → times */
  guint64 n_received;
  guint n_pulled; /* datagrams */
  void (*on_stream) (Node *self, const HpTransportEvent *event); /* or NULL */
  gpointer user_data;
};

struct _Pair
{
  SimWorld *world;
  SimNat *nat_a, *nat_b;
  Node a, b;
  HpAddress server;
  guint64 next_ticket;
  guint64 next_message;
  GQueue script; /* introductions under way */
  gboolean tells_nat; /* both NATs' facts are known, and told */
  gboolean recovers;  /* who is failing, silent or relayed is introduced again */
};

/* How the match server's word travels, besides the network's delay */
typedef struct
{
  gint64 late_a, late_b; /* it arrives so much later */
  gint64 skew_b;         /* b starts so much after a */
  gint64 lead;           /* from its arrival to the start */
  gboolean wrong_secret_b;
} Script;

/* 192.168.1.2:4222 behind 203.0.113.1, 192.168.2.2:4333 behind
 * 203.0.113.2 */
Pair *pair_new (guint64 seed, SimNatKind kind_a, SimNatKind kind_b);
/* Both behind the NAT of a */
Pair *pair_new_same_lan (guint64 seed, SimNatKind kind);
void pair_free (Pair *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

/* For pairs: self->host is set */
void node_init (Node *self, Pair *pair, const char *name);
void node_clear (Node *self);
/* A fresh link for the node, keys as they are */
void node_renew (Node *self, const guint8 *remote_public);
void pair_introduce (Pair *self, Node *caller, const Script *script);
/* Hands an introduction to one node alone, at once */
void node_introduce (Node *self, const HpIntroduction *introduction);
Node *pair_get_other (Pair *self, Node *node);

/* A relay of the node's own, told with the next introduction; its number */
guint node_add_relay (Node *self, const char *relayed, gint64 delay);

/* Sends, takes events: after whatever a test has done to a link */
void node_pump (Node *self);
void pair_run_for (Pair *self, gint64 time);
/* Until both are READY, TRUE, or @time is over */
gboolean pair_run_until_ready (Pair *self, gint64 time);
/* Until all messages of both are delivered (acknowledged) */
gboolean pair_run_until_delivered (Pair *self, gint64 time);
/* Introduces (a calls) and runs until both are READY */
void pair_connect (Pair *self);

void node_send (Node *self, HpStreamKind kind, gsize length);
/* All that the other side has sent has come once */
void node_assert_received_all (Node *self);
void node_assert_route (Node *self, const char *remote);
