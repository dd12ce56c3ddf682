/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer's half of matching at an endpoint of its own, for tests of what a
 * match server does for its peers. */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-match-client.h"
#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-match-server.h"

#define N_MATCH_EVENTS (HP_MATCH_EVENT_WRONG_KEY + 1)

typedef struct
{
  HpParty party;
  HpEndpoint *endpoint;
  HpMatchClient *client;
  guint socket; /* that it sends by */
  guint8 public_key[HP_KEY_SIZE];
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  gboolean accepts; /* how to answer an INTRODUCE that needs a REPLY */
  guint n_events[N_MATCH_EVENTS];
  HpMatchEvent events[N_MATCH_EVENTS]; /* the last one of each type */
} TestClient;

/* @identity: NULL makes keys of its own. With a server of several workers, each
 * client comes from another network. */
TestClient *test_client_new (HpMatchServer *server, HpIdentity *identity);
/* From there, of 127.0.0.0/8 */
TestClient *test_client_new_at (HpMatchServer *server, HpIdentity *identity,
                                const char *ip);
/* Says goodbye */
void test_client_free (TestClient *self);
/* Without a word, as if the power went */
void test_client_vanish (TestClient *self);
void test_client_register (TestClient *self, const char *id, guint flags);
guint64 test_client_ask (TestClient *self, const char *id,
                         const guint8 *public_key);
/* What it sends comes from there, and from another port. */
void test_client_move (TestClient *self, const char *ip);
guint test_client_get_port (TestClient *self);
