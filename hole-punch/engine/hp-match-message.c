/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-message.h"

#include <string.h>

gsize
hp_match_message_write (const HpMatchMessage *self, guint8 *bytes,
                        gsize capacity)
{
  HpWriter writer;

  hp_writer_init (&writer, bytes, capacity);
  hp_writer_u8 (&writer, HP_MATCH_MESSAGE_VERSION);
  hp_writer_u8 (&writer, self->type);
  hp_writer_bytes (&writer, self->caller, HP_KEY_SIZE);
  hp_writer_varint (&writer, self->request);
  hp_writer_varint (&writer, self->time);
  switch (self->type)
    {
    case HP_MATCH_MESSAGE_CALL:
      hp_writer_u8 (&writer, self->has_callee ? 1 : 0);
      if (self->has_callee)
        hp_writer_bytes (&writer, self->callee, HP_KEY_SIZE);
      hp_frame_write (&self->frame, &writer);
      break;
    case HP_MATCH_MESSAGE_ACCEPTED:
      hp_frame_write (&self->frame, &writer);
      break;
    case HP_MATCH_MESSAGE_REFUSED:
      hp_writer_u8 (&writer, self->code);
      break;
    case HP_MATCH_MESSAGE_RINGING:
    case HP_MATCH_MESSAGE_GONE:
      break;
    }
  g_assert (hp_writer_ok (&writer));
  return writer.offset;
}

/* An introduction that can be passed on as it is: that it is about somebody at
 * an address is what all the rest relies on. */
static gboolean
read_introduction (HpMatchMessage *self, HpFrameType type, HpReader *reader)
{
  return hp_reader_left (reader) > 0 && hp_frame_parse (&self->frame, reader)
         && self->frame.type == type
         && hp_address_is_usable (&self->frame.introduction.observed);
}

static gboolean
read_call (HpMatchMessage *self, HpReader *reader)
{
  guint8 has_callee = hp_reader_u8 (reader);

  self->has_callee = has_callee == 1;
  if (self->has_callee)
    hp_reader_copy (reader, self->callee, HP_KEY_SIZE);
  return has_callee <= 1
         && read_introduction (self, HP_FRAME_INTRODUCE, reader)
         && memcmp (self->frame.introduction.public_key, self->caller,
                    HP_KEY_SIZE) == 0
         && (self->has_callee
             || self->frame.introduction.wanted_id.length > 0);
}

static gboolean
read_refused (HpMatchMessage *self, HpReader *reader)
{
  self->code = hp_reader_u8 (reader);
  return self->code >= HP_REFUSED_UNKNOWN_ID
         && self->code <= HP_REFUSED_TEMPORARY;
}

gboolean
hp_match_message_parse (HpMatchMessage *self, const guint8 *bytes,
                        gsize length)
{
  HpReader reader;
  guint8 version;
  gboolean is_sound = FALSE;

  hp_reader_init (&reader, bytes, length);
  version = hp_reader_u8 (&reader);
  self->type = hp_reader_u8 (&reader);
  hp_reader_copy (&reader, self->caller, HP_KEY_SIZE);
  self->request = hp_reader_varint (&reader);
  self->time = hp_reader_varint (&reader);
  if (!hp_reader_ok (&reader) || version != HP_MATCH_MESSAGE_VERSION)
    return FALSE;
  switch (self->type)
    {
    case HP_MATCH_MESSAGE_CALL:
      is_sound = read_call (self, &reader);
      break;
    case HP_MATCH_MESSAGE_RINGING:
    case HP_MATCH_MESSAGE_GONE:
      is_sound = TRUE;
      break;
    case HP_MATCH_MESSAGE_ACCEPTED:
      is_sound = read_introduction (self, HP_FRAME_ANSWER, &reader)
                 && self->frame.introduction.request == self->request;
      break;
    case HP_MATCH_MESSAGE_REFUSED:
      is_sound = read_refused (self, &reader);
      break;
    }
  return is_sound && hp_reader_done (&reader);
}
