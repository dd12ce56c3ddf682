/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-redis-uri-private.h"

#include "hole-punch/secure/hp-crypto.h"

#include <string.h>

#define DEFAULT_PORT 6379

static gboolean
parse_database (HpRedisUri *self, const char *text)
{
  guint64 number = 0;

  if (text == NULL || *text == '\0')
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT, &number, NULL))
    return FALSE;
  self->database = number;
  return TRUE;
}

static char *
dup_unless_empty (const char *text)
{
  return text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

static gboolean
parse_unix (HpRedisUri *self, GUri *uri)
{
  const char *host = g_uri_get_host (uri);
  const char *query = g_uri_get_query (uri);

  if ((host != NULL && *host != '\0') || g_uri_get_port (uri) != -1)
    return FALSE;
  if (query != NULL
      && (!g_str_has_prefix (query, "db=")
          || !parse_database (self, query + strlen ("db="))))
    return FALSE;
  self->path = g_strdup (g_uri_get_path (uri));
  self->label = g_strdup_printf ("unix://%s", self->path);
  return strlen (self->path) > 1;
}

static gboolean
parse_network (HpRedisUri *self, GUri *uri)
{
  int port = g_uri_get_port (uri);
  const char *path = g_uri_get_path (uri);

  if (g_uri_get_query (uri) != NULL
      || !parse_database (self, *path == '/' ? path + 1 : path))
    return FALSE;
  self->host = dup_unless_empty (g_uri_get_host (uri));
  self->port = port != -1 ? port : DEFAULT_PORT;
  if (self->host != NULL)
    self->label = g_strdup_printf (
        strchr (self->host, ':') != NULL ? "%s://[%s]:%u" : "%s://%s:%u",
        g_uri_get_scheme (uri), self->host, self->port);
  return self->host != NULL && self->port != 0;
}

static gboolean
parse (HpRedisUri *self, const char *text)
{
  g_autoptr (GUri) uri
      = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD, NULL);
  const char *scheme;

  if (uri == NULL || g_uri_get_fragment (uri) != NULL)
    return FALSE;
  self->user = dup_unless_empty (g_uri_get_user (uri));
  self->password = dup_unless_empty (g_uri_get_password (uri));
  if (self->user != NULL && self->password == NULL)
    return FALSE;
  scheme = g_uri_get_scheme (uri);
  if (g_str_equal (scheme, "unix"))
    return parse_unix (self, uri);
  self->uses_tls = g_str_equal (scheme, "rediss");
  return (self->uses_tls || g_str_equal (scheme, "redis"))
         && parse_network (self, uri);
}

HpRedisUri *
hp_redis_uri_parse (const char *text, GError **error)
{
  g_autoptr (HpRedisUri) self = g_new0 (HpRedisUri, 1);

  if (parse (self, text))
    return g_steal_pointer (&self);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "The address of Redis is none of "
               "redis://[[user]:password@]host[:port][/database], "
               "rediss://… and unix://[[user]:password@]/path[?db=database]");
  return NULL;
}

void
hp_redis_uri_free (HpRedisUri *self)
{
  if (self->password != NULL)
    hp_crypto_wipe (self->password, strlen (self->password));
  g_free (self->user);
  g_free (self->password);
  g_free (self->host);
  g_free (self->path);
  g_free (self->label);
  g_free (self);
}
