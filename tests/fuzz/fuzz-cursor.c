/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The input is a programme of steps for a reader over the input itself and a
 * writer into a small buffer: whatever is read is written. */

#include "fuzz.h"

#include "hole-punch/base/hp-cursor.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  guint8 buffer[64];
  HpReader reader;
  HpWriter writer;

  hp_reader_init (&reader, data, size);
  hp_writer_init (&writer, buffer, sizeof buffer);
  while (hp_reader_left (&reader) > 0)
    {
      guint8 step = hp_reader_u8 (&reader);
      gsize length = step >> 3;
      guint8 copy[32];

      switch (step & 7)
        {
        case 0:
          hp_writer_u16 (&writer, hp_reader_u16 (&reader));
          break;
        case 1:
          hp_writer_u32 (&writer, hp_reader_u32 (&reader));
          break;
        case 2:
          hp_writer_u64 (&writer, hp_reader_u64 (&reader));
          break;
        case 3:
          hp_writer_varint (&writer, hp_reader_varint (&reader));
          break;
        case 4:
          hp_reader_copy (&reader, copy, length);
          hp_writer_bytes (&writer, copy, length);
          break;
        case 5:
          (void) hp_reader_bytes (&reader, hp_reader_varint (&reader));
          break;
        case 6:
          hp_writer_zeros (&writer, hp_reader_skip (&reader, length));
          break;
        default:
          (void) hp_writer_reserve (&writer, length);
          break;
        }
      g_assert_cmpuint (reader.offset, <=, size);
      g_assert_cmpuint (writer.offset, <=, sizeof buffer);
      if (!hp_writer_ok (&writer))
        hp_writer_init (&writer, buffer, sizeof buffer);
    }
  return 0;
}
