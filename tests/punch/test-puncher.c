/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-puncher.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

static HpRoute
route (const char *text)
{
  HpRoute parsed = { 0 };

  g_assert_true (hp_address_parse (&parsed.remote, text));
  return parsed;
}

static void
offer (HpWireCandidates *list, const char *text, HpCandidateKind kind)
{
  HpRoute parsed = route (text);

  g_assert_true (hp_candidates_add (list, &parsed.remote, kind, NULL));
}

/* Runs the puncher by its deadlines up to @until and writes down what it did:
 * "ms last-byte-of-the-address/ttl " each */
static char *
run (HpPuncher *puncher, gint64 from, gint64 until)
{
  GString *log = g_string_new (NULL);
  gint64 now = from;

  while (now <= until)
    {
      HpPunch punch;
      gint64 deadline;

      while (hp_puncher_next (puncher, now, &punch))
        g_string_append_printf (log, "%" G_GINT64_FORMAT " %u/%u ", now / MS,
                                punch.route.remote.ip[3], punch.ttl);
      deadline = hp_puncher_get_deadline (puncher);
      g_assert_cmpint (deadline, >, now);
      now = deadline;
    }
  return g_string_free (log, FALSE);
}

static void
test_schedule (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  g_autofree char *log = NULL;

  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  offer (&candidates, "10.0.0.2:5", HP_CANDIDATE_HOST);
  g_assert_false (hp_puncher_is_running (puncher));
  g_assert_cmpint (hp_puncher_get_deadline (puncher), ==, G_MAXINT64);

  hp_puncher_start (puncher, &candidates, TRUE, 100 * MS, 0);
  g_assert_true (hp_puncher_is_running (puncher));
  log = run (puncher, 0, 20000 * MS);
  g_assert_cmpstr (log, ==,
                   "0 1/2 20 1/4 100 2/0 100 1/0 133 2/0 133 1/0 166 2/0 "
                   "166 1/0 233 2/0 233 1/0 366 2/0 366 1/0 633 2/0 633 1/0 "
                   "1633 2/0 1633 1/0 2633 2/0 2633 1/0 3633 2/0 3633 1/0 "
                   "4633 2/0 4633 1/0 5633 2/0 5633 1/0 6633 2/0 6633 1/0 "
                   "7633 2/0 7633 1/0 8633 2/0 8633 1/0 9633 2/0 9633 1/0 ");
  g_assert_false (hp_puncher_is_running (puncher));
}

/* A start that is near leaves no time for the second opener, one that is past
 * none for the first */
static void
test_openers (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  char *log;

  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  offer (&candidates, "192.0.2.3:5", HP_CANDIDATE_RELAYED);

  hp_puncher_start (puncher, &candidates, TRUE, 10 * MS, 0);
  log = run (puncher, 0, 40 * MS);
  g_assert_cmpstr (log, ==, "0 1/2 10 1/0 10 3/0 ");
  g_free (log);

  hp_puncher_start (puncher, &candidates, TRUE, 50 * MS, 50 * MS);
  log = run (puncher, 50 * MS, 60 * MS);
  g_assert_cmpstr (log, ==, "50 1/0 50 3/0 ");
  g_free (log);

  hp_puncher_start (puncher, &candidates, FALSE, 90 * MS, 60 * MS);
  log = run (puncher, 60 * MS, 90 * MS);
  g_assert_cmpstr (log, ==, "90 1/0 90 3/0 ");
  g_free (log);
}

static void
test_no_burst_after_a_pause (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  g_autofree char *log = NULL;

  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  hp_puncher_start (puncher, &candidates, TRUE, 0, 0);
  log = run (puncher, 3000 * MS, 5000 * MS);
  g_assert_cmpstr (log, ==, "3000 1/0 3533 1/0 4533 1/0 ");
}

static void
test_heard (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  HpRoute known = route ("192.0.2.1:5");
  HpRoute reflexive = route ("192.0.2.1:6");
  char *log;
  guint i;

  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  hp_puncher_start (puncher, &candidates, FALSE, 0, 0);
  log = run (puncher, 0, 600 * MS);
  g_free (log);

  hp_puncher_add (puncher, &known, HP_CANDIDATE_PEER_REFLEXIVE, 700 * MS);
  hp_puncher_add (puncher, &reflexive, HP_CANDIDATE_PEER_REFLEXIVE, 700 * MS);
  log = run (puncher, 700 * MS, 740 * MS);
  g_assert_cmpstr (log, ==, "700 1/0 700 1/0 733 1/0 ");
  g_free (log);

  /* An echo of what has just been sent makes no storm */
  hp_puncher_add (puncher, &reflexive, HP_CANDIDATE_PEER_REFLEXIVE, 741 * MS);
  log = run (puncher, 741 * MS, 741 * MS);
  g_assert_cmpstr (log, ==, "");
  g_free (log);

  /* Nor does a flood */
  for (i = 0; i < 100; i++)
    {
      HpPunch punch;
      gint64 now = (2000 + i * 25) * MS;

      hp_puncher_add (puncher, &known, HP_CANDIDATE_PEER_REFLEXIVE, now);
      hp_puncher_add (puncher, &reflexive, HP_CANDIDATE_PEER_REFLEXIVE, now);
      while (hp_puncher_next (puncher, now, &punch))
        ;
    }
  hp_puncher_add (puncher, &known, HP_CANDIDATE_PEER_REFLEXIVE, 4500 * MS);
  log = run (puncher, 4500 * MS, 4500 * MS);
  g_assert_cmpstr (log, ==, "");
  g_free (log);

  hp_puncher_remove (puncher, &known);
  hp_puncher_add (puncher, &known, HP_CANDIDATE_PEER_REFLEXIVE, 4600 * MS);
  hp_puncher_remove (puncher, &reflexive);
  log = run (puncher, 4600 * MS, 9000 * MS);
  g_assert_cmpstr (log, ==, "");
  g_free (log);
}

