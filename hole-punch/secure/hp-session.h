/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The keys of an established session: seals and opens DATA.
 *
 * A packet number is consumed even if sending fails, and never restarts.
 * Replay window by RFC 6479. Key update by Noise REKEY per direction, told by
 * the phase bit; the next keys are ready beforehand, a phase changes only by a
 * packet that opens, old keys live on for a while and are wiped.
 */

#pragma once

#include "hole-punch/secure/hp-crypto.h"

#define HP_REPLAY_WINDOW_PEER 8192
#define HP_REPLAY_WINDOW_SERVER 128
/* Key update after so many packets (RFC 9001, section 6.6) or so long (µs),
 * per sender */
#define HP_SESSION_REKEY_PACKETS (G_GUINT64_CONSTANT (1) << 23)
#define HP_SESSION_REKEY_TIME (3600 * G_TIME_SPAN_SECOND)
/* Forged packets, under all keys of a session, after which one more might be
 * taken for authentic (RFC 9001, section 6.6) */
#define HP_SESSION_MAX_FORGED_AES_GCM (G_GUINT64_CONSTANT (1) << 52)
#define HP_SESSION_MAX_FORGED_CHACHA_POLY (G_GUINT64_CONSTANT (1) << 36)

typedef enum
{
  HP_OPEN_OK,
  HP_OPEN_FORGED,  /* does not open: drop, count */
  HP_OPEN_REPLAYED, /* authentic or not, seen before or too old: drop, count */
  HP_OPEN_EXHAUSTED, /* too many were forged: close, nothing opens any more */
} HpOpenVerdict;

typedef struct _HpSession HpSession;

/* Cipher handles that many sessions use by turns, so that each holds but its
 * raw keys: for a match server, one a thread. Outlives the sessions. */
typedef struct _HpSessionCiphers HpSessionCiphers;

HpSessionCiphers *hp_session_ciphers_new (void);
void hp_session_ciphers_free (HpSessionCiphers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpSessionCiphers, hp_session_ciphers_free)

/* The initiator sends with @first, the responder with @second (Noise Split) */
HpSession *hp_session_new (HpSuite suite, gboolean is_initiator,
                           const guint8 first[HP_KEY_SIZE],
                           const guint8 second[HP_KEY_SIZE],
                           guint32 local_index, guint32 remote_index,
                           guint replay_window, gint64 now);
void hp_session_free (HpSession *self); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpSession, hp_session_free)
/* From now on without handles of its own: sets a key for each packet, which
 * takes some 200 ns more */
void hp_session_share_ciphers (HpSession *self, HpSessionCiphers *ciphers);
/* The bytes that a session takes; and one that shares its ciphers moved to so
 * many bytes of someone else's (aligned for a guint64), to be cleared there. */
gsize hp_session_get_bytes (guint replay_window);
void hp_session_move (HpSession *self, gpointer to);
void hp_session_clear (HpSession *self); /* wipes */

HpSuite hp_session_get_suite (const HpSession *self);
gboolean hp_session_is_initiator (const HpSession *self);
guint32 hp_session_get_local_index (const HpSession *self);
guint32 hp_session_get_remote_index (const HpSession *self);
/* The number that the next sealed packet will carry */
guint64 hp_session_get_next_number (const HpSession *self);
/* It will carry the one after that instead. */
void hp_session_skip_number (HpSession *self);

/* @packet has room: 13 bytes of header, @plain_length bytes of plaintext that
 * are already there, 16 bytes of tag. Writes the header, seals in place and
 * gives the whole length. Consumes a packet number. Does a key update when one
 * is due. */
gsize hp_session_seal (HpSession *self, guint8 *packet, gsize plain_length,
                       gint64 now);
/* Opens a whole DATA datagram in place: @plain points into it. Nothing of the
 * session changes unless it gives HP_OPEN_OK, but that forged ones are counted;
 * the datagram's bytes are of no use afterwards. */
HpOpenVerdict hp_session_open (HpSession *self, guint8 *packet, gsize length,
                               gint64 now, guint64 *number, guint8 **plain,
                               gsize *plain_length) G_GNUC_WARN_UNUSED_RESULT;
/* How long old keys live after a key update (3 probe timeouts), µs */
void hp_session_set_key_grace (HpSession *self, gint64 grace);
/* Wipes the old key when its time has come, as seal and open do by the way;
 * for a session that is silent. G_MAXINT64: no deadline. */
gint64 hp_session_get_deadline (const HpSession *self);
void hp_session_expire (HpSession *self, gint64 now);
/* For tests: as if a key update were due with the next packet */
void hp_session_update_keys (HpSession *self, gint64 now);
/* For tests: a lower one than the suite's */
void hp_session_set_max_forged (HpSession *self, guint64 max_forged);
