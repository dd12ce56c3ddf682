/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server with two clients, and what its signals have told. */

#pragma once

#include "hole-punch/hp-match-server.h"
#include "objects-test.h"
#include "test-client.h"

typedef struct
{
  HpMatchServer *server;
  TestClient *callee;
  TestClient *caller;

  guint n_registered, n_expired, n_introduced, n_asked;
  HpRegistration *peer; /* of the last signal */
  HpRegistration *callee_peer;
  HpAuthorization *question;

  /* What handlers of authorize-* do */
  enum
  {
    KEEP,
    ALLOW,
    DENY,
    DROP,
  } manner;
} Matching;

#define n_of(client, name) ((client)->n_events[HP_MATCH_EVENT_##name])
#define last_of(client, name) (&(client)->events[HP_MATCH_EVENT_##name])

void matching_start (Matching *fixture);
void matching_set_up (Matching *fixture, gconstpointer data);
void matching_tear_down (Matching *fixture, gconstpointer data);
/* The handler */
gulong matching_answer_authorizations (Matching *fixture, const char *signal);
guint64 matching_get_number (Matching *fixture, const char *property);
void matching_assert_peer (HpRegistration *peer, const char *id,
                           TestClient *client);
void matching_register_callee (Matching *fixture, guint flags);
void matching_assert_registration_refused (TestClient *client,
                                           HpRefusedCode code);
