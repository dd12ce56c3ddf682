/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-protocol.h"

#include <string.h>

/* The last byte is the version. */
static const guint8 magic[8] = { 0, 'h', 'p', 't', 'o', 'o', 'l', 2 };

typedef struct
{
  gboolean is_message; /* or else for streams */
  guint n_numbers;
  gsize min_length; /* of what follows them */
  gsize max_length;
} Shape;

static const Shape shapes[] = {
  [HP_TOOL_RECORD_OFFER] = { FALSE, 1, 1, HP_TOOL_NAME_MAX },
  [HP_TOOL_RECORD_ACCEPT] = { FALSE, 0, 0, 0 },
  [HP_TOOL_RECORD_END] = { FALSE, 0, HP_TOOL_DIGEST_SIZE, HP_TOOL_DIGEST_SIZE },
  [HP_TOOL_RECORD_STORED] = { FALSE, 0, HP_TOOL_DIGEST_SIZE,
                              HP_TOOL_DIGEST_SIZE },
  [HP_TOOL_RECORD_FAILED] = { FALSE, 0, 0, HP_TOOL_REASON_MAX },
  [HP_TOOL_RECORD_TEST] = { FALSE, 4, 0, 0 },
  [HP_TOOL_RECORD_LOAD] = { FALSE, 1, 0, 0 },
  [HP_TOOL_RECORD_TICK] = { FALSE, 2, 0, 0 },
  [HP_TOOL_RECORD_REPORT] = { FALSE, 6, 0, 0 },
  [HP_TOOL_RECORD_PING] = { TRUE, 1, 0, HP_TOOL_PAYLOAD_MAX },
  [HP_TOOL_RECORD_PONG] = { TRUE, 1, 0, HP_TOOL_PAYLOAD_MAX },
};

G_STATIC_ASSERT (sizeof (HpToolReport)
                 == HP_TOOL_MAX_NUMBERS * sizeof (guint64));

static gboolean
is_known (guint8 type)
{
  return type >= HP_TOOL_RECORD_OFFER && type < G_N_ELEMENTS (shapes);
}

static gboolean
is_within_limits (const HpToolRecord *self)
{
  switch (self->type)
    {
    case HP_TOOL_RECORD_OFFER:
      /* Sizes of files are signed where files are used. */
      return self->size <= G_MAXINT64 || self->size == HP_TOOL_SIZE_UNKNOWN;
    case HP_TOOL_RECORD_TEST:
      return self->test.milliseconds >= 1
             && self->test.milliseconds <= HP_TOOL_TEST_MILLISECONDS_MAX
             && self->test.n_streams >= 1
             && self->test.n_streams <= HP_TOOL_TEST_STREAMS_MAX
             && self->test.is_reverse <= 1;
    case HP_TOOL_RECORD_TICK:
    case HP_TOOL_RECORD_REPORT:
      for (guint i = 0; i < shapes[self->type].n_numbers; i++)
        {
          if (self->numbers[i] > G_MAXINT64)
            return FALSE;
        }
      return TRUE;
    case HP_TOOL_RECORD_ACCEPT:
    case HP_TOOL_RECORD_END:
    case HP_TOOL_RECORD_STORED:
    case HP_TOOL_RECORD_FAILED:
    case HP_TOOL_RECORD_LOAD:
    case HP_TOOL_RECORD_PING:
    case HP_TOOL_RECORD_PONG:
      return TRUE;
    }
  return FALSE;
}

static gboolean
parse_body (HpToolRecord *self, HpToolRecordType type, const guint8 *body,
            gsize length)
{
  const Shape *shape = &shapes[type];
  gsize numbers_size = shape->n_numbers * sizeof self->numbers[0];

  *self = (HpToolRecord){ .type = type };
  if (length < numbers_size + shape->min_length
      || length > numbers_size + shape->max_length)
    return FALSE;
  if (numbers_size > 0)
    memcpy (self->numbers, body, numbers_size);
  for (guint i = 0; i < shape->n_numbers; i++)
    self->numbers[i] = GUINT64_FROM_BE (self->numbers[i]);
  self->length = length - numbers_size;
  self->bytes = body != NULL ? body + numbers_size : NULL;
  return is_within_limits (self);
}

static void
append_body (GByteArray *array, const HpToolRecord *self)
{
  const Shape *shape = &shapes[self->type];

  g_assert (self->length >= shape->min_length
            && self->length <= shape->max_length);
  for (guint i = 0; i < shape->n_numbers; i++)
    {
      guint64 number = GUINT64_TO_BE (self->numbers[i]);

      g_byte_array_append (array, (guint8 *) &number, sizeof number);
    }
  if (self->length > 0)
    g_byte_array_append (array, self->bytes, self->length);
}

/* Messages */

HpToolParse
hp_tool_message_parse (HpToolRecord *self, GBytes *message)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (message, &length);
  const gsize start = sizeof magic + 1;

  if (length < sizeof magic || memcmp (bytes, magic, sizeof magic) != 0)
    return HP_TOOL_PARSE_PLAIN;
  if (length < start || !is_known (bytes[sizeof magic])
      || !shapes[bytes[sizeof magic]].is_message
      || !parse_body (self, bytes[sizeof magic], bytes + start, length - start))
    return HP_TOOL_PARSE_MALFORMED;
  return HP_TOOL_PARSE_OK;
}

GBytes *
hp_tool_message_write (const HpToolRecord *self)
{
  guint8 type = self->type;
  GByteArray *array = g_byte_array_new ();

  g_assert (shapes[self->type].is_message);
  g_byte_array_append (array, magic, sizeof magic);
  g_byte_array_append (array, &type, sizeof type);
  append_body (array, self);
  return g_byte_array_free_to_bytes (array);
}

/* Records on streams */

gboolean
hp_tool_header_parse (HpToolHeader *self,
                      const guint8 bytes[HP_TOOL_HEADER_SIZE])
{
  guint8 type = bytes[sizeof magic];
  const Shape *shape;
  guint16 length;

  if (memcmp (bytes, magic, sizeof magic) != 0 || !is_known (type)
      || shapes[type].is_message)
    return FALSE;
  shape = &shapes[type];
  memcpy (&length, bytes + sizeof magic + 1, sizeof length);
  self->type = type;
  self->length = GUINT16_FROM_BE (length);
  /* So that no more is waited for than such a record can have */
  return self->length
         <= shape->n_numbers * sizeof (guint64) + shape->max_length;
}

gboolean
hp_tool_record_parse (HpToolRecord *self, const HpToolHeader *header,
                      const guint8 *body)
{
  return parse_body (self, header->type, body, header->length);
}

GBytes *
hp_tool_record_write (const HpToolRecord *self)
{
  guint8 type = self->type;
  guint16 length = GUINT16_TO_BE (
      shapes[self->type].n_numbers * sizeof (guint64) + self->length);
  GByteArray *array = g_byte_array_new ();

  g_assert (!shapes[self->type].is_message);
  g_byte_array_append (array, magic, sizeof magic);
  g_byte_array_append (array, &type, sizeof type);
  g_byte_array_append (array, (guint8 *) &length, sizeof length);
  append_body (array, self);
  return g_byte_array_free_to_bytes (array);
}
