/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What was written to a byte stream and may have to be sent (again): the
 * writer's GBytes side by side, each with its place in the stream.
 *
 *   released              written
 *      ▾                     ▾
 *      [ aaaaaaaa | b | cccccc ]
 */

#pragma once

#include <glib.h>

typedef struct
{
  GBytes *bytes;
  const guint8 *data;
  guint64 start; /* in the stream */
  guint64 end;
} HpSendPiece;

typedef struct
{
  HpSendPiece *pieces;
  guint first; /* those before are released */
  guint n_pieces;
  guint allocated;
  guint recent; /* where bytes were asked for last */
} HpSendBuffer;

void hp_send_buffer_clear (HpSendBuffer *self);
/* The bytes at @start in the stream: where the last ones end */
void hp_send_buffer_append (HpSendBuffer *self, GBytes *bytes, guint64 start);
/* What is before @end is not needed any more. */
void hp_send_buffer_release (HpSendBuffer *self, guint64 end);
/* The bytes at @offset, and how many there are side by side */
const guint8 *hp_send_buffer_get (HpSendBuffer *self, guint64 offset,
                                  guint64 *length);
