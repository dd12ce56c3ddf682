/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-cookie.h"

#include <string.h>

#define PRESENT 0
#define PREVIOUS 1

G_STATIC_ASSERT (sizeof ((HpTicket *) NULL)->secret == HP_HASH_SIZE);

/* A label ends with its zero byte: none is the beginning of another. */
#define LABEL(text) { text, sizeof text }

static void
derive_secret (HpCookieJar *self, guint which)
{
  const guint64 epoch_be = GUINT64_TO_BE (self->epoch - which);

  hp_crypto_hmac (self->secrets[which], self->seed, sizeof self->seed,
                  (const HpHashPart[]){ LABEL ("hole-punch cookie secret"),
                                        { &epoch_be, sizeof epoch_be } },
                  2);
}

static void
set_epoch (HpCookieJar *self, gint64 now)
{
  self->epoch = (now + self->clock) / HP_COOKIE_ROTATION;
  derive_secret (self, PRESENT);
  derive_secret (self, PREVIOUS);
}

void
hp_cookie_jar_init_shared (HpCookieJar *self, const guint8 seed[HP_KEY_SIZE],
                           gint64 now)
{
  memcpy (self->seed, seed, HP_KEY_SIZE);
  self->clock = 0;
  set_epoch (self, now);
}

void
hp_cookie_jar_set_clock (HpCookieJar *self, gint64 clock, gint64 now)
{
  self->clock = clock;
  set_epoch (self, now);
}

void
hp_cookie_jar_init (HpCookieJar *self, const HpRandom *random, gint64 now)
{
  guint8 seed[HP_KEY_SIZE];

  hp_random_fill (random, seed, sizeof seed);
  hp_cookie_jar_init_shared (self, seed, now);
  hp_crypto_wipe (seed, sizeof seed);
}

void
hp_cookie_jar_clear (HpCookieJar *self)
{
  hp_crypto_wipe (self, sizeof *self);
}

void
hp_cookie_jar_rotate (HpCookieJar *self, gint64 now)
{
  if ((now + self->clock) / HP_COOKIE_ROTATION != self->epoch)
    set_epoch (self, now);
}

static void
compute_cookie (const guint8 secret[HP_KEY_SIZE], const HpAddress *address,
                guint8 cookie[HP_COOKIE_SIZE])
{
  guint8 bytes[HP_ADDRESS_MAX_WIRE_SIZE];
  guint8 digest[HP_HASH_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_address_write (address, &writer);
  hp_crypto_hmac (digest, secret, HP_KEY_SIZE,
                  (const HpHashPart[]){ LABEL ("hole-punch cookie"),
                                        { bytes, writer.offset } },
                  2);
  memcpy (cookie, digest, HP_COOKIE_SIZE);
}

static void
compute_token (const guint8 secret[HP_KEY_SIZE], guint32 index,
               const HpAddress *address, guint8 token[HP_TOKEN_SIZE])
{
  guint8 bytes[4 + HP_ADDRESS_MAX_WIRE_SIZE];
  guint8 digest[HP_HASH_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_writer_u32 (&writer, index);
  hp_address_write (address, &writer);
  hp_crypto_hmac (digest, secret, HP_KEY_SIZE,
                  (const HpHashPart[]){ LABEL ("hole-punch token"),
                                        { bytes, writer.offset } },
                  2);
  memcpy (token, digest, HP_TOKEN_SIZE);
}

void
hp_cookie_jar_create (const HpCookieJar *self, const HpAddress *address,
                      guint8 cookie[HP_COOKIE_SIZE])
{
  compute_cookie (self->secrets[PRESENT], address, cookie);
}

gboolean
hp_cookie_jar_check (const HpCookieJar *self, const HpAddress *address,
                     const guint8 cookie[HP_COOKIE_SIZE])
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->secrets); i++)
    {
      guint8 expected[HP_COOKIE_SIZE];

      compute_cookie (self->secrets[i], address, expected);
      if (hp_crypto_equal (expected, cookie, sizeof expected))
        return TRUE;
    }
  return FALSE;
}

