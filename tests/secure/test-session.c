/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-session.h"
#include "tests/secure/secure-test.h"

#include <string.h>

#define INDEX_A 0x01020304
#define INDEX_B 0xfffefdfc
#define START (1000 * G_TIME_SPAN_SECOND)
#define GRACE (300 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  guint8 bytes[1500];
  gsize length;
} Packet;

typedef struct
{
  HpSuite suite;
  guint window;
  gboolean shared; /* ciphers */
} Kind;

static const Kind kinds[] = {
  { HP_SUITE_AES_GCM, HP_REPLAY_WINDOW_PEER, FALSE },
  { HP_SUITE_CHACHA_POLY, HP_REPLAY_WINDOW_PEER, FALSE },
  { HP_SUITE_AES_GCM, HP_REPLAY_WINDOW_SERVER, TRUE },
  { HP_SUITE_CHACHA_POLY, HP_REPLAY_WINDOW_SERVER, TRUE },
};

static const char *kind_names[] = { "aes-gcm", "chacha-poly", "aes-gcm/shared",
                                    "chacha-poly/shared" };

/* A is the initiator. */
typedef struct
{
  const Kind *kind;
  HpSessionCiphers *ciphers;
  HpSession *a;
  HpSession *b;
  gint64 now;
} Pair;

static HpSession *
make_session (Pair *pair, gboolean is_initiator)
{
  const guint8 first[HP_KEY_SIZE] = { 1 }, second[HP_KEY_SIZE] = { 2 };
  HpSession *session
      = hp_session_new (pair->kind->suite, is_initiator, first, second,
                        is_initiator ? INDEX_A : INDEX_B,
                        is_initiator ? INDEX_B : INDEX_A, pair->kind->window,
                        pair->now);

  hp_session_set_key_grace (session, GRACE);
  if (pair->kind->shared)
    hp_session_share_ciphers (session, pair->ciphers);
  return session;
}

static void
pair_init (Pair *self, gconstpointer kind)
{
  self->kind = kind;
  self->now = START;
  self->ciphers = hp_session_ciphers_new ();
  self->a = make_session (self, TRUE);
  self->b = make_session (self, FALSE);
}

static void
pair_clear (Pair *self)
{
  g_clear_pointer (&self->a, hp_session_free);
  g_clear_pointer (&self->b, hp_session_free);
  g_clear_pointer (&self->ciphers, hp_session_ciphers_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_clear)

static Packet
seal (Pair *pair, HpSession *session, const char *text)
{
  Packet packet = { .length = strlen (text) };

  memcpy (packet.bytes + HP_DATA_HEADER_SIZE, text, packet.length);
  packet.length
      = hp_session_seal (session, packet.bytes, packet.length, pair->now);
  g_assert_cmpuint (packet.length, ==, strlen (text) + HP_DATA_OVERHEAD);
  return packet;
}

static HpOpenVerdict
open_packet (Pair *pair, HpSession *session, Packet packet, guint64 *number)
{
  guint8 *plain;
  gsize length;

  return hp_session_open (session, packet.bytes, packet.length, pair->now,
                          number, &plain, &length);
}

static void
assert_opens (Pair *pair, HpSession *session, Packet packet, const char *text)
{
  guint64 number;
  guint8 *plain;
  gsize length;

  g_assert_cmpint (hp_session_open (session, packet.bytes, packet.length,
                                    pair->now, &number, &plain, &length),
                   ==, HP_OPEN_OK);
  g_assert_cmpmem (plain, length, text, strlen (text));
}

static void
assert_refused (Pair *pair, HpSession *session, Packet packet,
                HpOpenVerdict verdict)
{
  guint64 number = 12345;

  g_assert_cmpint (open_packet (pair, session, packet, &number), ==, verdict);
  g_assert_cmpuint (number, ==, 12345);
}

static guint
get_phase (const Packet *packet)
{
  return packet->bytes[0] - HP_PACKET_DATA_0;
}

/* The first packet of the next phase of @session */
static Packet
seal_updated (Pair *pair, HpSession *session, const char *text)
{
  hp_session_update_keys (session, pair->now);
  return seal (pair, session, text);
}

static void
test_both_ways (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet packet;
  guint64 number;

  pair_init (&pair, kind);
  g_assert_cmpuint (hp_session_get_suite (pair.a), ==, pair.kind->suite);
  g_assert_true (hp_session_is_initiator (pair.a));
  g_assert_false (hp_session_is_initiator (pair.b));
  g_assert_cmpuint (hp_session_get_local_index (pair.a), ==, INDEX_A);
  g_assert_cmpuint (hp_session_get_remote_index (pair.a), ==, INDEX_B);

  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *text = g_strnfill (i * 4, 'a' + i % 26);

      g_assert_cmpuint (hp_session_get_next_number (pair.a), ==, i);
      packet = seal (&pair, pair.a, text);
      assert_opens (&pair, pair.b, packet, text);
      packet = seal (&pair, pair.b, text);
      assert_opens (&pair, pair.a, packet, text);
    }
  packet = seal (&pair, pair.a, "x");
  secure_test_assert_hex (packet.bytes, HP_DATA_HEADER_SIZE,
                          "b4fffefdfc000000000000012c");
  g_assert_cmpint (open_packet (&pair, pair.b, packet, &number), ==,
                   HP_OPEN_OK);
  g_assert_cmpuint (number, ==, 300);
}

