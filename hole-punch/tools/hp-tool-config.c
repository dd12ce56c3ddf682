/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-config.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-config-values.h"

typedef struct _Key Key;

/* Reads a key that is there */
typedef gboolean (*ReadFunc) (HpToolConfig *self, const HpToolConfigFile *file,
                              const char *key, GError **error);
/* Writes it down; NULL: it is not set */
typedef char *(*WriteFunc) (HpToolConfig *self, const char *key);

struct _Key
{
  const char *name;
  ReadFunc read;
  WriteFunc write;
  gboolean at_any_time; /* can be changed while the server runs */
  gboolean is_secret;
};

static gboolean
read_property (HpToolConfig *self, const HpToolConfigFile *file,
               const char *key, GError **error)
{
  return hp_tool_config_read_property (file, key, G_OBJECT (self->wanted),
                                       error);
}

static char *
write_property (HpToolConfig *self, const char *key)
{
  return hp_tool_config_write_property (G_OBJECT (self->wanted), key);
}

static gboolean
read_turn_secret_file (HpToolConfig *self, const HpToolConfigFile *file,
                       const char *key, GError **error)
{
  g_autoptr (HpToolSecret) secret
      = hp_tool_config_read_secret (file, key, error);

  if (secret == NULL)
    return FALSE;
  hp_match_server_set_turn_secret (self->wanted, secret);
  return TRUE;
}

static gboolean
read_registry (HpToolConfig *self, const HpToolConfigFile *file,
               const char *key, GError **error)
{
  hp_tool_secret_free (self->registry);
  self->registry = hp_tool_config_read_string (file, key, error);
  if (self->registry == NULL)
    return FALSE;
  if (strcmp (self->registry, "memory") == 0
      || g_str_has_prefix (self->registry, "redis://")
      || g_str_has_prefix (self->registry, "rediss://")
      || g_str_has_prefix (self->registry, "unix://"))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "%s must be “memory”, or a URI such as "
               "redis://redis.example.org:6379",
               key);
  return FALSE;
}

static char *
write_registry (HpToolConfig *self, const char *key)
{
  return g_strdup (self->registry);
}

static gboolean
read_registry_file (HpToolConfig *self, const HpToolConfigFile *file,
                    const char *key, GError **error)
{
  g_free (self->registry_file);
  self->registry_file = hp_tool_config_read_filename (file, key, error);
  return self->registry_file != NULL;
}

static char *
write_registry_file (HpToolConfig *self, const char *key)
{
  return g_strdup (self->registry_file);
}

static gboolean
read_registry_password_file (HpToolConfig *self, const HpToolConfigFile *file,
                             const char *key, GError **error)
{
  hp_tool_secret_free (self->registry_password);
  self->registry_password = hp_tool_config_read_secret (file, key, error);
  return self->registry_password != NULL;
}

static char *
write_registry_password (HpToolConfig *self, const char *key)
{
  return g_strdup (self->registry_password);
}

static gboolean
read_allowed (HpToolConfig *self, const HpToolConfigFile *file,
              const char *key, GError **error)
{
  g_auto (GStrv) list = hp_tool_config_read_list (file, key, error);

  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    if (!hp_tool_policy_allow (self->policy, list[i], error))
      return FALSE;
  return list != NULL;
}

static gboolean
read_allowed_file (HpToolConfig *self, const HpToolConfigFile *file,
                   const char *key, GError **error)
{
  g_autofree char *filename = hp_tool_config_read_filename (file, key, error);

  return filename != NULL
         && hp_tool_policy_allow_file (self->policy, filename, error);
}

static gboolean
read_reserved (HpToolConfig *self, const HpToolConfigFile *file,
               const char *key, GError **error)
{
  g_auto (GStrv) list = hp_tool_config_read_list (file, key, error);

  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    if (!hp_tool_policy_reserve (self->policy, list[i], error))
      return FALSE;
  return list != NULL;
}

static char *
write_allowed (HpToolConfig *self, const char *key)
{
  return hp_tool_policy_describe_allowed (self->policy);
}

static char *
write_reserved (HpToolConfig *self, const char *key)
{
  return hp_tool_policy_describe_reserved (self->policy);
}

static gboolean
read_metrics (HpToolConfig *self, const HpToolConfigFile *file,
              const char *key, GError **error)
{
  g_free (self->metrics);
  self->metrics = hp_tool_config_read_string (file, key, error);
  return self->metrics != NULL;
}

static char *
write_metrics (HpToolConfig *self, const char *key)
{
  return g_strdup (self->metrics);
}

static gboolean
read_log (HpToolConfig *self, const HpToolConfigFile *file, const char *key,
          GError **error)
{
  g_autofree char *text = hp_tool_config_read_string (file, key, error);

  if (text == NULL)
    return FALSE;
  if (hp_tool_log_parse_level (text, &self->log))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "%s must be “warnings”, “server” or “peers”", key);
  return FALSE;
}

static char *
write_log (HpToolConfig *self, const char *key)
{
  return g_strdup (hp_tool_log_get_level_name (self->log));
}

static gboolean
read_log_addresses (HpToolConfig *self, const HpToolConfigFile *file,
                    const char *key, GError **error)
{
  return hp_tool_config_read_boolean (file, key, &self->log_addresses, error);
}

static char *
write_log_addresses (HpToolConfig *self, const char *key)
{
  return g_strdup (self->log_addresses ? "yes" : "no");
}

