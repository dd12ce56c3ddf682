/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A gateway says whatever it likes, at any time. */

#include "fuzz.h"
#include "hole-punch/nat/hp-port-mapper.h"

#include <string.h>

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  memset (bytes, 'n', length);
}

static void
check (const HpPortMapper *mapper, gint64 now)
{
  const HpAddress *external = hp_port_mapper_get_external (mapper);

  g_assert_true (external == NULL || hp_address_is_usable (external));
  g_assert_cmpint (hp_port_mapper_get_deadline (mapper), >=, 0);
}

/* Some milliseconds pass; what is due goes out */
static gint64
pass (HpPortMapper *mapper, gint64 now, guint8 milliseconds)
{
  guint8 request[HP_PCP_REQUEST_MAX_SIZE];
  guint n = 0;

  now += (gint64) milliseconds * milliseconds * G_TIME_SPAN_MILLISECOND;
  hp_port_mapper_expire (mapper, now);
  while (hp_port_mapper_pull (mapper, request, sizeof request, now) > 0)
    g_assert_cmpuint (++n, <, 10);
  return now;
}

/* A run of: the time that passes, what it is, its length, the bytes */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  HpPortMapperConfig config = { .random = { fill, NULL } };
  gint64 now = G_TIME_SPAN_HOUR;
  HpPortMapper *mapper;
  HpReader reader;

  if (!hp_address_parse (&config.client, "10.1.0.2:28270"))
    return 0;
  mapper = hp_port_mapper_new (&config, now);
  hp_reader_init (&reader, data, size);
  while (hp_reader_left (&reader) > 2)
    {
      guint8 milliseconds = hp_reader_u8 (&reader);
      guint8 what = hp_reader_u8 (&reader);
      gsize wanted = hp_reader_u8 (&reader);
      gsize length = MIN (wanted, hp_reader_left (&reader));
      const guint8 *bytes = hp_reader_bytes (&reader, length);

      now = pass (mapper, now, milliseconds);
      if (what == 1)
        hp_port_mapper_check (mapper, now);
      else if (what == 2)
        hp_port_mapper_close (mapper, now);
      else
        hp_port_mapper_receive (mapper, bytes, length, now);
      check (mapper, now);
    }
  hp_port_mapper_free (mapper);
  return 0;
}
