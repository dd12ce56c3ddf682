/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where Redis is:
 *
 *   redis://[[user]:password@]host[:port][/database]
 *   rediss://…                                           the same over TLS
 *   unix://[[user]:password@]/path[?db=database]
 */

#pragma once

#include <gio/gio.h>

typedef struct
{
  gboolean uses_tls;
  char *user;     /* NULL: none */
  char *password; /* NULL: none */
  char *host;     /* NULL: a Unix socket */
  guint16 port;
  char *path;     /* of the Unix socket */
  guint database;
  char *label;    /* for messages: no password in it */
} HpRedisUri;

/* Errors are G_IO_ERROR_INVALID_ARGUMENT, and do not repeat the text, which may
 * hold a password. */
HpRedisUri *hp_redis_uri_parse (const char *text, GError **error);
void hp_redis_uri_free (HpRedisUri *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpRedisUri, hp_redis_uri_free)
