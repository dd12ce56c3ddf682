/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-redis-reply-private.h"

#include <hiredis/hiredis.h>

#include <string.h>

static const redisReply *
get (const HpRedisReply *self)
{
  return (const redisReply *) self;
}

const char *
hp_redis_reply_get_error (const HpRedisReply *self)
{
  return get (self)->type == REDIS_REPLY_ERROR ? get (self)->str : NULL;
}

gint64
hp_redis_reply_get_integer (const HpRedisReply *self)
{
  return get (self)->type == REDIS_REPLY_INTEGER ? get (self)->integer : 0;
}

const char *
hp_redis_reply_get_text (const HpRedisReply *self, gsize *length)
{
  const redisReply *reply = get (self);

  if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
    return NULL;
  if (length != NULL)
    *length = reply->len;
  return reply->str;
}

const HpRedisReply *
hp_redis_reply_get_element (const HpRedisReply *self, guint i)
{
  const redisReply *reply = get (self);

  if (reply->type != REDIS_REPLY_ARRAY || i >= reply->elements)
    return NULL;
  return (const HpRedisReply *) reply->element[i];
}

/* An error begins with its code; those of a script of Redis before 7 have it
 * further on: "ERR Error running script …: -OOM command not allowed …" */
static gboolean
has_code (const char *text, const char *code)
{
  gsize length = strlen (code);
  const char *inside = text;

  if (strncmp (text, code, length) == 0
      && (text[length] == ' ' || text[length] == '\0'))
    return TRUE;
  while ((inside = strstr (inside, ": -")) != NULL)
    {
      inside += strlen (": -");
      if (strncmp (inside, code, length) == 0 && inside[length] == ' ')
        return TRUE;
    }
  return FALSE;
}

HpRedisTrouble
hp_redis_trouble_from_text (const char *text)
{
  if (has_code (text, "NOSCRIPT"))
    return HP_REDIS_TROUBLE_NO_SCRIPT;
  if (has_code (text, "CROSSSLOT"))
    return HP_REDIS_TROUBLE_CROSS_SLOT;
  if (has_code (text, "READONLY"))
    return HP_REDIS_TROUBLE_READ_ONLY;
  return HP_REDIS_TROUBLE_OTHER;
}

/* What a code means here, and what an operator can do */
typedef struct
{
  const char *code;
  GIOErrorEnum error;
  const char *explanation;
} Meaning;

static const Meaning meanings[] = {
  { "NOAUTH", G_IO_ERROR_PERMISSION_DENIED, "Redis wants a password" },
  { "WRONGPASS", G_IO_ERROR_PERMISSION_DENIED,
    "Redis does not know this user and password" },
  { "NOPERM", G_IO_ERROR_PERMISSION_DENIED,
    "The user of Redis may not do what the registry needs" },
  { "OOM", G_IO_ERROR_NO_SPACE, "Redis has no more memory" },
  { "MISCONF", G_IO_ERROR_NO_SPACE, "Redis cannot write to its disk" },
  { "LOADING", G_IO_ERROR_BUSY, "Redis is still starting" },
  { "BUSY", G_IO_ERROR_BUSY, "Redis is busy" },
  { "TRYAGAIN", G_IO_ERROR_BUSY, "Redis is busy" },
  { "READONLY", G_IO_ERROR_READ_ONLY,
    "This Redis is a replica; looking for the primary" },
  { "MASTERDOWN", G_IO_ERROR_NOT_CONNECTED,
    "This Redis is a replica that has lost its primary" },
  { "MOVED", G_IO_ERROR_FAILED,
    "This Redis is one node of a cluster, which needs a proxy before it" },
  { "ASK", G_IO_ERROR_FAILED,
    "This Redis is one node of a cluster, which needs a proxy before it" },
  { "CLUSTERDOWN", G_IO_ERROR_NOT_CONNECTED, "The Redis cluster is down" },
  { "ERR max number of clients reached", G_IO_ERROR_BUSY,
    "Redis has as many clients as it may have" },
};

/* NULL: none */
static const Meaning *
find_meaning (const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (has_code (text, meanings[i].code))
      return &meanings[i];
  return NULL;
}

GError *
hp_redis_error_from_text (const char *text)
{
  const Meaning *meaning = find_meaning (text);

  if (meaning == NULL)
    return g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "Redis says: %s",
                        text);
  return g_error_new (G_IO_ERROR, meaning->error, "%s: %s",
                      meaning->explanation, text);
}

GError *
hp_redis_error_from_secret_text (const char *text)
{
  const Meaning *meaning = find_meaning (text);

  if (meaning == NULL)
    return g_error_new_literal (
        G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
        "Redis refuses the password: it may be another one, or Redis may have "
        "none, or not know AUTH by this name");
  return g_error_new_literal (G_IO_ERROR, meaning->error,
                              meaning->explanation);
}