static void
test_peer_reflexive_bound (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  HpPunch punch;
  guint i, n = 0;

  hp_puncher_start (puncher, &candidates, TRUE, 0, 0);
  for (i = 0; i < 50; i++)
    {
      g_autofree char *text = g_strdup_printf ("192.0.2.%u:5", i + 1);
      HpRoute found = route (text);

      hp_puncher_add (puncher, &found, HP_CANDIDATE_PEER_REFLEXIVE, 0);
    }
  while (hp_puncher_next (puncher, 0, &punch))
    n++;
  g_assert_cmpuint (n, ==, HP_MAX_PEER_REFLEXIVE);
}

static void
test_budget (void)
{
  HpNatBudget budget;
  g_autoptr (HpPuncher) puncher = hp_puncher_new (&budget);
  HpWireCandidates candidates = { 0 };
  HpRoute reflexive = route ("192.0.2.9:5");
  char *log;

  hp_nat_budget_init (&budget, 2, 0);
  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  offer (&candidates, "192.0.2.2:5", HP_CANDIDATE_MAPPED);
  offer (&candidates, "192.0.2.3:5", HP_CANDIDATE_MAPPED);
  hp_puncher_start (puncher, &candidates, FALSE, 0, 0);
  hp_puncher_add (puncher, &reflexive, HP_CANDIDATE_PEER_REFLEXIVE, 0);
  log = run (puncher, 0, 40 * MS);
  g_assert_cmpstr (log, ==,
                   "0 1/0 0 9/0 0 2/0 33 1/0 33 9/0 33 2/0 ");
  g_free (log);

  /* A round over the same addresses costs nothing more */
  hp_puncher_start (puncher, &candidates, FALSE, 50 * MS, 50 * MS);
  log = run (puncher, 50 * MS, 60 * MS);
  g_assert_cmpstr (log, ==, "50 1/0 50 2/0 ");
  g_free (log);

  /* When the budget has something again, the rest follows */
  hp_nat_budget_set_maximum (&budget, 3, 60 * MS);
  log = run (puncher, 60 * MS, 1060 * MS);
  g_assert_nonnull (strstr (log, "1050 3/0"));
  g_free (log);
}

static void
test_unpunchable (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  HpPunch punch;

  offer (&candidates, "192.0.2.1:0", HP_CANDIDATE_HOST);
  offer (&candidates, "224.0.0.1:5", HP_CANDIDATE_HOST);
  offer (&candidates, "[fe80::1]:5", HP_CANDIDATE_HOST);
  hp_puncher_start (puncher, &candidates, TRUE, 0, 0);
  g_assert_false (hp_puncher_next (puncher, 0, &punch));
  hp_puncher_stop (puncher);
  g_assert_cmpint (hp_puncher_get_deadline (puncher), ==, G_MAXINT64);

  candidates.candidates[2].address.scope_id = 3;
  hp_puncher_start (puncher, &candidates, TRUE, 0, 0);
  g_assert_true (hp_puncher_next (puncher, 0, &punch));
  g_assert_cmpuint (punch.route.remote.scope_id, ==, 3);
}

/* What comes when nothing runs starts a round of its own */
static void
test_late (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpRoute late = route ("192.0.2.1:5");
  g_autofree char *log = NULL;

  hp_puncher_add (puncher, &late, HP_CANDIDATE_HOST, 1000 * MS);
  g_assert_true (hp_puncher_is_running (puncher));
  log = run (puncher, 1000 * MS, 1100 * MS);
  g_assert_cmpstr (log, ==, "1000 1/0 1033 1/0 1066 1/0 ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/puncher/schedule", test_schedule);
  g_test_add_func ("/puncher/openers", test_openers);
  g_test_add_func ("/puncher/no-burst", test_no_burst_after_a_pause);
  g_test_add_func ("/puncher/heard", test_heard);
  g_test_add_func ("/puncher/peer-reflexive-bound",
                   test_peer_reflexive_bound);
  g_test_add_func ("/puncher/budget", test_budget);
  g_test_add_func ("/puncher/unpunchable", test_unpunchable);
  g_test_add_func ("/puncher/late", test_late);
  return g_test_run ();
}
