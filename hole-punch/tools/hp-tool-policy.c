/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-policy.h"

#include <string.h>

#define FINGERPRINT_LENGTH 52

struct _HpToolPolicy
{
  GHashTable *allowed;  /* set of fingerprints; NULL: everybody */
  GHashTable *reserved; /* set of "ID=FINGERPRINT", and of "ID=" */
};

HpToolPolicy *
hp_tool_policy_new (void)
{
  HpToolPolicy *self = g_new0 (HpToolPolicy, 1);

  self->reserved
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
hp_tool_policy_free (HpToolPolicy *self)
{
  g_clear_pointer (&self->allowed, g_hash_table_unref);
  g_hash_table_unref (self->reserved);
  g_free (self);
}

/* RFC 4648 base32, in lower case: 256 bits, of which the last character has
 * one */
static gboolean
check_fingerprint (const char *text, GError **error)
{
  if (strlen (text) == FINGERPRINT_LENGTH
      && strspn (text, "abcdefghijklmnopqrstuvwxyz234567")
             == FINGERPRINT_LENGTH
      && strchr ("aq", text[FINGERPRINT_LENGTH - 1]) != NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "“%s” is not a fingerprint: 52 letters and digits, which "
               "“hole-punch identity” shows",
               text);
  return FALSE;
}

static void
close_to_others (HpToolPolicy *self)
{
  if (self->allowed == NULL)
    self->allowed
        = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

gboolean
hp_tool_policy_allow (HpToolPolicy *self, const char *fingerprint,
                      GError **error)
{
  if (!check_fingerprint (fingerprint, error))
    return FALSE;
  close_to_others (self);
  g_hash_table_add (self->allowed, g_strdup (fingerprint));
  return TRUE;
}

gboolean
hp_tool_policy_reserve (HpToolPolicy *self, const char *text, GError **error)
{
  const char *equals = strrchr (text, '=');

  if (equals == NULL || equals == text)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "“%s” must be an id, “=” and a fingerprint", text);
      return FALSE;
    }
  if (!check_fingerprint (equals + 1, error))
    return FALSE;
  g_hash_table_add (self->reserved, g_strdup (text));
  g_hash_table_add (self->reserved, g_strndup (text, equals + 1 - text));
  return TRUE;
}

static gboolean
allow_line (HpToolPolicy *self, char *line, GError **error)
{
  line[strcspn (line, "#")] = '\0';
  g_strstrip (line);
  return *line == '\0' || hp_tool_policy_allow (self, line, error);
}

gboolean
hp_tool_policy_allow_file (HpToolPolicy *self, const char *filename,
                           GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (filename, &text, NULL, error))
    return FALSE;
  close_to_others (self);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!allow_line (self, lines[i], error))
      {
        g_prefix_error (error, "%s, line %u: ", filename, i + 1);
        return FALSE;
      }
  return TRUE;
}

/* Sorted, with “;” in between */
static char *
describe_set (GHashTable *set)
{
  g_autoptr (GList) keys = g_list_sort (g_hash_table_get_keys (set),
                                        (GCompareFunc) strcmp);
  GString *text = g_string_new (NULL);

  for (GList *item = keys; item != NULL; item = item->next)
    {
      const char *key = item->data;

      if (!g_str_has_suffix (key, "="))
        g_string_append_printf (text, "%s%s", text->len > 0 ? ";" : "", key);
    }
  return g_string_free (text, FALSE);
}

char *
hp_tool_policy_describe_allowed (HpToolPolicy *self)
{
  return self->allowed != NULL ? describe_set (self->allowed) : NULL;
}

char *
hp_tool_policy_describe_reserved (HpToolPolicy *self)
{
  return g_hash_table_size (self->reserved) > 0
             ? describe_set (self->reserved)
             : NULL;
}

static gboolean
is_allowed (HpToolPolicy *self, HpAuthorization *authorization)
{
  return self->allowed == NULL
         || g_hash_table_contains (
             self->allowed, hp_authorization_get_fingerprint (authorization));
}

static gboolean
may_have_id (HpToolPolicy *self, HpAuthorization *authorization)
{
  const char *id = hp_authorization_get_id (authorization);
  g_autofree char *any = NULL;
  g_autofree char *this_one = NULL;

  if (id == NULL)
    return TRUE;
  any = g_strconcat (id, "=", NULL);
  if (!g_hash_table_contains (self->reserved, any))
    return TRUE;
  this_one = g_strconcat (any, hp_authorization_get_fingerprint (authorization),
                          NULL);
  return g_hash_table_contains (self->reserved, this_one);
}

static void
answer (HpAuthorization *authorization, gboolean allow)
{
  if (allow)
    hp_authorization_allow (authorization);
  else
    hp_authorization_deny (authorization);
}

static void
on_registration (HpMatchServer *server, HpAuthorization *authorization,
                 HpToolPolicy *self)
{
  answer (authorization, is_allowed (self, authorization)
                             && may_have_id (self, authorization));
}

static void
on_introduction (HpMatchServer *server, HpAuthorization *authorization,
                 HpToolPolicy *self)
{
  answer (authorization, is_allowed (self, authorization));
}

void
hp_tool_policy_attach (HpToolPolicy *self, HpMatchServer *server)
{
  if (self->allowed != NULL || g_hash_table_size (self->reserved) > 0)
    g_signal_connect (server, "authorize-registration",
                      G_CALLBACK (on_registration), self);
  if (self->allowed != NULL)
    g_signal_connect (server, "authorize-introduction",
                      G_CALLBACK (on_introduction), self);
}

void
hp_tool_policy_detach (HpToolPolicy *self, HpMatchServer *server)
{
  g_signal_handlers_disconnect_by_data (server, self);
}
