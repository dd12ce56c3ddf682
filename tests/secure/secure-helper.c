/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Our side of test-interop.py: one command a line on the standard input, one
 * line of words as its answer, "error" for what does not verify. Bytes are
 * hexadecimal, no bytes a "-". Numbers are decimal.
 *
 * Noise alone:
 *   noise SUITE PROLOGUE PRIVATE REMOTE-PUBLIC   (- on the responder)
 *   write1 PAYLOAD, read1 MESSAGE, write2 PAYLOAD, read2 MESSAGE
 *   split                         -> FIRST SECOND
 *   remote                        -> the remote static key
 *   aead SUITE KEY
 *   seal NUMBER AD PLAIN, open NUMBER AD SEALED, rekey
 * Datagrams:
 *   initiate SUITE TICKET SECRET PRIVATE REMOTE-PUBLIC INDEX PARAMETERS
 *   initiation TOKEN              -> INITIATION
 *   consume RESPONSE              -> PARAMETERS ECHOED OWN
 *   respond TICKET SECRET PRIVATE INDEX PARAMETERS INITIATION OWN
 *                                 -> REMOTE-PUBLIC PARAMETERS RESPONSE
 *   send PLAIN                    -> DATA
 *   receive DATA                  -> NUMBER PLAIN
 *   update                        (our key, with the next DATA)
 */

#include "hole-punch/secure/hp-handshake.h"
#include "hole-punch/secure/hp-noise.h"
#include "tests/secure/secure-test.h"

#include <stdio.h>
#include <string.h>

#define MAX_BYTES 4096
#define MAX_WORDS 8
#define NOW G_TIME_SPAN_SECOND

typedef struct
{
  guint8 data[MAX_BYTES];
  gsize length;
} Bytes;

static HpNoise noise;
static HpAead *aead;
static HpHandshake *handshake;
static HpSession *session;

static Bytes
get_bytes (const char *word)
{
  Bytes bytes = { .length = 0 };

  if (strcmp (word, "-") != 0)
    bytes.length = secure_test_unhex (word, bytes.data, sizeof bytes.data);
  return bytes;
}

static guint64
get_number (const char *word)
{
  guint64 number;

  g_assert_true (g_ascii_string_to_unsigned (word, 10, 0, G_MAXUINT64, &number,
                                             NULL));
  return number;
}

static void
get_key_pair (const char *word, HpKeyPair *pair)
{
  Bytes bytes = get_bytes (word);

  g_assert_cmpuint (bytes.length, ==, HP_KEY_SIZE);
  memcpy (pair->private_key, bytes.data, HP_KEY_SIZE);
  hp_crypto_derive_public_key (pair);
}

static void
get_ticket (char **words, HpTicket *ticket)
{
  Bytes secret = get_bytes (words[1]);

  hp_ticket_init (ticket, get_number (words[0]), secret.data, secret.length);
}

static void
print_bytes (const guint8 *data, gsize length)
{
  if (length == 0)
    fputs ("- ", stdout);
  for (gsize i = 0; i < length; i++)
    printf ("%02x%s", data[i], i + 1 == length ? " " : "");
}

static gboolean
run_noise (const char *command, char **words)
{
  Bytes in, out = { .length = 0 };
  gboolean ok;

  if (strcmp (command, "noise") == 0)
    {
      Bytes remote = get_bytes (words[3]);
      HpKeyPair local;

      in = get_bytes (words[1]);
      get_key_pair (words[2], &local);
      hp_noise_init (&noise, get_number (words[0]), in.data, in.length, &local,
                     remote.length > 0 ? remote.data : NULL);
      return TRUE;
    }
  in = get_bytes (words[0]);
  if (strcmp (command, "write1") == 0)
    {
      out.length = in.length + HP_NOISE_1_OVERHEAD;
      ok = hp_noise_write_1 (&noise, &hp_crypto_random, in.data, in.length,
                             out.data);
    }
  else if (strcmp (command, "write2") == 0)
    {
      out.length = in.length + HP_NOISE_2_OVERHEAD;
      ok = hp_noise_write_2 (&noise, &hp_crypto_random, in.data, in.length,
                             out.data);
    }
  else if (strcmp (command, "read1") == 0)
    {
      ok = hp_noise_read_1 (&noise, in.data, in.length, out.data);
      out.length = in.length - HP_NOISE_1_OVERHEAD;
    }
  else
    {
      ok = hp_noise_read_2 (&noise, in.data, in.length, out.data);
      out.length = in.length - HP_NOISE_2_OVERHEAD;
    }
  if (ok)
    print_bytes (out.data, out.length);
  return ok;
}

