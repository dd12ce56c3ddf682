/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A TURN server as a user names it: the URI of RFC 7065, and, which that does
 * not have, the credentials before the host as in other URIs:
 *
 *   turn:[USER:PASSWORD@]HOST[:PORT][?transport=udp|tcp]
 *   turns:[USER:PASSWORD@]HOST[:PORT][?transport=tcp]
 *
 * "turn://" and "turns://" are understood too. What has a meaning in a URI is
 * percent-encoded (a ":" in the user's name as %3A, a "," as %2C). "turn:"
 * without a transport is UDP and, if that does not answer, TCP; "turns:" is TLS
 * over TCP.
 */

#pragma once

#include <gio/gio.h>

#define HP_RELAY_PORT 3478
#define HP_RELAY_TLS_PORT 5349
#define HP_RELAY_MAX_SERVERS 16

/* In the order in which they are tried */
typedef enum
{
  HP_RELAY_UDP,
  HP_RELAY_TCP,
  HP_RELAY_TLS,
} HpRelayTransport;

const char *hp_relay_transport_get_name (HpRelayTransport self);

typedef struct
{
  HpRelayTransport transport;
  char *host;
  guint16 port;
  char *username;
  char *password;
} HpRelayServer;

HpRelayServer *hp_relay_server_copy (const HpRelayServer *self);
void hp_relay_server_free (HpRelayServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpRelayServer, hp_relay_server_free)

/* An empty array of them; (transfer full) */
GPtrArray *hp_relay_servers_new (void);
/* Adds what @uri names; @username and @password, unless NULL, take the place of
 * those in it. FALSE: it is not a TURN server's, there are no credentials, or
 * there are too many servers. */
gboolean hp_relay_servers_add (GPtrArray *servers, const char *uri,
                               const char *username, const char *password);
/* Several, separated by commas; NULL: none. (transfer full) */
GPtrArray *hp_relay_servers_parse (const char *text, GError **error);
/* UDP first, TLS last, otherwise as they were given */
void hp_relay_servers_sort (GPtrArray *servers);
