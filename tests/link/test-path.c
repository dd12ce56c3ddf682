/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/link/hp-link.h"
#include "hole-punch/link/hp-path.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpPath, hp_path_free)

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  guint64 *seed = user_data;

  for (gsize i = 0; i < length; i++)
    {
      *seed = *seed * G_GUINT64_CONSTANT (6364136223846793005) + 1;
      bytes[i] = *seed >> 56;
    }
}

static HpPath *
create (const char *remote)
{
  HpRoute route = { 0 };

  g_assert_true (hp_address_parse (&route.remote, remote));
  return hp_path_new (&route,
                      hp_address_is_private (&route.remote) ? HP_PATH_LAN
                                                            : HP_PATH_DIRECT,
                      1);
}

static void
test_tokens (void)
{
  g_autoptr (HpPath) path = create ("192.0.2.1:5");
  g_autoptr (HpPath) other = create ("192.0.2.2:5");
  guint8 tokens[HP_PATH_TOKENS + 1][HP_TOKEN_SIZE];
  guint8 zeros[HP_TOKEN_SIZE] = { 0 };
  guint64 seed = 1;
  HpRandom random = { fill, &seed };
  guint i;

  g_assert_false (hp_path_consume_token (path, zeros, 1));
  for (i = 0; i <= HP_PATH_TOKENS; i++)
    hp_path_create_token (path, &random, (i + 1) * MS, tokens[i]);
  g_assert_cmpint (hp_path_get_token_time (path), ==,
                   (HP_PATH_TOKENS + 1) * MS);

  /* Of another path, never sent, or too old to be known */
  g_assert_false (hp_path_consume_token (other, tokens[1], 50 * MS));
  g_assert_false (hp_path_consume_token (path, zeros, 50 * MS));
  g_assert_false (hp_path_consume_token (path, tokens[0], 50 * MS));
  g_assert_false (path->is_proven);
  g_assert_cmpint (path->round_trip, ==, -1);

  g_assert_true (hp_path_consume_token (path, tokens[9], 50 * MS));
  g_assert_true (path->is_proven);
  g_assert_cmpint (path->round_trip, ==, 40 * MS);
  g_assert_cmpint (path->answered_sent_at, ==, 10 * MS);
  /* Older ones, and copies, do not measure, and are no news of the path:
   * whoever has moved on from there may still have them */
  g_assert_true (hp_path_consume_token (path, tokens[4], 500 * MS));
  g_assert_true (hp_path_consume_token (path, tokens[9], 500 * MS));
  g_assert_cmpint (path->round_trip, ==, 40 * MS);
  g_assert_cmpint (path->answered_at, ==, 50 * MS);
}

static void
test_budget (void)
{
  g_autoptr (HpPath) path = create ("192.0.2.1:5");
  guint i;

  for (i = 0; i < HP_UNPROVEN_DATAGRAMS; i++)
    g_assert_true (hp_path_spend (path));
  g_assert_false (hp_path_spend (path));
  hp_path_prove (path, 1);
  g_assert_true (hp_path_spend (path));
}

static void
test_answers (void)
{
  g_autoptr (HpPath) path = create ("192.0.2.1:5");
  guint8 token[HP_TOKEN_SIZE] = { 0 };
  guint i;

  for (i = 0; i < 2 * HP_PATH_ANSWERS; i++)
    {
      token[0] = i;
      hp_path_queue_answer (path, token);
      hp_path_queue_answer (path, token);
    }
  g_assert_cmpuint (path->n_answers, ==, HP_PATH_ANSWERS);
  for (i = 0; i < HP_PATH_ANSWERS; i++)
    g_assert_cmpuint (path->answers[i][0], ==, HP_PATH_ANSWERS + i);
}

static void
test_better (void)
{
  g_autoptr (HpPath) lan = create ("192.168.0.1:5");
  g_autoptr (HpPath) near = create ("192.0.2.1:5");
  g_autoptr (HpPath) far = create ("[2001:db8::1]:5");
  g_autoptr (HpPath) relay = create ("192.0.2.9:5");

  relay->rank = HP_PATH_RELAYED;
  lan->round_trip = 90 * MS;
  near->round_trip = 40 * MS;
  far->round_trip = 51 * MS;
  relay->round_trip = 1 * MS;
  g_assert_true (hp_path_is_better (lan, near));
  g_assert_true (hp_path_is_better (near, relay));
  g_assert_false (hp_path_is_better (relay, far));
  /* A quarter shorter than 51 ms is 38.25 ms */
  g_assert_false (hp_path_is_better (near, far));
  near->round_trip = 38 * MS;
  g_assert_true (hp_path_is_better (near, far));
  g_assert_false (hp_path_is_better (far, near));
  /* Of short ones a difference of 5 ms */
  near->round_trip = 1 * MS;
  far->round_trip = 5 * MS;
  g_assert_false (hp_path_is_better (near, far));
  far->round_trip = -1;
  g_assert_false (hp_path_is_better (near, far));
  g_assert_false (hp_path_is_better (far, near));
}

static void
test_matches (void)
{
  g_autoptr (HpPath) path = create ("192.0.2.1:5");
  HpRoute route = path->route;

  g_assert_true (hp_address_parse (&route.local, "10.0.0.1:1"));
  g_assert_true (hp_path_matches (path, &route));
  path->route.local = route.local;
  path->route.local.port = 7;
  g_assert_true (hp_path_matches (path, &route));
  route.local.ip[3]++;
  g_assert_false (hp_path_matches (path, &route));
  route = path->route;
  route.socket++;
  g_assert_false (hp_path_matches (path, &route));
  route = path->route;
  route.remote.port++;
  g_assert_false (hp_path_matches (path, &route));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/path/tokens", test_tokens);
  g_test_add_func ("/path/budget", test_budget);
  g_test_add_func ("/path/answers", test_answers);
  g_test_add_func ("/path/better", test_better);
  g_test_add_func ("/path/matches", test_matches);
  return g_test_run ();
}
