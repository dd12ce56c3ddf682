/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-parameters.h"
#include "hole-punch/wire/hp-packet.h"

/* A parameter takes two bytes at least: its id and a length of zero. */
#define MAX_PARAMETERS (HP_MAX_PARAMETERS_SIZE / 2)

typedef enum
{
  PARAMETER_MAX_DATAGRAM_SIZE = 0x01,
  PARAMETER_MAX_MESSAGE_SIZE = 0x02,
  PARAMETER_MAX_DATA = 0x03,
  PARAMETER_MAX_STREAM_DATA = 0x04,
  PARAMETER_MAX_ACK_DELAY = 0x05,
  PARAMETER_IDLE_TIMEOUT = 0x06,
  PARAMETER_MAX_STREAMS = 0x07,
  PARAMETER_RECEIVE_BUFFER = 0x08,
} ParameterId;

static const struct
{
  ParameterId id;
  gsize offset; /* in HpParameters */
  guint64 smallest;
  guint64 largest;
} known[] = {
  { PARAMETER_MAX_DATAGRAM_SIZE,
    G_STRUCT_OFFSET (HpParameters, max_datagram_size), HP_DATAGRAM_SIZE_MIN,
    HP_DATAGRAM_SIZE_MAX },
  { PARAMETER_MAX_MESSAGE_SIZE,
    G_STRUCT_OFFSET (HpParameters, max_message_size), 0, HP_VARINT_MAX },
  { PARAMETER_MAX_DATA, G_STRUCT_OFFSET (HpParameters, max_data), 0,
    HP_VARINT_MAX },
  { PARAMETER_MAX_STREAM_DATA,
    G_STRUCT_OFFSET (HpParameters, max_stream_data), 0, HP_VARINT_MAX },
  { PARAMETER_MAX_ACK_DELAY, G_STRUCT_OFFSET (HpParameters, max_ack_delay),
    0, HP_MAX_ACK_DELAY_LIMIT },
  { PARAMETER_IDLE_TIMEOUT, G_STRUCT_OFFSET (HpParameters, idle_timeout), 0,
    HP_IDLE_TIMEOUT_LIMIT },
  { PARAMETER_MAX_STREAMS, G_STRUCT_OFFSET (HpParameters, max_streams), 0,
    HP_VARINT_MAX >> 3 },
  { PARAMETER_RECEIVE_BUFFER, G_STRUCT_OFFSET (HpParameters, receive_buffer),
    0, HP_VARINT_MAX },
};

static const HpParameters defaults = HP_PARAMETERS_INIT;

/* A value is one varint that fills its length exactly. */
static gboolean
set_known (HpParameters *self, guint64 id, const guint8 *value, gsize length)
{
  HpReader reader;
  guint64 number;

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (known[i].id != id)
        continue;
      hp_reader_init (&reader, value, length);
      number = hp_reader_varint (&reader);
      if (!hp_reader_done (&reader) || number < known[i].smallest
          || number > known[i].largest)
        return FALSE;
      G_STRUCT_MEMBER (guint64, self, known[i].offset) = number;
      return TRUE;
    }
  return TRUE;
}

gboolean
hp_parameters_parse (HpParameters *self, const guint8 *bytes, gsize length)
{
  HpReader reader;
  guint64 seen[MAX_PARAMETERS];
  guint n_seen = 0;

  *self = defaults;
  if (length > HP_MAX_PARAMETERS_SIZE)
    return FALSE;
  hp_reader_init (&reader, bytes, length);
  while (hp_reader_left (&reader) > 0)
    {
      guint64 id = hp_reader_varint (&reader);
      guint64 size = hp_reader_varint (&reader);
      const guint8 *value = hp_reader_bytes (&reader, size);

      if (value == NULL)
        return FALSE;
      for (guint i = 0; i < n_seen; i++)
        if (seen[i] == id)
          return FALSE;
      seen[n_seen++] = id;
      if (!set_known (self, id, value, size))
        return FALSE;
    }
  return hp_reader_done (&reader);
}

void
hp_parameters_write (const HpParameters *self, HpWriter *writer)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      guint64 value = G_STRUCT_MEMBER (guint64, self, known[i].offset);

      g_assert (value >= known[i].smallest && value <= known[i].largest);
      if (value == G_STRUCT_MEMBER (guint64, &defaults, known[i].offset))
        continue;
      hp_writer_varint (writer, known[i].id);
      hp_writer_varint (writer, hp_varint_size (value));
      hp_writer_varint (writer, value);
    }
}