/* In this order; of two that set the same the second one counts. */
static const Key keys[] = {
  { "listen-address", read_property, write_property, FALSE, FALSE },
  { "port", read_property, write_property, FALSE, FALSE },
  { "second-address", read_property, write_property, FALSE, FALSE },
  { "second-port", read_property, write_property, FALSE, FALSE },
  { "workers", read_property, write_property, FALSE, FALSE },
  /* There may be a password in it. */
  { "registry", read_registry, write_registry, FALSE, TRUE },
  { "registry-file", read_registry_file, write_registry_file, FALSE, FALSE },
  { "registry-password-file", read_registry_password_file,
    write_registry_password, FALSE, TRUE },
  { "registration-lifetime", read_property, write_property, TRUE, FALSE },
  { "max-peers", read_property, write_property, TRUE, FALSE },
  { "max-handshakes-per-second", read_property, write_property, TRUE, FALSE },
  { "max-total-handshakes-per-second", read_property, write_property, TRUE,
    FALSE },
  { "max-asks-per-minute", read_property, write_property, TRUE, FALSE },
  { "max-registrations-per-network", read_property, write_property, TRUE,
    FALSE },
  { "max-stun-per-second", read_property, write_property, TRUE, FALSE },
  { "allowed-identities", read_allowed, write_allowed, TRUE, FALSE },
  { "allowed-identities-file", read_allowed_file, NULL, TRUE, FALSE },
  { "reserved-ids", read_reserved, write_reserved, TRUE, FALSE },
  { "turn-servers", read_property, write_property, FALSE, FALSE },
  { "turn-secret", read_property, write_property, TRUE, TRUE },
  { "turn-secret-file", read_turn_secret_file, NULL, TRUE, TRUE },
  { "turn-lifetime", read_property, write_property, TRUE, FALSE },
  { "metrics", read_metrics, write_metrics, TRUE, FALSE },
  { "log", read_log, write_log, TRUE, FALSE },
  { "log-addresses", read_log_addresses, write_log_addresses, TRUE, FALSE },
};

static gboolean
is_key (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (strcmp (keys[i].name, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
check_names (GKeyFile *file, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  g_auto (GStrv) found
      = g_key_file_get_keys (file, HP_TOOL_CONFIG_GROUP, NULL, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    if (strcmp (groups[i], HP_TOOL_CONFIG_GROUP) != 0)
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                     "There is no group [%s], only [" HP_TOOL_CONFIG_GROUP "]",
                     groups[i]);
        return FALSE;
      }
  for (guint i = 0; found != NULL && found[i] != NULL; i++)
    if (!is_key (found[i]))
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                     "There is no setting “%s”", found[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
read_all (HpToolConfig *self, const HpToolConfigFile *file, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_key_file_has_key (file->file, HP_TOOL_CONFIG_GROUP, keys[i].name,
                            NULL)
        && !keys[i].read (self, file, keys[i].name, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_file (HpToolConfig *self, const char *filename, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autofree char *folder = g_path_get_dirname (filename);
  const HpToolConfigFile file = { key_file, folder };

  if (g_key_file_load_from_file (key_file, filename, G_KEY_FILE_NONE, error)
      && check_names (key_file, error) && read_all (self, &file, error))
    return TRUE;
  g_prefix_error (error, "%s: ", filename);
  return FALSE;
}

HpToolConfig *
hp_tool_config_new (const char *filename, GKeyFile *given, GError **error)
{
  g_autoptr (HpToolConfig) self = g_new0 (HpToolConfig, 1);
  const HpToolConfigFile command_line = { given, "." };

  /* All cores: a program of its own, unlike one that has a server in it */
  self->wanted = g_object_new (HP_TYPE_MATCH_SERVER, "workers", 0, NULL);
  self->registry = g_strdup ("memory");
  self->policy = hp_tool_policy_new ();
  self->log = HP_TOOL_LOG_SERVER;
  if (filename != NULL && !read_file (self, filename, error))
    return NULL;
  if (!read_all (self, &command_line, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
hp_tool_config_free (HpToolConfig *self)
{
  g_clear_object (&self->wanted);
  hp_tool_secret_free (self->registry);
  g_free (self->registry_file);
  hp_tool_secret_free (self->registry_password);
  g_clear_pointer (&self->policy, hp_tool_policy_free);
  g_free (self->metrics);
  g_free (self);
}

static char *
write_key (HpToolConfig *self, const Key *key)
{
  return key->write != NULL ? key->write (self, key->name) : NULL;
}

char *
hp_tool_config_to_text (HpToolConfig *self)
{
  GString *text = g_string_new ("[" HP_TOOL_CONFIG_GROUP "]\n");

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (HpToolSecret) value = write_key (self, &keys[i]);

      if (value == NULL)
        g_string_append_printf (text, "#%s =\n", keys[i].name);
      else if (keys[i].is_secret && strcmp (value, "memory") != 0)
        g_string_append_printf (text, "#%s = (not shown)\n", keys[i].name);
      else
        g_string_append_printf (text, "%s = %s\n", keys[i].name, value);
    }
  return g_string_free (text, FALSE);
}

void
hp_tool_config_set_all (HpToolConfig *self, HpMatchServer *server)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keys[i].read == read_property)
      hp_tool_config_copy_property (G_OBJECT (self->wanted),
                                    G_OBJECT (server), keys[i].name);
}

void
hp_tool_config_apply (HpToolConfig *self, HpToolConfig *old,
                      HpToolConfig *started, HpMatchServer *server,
                      GPtrArray *changed, GPtrArray *kept)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const Key *key = &keys[i];
      g_autoptr (HpToolSecret) before
          = write_key (key->at_any_time ? old : started, key);
      g_autoptr (HpToolSecret) after = write_key (self, key);

      if (g_strcmp0 (before, after) == 0)
        continue;
      g_ptr_array_add (key->at_any_time ? changed : kept,
                       (gpointer) key->name);
      if (key->at_any_time && key->read == read_property)
        hp_tool_config_copy_property (G_OBJECT (self->wanted),
                                      G_OBJECT (server), key->name);
    }
}