static void
test_forged (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet genuine, forged;
  guint64 number;

  pair_init (&pair, kind);
  genuine = seal (&pair, pair.a, "genuine");
  for (gsize bit = 0; bit < 8 * genuine.length; bit++)
    {
      forged = genuine;
      forged.bytes[bit / 8] ^= 1 << bit % 8;
      assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
    }
  for (gsize length = 0; length < genuine.length; length++)
    {
      forged = genuine;
      forged.length = length;
      assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
    }
  forged = genuine;
  forged.length++;
  assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
  /* Sent back to its sender, with the index put right */
  forged = genuine;
  memcpy (forged.bytes + 1, "\x01\x02\x03\x04", 4);
  assert_refused (&pair, pair.a, forged, HP_OPEN_FORGED);
  /* The largest numbers, which no ACK and no nonce could bear */
  forged = genuine;
  memset (forged.bytes + 5, 0xff, 8);
  assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);

  g_assert_cmpint (open_packet (&pair, pair.b, genuine, &number), ==,
                   HP_OPEN_OK);
  g_assert_cmpuint (number, ==, 0);
  assert_refused (&pair, pair.b, genuine, HP_OPEN_REPLAYED);
}

/* After so many an authentic one would prove nothing any more; packets of which
 * it is clear without a key do not count. */
static void
test_exhausted (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet first, last, forged;

  pair_init (&pair, kind);
  hp_session_set_max_forged (pair.b, 3);
  first = seal (&pair, pair.a, "first");
  last = seal (&pair, pair.a, "last");
  forged = last;
  forged.bytes[forged.length - 1] ^= 1;
  assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
  assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
  assert_opens (&pair, pair.b, first, "first");
  assert_refused (&pair, pair.b, first, HP_OPEN_REPLAYED);
  /* Under the next key, too */
  forged = seal_updated (&pair, pair.a, "x");
  forged.length = HP_DATA_OVERHEAD - 1;
  assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
  forged = seal (&pair, pair.a, "x");
  forged.bytes[HP_DATA_HEADER_SIZE] ^= 1;
  assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);

  assert_refused (&pair, pair.b, forged, HP_OPEN_EXHAUSTED);
  assert_refused (&pair, pair.b, last, HP_OPEN_EXHAUSTED);
  /* The other direction has a key of its own. */
  assert_opens (&pair, pair.a, seal (&pair, pair.b, "back"), "back");
}

