/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A trial with an invented clock, before an invented NAT and server: what is
 * lost is said for each knock. */

#include "hole-punch/engine/hp-nat-trial.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND
#define SOCKET 7
#define ROUND_TRIP (40 * MS)

typedef struct
{
  HpNatTrial trial;
  gint64 now;
  gint64 began_at;
  HpAddress server, other_port, other_host;
  guint made;   /* HP_KNOCK_…: what the server can do */
  guint passes; /* HP_KNOCK_…: what the NAT lets in … */
  gint64 lifetime; /* … as long as its mapping lives */
  gint64 mapped_at;
  guint lost_asks;   /* bit n: KNOCK n does not arrive */
  guint lost_knocks; /* nor what comes of it, at the socket … */
  guint lost_tells;  /* … and in the session */
  guint n_hellos;
  guint n_knocks;
} Bench;

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = g_test_rand_int_range (0, 256);
}

static const HpRandom generator = { fill_random, NULL };

static HpAddress
make_address (const char *text)
{
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return address;
}

static void
set_up (Bench *self, guint made, guint passes)
{
  memset (self, 0, sizeof *self);
  self->now = self->began_at = 1000 * SECOND;
  self->server = make_address ("192.0.2.1:4222");
  self->other_port = make_address ("192.0.2.1:4223");
  self->other_host = make_address ("192.0.2.9:4223");
  self->made = made;
  self->passes = passes;
  self->lifetime = 3600 * SECOND;
  hp_nat_trial_init (&self->trial, &generator);
}

static gboolean
give (Bench *self, const HpAddress *from, const guint8 *bytes, gsize length)
{
  guint8 copy[HP_DATAGRAM_SIZE_DEFAULT];
  HpDatagram datagram = { .route = { .socket = SOCKET, .remote = *from },
                          .bytes = copy,
                          .length = length };

  memcpy (copy, bytes, length);
  return hp_nat_trial_receive (&self->trial, &datagram, self->now);
}

static void
answer_hello (Bench *self, const HpOutgoing *outgoing)
{
  HpCookiePacket cookie = { .version = HP_PROTOCOL_VERSION,
                            .has_public_key = TRUE,
                            .cookie = "fifteen letters",
                            .observed = make_address ("198.51.100.1:9") };
  guint8 bytes[200];
  HpWriter writer;
  HpHello hello;

  self->n_hellos++;
  g_assert_cmpuint (outgoing->route.socket, ==, SOCKET);
  g_assert_true (
      hp_address_equal (&outgoing->route.remote, &self->server));
  g_assert_true (hp_packet_parse_hello (&hello, outgoing->bytes,
                                        outgoing->length));
  memcpy (cookie.transaction, hello.transaction, HP_TRANSACTION_SIZE);
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_cookie (&cookie, &writer);
  self->now += ROUND_TRIP;
  self->mapped_at = self->now;
  g_assert_true (give (self, &self->server, bytes, writer.offset));
}

static void
knock (Bench *self, const HpFrame *frame)
{
  const HpAddress *from[]
      = { &self->server, &self->other_port, &self->other_host };
  guint n = 1 << self->n_knocks++;
  guint8 transaction[HP_STUN_TRANSACTION_SIZE];
  guint8 bytes[HP_STUN_MAX_SIZE];
  gsize length;

  g_assert_cmpuint (frame->type, ==, HP_FRAME_KNOCK);
  g_assert_cmpmem (frame->knock.proof, HP_PROOF_SIZE, "fifteen letters",
                   HP_PROOF_SIZE);
  if ((self->lost_asks & n) != 0)
    return;
  memcpy (transaction, frame->knock.transaction, sizeof transaction);
  length = hp_stun_create_indication (transaction, bytes, sizeof bytes);
  for (guint i = 0; i < 3; i++)
    if ((frame->knock.flags & self->made & self->passes & 1 << i) != 0
        && (self->lost_knocks & n) == 0
        && self->now - self->mapped_at < self->lifetime)
      g_assert_true (give (self, from[i], bytes, length));
  if ((self->lost_tells & n) == 0)
    hp_nat_trial_knocked (&self->trial, transaction,
                          self->made & frame->knock.flags, self->now);
}

