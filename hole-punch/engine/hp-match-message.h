/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Messages between the services of one operator: workers of a server, or
 * servers that share a registry. Each begins with
 *
 *   version 1 | type 1 | caller's public key [32] | request n | time n
 *
 * which name the ASK that it is about, and the time of the CALL by its own
 * sender's clock, which what answers it gives back (else 0). It goes on, in the
 * notation of hp-frame.c, with
 *
 *   01 CALL      has key 1 | has key × callee's public key [32] | INTRODUCE
 *   02 RINGING   nothing: the callee was told, and is to decide
 *   03 ACCEPTED  ANSWER
 *   04 REFUSED   code 1
 *   05 GONE      nothing: the callee is not there, perhaps elsewhere by now
 *
 * where INTRODUCE and ANSWER are frames as peers get them. They are about
 * the caller, and the callee, as the sender's service sees them. A CALL needs
 * a wanted id or a key, or both: the id's holder must have that key then.
 *
 * The sender is trusted with what it says of its own peers, not to be well
 * formed.
 */

#pragma once

#include "hole-punch/wire/hp-frame.h"

#define HP_MATCH_MESSAGE_VERSION 1

typedef enum
{
  HP_MATCH_MESSAGE_CALL = 1,
  HP_MATCH_MESSAGE_RINGING = 2,
  HP_MATCH_MESSAGE_ACCEPTED = 3,
  HP_MATCH_MESSAGE_REFUSED = 4,
  HP_MATCH_MESSAGE_GONE = 5,
} HpMatchMessageType;

typedef struct
{
  HpMatchMessageType type;
  guint8 caller[HP_KEY_SIZE];
  guint64 request;
  guint64 time;
  gboolean has_callee;         /* CALL */
  guint8 callee[HP_KEY_SIZE];  /* CALL, if so */
  HpRefusedCode code;          /* REFUSED */
  HpFrame frame;               /* CALL: INTRODUCE; ACCEPTED: ANSWER */
} HpMatchMessage;

/* Gives its length; what it holds is bounded, so that it always fits into
 * HP_MATCH_MESSAGE_MAX_SIZE */
gsize hp_match_message_write (const HpMatchMessage *self, guint8 *bytes,
                              gsize capacity);
/* FALSE: malformed, or of another version. The frame's byte strings point
 * into @bytes. */
gboolean hp_match_message_parse (HpMatchMessage *self, const guint8 *bytes,
                                 gsize length) G_GNUC_WARN_UNUSED_RESULT;
