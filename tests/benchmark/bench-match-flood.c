/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What somebody sends to a match server who wants to see it fall, from as many
 * addresses as they like, none of which gets an answer that they read:
 *
 *   hello     HELLO: each makes the server write a COOKIE
 *   garbage   INITIATIONs of the right shape, the rest by chance
 *   forged    INITIATIONs with everything right but the cookie, which only
 *             who reads at the address can have
 *
 * Until its standard input ends; then it says how many they were.
 */

#include "bench-common.h"
#include "bench-match-net.h"

#include "hole-punch/secure/hp-handshake.h"

#include <poll.h>
#include <string.h>

#define PER_TURN 64
/* Enough that none of them looks like a repetition */
#define N_FORGED 64

typedef enum
{
  FLOOD_HELLO,
  FLOOD_GARBAGE,
  FLOOD_FORGED,
} FloodKind;

typedef struct
{
  char *to;
  char *kind;
  char *first;
  int n_addresses;
  double rate;
} Settings;

typedef struct
{
  BenchNet *net;
  FloodKind kind;
  guint8 forged[N_FORGED][HP_INITIATION_MAX_SIZE];
  gsize forged_length;
  guint64 sent;
} Flood;

static void
prepare_forged (Flood *self)
{
  guint8 cookie[HP_COOKIE_SIZE] = { 0 };
  guint8 token[HP_TOKEN_SIZE] = { 0 };
  HpKeyPair server, pair;
  HpTicket ticket;

  hp_crypto_generate_key_pair (&server, &hp_crypto_random);
  hp_crypto_generate_key_pair (&pair, &hp_crypto_random);
  hp_ticket_init (&ticket, 0, cookie, sizeof cookie);
  for (guint i = 0; i < N_FORGED; i++)
    {
      g_autoptr (HpHandshake) handshake
          = hp_handshake_new (HP_SUITE_CHACHA_POLY, &ticket, &pair,
                              server.public_key, i + 1, NULL, 0,
                              &hp_crypto_random);

      self->forged_length = hp_handshake_write_initiation (
          handshake, token, self->forged[i], sizeof self->forged[i]);
    }
}

static gsize
write_one (Flood *self, guint8 *bytes)
{
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  HpWriter writer;

  switch (self->kind)
    {
    case FLOOD_HELLO:
      memcpy (hello.transaction, &self->sent, sizeof hello.transaction);
      hp_writer_init (&writer, bytes, BENCH_NET_SIZE);
      hp_packet_write_hello (&hello, &writer);
      return writer.offset;
    case FLOOD_GARBAGE:
      for (gsize i = 0; i < self->forged_length; i += sizeof (guint32))
        {
          guint32 word = g_random_int ();

          memcpy (bytes + i, &word, sizeof word);
        }
      /* Type and version, so that it is looked at */
      memcpy (bytes, self->forged[0], 2);
      return self->forged_length;
    case FLOOD_FORGED:
      memcpy (bytes, self->forged[self->sent % N_FORGED],
              self->forged_length);
      return self->forged_length;
    }
  g_assert_not_reached ();
}

static void
ignore (gpointer user_data, guint8 *bytes, gsize length)
{
}

static gboolean
goes_on (void)
{
  struct pollfd input = { 0, POLLIN, 0 };

  return poll (&input, 1, 0) == 0;
}

static void
flood (Flood *self, double rate)
{
  gint64 started_at = g_get_monotonic_time ();
  BenchJson json;
  double seconds;

  while (goes_on ())
    {
      guint64 due = (g_get_monotonic_time () - started_at) * rate / 1e6;

      for (guint i = 0; i < PER_TURN && self->sent < due; i++)
        {
          bench_net_end (self->net,
                         write_one (self, bench_net_begin (self->net,
                                                           self->sent)));
          self->sent++;
        }
      bench_net_flush (self->net);
      while (bench_net_receive (self->net, ignore, NULL) > 0)
        ;
      if (self->sent >= due)
        g_usleep (100);
    }
  seconds = (g_get_monotonic_time () - started_at) / 1e6;
  bench_json_begin (&json);
  bench_json_add_number (&json, "sent", self->sent);
  bench_json_add_number (&json, "rate", self->sent / seconds);
  bench_json_print (&json);
}

static void
set_kind (Flood *self, const char *name)
{
  static const char *const kinds[] = { "hello", "garbage", "forged" };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i], name) == 0)
      {
        self->kind = i;
        return;
      }
  g_error ("--kind hello, garbage or forged");
}

int
main (int argc, char **argv)
{
  Settings settings = { .n_addresses = 100000, .rate = 50000 };
  const GOptionEntry entries[] = {
    { "to", 0, 0, G_OPTION_ARG_STRING, &settings.to, "The server",
      "HOST:PORT" },
    { "kind", 0, 0, G_OPTION_ARG_STRING, &settings.kind, "Of what",
      "hello|garbage|forged" },
    { "first", 0, 0, G_OPTION_ARG_STRING, &settings.first,
      "The first address", "ADDRESS" },
    { "addresses", 0, 0, G_OPTION_ARG_INT, &settings.n_addresses,
      "How many", "N" },
    { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &settings.rate,
      "Datagrams a second", "N" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree Flood *self = g_new0 (Flood, 1);
  BenchRange range;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  set_kind (self, settings.kind);
  prepare_forged (self);
  range = bench_net_parse_range (settings.first, settings.n_addresses, 1);
  self->net = bench_net_new (settings.to, &range);
  flood (self, settings.rate);
  bench_net_free (self->net);
  g_free (settings.to);
  g_free (settings.kind);
  g_free (settings.first);
  return 0;
}
