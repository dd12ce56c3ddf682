/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What wraps Noise IK into datagrams.
 *
 * The Noise prologue, which both sides must agree on, is
 *
 *   "hole-punch" (10 bytes) | version 1 | suite 1 | ticket number 8 |
 *   ticket secret (16 bytes of a cookie, or 32)
 *
 * so that nobody between them can have talked them into another version,
 * suite or introduction. The payloads are the transport parameters.
 *
 * The MAC at the end of INITIATION, RESPONSE and PROBE is
 *
 *   HMAC-SHA256 (ticket secret, role | all bytes before the MAC), cut to 16
 *
 * with the role 0 on what the ticket's initiator (the caller) sends, 1 on what
 * its responder sends: nothing can be reflected. It is checked before any
 * public-key operation, so that strangers cost a hash.
 */

#include "hole-punch/secure/hp-handshake.h"

#include <string.h>

#include "hole-punch/secure/hp-noise.h"

#define PROLOGUE_LABEL "hole-punch"
#define PROLOGUE_MAX_SIZE (sizeof PROLOGUE_LABEL - 1 + 1 + 1 + 8 + 32)

typedef enum
{
  ROLE_INITIATOR = 0,
  ROLE_RESPONDER = 1,
} Role;

struct _HpHandshake
{
  HpSuite suite;
  HpTicket ticket;
  guint32 local_index;
  guint8 core[HP_INITIATION_MAX_SIZE]; /* the same on every path */
  gsize core_length;
  HpNoise noise; /* after message 1; wiped when done */
  gboolean is_done;
  guint8 response_hash[HP_HASH_SIZE]; /* of the core that completed it */
};

void
hp_ticket_init (HpTicket *self, guint64 number, const guint8 *secret,
                gsize secret_length)
{
  g_assert (secret_length > 0 && secret_length <= sizeof self->secret);
  memset (self, 0, sizeof *self);
  self->number = number;
  memcpy (self->secret, secret, secret_length);
  self->secret_length = secret_length;
}

static void
compute_mac (const HpTicket *ticket, Role role, const guint8 *bytes,
             gsize length, guint8 mac[HP_MAC_SIZE])
{
  const guint8 role_byte = role;
  const HpHashPart parts[] = { { &role_byte, 1 }, { bytes, length } };
  guint8 digest[HP_HASH_SIZE];

  hp_crypto_hmac (digest, ticket->secret, ticket->secret_length, parts,
                  G_N_ELEMENTS (parts));
  memcpy (mac, digest, HP_MAC_SIZE);
}

static gboolean
check_mac (const HpTicket *ticket, Role role, const guint8 *bytes,
           gsize length, const guint8 mac[HP_MAC_SIZE])
{
  guint8 expected[HP_MAC_SIZE];

  compute_mac (ticket, role, bytes, length, expected);
  return hp_crypto_equal (expected, mac, sizeof expected);
}

/* Appends the MAC over all that is written */
static void
write_mac (const HpTicket *ticket, Role role, HpWriter *writer)
{
  guint8 mac[HP_MAC_SIZE];

  compute_mac (ticket, role, writer->data, writer->offset, mac);
  hp_writer_bytes (writer, mac, sizeof mac);
}

static void
init_noise (HpNoise *noise, HpSuite suite, const HpTicket *ticket,
            const HpKeyPair *local, const guint8 *remote_public)
{
  guint8 prologue[PROLOGUE_MAX_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, prologue, sizeof prologue);
  hp_writer_bytes (&writer, PROLOGUE_LABEL, sizeof PROLOGUE_LABEL - 1);
  hp_writer_u8 (&writer, HP_PROTOCOL_VERSION);
  hp_writer_u8 (&writer, suite);
  hp_writer_u64 (&writer, ticket->number);
  hp_writer_bytes (&writer, ticket->secret, ticket->secret_length);
  g_assert (hp_writer_ok (&writer));
  hp_noise_init (noise, suite, prologue, writer.offset, local, remote_public);
  hp_crypto_wipe (prologue, sizeof prologue);
}

/* --- The initiator --- */

