/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-cursor.h"

#include <string.h>

void
hp_reader_init (HpReader *self, gconstpointer data, gsize length)
{
  /* Never NULL: an empty read must not look like a failed one. */
  *self = (HpReader){ .data = data != NULL ? data : "", .length = length };
}

gsize
hp_reader_left (const HpReader *self)
{
  return self->failed ? 0 : self->length - self->offset;
}

const guint8 *
hp_reader_bytes (HpReader *self, guint64 length)
{
  const guint8 *bytes;

  if (self->failed || length > self->length - self->offset)
    {
      self->failed = TRUE;
      return NULL;
    }
  bytes = self->data + self->offset;
  self->offset += length;
  return bytes;
}

static guint64
read_integer (HpReader *self, gsize size)
{
  const guint8 *bytes = hp_reader_bytes (self, size);
  guint64 value = 0;

  if (bytes == NULL)
    return 0;
  for (gsize i = 0; i < size; i++)
    value = value << 8 | bytes[i];
  return value;
}

guint8
hp_reader_u8 (HpReader *self)
{
  return read_integer (self, 1);
}

guint16
hp_reader_u16 (HpReader *self)
{
  return read_integer (self, 2);
}

guint32
hp_reader_u32 (HpReader *self)
{
  return read_integer (self, 4);
}

guint64
hp_reader_u64 (HpReader *self)
{
  return read_integer (self, 8);
}

guint64
hp_reader_varint (HpReader *self)
{
  gsize size;

  if (hp_reader_left (self) == 0)
    {
      self->failed = TRUE;
      return 0;
    }
  /* The two top bits of the first byte tell the size; drop them after. */
  size = (gsize) 1 << (self->data[self->offset] >> 6);
  return read_integer (self, size)
         & ((G_GUINT64_CONSTANT (1) << (8 * size - 2)) - 1);
}

void
hp_reader_copy (HpReader *self, gpointer to, gsize length)
{
  const guint8 *bytes = hp_reader_bytes (self, length);

  if (bytes != NULL)
    memcpy (to, bytes, length);
  else
    memset (to, 0, length);
}

gsize
hp_reader_skip (HpReader *self, guint8 byte)
{
  gsize start = self->offset;

  while (hp_reader_left (self) > 0 && self->data[self->offset] == byte)
    self->offset++;
  return self->offset - start;
}

gboolean
hp_reader_ok (const HpReader *self)
{
  return !self->failed;
}

gboolean
hp_reader_done (const HpReader *self)
{
  return !self->failed && self->offset == self->length;
}

void
hp_writer_init (HpWriter *self, gpointer data, gsize capacity)
{
  *self = (HpWriter){ .data = data, .capacity = capacity };
}

gsize
hp_writer_left (const HpWriter *self)
{
  return self->failed ? 0 : self->capacity - self->offset;
}

guint8 *
hp_writer_reserve (HpWriter *self, gsize length)
{
  guint8 *bytes;

  if (self->failed || length > self->capacity - self->offset)
    {
      self->failed = TRUE;
      return NULL;
    }
  bytes = self->data + self->offset;
  self->offset += length;
  return bytes;
}

static void
write_integer (HpWriter *self, guint64 value, gsize size)
{
  guint8 *bytes = hp_writer_reserve (self, size);

  if (bytes == NULL)
    return;
  for (gsize i = size; i > 0; i--, value >>= 8)
    bytes[i - 1] = value & 0xff;
}

void
hp_writer_u8 (HpWriter *self, guint8 value)
{
  write_integer (self, value, 1);
}

void
hp_writer_u16 (HpWriter *self, guint16 value)
{
  write_integer (self, value, 2);
}

void
hp_writer_u32 (HpWriter *self, guint32 value)
{
  write_integer (self, value, 4);
}

void
hp_writer_u64 (HpWriter *self, guint64 value)
{
  write_integer (self, value, 8);
}

gsize
hp_varint_size (guint64 value)
{
  if (value < 1 << 6)
    return 1;
  if (value < 1 << 14)
    return 2;
  if (value < 1 << 30)
    return 4;
  return 8;
}

void
hp_writer_varint (HpWriter *self, guint64 value)
{
  gsize size = hp_varint_size (value);
  guint64 tag = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;

  g_assert (value <= HP_VARINT_MAX);
  write_integer (self, value | tag << (8 * size - 2), size);
}

void
hp_writer_bytes (HpWriter *self, gconstpointer data, gsize length)
{
  guint8 *bytes = hp_writer_reserve (self, length);

  if (bytes != NULL && length > 0)
    memcpy (bytes, data, length);
}

void
hp_writer_zeros (HpWriter *self, gsize length)
{
  guint8 *bytes = hp_writer_reserve (self, length);

  if (bytes != NULL)
    memset (bytes, 0, length);
}

gboolean
hp_writer_ok (const HpWriter *self)
{
  return !self->failed;
}
