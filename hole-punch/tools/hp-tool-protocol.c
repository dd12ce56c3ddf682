/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-protocol.h"

#include <string.h>

/* The last byte is the version. */
static const guint8 magic[8] = { 0, 'h', 'p', 't', 'o', 'o', 'l', 1 };

typedef struct
{
  gboolean has_transfer;
  gboolean has_number;
  gsize min_length;
  gsize max_length;
} Shape;

static const Shape shapes[] = {
  [HP_TOOL_MESSAGE_OFFER] = { TRUE, TRUE, 1, HP_TOOL_NAME_MAX },
  [HP_TOOL_MESSAGE_ACCEPT] = { TRUE, FALSE, 0, 0 },
  [HP_TOOL_MESSAGE_DATA] = { TRUE, TRUE, 1, HP_TOOL_DATA_MAX },
  [HP_TOOL_MESSAGE_END] = { TRUE, FALSE, HP_TOOL_DIGEST_SIZE,
                            HP_TOOL_DIGEST_SIZE },
  [HP_TOOL_MESSAGE_STORED] = { TRUE, FALSE, HP_TOOL_DIGEST_SIZE,
                               HP_TOOL_DIGEST_SIZE },
  [HP_TOOL_MESSAGE_FAILED] = { TRUE, FALSE, 0, HP_TOOL_REASON_MAX },
  [HP_TOOL_MESSAGE_PING] = { FALSE, TRUE, 0, HP_TOOL_DATA_MAX },
  [HP_TOOL_MESSAGE_PONG] = { FALSE, TRUE, 0, HP_TOOL_DATA_MAX },
};

static gboolean
take (HpToolMessage *self, gpointer field, gsize size)
{
  if (self->length < size)
    return FALSE;
  memcpy (field, self->bytes, size);
  self->bytes += size;
  self->length -= size;
  return TRUE;
}

static gboolean
take_fields (HpToolMessage *self, const Shape *shape)
{
  if (shape->has_transfer)
    {
      if (!take (self, &self->transfer, sizeof self->transfer))
        return FALSE;
      self->transfer = GUINT32_FROM_BE (self->transfer);
    }
  if (shape->has_number)
    {
      if (!take (self, &self->number, sizeof self->number))
        return FALSE;
      self->number = GUINT64_FROM_BE (self->number);
    }
  return self->length >= shape->min_length && self->length <= shape->max_length;
}

HpToolParse
hp_tool_message_parse (HpToolMessage *self, GBytes *message)
{
  guint8 start[sizeof magic];
  guint8 type;

  *self = (HpToolMessage){ 0 };
  self->bytes = g_bytes_get_data (message, &self->length);
  if (!take (self, start, sizeof start)
      || memcmp (start, magic, sizeof magic) != 0)
    return HP_TOOL_PARSE_PLAIN;
  if (!take (self, &type, sizeof type) || type < HP_TOOL_MESSAGE_OFFER
      || type >= G_N_ELEMENTS (shapes))
    return HP_TOOL_PARSE_MALFORMED;
  self->type = type;
  if (!take_fields (self, &shapes[type]))
    return HP_TOOL_PARSE_MALFORMED;
  /* Sizes and offsets of files are signed where files are used. */
  if ((self->type == HP_TOOL_MESSAGE_OFFER
       || self->type == HP_TOOL_MESSAGE_DATA)
      && self->number > G_MAXINT64 - HP_TOOL_DATA_MAX)
    return HP_TOOL_PARSE_MALFORMED;
  return HP_TOOL_PARSE_OK;
}

GBytes *
hp_tool_message_write (const HpToolMessage *self)
{
  const Shape *shape = &shapes[self->type];
  guint8 type = self->type;
  guint32 transfer = GUINT32_TO_BE (self->transfer);
  guint64 number = GUINT64_TO_BE (self->number);
  GByteArray *array;

  g_assert (self->length >= shape->min_length
            && self->length <= shape->max_length);
  array = g_byte_array_sized_new (sizeof magic + sizeof type + sizeof transfer
                                  + sizeof number + self->length);
  g_byte_array_append (array, magic, sizeof magic);
  g_byte_array_append (array, &type, sizeof type);
  if (shape->has_transfer)
    g_byte_array_append (array, (guint8 *) &transfer, sizeof transfer);
  if (shape->has_number)
    g_byte_array_append (array, (guint8 *) &number, sizeof number);
  if (self->length > 0)
    g_byte_array_append (array, self->bytes, self->length);
  return g_byte_array_free_to_bytes (array);
}
