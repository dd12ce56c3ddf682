/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A TURN server in memory that does what a test says. Its STUN is written by
 * libnice's agent, as a server that checks credentials.
 */

#pragma once

#include "hole-punch/wire/hp-turn.h"

#define SCRIPT_USER "somebody"
#define SCRIPT_PASSWORD "secret"
#define SCRIPT_REALM "example.org"

typedef struct
{
  guint code;           /* the next answer is this error; 0: as it should be */
  guint every_code;     /* all answers to those with credentials are */
  const char *nonce;    /* the one that counts now */
  guint32 lifetime;     /* seconds */
  gboolean is_silent;
  HpAddress relayed, alternate;
  /* What came */
  guint n_requests, n_unsigned, n_signed;
  guint n_allocates, n_refreshes, n_permissions, n_channels;
  guint32 asked_lifetime; /* of the last Refresh */
  guint16 channel;
  HpAddress peer; /* of the last CreatePermission or ChannelBind */
} ScriptedTurn;

void scripted_turn_init (ScriptedTurn *self);
/* The answer's length; 0: none */
gsize scripted_turn_answer (ScriptedTurn *self, const guint8 *request,
                            gsize length, guint8 *answer, gsize capacity);
/* A Data indication */
gsize scripted_turn_create_data (const HpAddress *peer, const char *text,
                                 guint8 *bytes, gsize capacity);
/* A Send indication's text, NULL: it is none; (transfer full) */
char *scripted_turn_read_send (guint8 *bytes, gsize length, HpAddress *peer);