static gboolean
run_split (const char *command, char **words)
{
  guint8 first[HP_KEY_SIZE], second[HP_KEY_SIZE];

  hp_noise_split (&noise, first, second);
  print_bytes (first, sizeof first);
  print_bytes (second, sizeof second);
  return TRUE;
}

static gboolean
run_remote (const char *command, char **words)
{
  print_bytes (noise.remote_static, HP_KEY_SIZE);
  return TRUE;
}

static gboolean
run_aead (const char *command, char **words)
{
  Bytes ad, in, out;

  if (strcmp (command, "aead") == 0)
    {
      in = get_bytes (words[1]);
      g_clear_pointer (&aead, hp_aead_free);
      aead = hp_aead_new (get_number (words[0]), in.data);
      return TRUE;
    }
  if (strcmp (command, "rekey") == 0)
    {
      hp_noise_rekey (aead, out.data);
      hp_aead_set_key (aead, out.data);
      print_bytes (out.data, HP_KEY_SIZE);
      return TRUE;
    }
  ad = get_bytes (words[1]);
  in = get_bytes (words[2]);
  if (strcmp (command, "seal") == 0)
    {
      hp_aead_seal (aead, get_number (words[0]), ad.data, ad.length, in.data,
                    in.length, out.data);
      print_bytes (out.data, in.length + HP_TAG_SIZE);
      return TRUE;
    }
  if (!hp_aead_open (aead, get_number (words[0]), ad.data, ad.length, in.data,
                     in.length, out.data))
    return FALSE;
  print_bytes (out.data, in.length - HP_TAG_SIZE);
  return TRUE;
}

static gboolean
run_initiate (const char *command, char **words)
{
  Bytes remote = get_bytes (words[4]);
  Bytes parameters = get_bytes (words[6]);
  HpTicket ticket;
  HpKeyPair local;

  get_ticket (words + 1, &ticket);
  get_key_pair (words[3], &local);
  g_clear_pointer (&handshake, hp_handshake_free);
  handshake = hp_handshake_new (get_number (words[0]), &ticket, &local,
                                remote.data, get_number (words[5]),
                                parameters.data, parameters.length,
                                &hp_crypto_random);
  return handshake != NULL;
}

static gboolean
run_initiation (const char *command, char **words)
{
  Bytes token = get_bytes (words[0]), out;

  out.length = hp_handshake_write_initiation (handshake, token.data, out.data,
                                              sizeof out.data);
  print_bytes (out.data, out.length);
  return TRUE;
}

static gboolean
run_consume (const char *command, char **words)
{
  Bytes in = get_bytes (words[0]);
  HpHandshakeResult result;

  g_clear_pointer (&session, hp_session_free);
  if (hp_handshake_consume_response (handshake, in.data, in.length,
                                     HP_REPLAY_WINDOW_PEER, NOW, &result,
                                     &session)
      != HP_HANDSHAKE_OK)
    return FALSE;
  print_bytes (result.parameters, result.parameters_length);
  print_bytes (result.echoed_token, HP_TOKEN_SIZE);
  print_bytes (result.own_token, HP_TOKEN_SIZE);
  return TRUE;
}

