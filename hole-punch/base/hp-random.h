/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Random bytes are handed in, never fetched: at the edge they come from the
 * kernel, in a test from a seed.
 */

#pragma once

#include <glib.h>

typedef struct
{
  void (*fill) (gpointer user_data, guint8 *bytes, gsize length);
  gpointer user_data;
} HpRandom;

static inline void
hp_random_fill (const HpRandom *self, gpointer bytes, gsize length)
{
  self->fill (self->user_data, bytes, length);
}

static inline guint64
hp_random_u64 (const HpRandom *self)
{
  guint64 value;

  hp_random_fill (self, &value, sizeof value);
  return value;
}
