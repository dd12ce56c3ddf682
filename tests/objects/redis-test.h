/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A real Redis for a test, and questions to registries in it. */

#pragma once

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-redis-registry.h"
#include "objects-test.h"

typedef struct
{
  char *directory;
  char *socket; /* path */
  guint16 port;
  GSubprocess *process; /* NULL: does not run */
} TestRedis;

/* Skips the test, and gives NULL, where there is no redis-server.
 * @arguments: further ones for it, NULL-terminated; or NULL */
TestRedis *test_redis_new (const char *const *arguments);
void test_redis_free (TestRedis *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestRedis, test_redis_free)

/* Again, with the data that it saved */
void test_redis_start (TestRedis *self, const char *const *arguments);
/* As when the power fails */
void test_redis_kill (TestRedis *self);
void test_redis_signal (TestRedis *self, int signal);

/* What Redis answers to a command, as text: an array as its elements joined by
 * spaces; fails the test on an error */
char *test_redis_ask (TestRedis *self, const char *command);
void test_redis_tell (TestRedis *self, const char *command);

char *test_redis_uri (TestRedis *self);
/* Of the Unix socket, with a timeout of 400 ms. @name: NULL: a random one */
HpRedisRegistry *test_redis_registry (TestRedis *self, const char *name);

typedef char TestFingerprint[HP_FINGERPRINT_LENGTH + 1];
void test_fingerprint (TestFingerprint fingerprint, guint8 number);

/* Who has it then, as "n@server" with the number of the fingerprint, "n@" if it
 * is present nowhere, "nobody", or "DOMAIN CODE" of an error: static text */
const char *test_claim (HpRedisRegistry *registry, const char *id,
                        guint8 number, guint lifetime, gboolean ephemeral);
const char *test_lookup (HpRedisRegistry *registry, const char *id);
const char *test_lookup_key (HpRedisRegistry *registry, guint8 number);
/* "done", or an error */
const char *test_release (HpRedisRegistry *registry, const char *id,
                          guint8 number);
const char *test_post (HpRedisRegistry *registry, const char *server,
                       const char *message);
const char *test_show_error (const GError *error);
const char *test_show_holder (HpRegistration *holder, GError *error);
