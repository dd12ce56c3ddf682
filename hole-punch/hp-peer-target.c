/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-target-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/wire/hp-frame.h"

gboolean
hp_peer_target_parse (HpPeerTarget *self, const char *text, GError **error)
{
  gsize length = strlen (text);
  gsize id_length = length;
  const char *at = strrchr (text, '@');

  *self = (HpPeerTarget){ 0 };
  if (hp_fingerprint_parse (text, self->key))
    {
      self->has_key = TRUE;
      id_length = 0;
    }
  else if (at != NULL && hp_fingerprint_parse (at + 1, self->key))
    {
      self->has_key = TRUE;
      id_length = at - text;
    }

  if (!(self->has_key && at == NULL) && !hp_id_is_valid (text, id_length))
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                   "“%s” is not an id, a fingerprint, or id@fingerprint", text);
      return FALSE;
    }

  self->text = g_strdup (text);
  self->id = id_length > 0 ? g_strndup (text, id_length) : NULL;
  return TRUE;
}

void
hp_peer_target_clear (HpPeerTarget *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->id, g_free);
}

void
hp_server_name_free (HpServerName *self)
{
  g_free (self->host);
  g_free (self);
}

static gboolean
is_bare_address (const char *text)
{
  return g_hostname_is_ip_address (text);
}

/* Everything but a bare IPv6 address is, or becomes, a URI */
static GUri *
parse_uri (const char *text)
{
  g_autofree char *whole = NULL;

  if (strstr (text, "://") != NULL)
    return g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  if (strchr (text, '@') != NULL)
    return NULL;
  whole = g_strconcat ("holepunch://", text, NULL);
  return g_uri_parse (whole, G_URI_FLAGS_NONE, NULL);
}

static HpServerName *
server_name_from_uri (GUri *uri)
{
  g_autoptr (HpServerName) self = g_new0 (HpServerName, 1);
  const char *host = g_uri_get_host (uri);
  const char *path = g_uri_get_path (uri);
  const char *key = g_uri_get_userinfo (uri);
  int port = g_uri_get_port (uri);

  if (strcmp (g_uri_get_scheme (uri), "holepunch") != 0 || host == NULL
      || *host == '\0' || (*path != '\0' && strcmp (path, "/") != 0)
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || port == 0 || strchr (host, ' ') != NULL)
    return NULL;
  if (key != NULL && !hp_fingerprint_parse (key, self->key))
    return NULL;

  self->has_key = key != NULL;
  self->host = g_strdup (host);
  self->port = port == -1 ? HP_DEFAULT_PORT : port;
  return g_steal_pointer (&self);
}

static HpServerName *
server_name_parse (const char *text)
{
  g_autoptr (GUri) uri = NULL;
  HpServerName *self;

  if (is_bare_address (text))
    {
      self = g_new0 (HpServerName, 1);
      self->host = g_strdup (text);
      self->port = HP_DEFAULT_PORT;
      return self;
    }
  uri = parse_uri (text);
  return uri != NULL ? server_name_from_uri (uri) : NULL;
}

static void
free_name (gpointer data)
{
  hp_server_name_free (data);
}

GPtrArray *
hp_server_names_parse (const char *text, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (free_name);
  g_auto (GStrv) parts = NULL;

  if (text == NULL || *text == '\0')
    return g_steal_pointer (&names);

  parts = g_strsplit (text, ",", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    {
      HpServerName *name = server_name_parse (g_strstrip (parts[i]));

      if (name == NULL)
        {
          g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                       "“%s” is not the address of a match server", parts[i]);
          return NULL;
        }
      g_ptr_array_add (names, name);
    }
  if (names->len > HP_MAX_MATCH_SERVERS)
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                   "%u match servers are too many", names->len);
      return NULL;
    }
  return g_steal_pointer (&names);
}
