/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The bounded reader and writer: the only code that touches byte offsets.
 *
 * Both fail stickily: after the first step past the end every further step
 * does nothing (a read gives zeros), so that a parser can read all its fields
 * and ask once, at the end, whether all was well.
 *
 * Integers are big-endian; a varint is QUIC's variable-length integer
 * (RFC 9000, section 16).
 */

#pragma once

#include <glib.h>

#define HP_VARINT_MAX ((G_GUINT64_CONSTANT (1) << 62) - 1)

typedef struct
{
  const guint8 *data;
  gsize length;
  gsize offset;
  gboolean failed;
} HpReader;

typedef struct
{
  guint8 *data;
  gsize capacity;
  gsize offset; /* bytes written so far */
  gboolean failed;
} HpWriter;

void hp_reader_init (HpReader *self, gconstpointer data, gsize length);
guint8 hp_reader_u8 (HpReader *self);
guint16 hp_reader_u16 (HpReader *self);
guint32 hp_reader_u32 (HpReader *self);
guint64 hp_reader_u64 (HpReader *self);
guint64 hp_reader_varint (HpReader *self);
/* A pointer to the next @length bytes inside the input, or NULL */
const guint8 *hp_reader_bytes (HpReader *self, guint64 length);
void hp_reader_copy (HpReader *self, gpointer to, gsize length);
/* Passes over a run of bytes that are @byte; gives how many */
gsize hp_reader_skip (HpReader *self, guint8 byte);
gsize hp_reader_left (const HpReader *self);
/* Nothing failed so far */
gboolean hp_reader_ok (const HpReader *self) G_GNUC_WARN_UNUSED_RESULT;
/* Nothing failed and nothing is left over */
gboolean hp_reader_done (const HpReader *self) G_GNUC_WARN_UNUSED_RESULT;

void hp_writer_init (HpWriter *self, gpointer data, gsize capacity);
void hp_writer_u8 (HpWriter *self, guint8 value);
void hp_writer_u16 (HpWriter *self, guint16 value);
void hp_writer_u32 (HpWriter *self, guint32 value);
void hp_writer_u64 (HpWriter *self, guint64 value);
void hp_writer_varint (HpWriter *self, guint64 value);
void hp_writer_bytes (HpWriter *self, gconstpointer data, gsize length);
void hp_writer_zeros (HpWriter *self, gsize length);
/* Leaves room for @length bytes that the caller fills, or NULL */
guint8 *hp_writer_reserve (HpWriter *self, gsize length);
gsize hp_writer_left (const HpWriter *self);
gboolean hp_writer_ok (const HpWriter *self) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that @value takes as a varint: 1, 2, 4 or 8 */
gsize hp_varint_size (guint64 value);