static void
test_window (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet kept[3];
  guint window;

  pair_init (&pair, kind);
  window = pair.kind->window;
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    kept[i] = seal (&pair, pair.a, "early");
  for (guint64 i = G_N_ELEMENTS (kept); i < window + 1; i++)
    assert_opens (&pair, pair.b, seal (&pair, pair.a, ""), "");
  /* Number 0 is just too old, 1 and 2 are not. */
  assert_refused (&pair, pair.b, kept[0], HP_OPEN_REPLAYED);
  assert_opens (&pair, pair.b, kept[1], "early");
  assert_refused (&pair, pair.b, kept[1], HP_OPEN_REPLAYED);
  assert_opens (&pair, pair.b, kept[2], "early");
}

static void
test_update (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };

  pair_init (&pair, kind);
  for (guint i = 0; i < 20; i++)
    {
      /* A changes every time, B every third time: each by itself. */
      Packet packet = seal_updated (&pair, pair.a, "from A");

      g_assert_cmpuint (get_phase (&packet), ==, (i + 1) % 2);
      assert_opens (&pair, pair.b, packet, "from A");
      packet = seal (&pair, pair.a, "once more");
      g_assert_cmpuint (get_phase (&packet), ==, (i + 1) % 2);
      assert_opens (&pair, pair.b, packet, "once more");
      if (i % 3 == 0)
        hp_session_update_keys (pair.b, pair.now);
      packet = seal (&pair, pair.b, "from B");
      g_assert_cmpuint (get_phase (&packet), ==, (i / 3 + 1) % 2);
      assert_opens (&pair, pair.a, packet, "from B");
    }
  g_assert_cmpuint (hp_session_get_next_number (pair.a), ==, 40);
}

/* Both change at once, and what is under way crosses. */
static void
test_update_simultaneously (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet from_a[4], from_b[4];

  pair_init (&pair, kind);
  for (guint i = 0; i < 4; i++)
    {
      if (i == 2)
        {
          hp_session_update_keys (pair.a, pair.now);
          hp_session_update_keys (pair.b, pair.now);
        }
      from_a[i] = seal (&pair, pair.a, "from A");
      from_b[i] = seal (&pair, pair.b, "from B");
    }
  /* The first of the new phase is lost, the order turned round. */
  for (guint i = 0; i < 3; i++)
    {
      static const guint order[] = { 3, 1, 0 };

      assert_opens (&pair, pair.b, from_a[order[i]], "from A");
      assert_opens (&pair, pair.a, from_b[order[i]], "from B");
    }
  assert_opens (&pair, pair.b, from_a[2], "from A");
  assert_opens (&pair, pair.b, seal_updated (&pair, pair.a, "next"), "next");
  assert_opens (&pair, pair.a, seal_updated (&pair, pair.b, "next"), "next");
}

static void
test_old_key (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet old[4];
  Packet fresh;

  pair_init (&pair, kind);
  for (guint i = 0; i < G_N_ELEMENTS (old); i++)
    old[i] = seal (&pair, pair.a, "old");
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, G_MAXINT64);
  fresh = seal_updated (&pair, pair.a, "new");
  /* Without a packet of it the phase does not change. */
  assert_opens (&pair, pair.b, old[0], "old");
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, G_MAXINT64);
  assert_opens (&pair, pair.b, fresh, "new");
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, pair.now + GRACE);

  assert_opens (&pair, pair.b, old[1], "old");
  assert_refused (&pair, pair.b, old[1], HP_OPEN_REPLAYED);
  pair.now += GRACE - 1;
  assert_opens (&pair, pair.b, old[2], "old");
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, pair.now + 1);
  pair.now++;
  assert_refused (&pair, pair.b, old[3], HP_OPEN_FORGED);
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, G_MAXINT64);
  assert_opens (&pair, pair.b, seal (&pair, pair.a, "later"), "later");
}