static gboolean
write_initiation_core (HpHandshake *self, const guint8 *parameters,
                       gsize parameters_length, const HpRandom *random)
{
  const HpInitiation header = {
    .version = HP_PROTOCOL_VERSION,
    .suite = self->suite,
    .sender_index = self->local_index,
    .ticket_number = self->ticket.number,
  };
  HpWriter writer;
  guint8 *message;

  hp_writer_init (&writer, self->core, sizeof self->core);
  hp_packet_write_initiation_header (&header, &writer);
  message = hp_writer_reserve (&writer,
                               parameters_length + HP_NOISE_1_OVERHEAD);
  g_assert (hp_writer_ok (&writer));
  self->core_length = writer.offset;
  return hp_noise_write_1 (&self->noise, random, parameters,
                           parameters_length, message);
}

HpHandshake *
hp_handshake_new (HpSuite suite, const HpTicket *ticket,
                  const HpKeyPair *local,
                  const guint8 remote_public[HP_KEY_SIZE],
                  guint32 local_index, const guint8 *parameters,
                  gsize parameters_length, const HpRandom *random)
{
  g_autoptr (HpHandshake) self = g_new0 (HpHandshake, 1);

  g_assert (parameters_length <= HP_MAX_PARAMETERS_SIZE);
  self->suite = suite;
  self->ticket = *ticket;
  self->local_index = local_index;
  init_noise (&self->noise, suite, ticket, local, remote_public);
  if (!write_initiation_core (self, parameters, parameters_length, random))
    return NULL;
  return g_steal_pointer (&self);
}

void
hp_handshake_free (HpHandshake *self)
{
  if (self == NULL)
    return;
  hp_crypto_wipe (self, sizeof *self);
  g_free (self);
}

guint32
hp_handshake_get_local_index (const HpHandshake *self)
{
  return self->local_index;
}

gsize
hp_handshake_write_initiation (const HpHandshake *self,
                               const guint8 token[HP_TOKEN_SIZE],
                               guint8 *buffer, gsize capacity)
{
  HpWriter writer;

  hp_writer_init (&writer, buffer, capacity);
  hp_writer_bytes (&writer, self->core, self->core_length);
  hp_writer_bytes (&writer, token, HP_TOKEN_SIZE);
  g_assert (hp_writer_ok (&writer));
  write_mac (&self->ticket, ROLE_INITIATOR, &writer);
  g_assert (hp_writer_ok (&writer));
  return writer.offset;
}

/* All that can be said of a RESPONSE before Noise */
static HpHandshakeVerdict
check_response (const HpHandshake *self, const guint8 *bytes, gsize length,
                HpResponse *response)
{
  if (!hp_packet_parse_response (response, bytes, length)
      || response->receiver_index != self->local_index)
    return HP_HANDSHAKE_MALFORMED;
  if (response->version != HP_PROTOCOL_VERSION
      || response->suite != self->suite)
    return HP_HANDSHAKE_WRONG_VERSION;
  if (!check_mac (&self->ticket, ROLE_RESPONDER, bytes, response->mac_length,
                  response->mac))
    return HP_HANDSHAKE_WRONG_TICKET;
  return HP_HANDSHAKE_OK;
}

static void
copy_tokens (HpHandshakeResult *result, const HpResponse *response)
{
  memcpy (result->echoed_token, response->echoed_token, HP_TOKEN_SIZE);
  memcpy (result->own_token, response->own_token, HP_TOKEN_SIZE);
}

static HpSession *
split (const HpNoise *noise, guint32 local_index, guint32 remote_index,
       guint replay_window, gint64 now)
{
  guint8 first[HP_KEY_SIZE], second[HP_KEY_SIZE];
  HpSession *session;

  hp_noise_split (noise, first, second);
  session = hp_session_new (noise->suite, noise->is_initiator, first, second,
                            local_index, remote_index, replay_window, now);
  hp_crypto_wipe (first, sizeof first);
  hp_crypto_wipe (second, sizeof second);
  return session;
}

