/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match client wants of its server: its registration, its ASKs, its
 * REPLYs; which of them are due to be said (again), and what the answers mean.
 *
 * All have numbers that rise from a random one, so that a program that starts
 * anew with the same identity does not get the tickets of its predecessor.
 */

#pragma once

#include "hole-punch/engine/hp-match-client.h"

typedef struct
{
  gint64 next_at; /* G_MAXINT64: not to be said */
  gint64 interval;
} HpMatchRepeat;

typedef struct
{
  char id[HP_ID_MAX_SIZE + 1];
  guint flags;
  gboolean is_wanted;
  gboolean is_registered;
  gboolean is_unregistering;
  gboolean is_outdated; /* what the present request has told */
  guint64 request;      /* the present one */
  HpMatchRepeat repeat; /* until it is answered */
  gint64 renew_at;      /* with a new request */
  guint refusals;       /* that pass, in a row */
} HpMatchRegistration;

typedef struct
{
  guint64 request;
  gboolean by_key;
  guint8 public_key[HP_KEY_SIZE];
  char id[HP_ID_MAX_SIZE + 1];
  HpMatchRepeat repeat;
  gboolean is_answered;
  guint64 ticket_number;       /* of the last ANSWER */
  HpWireCandidates candidates; /* of the last ANSWER */
  HpNatFacts nat;              /* of the last ANSWER */
  GList link;
} HpMatchQuery;

/* An INTRODUCE that came */
typedef struct
{
  guint64 ticket_number;
  gint64 came_at; /* the newest INTRODUCE of it */
  gboolean needed_reply;
  gboolean is_decided;
  gboolean accept;
  HpMatchRepeat repeat; /* of our REPLY */
  guint repeats_left;
  GList link;
} HpMatchIncoming;

typedef struct
{
  HpRandom random;
  guint64 last_request;
  HpMatchRegistration registration;
  GQueue queries;
  GQueue incoming; /* bounded, the oldest first */
} HpMatchRequests;

/* What the frames tell besides */
typedef struct
{
  guint16 suites;
  gint64 round_trip;
  HpNatFacts nat;
  const HpWireCandidates *candidates;
  gboolean is_held; /* nothing is said but that a presence ends */
} HpMatchSelf;

void hp_match_requests_init (HpMatchRequests *self, const HpRandom *random);
void hp_match_requests_clear (HpMatchRequests *self);
/* A new session: everything that is wanted is to be said to it */
void hp_match_requests_restart (HpMatchRequests *self, gint64 now);

/* A new session that nobody is to find us by, since it shows our address: the
 * presence of the one before, which it has got, is to end with its first
 * packet. What is wanted is for a later session. */
void hp_match_requests_hold (HpMatchRequests *self, gint64 now);

void hp_match_requests_register (HpMatchRequests *self, const char *id,
                                 guint flags, gint64 now);
HpMatchQuery *hp_match_requests_ask (HpMatchRequests *self, const char *id,
                                     const guint8 *public_key, gint64 now);
HpMatchQuery *hp_match_requests_find_query (HpMatchRequests *self,
                                            guint64 request);
void hp_match_requests_remove_query (HpMatchRequests *self,
                                     HpMatchQuery *query);
HpMatchIncoming *hp_match_requests_find_incoming (HpMatchRequests *self,
                                                  guint64 ticket_number);
HpMatchIncoming *hp_match_requests_add_incoming (HpMatchRequests *self,
                                                 guint64 ticket_number);
/* To be said at once, and @times in all */
void hp_match_requests_reply (HpMatchIncoming *incoming, gboolean accept,
                              guint times, gint64 now);
/* The NAT facts are news to those whom an introduction concerns just now; if
 * they are of another kind (@register_too), to later callers as well */
void hp_match_requests_tell_nat (HpMatchRequests *self, gboolean register_too,
                                 gint64 now);

/* Writes the frames that are due, as far as they fit; whether there were any */
gboolean hp_match_requests_write (HpMatchRequests *self,
                                  const HpMatchSelf *about, HpWriter *writer,
                                  gint64 now);
/* UNREGISTER, for a farewell */
void hp_match_requests_write_unregister (HpMatchRequests *self,
                                         HpWriter *writer);
gint64 hp_match_requests_get_deadline (const HpMatchRequests *self,
                                       gboolean is_held);

/* REGISTERED: whether it is news that we are registered */
gboolean hp_match_requests_registered (HpMatchRequests *self,
                                       guint64 request, gint64 lifetime,
                                       gint64 now);
/* REFUSED for a REGISTER: whether it was for the present one. Causes that
 * pass are tried again by and by. */
gboolean hp_match_requests_refused (HpMatchRequests *self, guint64 request,
                                    HpRefusedCode code, gint64 now);