/* The key that has just opened an old packet is gone from the handle, too. */
static void
test_expire (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet old, late;

  pair_init (&pair, kind);
  old = seal (&pair, pair.a, "old");
  late = seal (&pair, pair.a, "late");
  assert_opens (&pair, pair.b, seal_updated (&pair, pair.a, "new"), "new");
  assert_opens (&pair, pair.b, old, "old");
  hp_session_expire (pair.b, pair.now + GRACE - 1);
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, pair.now + GRACE);
  hp_session_expire (pair.b, pair.now + GRACE);
  g_assert_cmpint (hp_session_get_deadline (pair.b), ==, G_MAXINT64);
  assert_refused (&pair, pair.b, late, HP_OPEN_FORGED);
  assert_opens (&pair, pair.b, seal (&pair, pair.a, "new"), "new");
  assert_opens (&pair, pair.b, seal_updated (&pair, pair.a, "newer"),
                "newer");
}

/* A packet two phases old has the present phase's bit and is not opened. */
static void
test_two_phases_old (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  Packet oldest, old;

  pair_init (&pair, kind);
  oldest = seal (&pair, pair.a, "0");
  assert_opens (&pair, pair.b, seal_updated (&pair, pair.a, "1"), "1");
  old = seal (&pair, pair.a, "1 again");
  assert_opens (&pair, pair.b, seal_updated (&pair, pair.a, "2"), "2");
  assert_refused (&pair, pair.b, oldest, HP_OPEN_FORGED);
  assert_opens (&pair, pair.b, old, "1 again");
}

/* A sender of our keys that goes back to an old one, or forth too early
 * (RFC 9001, section 6.4): its packets would open, but must not. */
static void
test_wrong_order_of_phases (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };
  HpSession *senders[3];
  Packet packets[3][12];

  /* The same keys thrice; they change with number 3, with 8, never. */
  pair_init (&pair, kind);
  for (guint i = 0; i < 3; i++)
    {
      senders[i] = make_session (&pair, TRUE);
      for (guint number = 0; number < 12; number++)
        {
          if ((i == 0 && number == 3) || (i == 1 && number == 8))
            hp_session_update_keys (senders[i], pair.now);
          packets[i][number] = seal (&pair, senders[i], "text");
        }
      hp_session_free (senders[i]);
    }
  assert_opens (&pair, pair.b, packets[1][4], "text");
  /* New phase, but below a number of the old one: before the change, ... */
  assert_refused (&pair, pair.b, packets[0][3], HP_OPEN_FORGED);
  assert_opens (&pair, pair.b, packets[1][3], "text");
  assert_opens (&pair, pair.b, packets[1][9], "text");
  assert_opens (&pair, pair.b, packets[1][6], "text");
  /* ... and after it */
  assert_refused (&pair, pair.b, packets[0][5], HP_OPEN_FORGED);
  assert_opens (&pair, pair.b, packets[1][5], "text");
  /* Old phase, but above a number of the new one */
  assert_refused (&pair, pair.b, packets[2][10], HP_OPEN_FORGED);
  assert_refused (&pair, pair.b, packets[2][11], HP_OPEN_FORGED);
  assert_opens (&pair, pair.b, packets[1][8], "text");
  assert_refused (&pair, pair.b, packets[2][8], HP_OPEN_REPLAYED);
  assert_opens (&pair, pair.b, packets[1][10], "text");
  assert_opens (&pair, pair.b, packets[1][11], "text");
}

/* Old packets that claim a place between new ones: the first of the new phase
 * that came bounds them, and one before it that comes later. */
