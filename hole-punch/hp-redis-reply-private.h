/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What Redis answers. Only hp-redis-reply.c and hp-redis-connection.c know
 * hiredis. */

#pragma once

#include <gio/gio.h>

/* A redisReply */
typedef struct _HpRedisReply HpRedisReply;

/* What an error asks for, besides being told */
typedef enum
{
  HP_REDIS_TROUBLE_OTHER,
  HP_REDIS_TROUBLE_NO_SCRIPT,  /* EVALSHA of what it has not got */
  HP_REDIS_TROUBLE_CROSS_SLOT, /* a cluster, and keys of two of its slots */
  HP_REDIS_TROUBLE_READ_ONLY,  /* a replica: the primary is elsewhere now */
} HpRedisTrouble;

/* The text of an error; NULL: it is none */
const char *hp_redis_reply_get_error (const HpRedisReply *self);
/* 0: none */
gint64 hp_redis_reply_get_integer (const HpRedisReply *self);
/* NULL: none; ends with a NUL byte that is not counted. @length: may be NULL */
const char *hp_redis_reply_get_text (const HpRedisReply *self, gsize *length);
/* NULL: no array, or not so long */
const HpRedisReply *hp_redis_reply_get_element (const HpRedisReply *self,
                                                guint i);

HpRedisTrouble hp_redis_trouble_from_text (const char *text);
/* What is told to who asked: a GError of the domain G_IO_ERROR */
GError *hp_redis_error_from_text (const char *text);
/* Likewise, of AUTH: without the text, in which Redis may repeat what it was
 * told ("unknown command `AUTH`, with args beginning with: `PASSWORD`") */
GError *hp_redis_error_from_secret_text (const char *text);
