/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-text.h"

gboolean
hp_tool_text_is_bad (gunichar c)
{
  const guint bad = 1u << G_UNICODE_CONTROL | 1u << G_UNICODE_FORMAT
                    | 1u << G_UNICODE_LINE_SEPARATOR
                    | 1u << G_UNICODE_PARAGRAPH_SEPARATOR
                    | 1u << G_UNICODE_SURROGATE;

  return (bad >> g_unichar_type (c) & 1) != 0;
}

char *
hp_tool_text_safe (const char *text, gssize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  GString *safe = g_string_new (NULL);

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar unichar = g_utf8_get_char (c);

      g_string_append_unichar (safe, hp_tool_text_is_bad (unichar) ? 0xfffd
                                                                   : unichar);
    }
  return g_string_free (safe, FALSE);
}

char *
hp_tool_text_address (GSocketAddress *address)
{
  GInetSocketAddress *inet;
  g_autofree char *host = NULL;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  inet = G_INET_SOCKET_ADDRESS (address);
  host = g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  return g_strdup_printf (
      g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ? "[%s]:%u"
                                                                    : "%s:%u",
      host, g_inet_socket_address_get_port (inet));
}

char *
hp_tool_text_size (guint64 bytes)
{
  g_autofree char *text = g_format_size (bytes);
  g_auto (GStrv) parts = g_strsplit (text, "\302\240", -1);

  /* Not every terminal knows the no-break space. */
  return g_strjoinv (" ", parts);
}

char *
hp_tool_text_duration (gint64 microseconds)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean is_short = microseconds < G_TIME_SPAN_SECOND;

  g_ascii_formatd (number, sizeof number,
                   microseconds < 10 * G_TIME_SPAN_MILLISECOND ? "%.3f"
                                                               : "%.1f",
                   is_short ? microseconds / 1e3 : microseconds / 1e6);
  return g_strconcat (number, is_short ? " ms" : " s", NULL);
}