HpHandshakeVerdict
hp_handshake_consume_response (HpHandshake *self, const guint8 *bytes,
                               gsize length, guint replay_window, gint64 now,
                               HpHandshakeResult *result, HpSession **session)
{
  HpResponse response;
  HpHandshakeVerdict verdict;

  memset (result, 0, sizeof *result);
  *session = NULL;
  verdict = check_response (self, bytes, length, &response);
  if (verdict != HP_HANDSHAKE_OK)
    return verdict;
  if (response.noise_length < HP_NOISE_2_OVERHEAD
      || response.noise_length
             > HP_NOISE_2_OVERHEAD + sizeof result->parameters)
    return HP_HANDSHAKE_MALFORMED;
  if (self->is_done
      || !hp_noise_read_2 (&self->noise, response.noise,
                           response.noise_length, result->parameters))
    return HP_HANDSHAKE_FORGED;

  result->parameters_length = response.noise_length - HP_NOISE_2_OVERHEAD;
  copy_tokens (result, &response);
  *session = split (&self->noise, self->local_index, response.sender_index,
                    replay_window, now);
  hp_noise_clear (&self->noise);
  self->is_done = TRUE;
  hp_crypto_sha256 (self->response_hash, bytes, response.core_length);
  return HP_HANDSHAKE_OK;
}

HpHandshakeVerdict
hp_handshake_check_repeated_response (const HpHandshake *self,
                                      const guint8 *bytes, gsize length,
                                      HpHandshakeResult *result)
{
  HpResponse response;
  HpHandshakeVerdict verdict;
  guint8 hash[HP_HASH_SIZE];

  memset (result, 0, sizeof *result);
  verdict = check_response (self, bytes, length, &response);
  if (verdict != HP_HANDSHAKE_OK)
    return verdict;
  hp_crypto_sha256 (hash, bytes, response.core_length);
  if (!self->is_done
      || !hp_crypto_equal (hash, self->response_hash, sizeof hash))
    return HP_HANDSHAKE_FORGED;
  copy_tokens (result, &response);
  return HP_HANDSHAKE_OK;
}

/* --- The responder --- */

HpHandshakeVerdict
hp_handshake_check_initiation (const HpInitiation *initiation,
                               const guint8 *bytes, const HpTicket *ticket,
                               guint16 suites)
{
  if (initiation->version != HP_PROTOCOL_VERSION
      || (initiation->suite != HP_SUITE_AES_GCM
          && initiation->suite != HP_SUITE_CHACHA_POLY)
      || (suites & HP_SUITE_BIT (initiation->suite)) == 0)
    return HP_HANDSHAKE_WRONG_VERSION;
  if (initiation->ticket_number != ticket->number
      || !check_mac (ticket, ROLE_INITIATOR, bytes, initiation->mac_length,
                     initiation->mac))
    return HP_HANDSHAKE_WRONG_TICKET;
  return HP_HANDSHAKE_OK;
}

gboolean
hp_handshake_is_repeated (const HpKeptResponse *kept,
                          const HpInitiation *initiation, const guint8 *bytes)
{
  guint8 hash[HP_HASH_SIZE];

  hp_crypto_sha256 (hash, bytes, initiation->core_length);
  return hp_crypto_equal (hash, kept->initiation_hash, sizeof hash);
}

static gboolean
write_response_core (HpKeptResponse *kept, HpNoise *noise,
                     const HpInitiation *initiation, guint32 local_index,
                     const guint8 *parameters, gsize parameters_length,
                     const HpRandom *random)
{
  const HpResponse header = {
    .version = HP_PROTOCOL_VERSION,
    .suite = noise->suite,
    .sender_index = local_index,
    .receiver_index = initiation->sender_index,
  };
  HpWriter writer;
  guint8 *message;

  hp_writer_init (&writer, kept->core, sizeof kept->core);
  hp_packet_write_response_header (&header, &writer);
  message = hp_writer_reserve (&writer,
                               parameters_length + HP_NOISE_2_OVERHEAD);
  g_assert (hp_writer_ok (&writer));
  kept->core_length = writer.offset;
  return hp_noise_write_2 (noise, random, parameters, parameters_length,
                           message);
}

/* Fills @result and @noise: what the INITIATION says */
static HpHandshakeVerdict
read_initiation (const HpInitiation *initiation, const guint8 *expected_public,
                 HpNoise *noise, HpHandshakeResult *result)
{
  if (initiation->noise_length < HP_NOISE_1_OVERHEAD
      || initiation->noise_length
             > HP_NOISE_1_OVERHEAD + sizeof result->parameters)
    return HP_HANDSHAKE_MALFORMED;
  if (!hp_noise_read_1 (noise, initiation->noise, initiation->noise_length,
                        result->parameters))
    return HP_HANDSHAKE_FORGED;
  if (expected_public != NULL
      && !hp_crypto_equal (noise->remote_static, expected_public, HP_KEY_SIZE))
    return HP_HANDSHAKE_WRONG_IDENTITY;
  result->parameters_length = initiation->noise_length - HP_NOISE_1_OVERHEAD;
  return HP_HANDSHAKE_OK;
}

