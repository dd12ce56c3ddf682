/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-replay-window.h"

#define BLOCK_BITS 32

static guint
count_blocks (guint size)
{
  g_assert (size >= HP_REPLAY_WINDOW_MIN && size <= HP_REPLAY_WINDOW_MAX);
  g_assert (size % 64 == 0);
  return size / BLOCK_BITS + 1;
}

gsize
hp_replay_window_get_bytes (guint size)
{
  return G_STRUCT_OFFSET (HpReplayWindow, blocks)
         + count_blocks (size) * sizeof (guint32);
}

void
hp_replay_window_init (HpReplayWindow *self, guint size)
{
  self->n_blocks = count_blocks (size);
}

HpReplayWindow *
hp_replay_window_new (guint size)
{
  HpReplayWindow *self = g_malloc0 (hp_replay_window_get_bytes (size));

  hp_replay_window_init (self, size);
  return self;
}

void
hp_replay_window_free (HpReplayWindow *self)
{
  g_free (self);
}

static guint32
get_bit (guint64 number)
{
  return 1u << (number % BLOCK_BITS);
}

gboolean
hp_replay_window_check (const HpReplayWindow *self, guint64 number)
{
  if (number >= self->next)
    return number != G_MAXUINT64;
  if (self->next - number > (self->n_blocks - 1) * BLOCK_BITS)
    return FALSE;
  return (self->blocks[number / BLOCK_BITS % self->n_blocks]
          & get_bit (number))
         == 0;
}

void
hp_replay_window_add (HpReplayWindow *self, guint64 number)
{
  guint64 block = number / BLOCK_BITS;

  g_assert (hp_replay_window_check (self, number));
  if (number >= self->next)
    {
      guint64 last = self->next > 0 ? (self->next - 1) / BLOCK_BITS : 0;
      guint64 n_new = MIN (block - last, self->n_blocks);

      for (guint64 i = 0; i < n_new; i++)
        self->blocks[(block - i) % self->n_blocks] = 0;
      self->next = number + 1;
    }
  self->blocks[block % self->n_blocks] |= get_bit (number);
}

guint64
hp_replay_window_get_next (const HpReplayWindow *self)
{
  return self->next;
}