static gboolean
run_respond (const char *command, char **words)
{
  Bytes parameters = get_bytes (words[4]);
  Bytes in = get_bytes (words[5]);
  Bytes own = get_bytes (words[6]), out;
  HpTicket ticket;
  HpKeyPair local;
  HpInitiation initiation;
  HpHandshakeResult result;
  HpKeptResponse kept;
  guint8 remote[HP_KEY_SIZE];

  get_ticket (words, &ticket);
  get_key_pair (words[2], &local);
  g_clear_pointer (&session, hp_session_free);
  if (!hp_packet_parse_initiation (&initiation, in.data, in.length)
      || hp_handshake_check_initiation (&initiation, in.data, &ticket, 0xffff)
             != HP_HANDSHAKE_OK
      || hp_handshake_respond (&initiation, in.data, &ticket, &local, NULL,
                               get_number (words[3]), parameters.data,
                               parameters.length, HP_REPLAY_WINDOW_PEER,
                               &hp_crypto_random, NOW, remote, &result, &kept,
                               &session)
             != HP_HANDSHAKE_OK)
    return FALSE;
  out.length = hp_handshake_write_response (
      &kept, initiation.token, own.data, out.data, sizeof out.data);
  print_bytes (remote, sizeof remote);
  print_bytes (result.parameters, result.parameters_length);
  print_bytes (out.data, out.length);
  return TRUE;
}

static gboolean
run_send (const char *command, char **words)
{
  Bytes plain = get_bytes (words[0]), out;

  memcpy (out.data + HP_DATA_HEADER_SIZE, plain.data, plain.length);
  out.length = hp_session_seal (session, out.data, plain.length, NOW);
  print_bytes (out.data, out.length);
  return TRUE;
}

static gboolean
run_receive (const char *command, char **words)
{
  Bytes in = get_bytes (words[0]);
  guint64 number;
  guint8 *plain;
  gsize length;

  if (hp_session_open (session, in.data, in.length, NOW, &number, &plain,
                       &length)
      != HP_OPEN_OK)
    return FALSE;
  printf ("%" G_GUINT64_FORMAT " ", number);
  print_bytes (plain, length);
  return TRUE;
}

static gboolean
run_update (const char *command, char **words)
{
  hp_session_update_keys (session, NOW);
  return TRUE;
}

static const struct
{
  const char *name;
  guint n_words;
  gboolean (*run) (const char *command, char **words);
} commands[] = {
  { "noise", 4, run_noise },       { "write1", 1, run_noise },
  { "read1", 1, run_noise },       { "write2", 1, run_noise },
  { "read2", 1, run_noise },       { "split", 0, run_split },
  { "remote", 0, run_remote },     { "aead", 2, run_aead },
  { "seal", 3, run_aead },         { "open", 3, run_aead },
  { "rekey", 0, run_aead },        { "initiate", 7, run_initiate },
  { "initiation", 1, run_initiation }, { "consume", 1, run_consume },
  { "respond", 7, run_respond },   { "send", 1, run_send },
  { "receive", 1, run_receive },   { "update", 0, run_update },
};

static void
run_line (char *line)
{
  g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", MAX_WORDS);
  guint n_words = g_strv_length (words);

  for (gsize i = 0; n_words > 0 && i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, words[0]) == 0
        && commands[i].n_words == n_words - 1)
      {
        puts (commands[i].run (words[0], words + 1) ? "" : "error");
        fflush (stdout);
        return;
      }
  g_error ("No such command: %s", line);
}

int
main (int argc, char **argv)
{
  char line[4 * MAX_BYTES];

  while (fgets (line, sizeof line, stdin) != NULL)
    run_line (line);
  g_clear_pointer (&aead, hp_aead_free);
  g_clear_pointer (&handshake, hp_handshake_free);
  g_clear_pointer (&session, hp_session_free);
  return 0;
}
