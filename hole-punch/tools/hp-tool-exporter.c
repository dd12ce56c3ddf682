/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-exporter.h"

#include <libsoup/soup.h>
#include <string.h>

#include "hole-punch/tools/hp-tool-metrics.h"

#define PATH "/metrics"

struct _HpToolExporter
{
  SoupServer *http;
  HpMatchServer *server;
  char *uri;
};

static gboolean
is_type (const char *item, const char *type)
{
  return g_ascii_strncasecmp (item, type, strlen (type)) == 0;
}

/* RFC 9110, section 12.5.1; what names neither gets the older one, which more
 * programs know. */
static HpToolMetricsFormat
choose_format (SoupServerMessage *message)
{
  const char *accept = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message), "Accept");
  GSList *items
      = accept != NULL ? soup_header_parse_quality_list (accept, NULL) : NULL;
  HpToolMetricsFormat format = HP_TOOL_METRICS_PROMETHEUS;

  for (GSList *item = items; item != NULL; item = item->next)
    {
      if (is_type (item->data, "application/openmetrics-text"))
        format = HP_TOOL_METRICS_OPEN_METRICS;
      else if (!is_type (item->data, "text/") && !is_type (item->data, "*/"))
        continue;
      break;
    }
  soup_header_free_list (items);
  return format;
}

static void
on_request (SoupServer *http, SoupServerMessage *message, const char *path,
            GHashTable *query, gpointer user_data)
{
  HpToolExporter *self = user_data;
  const char *method = soup_server_message_get_method (message);
  HpToolMetricsFormat format;
  char *text;

  if (strcmp (path, PATH) != 0)
    {
      soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
      return;
    }
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    {
      soup_message_headers_replace (
          soup_server_message_get_response_headers (message), "Allow",
          "GET, HEAD");
      soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED,
                                      NULL);
      return;
    }
  format = choose_format (message);
  text = hp_tool_metrics_to_text (self->server, format);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, hp_tool_metrics_get_content_type (format), SOUP_MEMORY_TAKE,
      text, strlen (text));
}

static gboolean
parse_address (const char *text, char **host, guint16 *port)
{
  g_autoptr (GSocketConnectable) address = NULL;
  guint64 number;

  *host = NULL;
  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT16, &number, NULL))
    {
      *port = number;
      return TRUE;
    }
  /* Without a port it is not what was meant: there is no usual one. */
  if (strrchr (text, ':') == NULL || g_str_has_suffix (text, "]"))
    return FALSE;
  address = g_network_address_parse (text, 0, NULL);
  if (address == NULL)
    return FALSE;
  *port = g_network_address_get_port (G_NETWORK_ADDRESS (address));
  *host = g_strdup (
      g_network_address_get_hostname (G_NETWORK_ADDRESS (address)));
  return g_hostname_is_ip_address (*host) || strcmp (*host, "localhost") == 0;
}

static gboolean
start (HpToolExporter *self, const char *address, GError **error)
{
  g_autofree char *host = NULL;
  g_autoptr (GSocketAddress) socket_address = NULL;
  guint16 port;

  if (!parse_address (address, &host, &port))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "“%s” is not an IP address and a port, such as "
                   "127.0.0.1:9422",
                   address);
      return FALSE;
    }
  if (host == NULL || strcmp (host, "localhost") == 0)
    return soup_server_listen_local (self->http, port, 0, error);
  socket_address = g_inet_socket_address_new_from_string (host, port);
  return soup_server_listen (self->http, socket_address, 0, error);
}

static char *
make_uri (HpToolExporter *self)
{
  GSList *uris = soup_server_get_uris (self->http);
  g_autofree char *root = uris != NULL ? g_uri_to_string (uris->data) : NULL;

  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  if (root == NULL)
    return NULL;
  if (g_str_has_suffix (root, "/"))
    root[strlen (root) - 1] = '\0';
  return g_strconcat (root, PATH, NULL);
}

HpToolExporter *
hp_tool_exporter_new (const char *address, HpMatchServer *server,
                      GError **error)
{
  HpToolExporter *self = g_new0 (HpToolExporter, 1);

  self->http = soup_server_new ("server-header", "hole-punch", NULL);
  self->server = g_object_ref (server);
  soup_server_add_handler (self->http, NULL, on_request, self, NULL);
  if (!start (self, address, error))
    {
      g_prefix_error (error, "No metrics at %s: ", address);
      g_clear_pointer (&self, hp_tool_exporter_free);
      return NULL;
    }
  self->uri = make_uri (self);
  return self;
}

void
hp_tool_exporter_free (HpToolExporter *self)
{
  if (self == NULL)
    return;
  soup_server_disconnect (self->http);
  g_object_unref (self->http);
  g_object_unref (self->server);
  g_free (self->uri);
  g_free (self);
}

const char *
hp_tool_exporter_get_uri (HpToolExporter *self)
{
  return self->uri;
}
