/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-config-values.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-config.h"

#define CREDENTIALS_VARIABLE "CREDENTIALS_DIRECTORY"

static void
set_empty_error (const char *key, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "%s has no value: leave it out", key);
}

char *
hp_tool_config_read_string (const HpToolConfigFile *self, const char *key,
                            GError **error)
{
  g_autofree char *text
      = g_key_file_get_string (self->file, HP_TOOL_CONFIG_GROUP, key, error);

  if (text == NULL)
    return NULL;
  g_strstrip (text);
  if (*text != '\0')
    return g_steal_pointer (&text);
  set_empty_error (key, error);
  return NULL;
}

char **
hp_tool_config_read_list (const HpToolConfigFile *self, const char *key,
                          GError **error)
{
  g_auto (GStrv) list = g_key_file_get_string_list (
      self->file, HP_TOOL_CONFIG_GROUP, key, NULL, error);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean is_empty = TRUE;

  if (list == NULL)
    return NULL;
  for (guint i = 0; list[i] != NULL; i++)
    if (*g_strstrip (list[i]) != '\0')
      {
        g_strv_builder_add (builder, list[i]);
        is_empty = FALSE;
      }
  if (!is_empty)
    return g_strv_builder_end (builder);
  set_empty_error (key, error);
  return NULL;
}

gboolean
hp_tool_config_read_boolean (const HpToolConfigFile *self, const char *key,
                             gboolean *value, GError **error)
{
  g_autofree char *text = hp_tool_config_read_string (self, key, error);

  if (text == NULL)
    return FALSE;
  *value = strcmp (text, "yes") == 0 || strcmp (text, "true") == 0;
  if (*value || strcmp (text, "no") == 0 || strcmp (text, "false") == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "%s must be “yes” or “no”", key);
  return FALSE;
}

char *
hp_tool_config_read_filename (const HpToolConfigFile *self, const char *key,
                              GError **error)
{
  g_autofree char *name = hp_tool_config_read_string (self, key, error);
  const char *credentials = g_getenv (CREDENTIALS_VARIABLE);
  g_autofree char *credential = NULL;

  if (name == NULL)
    return NULL;
  if (g_path_is_absolute (name))
    return g_steal_pointer (&name);
  if (credentials != NULL)
    credential = g_build_filename (credentials, name, NULL);
  if (credential != NULL && g_file_test (credential, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&credential);
  return g_build_filename (self->folder, name, NULL);
}

void
hp_tool_secret_free (HpToolSecret *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

HpToolSecret *
hp_tool_config_read_secret (const HpToolConfigFile *self, const char *key,
                            GError **error)
{
  g_autofree char *filename = hp_tool_config_read_filename (self, key, error);
  g_autoptr (HpToolSecret) text = NULL;

  if (filename == NULL || !g_file_get_contents (filename, &text, NULL, error))
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
read_number (const HpToolConfigFile *self, const char *key, gint64 least,
             gint64 most, gint64 *number, GError **error)
{
  g_autoptr (GError) problem = NULL;

  *number = g_key_file_get_int64 (self->file, HP_TOOL_CONFIG_GROUP, key,
                                  &problem);
  if (problem == NULL && *number >= least && *number <= most)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "%s must be a number from %" G_GINT64_FORMAT
               " to %" G_GINT64_FORMAT,
               key, least, most);
  return FALSE;
}

static gboolean
read_value (const HpToolConfigFile *self, const char *key, GParamSpec *pspec,
            GValue *value, GError **error)
{
  gint64 number;

  if (G_IS_PARAM_SPEC_UINT (pspec))
    {
      GParamSpecUInt *range = G_PARAM_SPEC_UINT (pspec);

      if (!read_number (self, key, range->minimum, range->maximum, &number,
                        error))
        return FALSE;
      g_value_set_uint (value, number);
      return TRUE;
    }
  if (G_IS_PARAM_SPEC_INT (pspec))
    {
      GParamSpecInt *range = G_PARAM_SPEC_INT (pspec);

      if (!read_number (self, key, range->minimum, range->maximum, &number,
                        error))
        return FALSE;
      g_value_set_int (value, number);
      return TRUE;
    }
  if (G_IS_PARAM_SPEC_STRING (pspec))
    {
      g_value_take_string (value,
                           hp_tool_config_read_string (self, key, error));
      return g_value_get_string (value) != NULL;
    }
  g_value_take_boxed (value, hp_tool_config_read_list (self, key, error));
  return g_value_get_boxed (value) != NULL;
}

gboolean
hp_tool_config_read_property (const HpToolConfigFile *self, const char *key,
                              GObject *object, GError **error)
{
  GParamSpec *pspec
      = g_object_class_find_property (G_OBJECT_GET_CLASS (object), key);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  if (!read_value (self, key, pspec, &value, error))
    return FALSE;
  g_object_set_property (object, key, &value);
  return TRUE;
}

static char *
write_list (char **list)
{
  return list != NULL && list[0] != NULL ? g_strjoinv (";", list) : NULL;
}

char *
hp_tool_config_write_property (GObject *object, const char *name)
{
  GParamSpec *pspec
      = g_object_class_find_property (G_OBJECT_GET_CLASS (object), name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (object, name, &value);
  if (G_IS_PARAM_SPEC_UINT (pspec))
    return g_strdup_printf ("%u", g_value_get_uint (&value));
  if (G_IS_PARAM_SPEC_INT (pspec))
    return g_strdup_printf ("%d", g_value_get_int (&value));
  if (G_IS_PARAM_SPEC_STRING (pspec))
    return g_value_dup_string (&value);
  return write_list (g_value_get_boxed (&value));
}

void
hp_tool_config_copy_property (GObject *from, GObject *to, const char *name)
{
  GParamSpec *pspec
      = g_object_class_find_property (G_OBJECT_GET_CLASS (from), name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (from, name, &value);
  g_object_set_property (to, name, &value);
}