HpHandshakeVerdict
hp_cookie_jar_check_initiation (const HpCookieJar *self,
                                const HpAddress *address,
                                const HpInitiation *initiation,
                                const guint8 *bytes, guint16 suites,
                                HpTicket *ticket)
{
  HpHandshakeVerdict verdict = HP_HANDSHAKE_WRONG_TICKET;

  for (gsize i = 0; i < G_N_ELEMENTS (self->secrets)
                    && verdict == HP_HANDSHAKE_WRONG_TICKET;
       i++)
    {
      guint8 cookie[HP_COOKIE_SIZE];

      compute_cookie (self->secrets[i], address, cookie);
      hp_ticket_init (ticket, 0, cookie, sizeof cookie);
      verdict = hp_handshake_check_initiation (initiation, bytes, ticket,
                                               suites);
    }
  return verdict;
}

void
hp_cookie_jar_create_token (const HpCookieJar *self, guint32 index,
                            const HpAddress *address,
                            guint8 token[HP_TOKEN_SIZE])
{
  compute_token (self->secrets[PRESENT], index, address, token);
}

gboolean
hp_cookie_jar_check_token (const HpCookieJar *self, guint32 index,
                           const HpAddress *address,
                           const guint8 token[HP_TOKEN_SIZE])
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->secrets); i++)
    {
      guint8 expected[HP_TOKEN_SIZE];

      compute_token (self->secrets[i], index, address, expected);
      if (hp_crypto_equal (expected, token, sizeof expected))
        return TRUE;
    }
  return FALSE;
}

void
hp_hello_create_proof (const guint8 public_key[HP_KEY_SIZE],
                       const guint8 *bytes, gsize length,
                       guint8 proof[HP_MAC_SIZE])
{
  static const char label[] = "hole-punch hello";
  const HpHashPart key_parts[]
      = { { label, sizeof label - 1 }, { public_key, HP_KEY_SIZE } };
  const HpHashPart part = { bytes, length };
  guint8 key[HP_HASH_SIZE];
  guint8 digest[HP_HASH_SIZE];

  hp_crypto_sha256_parts (key, key_parts, G_N_ELEMENTS (key_parts));
  hp_crypto_hmac (digest, key, sizeof key, &part, 1);
  memcpy (proof, digest, HP_MAC_SIZE);
}

gboolean
hp_hello_check_proof (const guint8 public_key[HP_KEY_SIZE],
                      const HpHello *hello, const guint8 *bytes)
{
  guint8 expected[HP_MAC_SIZE];

  hp_hello_create_proof (public_key, bytes, hello->mac_length, expected);
  return hp_crypto_equal (expected, hello->proof, sizeof expected);
}

void
hp_ticket_derive (HpTicket *ticket, const guint8 server_secret[HP_KEY_SIZE],
                  const guint8 caller[HP_KEY_SIZE],
                  const guint8 callee[HP_KEY_SIZE], guint64 request)
{
  const guint64 request_be = GUINT64_TO_BE (request);
  HpHashPart parts[] = { LABEL ("hole-punch ticket number"),
                         { caller, HP_KEY_SIZE },
                         { callee, HP_KEY_SIZE },
                         { &request_be, sizeof request_be } };
  const HpHashPart secret_label = LABEL ("hole-punch ticket secret");
  guint8 digest[HP_HASH_SIZE];
  HpReader reader;
  guint64 number;

  hp_crypto_hmac (digest, server_secret, HP_KEY_SIZE, parts,
                  G_N_ELEMENTS (parts));
  hp_reader_init (&reader, digest, sizeof digest);
  number = hp_reader_u64 (&reader);
  parts[0] = secret_label;
  hp_crypto_hmac (digest, server_secret, HP_KEY_SIZE, parts,
                  G_N_ELEMENTS (parts));
  /* Number 0 means a cookie. */
  hp_ticket_init (ticket, MAX (number, 1), digest, sizeof digest);
  hp_crypto_wipe (digest, sizeof digest);
}
