/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which packet numbers were seen: the sliding bitmap of RFC 6479, whose blocks
 * are reused in a ring instead of being shifted.
 */

#pragma once

#include <glib.h>

#define HP_REPLAY_WINDOW_MIN 128
#define HP_REPLAY_WINDOW_MAX 8192

typedef struct
{
  guint64 next; /* one past the largest number seen */
  guint32 n_blocks; /* one more than the size needs: RFC 6479, section 2 */
  guint32 blocks[];
} HpReplayWindow;

/* @size: how many numbers, up to the largest seen, are told apart; a multiple
 * of 64 */
HpReplayWindow *hp_replay_window_new (guint size);
void hp_replay_window_free (HpReplayWindow *self);
/* The bytes that one takes; and it in so many bytes of someone else's, which
 * are all zero */
gsize hp_replay_window_get_bytes (guint size);
void hp_replay_window_init (HpReplayWindow *self, guint size);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpReplayWindow, hp_replay_window_free)

/* Whether @number is neither seen nor too old. Changes nothing: the packet is
 * not proven to be authentic yet. */
gboolean hp_replay_window_check (const HpReplayWindow *self, guint64 number)
    G_GNUC_WARN_UNUSED_RESULT;
/* Remembers @number, which hp_replay_window_check() allowed */
void hp_replay_window_add (HpReplayWindow *self, guint64 number);
/* One past the largest number seen; 0 at first */
guint64 hp_replay_window_get_next (const HpReplayWindow *self);
