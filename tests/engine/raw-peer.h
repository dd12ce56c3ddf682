/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Peers of a match service that build their packets by hand, and what the
 * service sends to addresses that nobody has.
 */

#pragma once

#include "match-world.h"

/* Somebody who builds packets by hand */
typedef struct
{
  World *world;
  HpAddress address;
  HpKeyPair pair;
  HpCookiePacket cookie;
  HpHandshake *handshake;
  HpSession *session;
  GPtrArray *inbox; /* Flying */
  guint8 initiation[HP_INITIATION_MAX_SIZE];
  gsize initiation_length;
} Raw;

extern Raw *raws[64];
/* Sent by the service to nobody's addresses; reset it as you like */
extern gsize bytes_to_strangers;
extern guint datagrams_to_strangers;

/* A world whose network gives them their datagrams */
void raw_set_up (World *world, gconstpointer data);
void raw_tear_down (World *world, gconstpointer data);
/* The two by themselves: of a world that was set up otherwise, and of all raw
 * peers */
void raw_listen (World *world);
void raw_forget (void);
Raw *raw_add (World *world, const char *address);
Raw *raw_add_connected (World *world, const char *address);

void raw_inject (Raw *raw, const guint8 *bytes, gsize length);
/* The first datagram that came, NULL: none; to be freed */
Flying *raw_take (Raw *raw);
gsize write_hello (guint8 *bytes, gsize capacity);
void raw_get_cookie (Raw *raw);
/* A new handshake, with the cookie */
void raw_initiate (Raw *raw);
gboolean raw_take_response (Raw *raw);
void raw_connect (Raw *raw);
gsize raw_seal (Raw *raw, guint8 *packet, const HpFrame *frame, gsize pad_to);
void raw_send_from (Raw *raw, const HpFrame *frame, const HpAddress *from);
void raw_send (Raw *raw, const HpFrame *frame);
/* The type of the first frame that came, 0: nothing */
guint8 raw_take_frame (Raw *raw, HpFrame *frame);
HpFrame make_register (guint64 request, const char *id, guint flags);
HpFrame make_ask (guint64 request, const char *id);
/* By chance */
void world_fill (World *world, guint8 *bytes, gsize length);
