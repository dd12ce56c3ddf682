/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* As text, as a struct sockaddr, and as on the wire */

#include "fuzz.h"

#include "hole-punch/base/hp-address.h"

static void
check_wire (const uint8_t *data, size_t size)
{
  HpAddress address;
  HpAddress again;
  guint8 buffer[HP_ADDRESS_MAX_WIRE_SIZE];
  HpReader reader;
  HpWriter writer;

  hp_reader_init (&reader, data, size);
  hp_address_read (&address, &reader);
  if (!hp_reader_ok (&reader))
    return;
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_address_write (&address, &writer);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_cmpmem (buffer, writer.offset, data, reader.offset);
  hp_reader_init (&reader, buffer, writer.offset);
  hp_address_read (&again, &reader);
  g_assert_true (hp_reader_done (&reader));
  g_assert_true (hp_address_equal (&address, &again));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *written = NULL;
  HpAddress address;
  HpAddress again;

  check_wire (data, size);
  (void) hp_address_from_native (&address, data, size);
  (void) hp_address_get_scope (&address);
  if (hp_address_parse (&address, text) && address.port != 0)
    {
      written = hp_address_to_string (&address);
      g_assert_true (hp_address_parse (&again, written));
      g_assert_true (hp_address_equal (&address, &again));
    }
  return 0;
}
