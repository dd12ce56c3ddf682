/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match service and thousands of people, on an invented clock and with a
 * network that loses nothing. A person is a secure session and an address.
 *
 * A handshake takes both sides 200 µs each, all but a few of it X25519. So most
 * people come with keys that the test has made for both sides, put into the
 * service's table as a handshake's end does it; whoever is told to shakes hands
 * in earnest. From then on there is no difference: all is sealed, sent and
 * opened.
 */

#pragma once

#include "hole-punch/engine/hp-match-service-private.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  HpSession *session; /* NULL: offline */
  HpAddress address;
  HpKeyPair pair; /* the private half only of those who shake hands */
  guint number;
  guint64 request; /* the last one */
  char id[HP_ID_MAX_SIZE + 1]; /* that is registered, or "" */
  char wanted[HP_ID_MAX_SIZE + 1]; /* that was asked for last */
} Person;

typedef struct
{
  gint64 now;
  GRand *chance;
  HpMatchServiceConfig config;
  HpMatchService *service;
  HpSessionCiphers *ciphers; /* of the people */
  Person *people;
  guint n_people;
  HpSuite suite;
  gboolean is_jammed; /* the service cannot send: it has to wait */
  guint failure_percent; /* of the registry's answers */
  guint silence_percent;
  HpServiceEvent event; /* the last one */
  guint8 cookie[HP_COOKIE_SIZE]; /* that came last */
  guint8 bytes[HP_RESPONSE_MAX_SIZE]; /* the last RESPONSE */
  gsize length;
  /* What came back */
  guint64 observed, registered, refused, introduced, answered, moved;
  guint64 replaced; /* by themselves */
} Crowd;

void crowd_set_up (Crowd *crowd, guint n_people, HpSuite suite);
void crowd_tear_down (Crowd *crowd);
/* Anybody's datagram; what the service sends is taken at once. */
void crowd_inject (Crowd *crowd, const HpAddress *from, guint8 *bytes,
                   gsize length);
/* Into @cookie */
void crowd_get_cookie (Crowd *crowd, const HpAddress *address);
void crowd_connect (Crowd *crowd, Person *person);
/* Under a new name */
void crowd_shake_hands (Crowd *crowd, Person *person);
void crowd_forget (Person *person);
void crowd_send (Crowd *crowd, Person *person, const HpFrame *frame);
void crowd_ping (Crowd *crowd, Person *person);
void crowd_register (Crowd *crowd, Person *person, const char *id,
                     guint flags);
void crowd_unregister (Crowd *crowd, Person *person);
void crowd_ask (Crowd *crowd, Person *person, const char *id);
/* To another address, from which it lets itself be heard */
void crowd_roam (Crowd *crowd, Person *person);
void crowd_leave (Crowd *crowd, Person *person);
/* Time goes by, what is due happens. */
void crowd_advance (Crowd *crowd, gint64 duration);
