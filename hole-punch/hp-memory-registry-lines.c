/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-memory-registry-lines-private.h"

#include "hole-punch/base/hp-siphash.h"
#include "hole-punch/hp-identity-private.h"

#include <string.h>

#define CHECK_LENGTH 8
#define END_MAX_LENGTH 18

static const char hex[] = "0123456789abcdef";

static guint32
get_check (const char *text, gsize length)
{
  return hp_siphash (&(HpSipKey){ { 0, 0 } }, text, length);
}

static gboolean
is_plain (char character)
{
  return (guchar) character >= ' ' && character != 0x7f && character != '%';
}

static void
append_id (GString *text, const char *id, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (is_plain (id[i]))
      g_string_append_c (text, id[i]);
    else
      {
        g_string_append_c (text, '%');
        g_string_append_c (text, hex[(guchar) id[i] >> 4]);
        g_string_append_c (text, hex[id[i] & 15]);
      }
}

void
hp_registry_line_append (GString *text, const char *id, gsize length,
                         const guint8 key[HP_KEY_SIZE], gint64 end)
{
  gsize start = text->len;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  char number[END_MAX_LENGTH + 2];
  guint32 check;

  hp_fingerprint_format (fingerprint, key);
  g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, end);
  g_string_append_len (text, "         ", CHECK_LENGTH + 1);
  g_string_append (text, number);
  g_string_append_c (text, ' ');
  g_string_append_len (text, fingerprint, HP_FINGERPRINT_LENGTH);
  g_string_append_c (text, ' ');
  append_id (text, id, length);
  check = get_check (text->str + start + CHECK_LENGTH + 1,
                     text->len - start - CHECK_LENGTH - 1);
  for (guint i = 0; i < CHECK_LENGTH; i++)
    text->str[start + i] = hex[check >> (28 - 4 * i) & 15];
  g_string_append_c (text, '\n');
}

static int
parse_digit (char character)
{
  const char *digit = memchr (hex, character, 16);

  return digit != NULL ? (int) (digit - hex) : -1;
}

static gboolean
parse_id (HpRegistryLine *line, const char *text, const char *end)
{
  line->id_length = 0;
  while (text < end && line->id_length < HP_REGISTRY_LINE_MAX_ID_SIZE)
    {
      char character = *text++;

      if (character == '%')
        {
          if (end - text < 2 || parse_digit (text[0]) == -1
              || parse_digit (text[1]) == -1)
            return FALSE;
          character = parse_digit (text[0]) << 4 | parse_digit (text[1]);
          text += 2;
        }
      line->id[line->id_length++] = character;
    }
  line->id[line->id_length] = '\0';
  return text == end && line->id_length > 0;
}

gboolean
hp_registry_line_parse (HpRegistryLine *line, const char *text, gsize length)
{
  const char *end = text + length;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1] = { 0 };
  guint32 check = 0;
  guint n_digits = 0;

  if (length < CHECK_LENGTH + 1)
    return FALSE;
  for (guint i = 0; i < CHECK_LENGTH; i++, text++)
    {
      if (parse_digit (*text) == -1)
        return FALSE;
      check = check << 4 | parse_digit (*text);
    }
  if (*text++ != ' ' || get_check (text, end - text) != check)
    return FALSE;
  line->end = 0;
  for (; text < end && g_ascii_isdigit (*text); text++)
    {
      line->end = line->end * 10 + (*text - '0');
      if (++n_digits > END_MAX_LENGTH)
        return FALSE;
    }
  if (n_digits == 0 || end - text < HP_FINGERPRINT_LENGTH + 2
      || *text++ != ' ')
    return FALSE;
  memcpy (fingerprint, text, HP_FINGERPRINT_LENGTH);
  text += HP_FINGERPRINT_LENGTH;
  return *text++ == ' ' && hp_fingerprint_parse (fingerprint, line->key)
         && parse_id (line, text, end);
}
