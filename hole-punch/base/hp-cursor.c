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

guint8
hp_reader_u8 (HpReader *self)
{
  const guint8 *bytes = hp_reader_bytes (self, 1);

  return bytes != NULL ? *bytes : 0;
}

guint16
hp_reader_u16 (HpReader *self)
{
  const guint8 *bytes = hp_reader_bytes (self, 2);
  guint16 value = 0;

  if (bytes != NULL)
    memcpy (&value, bytes, 2);
  return GUINT16_FROM_BE (value);
}

guint32
hp_reader_u32 (HpReader *self)
{
  const guint8 *bytes = hp_reader_bytes (self, 4);
  guint32 value = 0;

  if (bytes != NULL)
    memcpy (&value, bytes, 4);
  return GUINT32_FROM_BE (value);
}

guint64
hp_reader_u64 (HpReader *self)
{
  const guint8 *bytes = hp_reader_bytes (self, 8);
  guint64 value = 0;

  if (bytes != NULL)
    memcpy (&value, bytes, 8);
  return GUINT64_FROM_BE (value);
}

guint64
hp_reader_varint (HpReader *self)
{
  if (hp_reader_left (self) == 0)
    {
      self->failed = TRUE;
      return 0;
    }
  /* The two top bits of the first byte tell the size; drop them after. */
  switch (self->data[self->offset] >> 6)
    {
    case 0:
      return self->data[self->offset++];
    case 1:
      return hp_reader_u16 (self) & 0x3fff;
    case 2:
      return hp_reader_u32 (self) & 0x3fffffff;
    default:
      return hp_reader_u64 (self) & G_GUINT64_CONSTANT (0x3fffffffffffffff);
    }
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

void
hp_writer_bytes (HpWriter *self, gconstpointer data, gsize length)
{
  guint8 *bytes = hp_writer_reserve (self, length);

  if (bytes != NULL && length > 0)
    memcpy (bytes, data, length);
}

void
hp_writer_u8 (HpWriter *self, guint8 value)
{
  hp_writer_bytes (self, &value, 1);
}

void
hp_writer_u16 (HpWriter *self, guint16 value)
{
  value = GUINT16_TO_BE (value);
  hp_writer_bytes (self, &value, 2);
}

void
hp_writer_u32 (HpWriter *self, guint32 value)
{
  value = GUINT32_TO_BE (value);
  hp_writer_bytes (self, &value, 4);
}

void
hp_writer_u64 (HpWriter *self, guint64 value)
{
  value = GUINT64_TO_BE (value);
  hp_writer_bytes (self, &value, 8);
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
  g_assert (value <= HP_VARINT_MAX);
  /* The two top bits of the first byte tell the size. */
  switch (hp_varint_size (value))
    {
    case 1:
      hp_writer_u8 (self, value);
      break;
    case 2:
      hp_writer_u16 (self, value | 0x4000);
      break;
    case 4:
      hp_writer_u32 (self, value | 0x80000000);
      break;
    default:
      hp_writer_u64 (self, value | G_GUINT64_CONSTANT (0xc000000000000000));
      break;
    }
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