static HpNatTrialState
run (Bench *self)
{
  HpNatTrialState state;
  guint n = 0;

  while ((state = hp_nat_trial_get_state (&self->trial, self->now))
         == HP_NAT_TRIAL_OPEN)
    {
      guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
      HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
      const HpFrame *frame;

      g_assert_cmpuint (++n, <, 100);
      self->now
          = MAX (self->now, hp_nat_trial_get_deadline (&self->trial));
      if (hp_nat_trial_pull (&self->trial, &outgoing, self->now))
        answer_hello (self, &outgoing);
      /* Not before it is looked whether that is needed, as who uses it does */
      if (hp_nat_trial_get_state (&self->trial, self->now)
          != HP_NAT_TRIAL_OPEN)
        continue;
      frame = hp_nat_trial_next_knock (&self->trial, self->now);
      if (frame != NULL)
        knock (self, frame);
    }
  return state;
}

static HpNatTrialState
try_filtering (Bench *self)
{
  hp_nat_trial_begin (&self->trial, SOCKET, &self->server,
                      HP_KNOCK_OTHER_PORT | HP_KNOCK_OTHER_HOST, 0, self->now);
  return run (self);
}

#define ALL (HP_KNOCK_SAME | HP_KNOCK_OTHER_PORT | HP_KNOCK_OTHER_HOST)
#define PORTS (HP_KNOCK_SAME | HP_KNOCK_OTHER_PORT)

static const struct
{
  guint made, passes, passed;
  guint n_knocks;
} filters[] = {
  { ALL, ALL, HP_KNOCK_OTHER_PORT | HP_KNOCK_OTHER_HOST, 1 },
  { ALL, PORTS, HP_KNOCK_OTHER_PORT, 3 },
  { ALL, HP_KNOCK_SAME, 0, 3 },
  { PORTS, ALL, HP_KNOCK_OTHER_PORT, 1 },
  { PORTS, HP_KNOCK_SAME, 0, 3 },
};

static void
test_filtering (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      Bench bench;

      set_up (&bench, filters[i].made, filters[i].passes);
      g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_CERTAIN);
      g_assert_cmpuint (bench.trial.passed, ==, filters[i].passed);
      g_assert_cmpuint (bench.n_knocks, ==, filters[i].n_knocks);
      g_assert_cmpuint (bench.n_hellos, ==, 1);
      g_assert_cmpint (bench.now - bench.began_at, <=, 500 * MS);
    }
}

/* Two of three knocks are lost, or what is told of them. */
static void
test_loss (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    for (guint lost = 0; lost < 8; lost++)
      {
        Bench bench;

        if (lost == 7)
          continue;
        set_up (&bench, filters[i].made, filters[i].passes);
        bench.lost_knocks = lost;
        g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_CERTAIN);
        g_assert_cmpuint (bench.trial.passed, ==, filters[i].passed);

        set_up (&bench, filters[i].made, filters[i].passes);
        bench.lost_asks = lost;
        g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_CERTAIN);
        g_assert_cmpuint (bench.trial.passed, ==, filters[i].passed);

        set_up (&bench, filters[i].made, filters[i].passes);
        bench.lost_tells = lost;
        g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_CERTAIN);
        g_assert_cmpuint (bench.trial.passed, ==, filters[i].passed);
      }
}

/* That nothing comes says nothing if nobody has knocked. */
static void
test_uncertain (void)
{
  Bench bench;

  set_up (&bench, ALL, HP_KNOCK_SAME);
  bench.lost_asks = ~0;
  g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_UNCERTAIN);
  g_assert_cmpuint (bench.n_knocks, ==, HP_NAT_TRIAL_MAX_KNOCKS);

  /* Two are too few. */
  set_up (&bench, ALL, HP_KNOCK_SAME);
  bench.lost_tells = ~3;
  g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_UNCERTAIN);

  /* It cannot. */
  set_up (&bench, HP_KNOCK_SAME, HP_KNOCK_SAME);
  g_assert_cmpint (try_filtering (&bench), ==, HP_NAT_TRIAL_UNCERTAIN);
  g_assert_cmpuint (bench.n_knocks, ==, 1);
}

