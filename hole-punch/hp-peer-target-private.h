/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The two texts that a user writes: whom to call, and where the match servers
 * are.
 *
 *   target        ID | FINGERPRINT | ID@FINGERPRINT
 *   match server  host | host:port | 192.0.2.1 | 2001:db8::1 |
 *                 [2001:db8::1]:port | holepunch://[FINGERPRINT@]host[:port]
 *                 and several of them separated by commas
 *
 * A fingerprint pins the key: whoever answers must have it.
 */

#pragma once

#include <gio/gio.h>

#include "hole-punch/wire/hp-packet.h"

#define HP_MAX_MATCH_SERVERS 8

typedef struct
{
  char *text; /* as given: what messages name it by */
  char *id;   /* NULL: by key alone */
  gboolean has_key;
  guint8 key[HP_KEY_SIZE];
} HpPeerTarget;

gboolean hp_peer_target_parse (HpPeerTarget *self, const char *text,
                               GError **error);
void hp_peer_target_clear (HpPeerTarget *self);

typedef struct
{
  char *host;
  guint16 port;
  gboolean has_key;
  guint8 key[HP_KEY_SIZE];
} HpServerName;

void hp_server_name_free (HpServerName *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpServerName, hp_server_name_free)
/* (transfer full) of HpServerName; empty if @text is NULL or empty */
GPtrArray *hp_server_names_parse (const char *text, GError **error);