HpHandshakeVerdict
hp_handshake_respond (const HpInitiation *initiation, const guint8 *bytes,
                      const HpTicket *ticket, const HpKeyPair *local,
                      const guint8 *expected_public, guint32 local_index,
                      const guint8 *parameters, gsize parameters_length,
                      guint replay_window, const HpRandom *random, gint64 now,
                      guint8 remote_public[HP_KEY_SIZE],
                      HpHandshakeResult *result, HpKeptResponse *kept,
                      HpSession **session)
{
  HpNoise noise;
  HpKeptResponse response = { .ticket = *ticket };
  HpHandshakeResult opened = { 0 };
  HpHandshakeVerdict verdict;

  g_assert (parameters_length <= HP_MAX_PARAMETERS_SIZE);
  *session = NULL;
  init_noise (&noise, initiation->suite, ticket, local, NULL);
  verdict = read_initiation (initiation, expected_public, &noise, &opened);
  if (verdict == HP_HANDSHAKE_OK
      && !write_response_core (&response, &noise, initiation, local_index,
                               parameters, parameters_length, random))
    verdict = HP_HANDSHAKE_FORGED;
  /* Never an answer larger than the question: its sender's address is not
   * proven yet. */
  if (verdict == HP_HANDSHAKE_OK
      && response.core_length + HP_RESPONSE_TRAILER_SIZE
             > initiation->mac_length + HP_MAC_SIZE)
    verdict = HP_HANDSHAKE_MALFORMED;

  if (verdict == HP_HANDSHAKE_OK)
    {
      hp_crypto_sha256 (response.initiation_hash, bytes,
                        initiation->core_length);
      memcpy (remote_public, noise.remote_static, HP_KEY_SIZE);
      *result = opened;
      *kept = response;
      *session = split (&noise, local_index, initiation->sender_index,
                        replay_window, now);
    }
  hp_noise_clear (&noise);
  hp_crypto_wipe (&response, sizeof response);
  hp_crypto_wipe (&opened, sizeof opened);
  return verdict;
}

gsize
hp_handshake_write_response (const HpKeptResponse *kept,
                             const guint8 echoed_token[HP_TOKEN_SIZE],
                             const guint8 own_token[HP_TOKEN_SIZE],
                             guint8 *buffer, gsize capacity)
{
  HpWriter writer;

  hp_writer_init (&writer, buffer, capacity);
  hp_writer_bytes (&writer, kept->core, kept->core_length);
  hp_writer_bytes (&writer, echoed_token, HP_TOKEN_SIZE);
  hp_writer_bytes (&writer, own_token, HP_TOKEN_SIZE);
  g_assert (hp_writer_ok (&writer));
  write_mac (&kept->ticket, ROLE_RESPONDER, &writer);
  g_assert (hp_writer_ok (&writer));
  return writer.offset;
}

/* --- PROBE --- */

static Role
get_role (gboolean is_initiator)
{
  return is_initiator ? ROLE_INITIATOR : ROLE_RESPONDER;
}

gsize
hp_probe_write (const HpTicket *ticket, gboolean from_initiator,
                guint8 *buffer, gsize capacity)
{
  const HpProbe probe = {
    .version = HP_PROTOCOL_VERSION,
    .ticket_number = ticket->number,
  };
  HpWriter writer;

  hp_writer_init (&writer, buffer, capacity);
  hp_packet_write_probe_header (&probe, &writer);
  g_assert (hp_writer_ok (&writer));
  write_mac (ticket, get_role (from_initiator), &writer);
  g_assert (hp_writer_ok (&writer));
  return writer.offset;
}

gboolean
hp_probe_check (const HpProbe *probe, const guint8 *bytes,
                const HpTicket *ticket, gboolean from_initiator)
{
  return probe->version == HP_PROTOCOL_VERSION
         && probe->ticket_number == ticket->number
         && check_mac (ticket, get_role (from_initiator), bytes,
                       probe->mac_length, probe->mac);
}