static void
test_old_among_new (gconstpointer kind)
{
  static const guint arrivals[][2] = { { 8, 11 }, { 11, 8 }, { 9, 11 } };

  for (gsize i = 0; i < G_N_ELEMENTS (arrivals); i++)
    {
      g_auto (Pair) pair = { 0 };
      HpSession *behind;
      Packet fresh[12], old[12];

      pair_init (&pair, kind);
      behind = make_session (&pair, TRUE);
      for (guint number = 0; number < 12; number++)
        {
          if (number == 8)
            hp_session_update_keys (pair.a, pair.now);
          fresh[number] = seal (&pair, pair.a, "text");
          old[number] = seal (&pair, behind, "text");
        }
      hp_session_free (behind);
      assert_opens (&pair, pair.b, fresh[0], "text");
      assert_opens (&pair, pair.b, fresh[arrivals[i][0]], "text");
      assert_opens (&pair, pair.b, fresh[arrivals[i][1]], "text");
      assert_refused (&pair, pair.b, old[10], HP_OPEN_FORGED);
      assert_opens (&pair, pair.b, fresh[10], "text");
      assert_opens (&pair, pair.b, old[7], "text");
    }
}

/* Forged packets with either bit between any two genuine ones: no change. */
static void
test_forged_phase (gconstpointer kind)
{
  g_auto (Pair) pair = { 0 };

  pair_init (&pair, kind);
  for (guint i = 0; i < 60; i++)
    {
      Packet forged;
      Packet packet = i % 7 == 6 ? seal_updated (&pair, pair.a, "text")
                                 : seal (&pair, pair.a, "text");

      for (guint phase = 0; phase < 2; phase++)
        for (guint ahead = 0; ahead < 3; ahead++)
          {
            forged = packet;
            forged.bytes[0] = HP_PACKET_DATA_0 + phase;
            forged.bytes[12] += ahead;
            forged.bytes[forged.length - 1] ^= 1;
            assert_refused (&pair, pair.b, forged, HP_OPEN_FORGED);
          }
      assert_opens (&pair, pair.b, packet, "text");
    }
}

/* A network that loses, doubles and reorders, while keys change: whatever
 * comes in time is opened, once. */
static void
test_lossy (gconstpointer kind)
{
  for (guint seed = 1; seed <= 40; seed++)
    {
      g_auto (Pair) pair = { 0 };
      g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
      g_autofree Packet *sent = g_new (Packet, 400);
      gboolean seen[400] = { FALSE };
      guint n_opened = 0;

      pair_init (&pair, kind);
      /* Phases of 20 numbers; reordered by less than 20, so that every packet
       * that is not lost belongs to the present phase, the old or the next. */
      for (guint i = 0; i < 400; i++)
        sent[i] = i % 20 == 19 ? seal_updated (&pair, pair.a, "text")
                               : seal (&pair, pair.a, "text");
      for (guint i = 0; i < 1200; i++)
        {
          guint back = g_rand_int_range (rand, 0, 19);
          guint which = i / 3 - MIN (i / 3, back);
          guint64 number;
          HpOpenVerdict verdict
              = open_packet (&pair, pair.b, sent[which], &number);

          pair.now += 1;
          g_assert_cmpint (verdict, ==,
                           seen[which] ? HP_OPEN_REPLAYED : HP_OPEN_OK);
          if (verdict != HP_OPEN_OK)
            continue;
          g_assert_cmpuint (number, ==, which);
          seen[which] = TRUE;
          n_opened++;
        }
      g_assert_cmpuint (n_opened, >, 200);
      g_assert_cmpuint (n_opened, <, 400);
    }
}