/* A server that says nothing at all is given up. */
static void
test_no_cookie (void)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  guint n = 0;
  Bench bench;

  set_up (&bench, ALL, ALL);
  hp_nat_trial_begin (&bench.trial, SOCKET, &bench.server, ALL, 0, bench.now);
  while (hp_nat_trial_get_state (&bench.trial, bench.now)
         == HP_NAT_TRIAL_OPEN)
    {
      bench.now
          = MAX (bench.now, hp_nat_trial_get_deadline (&bench.trial));
      n += hp_nat_trial_pull (&bench.trial, &outgoing, bench.now);
      g_assert_null (hp_nat_trial_next_knock (&bench.trial, bench.now));
    }
  g_assert_cmpint (hp_nat_trial_get_state (&bench.trial, bench.now), ==,
                   HP_NAT_TRIAL_UNCERTAIN);
  g_assert_cmpuint (n, >=, 3);
  g_assert_cmpuint (n, <=, 6);
  g_assert_cmpint (bench.now - bench.began_at, <=, 5 * SECOND);
}

/* What others send in is no knock; and each KNOCKED counts once. */
static void
test_forged (void)
{
  guint8 bytes[HP_STUN_MAX_SIZE];
  guint8 transaction[HP_STUN_TRANSACTION_SIZE] = { 0 };
  guint8 hello[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = hello, .capacity = sizeof hello };
  const HpFrame *frame;
  gsize length;
  Bench bench;

  set_up (&bench, ALL, ALL);
  hp_nat_trial_begin (&bench.trial, SOCKET, &bench.server, ALL, 0, bench.now);
  length = hp_stun_create_indication (transaction, bytes, sizeof bytes);
  g_assert_false (give (&bench, &bench.other_host, bytes, length));
  g_assert_true (hp_nat_trial_pull (&bench.trial, &outgoing, bench.now));
  answer_hello (&bench, &outgoing);
  g_assert_false (give (&bench, &bench.other_host, bytes, length));
  frame = hp_nat_trial_next_knock (&bench.trial, bench.now);
  g_assert_nonnull (frame);
  memcpy (transaction, frame->knock.transaction, sizeof transaction);
  for (guint i = 0; i < sizeof transaction; i++)
    {
      transaction[i] ^= 0x81;
      length = hp_stun_create_indication (transaction, bytes, sizeof bytes);
      g_assert_false (give (&bench, &bench.other_host, bytes, length));
      hp_nat_trial_knocked (&bench.trial, transaction, ALL, bench.now);
      transaction[i] ^= 0x81;
    }
  g_assert_cmpuint (bench.trial.n_heard, ==, 0);
  for (guint i = 0; i < 5; i++)
    hp_nat_trial_knocked (&bench.trial, transaction, ALL, bench.now);
  g_assert_cmpuint (bench.trial.n_heard, ==, 1);
  g_assert_cmpuint (bench.trial.passed, ==, 0);

  /* And no other socket's */
  length = hp_stun_create_indication (transaction, bytes, sizeof bytes);
  bench.trial.socket++;
  g_assert_false (give (&bench, &bench.other_host, bytes, length));
  bench.trial.socket--;
  g_assert_true (give (&bench, &bench.other_host, bytes, length));
}

/* A mapping that lives for a minute outlives less, whether or not it gets the
 * same port afterwards. */
static void
test_silence (void)
{
  static const guint silences[] = { 20, 35, 59, 61, 115 };

  for (guint i = 0; i < G_N_ELEMENTS (silences); i++)
    {
      gint64 silence = silences[i] * SECOND;
      Bench bench;

      set_up (&bench, ALL, ALL);
      bench.lifetime = 60 * SECOND;
      hp_nat_trial_begin (&bench.trial, SOCKET, &bench.server, HP_KNOCK_SAME,
                          silence, bench.now);
      g_assert_cmpint (run (&bench), ==, HP_NAT_TRIAL_CERTAIN);
      g_assert_cmpuint (bench.trial.passed, ==,
                        silences[i] < 60 ? HP_KNOCK_SAME : 0);
      g_assert_cmpint (bench.now - bench.began_at, >=, silence);
      g_assert_cmpint (bench.now - bench.began_at, <=, silence + SECOND);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nat-trial/filtering", test_filtering);
  g_test_add_func ("/nat-trial/loss", test_loss);
  g_test_add_func ("/nat-trial/uncertain", test_uncertain);
  g_test_add_func ("/nat-trial/no-cookie", test_no_cookie);
  g_test_add_func ("/nat-trial/forged", test_forged);
  g_test_add_func ("/nat-trial/silence", test_silence);
  return g_test_run ();
}
