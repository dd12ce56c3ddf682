/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-relay-server.h"

#include <string.h>

const char *
hp_relay_transport_get_name (HpRelayTransport self)
{
  switch (self)
    {
    case HP_RELAY_UDP:
      return "UDP";
    case HP_RELAY_TCP:
      return "TCP";
    case HP_RELAY_TLS:
      return "TLS";
    }
  g_assert_not_reached ();
}

HpRelayServer *
hp_relay_server_copy (const HpRelayServer *self)
{
  HpRelayServer *copy = g_new (HpRelayServer, 1);

  *copy = (HpRelayServer){ self->transport, g_strdup (self->host), self->port,
                           g_strdup (self->username),
                           g_strdup (self->password) };
  return copy;
}

void
hp_relay_server_free (HpRelayServer *self)
{
  g_free (self->host);
  g_free (self->username);
  g_free (self->password);
  g_free (self);
}

GPtrArray *
hp_relay_servers_new (void)
{
  return g_ptr_array_new_with_free_func (
      (GDestroyNotify) hp_relay_server_free);
}

static void
add (GPtrArray *servers, const HpRelayServer *server,
     HpRelayTransport transport)
{
  HpRelayServer *copy = hp_relay_server_copy (server);

  copy->transport = transport;
  g_ptr_array_add (servers, copy);
}

/* "turn:host" has no authority in a URI's sense, "turn://host" has. */
static GUri *
parse_uri (const char *text, gboolean *is_tls)
{
  g_autofree char *whole = NULL;
  const char *rest;

  if (g_ascii_strncasecmp (text, "turn:", 5) == 0)
    *is_tls = FALSE;
  else if (g_ascii_strncasecmp (text, "turns:", 6) == 0)
    *is_tls = TRUE;
  else
    return NULL;
  rest = strchr (text, ':') + 1;
  if (g_str_has_prefix (rest, "//"))
    rest += 2;
  whole = g_strconcat ("turn://", rest, NULL);
  return g_uri_parse (whole, G_URI_FLAGS_HAS_PASSWORD, NULL);
}

typedef enum
{
  CHOICE_NONE,
  CHOICE_UDP,
  CHOICE_TCP,
  CHOICE_BAD,
} Choice;

static Choice
parse_query (const char *query)
{
  if (query == NULL)
    return CHOICE_NONE;
  if (g_ascii_strcasecmp (query, "transport=udp") == 0)
    return CHOICE_UDP;
  if (g_ascii_strcasecmp (query, "transport=tcp") == 0)
    return CHOICE_TCP;
  return CHOICE_BAD;
}

static gboolean
is_text (const char *text)
{
  return text != NULL && *text != '\0';
}

static gboolean
is_right (GUri *uri)
{
  const char *path = g_uri_get_path (uri);

  return is_text (g_uri_get_host (uri)) && g_uri_get_port (uri) != 0
         && (*path == '\0' || strcmp (path, "/") == 0)
         && g_uri_get_fragment (uri) == NULL
         && strchr (g_uri_get_host (uri), ' ') == NULL;
}

gboolean
hp_relay_servers_add (GPtrArray *servers, const char *text,
                      const char *username, const char *password)
{
  g_autoptr (GUri) uri = NULL;
  HpRelayServer server = { 0 };
  gboolean is_tls;
  Choice choice;
  int port;

  uri = parse_uri (text, &is_tls);
  if (uri == NULL || !is_right (uri)
      || servers->len + 2 > HP_RELAY_MAX_SERVERS)
    return FALSE;
  choice = parse_query (g_uri_get_query (uri));
  port = g_uri_get_port (uri);
  server.host = (char *) g_uri_get_host (uri);
  server.port = port != -1 ? port : is_tls ? HP_RELAY_TLS_PORT : HP_RELAY_PORT;
  server.username
      = (char *) (username != NULL ? username : g_uri_get_user (uri));
  server.password
      = (char *) (password != NULL ? password : g_uri_get_password (uri));
  /* DTLS is not there. */
  if (choice == CHOICE_BAD || (is_tls && choice == CHOICE_UDP)
      || !is_text (server.username) || !is_text (server.password))
    return FALSE;

  if (is_tls)
    {
      add (servers, &server, HP_RELAY_TLS);
      return TRUE;
    }
  if (choice != CHOICE_TCP)
    add (servers, &server, HP_RELAY_UDP);
  if (choice != CHOICE_UDP)
    add (servers, &server, HP_RELAY_TCP);
  return TRUE;
}

GPtrArray *
hp_relay_servers_parse (const char *text, GError **error)
{
  g_autoptr (GPtrArray) servers = hp_relay_servers_new ();
  g_auto (GStrv) parts = NULL;

  if (!is_text (text))
    return g_steal_pointer (&servers);
  parts = g_strsplit (text, ",", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (!hp_relay_servers_add (servers, g_strstrip (parts[i]), NULL, NULL))
      {
        /* Not the text itself: there may be a password in it. */
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                     "TURN server %u is not of the form turn:USER:PASSWORD@"
                     "HOST:PORT?transport=tcp, or one too many",
                     i + 1);
        return NULL;
      }
  return g_steal_pointer (&servers);
}

void
hp_relay_servers_sort (GPtrArray *servers)
{
  /* By insertion: g_ptr_array_sort() may change the order of equal ones. */
  for (guint i = 1; i < servers->len; i++)
    for (guint k = i; k > 0; k--)
      {
        HpRelayServer *before = servers->pdata[k - 1];
        HpRelayServer *after = servers->pdata[k];

        if (before->transport <= after->transport)
          break;
        servers->pdata[k - 1] = after;
        servers->pdata[k] = before;
      }
}