static void
test_update_by_time (void)
{
  g_auto (Pair) pair = { 0 };
  Packet packet;

  pair_init (&pair, &kinds[1]);
  for (guint i = 0; i < 64; i++)
    {
      packet = seal (&pair, pair.a, "");
      g_assert_cmpuint (get_phase (&packet), ==, 0);
    }
  assert_opens (&pair, pair.b, packet, "");
  pair.now = START + HP_SESSION_REKEY_TIME - 1;
  packet = seal (&pair, pair.a, "");
  g_assert_cmpuint (get_phase (&packet), ==, 0);
  pair.now++;
  packet = seal (&pair, pair.a, "");
  g_assert_cmpuint (get_phase (&packet), ==, 1);
  assert_opens (&pair, pair.b, packet, "");

  /* The hour begins anew. */
  pair.now += HP_SESSION_REKEY_TIME - 1;
  for (guint i = 1; i < 100; i++)
    {
      packet = seal (&pair, pair.a, "");
      g_assert_cmpuint (get_phase (&packet), ==, 1);
    }
  assert_opens (&pair, pair.b, packet, "");
  pair.now++;
  packet = seal (&pair, pair.a, "");
  g_assert_cmpuint (get_phase (&packet), ==, 0);
  assert_opens (&pair, pair.b, packet, "");

  /* A phase of so few packets may not have been heard of: it stays. */
  pair.now += 5 * HP_SESSION_REKEY_TIME;
  for (guint i = 1; i < 64; i++)
    {
      packet = seal (&pair, pair.a, "");
      g_assert_cmpuint (get_phase (&packet), ==, 0);
    }
  packet = seal (&pair, pair.a, "");
  g_assert_cmpuint (get_phase (&packet), ==, 1);
  assert_opens (&pair, pair.b, packet, "");
}

static void
test_update_by_count (void)
{
  g_auto (Pair) pair = { 0 };
  guint8 packet[HP_DATA_OVERHEAD];
  Packet last;

  pair_init (&pair, &kinds[0]);
  for (guint64 i = 0; i < HP_SESSION_REKEY_PACKETS; i++)
    hp_session_seal (pair.a, packet, 0, pair.now);
  g_assert_cmpuint (packet[0], ==, HP_PACKET_DATA_0);
  last = seal (&pair, pair.a, "next");
  g_assert_cmpuint (get_phase (&last), ==, 1);
  assert_opens (&pair, pair.b, last, "next");
}

/* Many sessions by turns with one set of handles */
static void
test_sharing (void)
{
  Pair pairs[8] = { { 0 } };
  HpSessionCiphers *ciphers = hp_session_ciphers_new ();

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      pair_init (&pairs[i], &kinds[i % 2]);
      hp_session_share_ciphers (pairs[i].b, ciphers);
    }
  for (guint round = 0; round < 50; round++)
    for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
      {
        Pair *pair = &pairs[i];

        if (round % (i + 2) == 0)
          hp_session_update_keys (pair->a, pair->now);
        if (round % (i + 3) == 0)
          hp_session_update_keys (pair->b, pair->now);
        assert_opens (pair, pair->b, seal (pair, pair->a, "up"), "up");
        assert_opens (pair, pair->a, seal (pair, pair->b, "down"), "down");
      }
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    pair_clear (&pairs[i]);
  hp_session_ciphers_free (ciphers);
}

static void
add_for_each_kind (const char *path, GTestDataFunc function)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *full
          = g_strconcat ("/session/", path, "/", kind_names[i], NULL);

      g_test_add_data_func (full, &kinds[i], function);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_for_each_kind ("both-ways", test_both_ways);
  add_for_each_kind ("forged", test_forged);
  add_for_each_kind ("exhausted", test_exhausted);
  add_for_each_kind ("window", test_window);
  add_for_each_kind ("update", test_update);
  add_for_each_kind ("update/simultaneous", test_update_simultaneously);
  add_for_each_kind ("update/old-key", test_old_key);
  add_for_each_kind ("update/expire", test_expire);
  add_for_each_kind ("update/two-phases-old", test_two_phases_old);
  add_for_each_kind ("update/wrong-order", test_wrong_order_of_phases);
  add_for_each_kind ("update/old-among-new", test_old_among_new);
  add_for_each_kind ("update/forged-phase", test_forged_phase);
  add_for_each_kind ("update/lossy", test_lossy);
  g_test_add_func ("/session/update/by-time", test_update_by_time);
  g_test_add_func ("/session/update/by-count", test_update_by_count);
  g_test_add_func ("/session/sharing", test_sharing);
  return g_test_run ();
}
