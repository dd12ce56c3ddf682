/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-config.h"

#include <string.h>

#define GROUP "match-server"
#define SECRET_FILE "turn-secret-file"

static const char *const keys[] = {
  "listen-address",
  "port",
  "second-address",
  "second-port",
  "registration-lifetime",
  "max-peers",
  "max-handshakes-per-second",
  "max-asks-per-minute",
  "turn-servers",
  "turn-secret",
  SECRET_FILE,
  "turn-lifetime",
  NULL,
};

char *
hp_tool_config_read_secret (const char *filename, GError **error)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents (filename, &text, NULL, error))
    return NULL;
  text[strcspn (text, "\r\n")] = '\0';
  if (*text == '\0' || !g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "There is no secret in the first line of %s", filename);
      return NULL;
    }
  return g_steal_pointer (&text);
}

static gboolean
read_number (GKeyFile *file, const char *key, gint64 least, gint64 most,
             gint64 *number, GError **error)
{
  g_autoptr (GError) problem = NULL;

  *number = g_key_file_get_int64 (file, GROUP, key, &problem);
  if (problem == NULL && *number >= least && *number <= most)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "%s must be a number from %" G_GINT64_FORMAT
               " to %" G_GINT64_FORMAT,
               key, least, most);
  return FALSE;
}

static gboolean
set_property (GKeyFile *file, const char *key, HpMatchServer *server,
              GError **error)
{
  GParamSpec *pspec = g_object_class_find_property (
      G_OBJECT_GET_CLASS (server), key);
  g_auto (GStrv) list = NULL;
  g_autofree char *text = NULL;
  gint64 number;

  if (G_IS_PARAM_SPEC_UINT (pspec))
    {
      GParamSpecUInt *range = G_PARAM_SPEC_UINT (pspec);

      if (!read_number (file, key, range->minimum, range->maximum, &number,
                        error))
        return FALSE;
      g_object_set (server, key, (guint) number, NULL);
    }
  else if (G_IS_PARAM_SPEC_INT (pspec))
    {
      GParamSpecInt *range = G_PARAM_SPEC_INT (pspec);

      if (!read_number (file, key, range->minimum, range->maximum, &number,
                        error))
        return FALSE;
      g_object_set (server, key, (int) number, NULL);
    }
  else if (G_IS_PARAM_SPEC_STRING (pspec))
    {
      text = g_key_file_get_string (file, GROUP, key, error);
      if (text == NULL)
        return FALSE;
      g_object_set (server, key, text, NULL);
    }
  else
    {
      list = g_key_file_get_string_list (file, GROUP, key, NULL, error);
      if (list == NULL)
        return FALSE;
      for (guint i = 0; list[i] != NULL; i++)
        g_strstrip (list[i]);
      g_object_set (server, key, list, NULL);
    }
  return TRUE;
}

static gboolean
set_key (GKeyFile *file, const char *key, HpMatchServer *server,
         GError **error)
{
  g_autofree char *filename = NULL;
  g_autofree char *secret = NULL;

  if (!g_strv_contains (keys, key))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "There is no setting “%s”", key);
      return FALSE;
    }
  if (strcmp (key, SECRET_FILE) != 0)
    return set_property (file, key, server, error);
  filename = g_key_file_get_string (file, GROUP, key, error);
  if (filename == NULL)
    return FALSE;
  secret = hp_tool_config_read_secret (filename, error);
  if (secret == NULL)
    return FALSE;
  hp_match_server_set_turn_secret (server, secret);
  return TRUE;
}

static gboolean
set_all (GKeyFile *file, HpMatchServer *server, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  g_auto (GStrv) found = g_key_file_get_keys (file, GROUP, NULL, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    if (strcmp (groups[i], GROUP) != 0)
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                     "There is no group [%s], only [" GROUP "]", groups[i]);
        return FALSE;
      }
  for (guint i = 0; found != NULL && found[i] != NULL; i++)
    if (!set_key (file, found[i], server, error))
      return FALSE;
  return TRUE;
}

gboolean
hp_tool_config_load (const char *filename, HpMatchServer *server,
                     GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (g_key_file_load_from_file (file, filename, G_KEY_FILE_NONE, error)
      && set_all (file, server, error))
    return TRUE;
  g_prefix_error (error, "%s: ", filename);
  return FALSE;
}
