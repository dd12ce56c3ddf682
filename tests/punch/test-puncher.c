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

/* Only checks: nothing is known of NATs */
static void
start (HpPuncher *puncher, const HpWireCandidates *candidates,
       gboolean openers, gint64 start_at, gint64 now)
{
  HpPunchPlan plan = {
    .candidates = *candidates,
    .openers = openers,
    .start_at = start_at,
    .round_trip = -1,
  };

  hp_puncher_start (puncher, &plan, now);
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

  start (puncher, &candidates, TRUE, 100 * MS, 0);
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

  start (puncher, &candidates, TRUE, 10 * MS, 0);
  log = run (puncher, 0, 110 * MS);
  g_assert_cmpstr (log, ==, "0 1/2 10 1/0 43 1/0 76 1/0 110 3/0 ");
  g_free (log);

  start (puncher, &candidates, TRUE, 50 * MS, 50 * MS);
  log = run (puncher, 50 * MS, 60 * MS);
  g_assert_cmpstr (log, ==, "50 1/0 ");
  g_free (log);

  start (puncher, &candidates, FALSE, 90 * MS, 60 * MS);
  log = run (puncher, 60 * MS, 90 * MS);
  g_assert_cmpstr (log, ==, "90 1/0 ");
  g_free (log);
}

static void
test_no_burst_after_a_pause (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  g_autofree char *log = NULL;

  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  start (puncher, &candidates, TRUE, 0, 0);
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
  start (puncher, &candidates, FALSE, 0, 0);
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

  start (puncher, &candidates, TRUE, 0, 0);
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
  start (puncher, &candidates, FALSE, 0, 0);
  hp_puncher_add (puncher, &reflexive, HP_CANDIDATE_PEER_REFLEXIVE, 0);
  log = run (puncher, 0, 40 * MS);
  g_assert_cmpstr (log, ==,
                   "0 1/0 0 9/0 0 2/0 33 1/0 33 9/0 33 2/0 ");
  g_free (log);

  /* A round over the same addresses costs nothing more */
  start (puncher, &candidates, FALSE, 50 * MS, 50 * MS);
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
  start (puncher, &candidates, TRUE, 0, 0);
  g_assert_false (hp_puncher_next (puncher, 0, &punch));
  hp_puncher_stop (puncher);
  g_assert_cmpint (hp_puncher_get_deadline (puncher), ==, G_MAXINT64);

  candidates.candidates[2].address.scope_id = 3;
  start (puncher, &candidates, TRUE, 0, 0);
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

/* "ms socket>last byte " each */
static char *
run_sockets (HpPuncher *puncher, gint64 from, gint64 until)
{
  GString *log = g_string_new (NULL);
  gint64 now;

  for (now = from; now <= until; now = hp_puncher_get_deadline (puncher))
    {
      HpPunch punch;

      while (hp_puncher_next (puncher, now, &punch))
        {
          g_assert_cmpint (punch.kind == HP_CANDIDATE_RELAYED, ==,
                           punch.route.socket == 7
                               || punch.route.remote.ip[3] == 3);
          g_string_append_printf (log, "%" G_GINT64_FORMAT " %u>%u ",
                                  now / MS, punch.route.socket,
                                  punch.route.remote.ip[3]);
        }
    }
  return g_string_free (log, FALSE);
}

/* What goes through a relay, ours or theirs, comes a little later, without
 * private addresses and for nothing, unless it has to be paid */
static void
test_relay (void)
{
  HpNatBudget budget;
  g_autoptr (HpPuncher) puncher = hp_puncher_new (&budget);
  HpWireCandidates candidates = { 0 };
  HpRoute trickled = route ("192.0.2.4:5");
  HpRoute relayed = { .socket = 7 };
  char *log;

  hp_nat_budget_init (&budget, 3, 0);
  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  offer (&candidates, "10.0.0.2:5", HP_CANDIDATE_HOST);
  offer (&candidates, "192.0.2.3:5", HP_CANDIDATE_RELAYED);
  start (puncher, &candidates, FALSE, 10 * MS, 0);
  hp_puncher_add_relay (puncher, 7, 0);
  hp_puncher_add_relay (puncher, 7, 0);
  log = run_sockets (puncher, 0, 120 * MS);
  g_assert_cmpstr (log, ==,
                   "10 0>2 10 0>1 43 0>2 43 0>1 76 0>2 76 0>1 "
                   "110 0>3 110 7>1 110 7>3 ");
  g_free (log);

  /* The budget is spent: by the relay it goes all the same */
  hp_puncher_add (puncher, &trickled, HP_CANDIDATE_SERVER_REFLEXIVE,
                  125 * MS);
  log = run_sockets (puncher, 125 * MS, 125 * MS);
  g_assert_cmpstr (log, ==, "125 7>4 ");
  g_free (log);

  /* A path through it ends nothing */
  relayed.remote = candidates.candidates[0].address;
  hp_puncher_remove (puncher, &relayed);
  log = run_sockets (puncher, 143 * MS, 143 * MS);
  g_assert_cmpstr (log, ==, "143 0>2 143 0>1 143 0>3 143 7>3 ");
  g_free (log);

  hp_puncher_remove_relay (puncher, 7);
  log = run_sockets (puncher, 176 * MS, 176 * MS);
  g_assert_null (strstr (log, "7>"));
  g_free (log);
}

static HpPunchOutcome
get_outcome (const HpPuncher *puncher)
{
  guint n;
  const HpPunchAttempt *attempts = hp_puncher_get_attempts (puncher, &n);

  g_assert_cmpuint (n, >, 0);
  return attempts[n - 1].outcome;
}

/* Their relay is heard before they have told of it: the ladder goes on, until
 * something answers from a host that is theirs */
static void
test_relay_untold (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpWireCandidates candidates = { 0 };
  HpRoute untold = route ("192.0.2.3:5");
  HpRoute other_port = route ("192.0.2.1:6");
  char *log;

  offer (&candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  start (puncher, &candidates, FALSE, 10 * MS, 0);
  log = run_sockets (puncher, 0, 20 * MS);
  g_free (log);
  hp_puncher_add (puncher, &untold, HP_CANDIDATE_PEER_REFLEXIVE, 20 * MS);
  hp_puncher_add (puncher, &other_port, HP_CANDIDATE_PEER_REFLEXIVE, 20 * MS);
  g_assert_true (hp_puncher_may_be_relayed (puncher, &untold));
  g_assert_false (hp_puncher_may_be_relayed (puncher, &other_port));

  hp_puncher_remove (puncher, &untold);
  g_assert_cmpint (get_outcome (puncher), ==, HP_PUNCH_ONGOING);
  hp_puncher_remove (puncher, &other_port);
  g_assert_cmpint (get_outcome (puncher), ==, HP_PUNCH_SUCCEEDED);
}

/* There is nothing that the relay could wait for: no other way of theirs, or
 * none of ours */
static void
test_relay_at_once (void)
{
  g_autoptr (HpPuncher) theirs = hp_puncher_new (NULL);
  g_autoptr (HpPuncher) ours = hp_puncher_new (NULL);
  HpPunchPlan plan = { .by_relay = TRUE, .start_at = 10 * MS,
                       .round_trip = -1 };
  HpWireCandidates relayed = { 0 };
  char *log;

  offer (&relayed, "192.0.2.3:5", HP_CANDIDATE_RELAYED);
  start (theirs, &relayed, FALSE, 10 * MS, 0);
  log = run_sockets (theirs, 0, 42 * MS);
  g_assert_cmpstr (log, ==, "10 0>3 ");
  g_free (log);

  offer (&plan.candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  hp_puncher_start (ours, &plan, 0);
  hp_puncher_add_relay (ours, 7, 0);
  log = run_sockets (ours, 0, 42 * MS);
  g_assert_cmpstr (log, ==, "10 0>1 10 7>1 ");
  g_free (log);
}

/* Nobody is told our addresses: nothing leaves but through the relay, not even
 * an answer */
static void
test_relay_only (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpPunchPlan plan = {
    .openers = TRUE, .relay_only = TRUE, .start_at = 10 * MS,
    .may_spray = TRUE, .round_trip = -1,
  };
  HpRoute heard = route ("192.0.2.9:5");
  g_autofree char *log = NULL;

  plan.local.mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
  offer (&plan.candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  plan.observed = plan.candidates.candidates[0].address;
  hp_puncher_start (puncher, &plan, 0);
  hp_puncher_add_relay (puncher, 7, 0);
  g_assert_cmpuint (hp_puncher_get_wanted_sockets (puncher), ==, 0);
  hp_puncher_add (puncher, &heard, HP_CANDIDATE_PEER_REFLEXIVE, 5 * MS);
  heard.socket = 7;
  hp_puncher_add (puncher, &heard, HP_CANDIDATE_PEER_REFLEXIVE, 20 * MS);
  log = run_sockets (puncher, 20 * MS, 60 * MS);
  g_assert_cmpstr (log, ==, "20 7>1 20 7>9 43 7>1 53 7>9 ");
}

static HpPunchPlan
plan_birthday (void)
{
  HpPunchPlan plan = { .may_spray = TRUE, .round_trip = -1 };

  offer (&plan.candidates, "192.0.2.1:5", HP_CANDIDATE_SERVER_REFLEXIVE);
  plan.observed = plan.candidates.candidates[0].address;
  plan.is_caller = TRUE;
  plan.remote.mapping = HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT;
  plan.remote.filtering = HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT;
  plan.local.mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
  return plan;
}

static guint
count_surplus (HpPuncher *puncher)
{
  guint n = 0;
  guint number;

  while (hp_puncher_next_surplus (puncher, &number))
    n++;
  return n;
}

/* Sockets are asked for, used, and given back but for the one kept; a second
 * introduction of the same call changes nothing */
static void
test_sockets (void)
{
  HpNatBudget budget;
  g_autoptr (HpPuncher) puncher = hp_puncher_new (&budget);
  HpPunchPlan plan = plan_birthday ();
  g_autofree char *report = NULL;
  const HpPunchAttempt *attempts;
  guint numbers[HP_NAT_BUDGET_DEFAULT];
  guint i, n;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++)
    numbers[i] = 100 + i;
  hp_nat_budget_init (&budget, HP_NAT_BUDGET_DEFAULT, 0);
  hp_puncher_start (puncher, &plan, 0);
  n = hp_puncher_get_wanted_sockets (puncher);
  g_assert_cmpuint (n, >=, 500);
  hp_puncher_add_sockets (puncher, numbers, n, 0);
  g_assert_cmpuint (hp_puncher_get_wanted_sockets (puncher), ==, 0);
  g_free (run (puncher, 0, 99 * MS));

  hp_puncher_start (puncher, &plan, 100 * MS);
  g_assert_cmpuint (hp_puncher_get_wanted_sockets (puncher), ==, 0);
  g_assert_cmpuint (count_surplus (puncher), ==, 0);

  hp_puncher_keep_socket (puncher, 102);
  hp_puncher_remove (puncher, &(HpRoute) { .remote = plan.observed });
  attempts = hp_puncher_get_attempts (puncher, &i);
  g_assert_cmpuint (i, ==, 1);
  g_assert_cmpint (attempts[0].outcome, ==, HP_PUNCH_SUCCEEDED);
  g_assert_cmpuint (attempts[0].n_sockets, ==, n);
  g_assert_cmpuint (attempts[0].n_entries, ==, 100);
  report = hp_puncher_describe (puncher);
  g_assert_cmpstr (report, ==,
                   "birthday, from 501 sockets, odds 98 %: "
                   "a direct path was found");
  /* Others may have been hit as well */
  g_assert_cmpuint (count_surplus (puncher), ==, 0);
  hp_puncher_stop (puncher);
  g_assert_cmpuint (count_surplus (puncher), ==, n - 1);
  /* What was not sent was not spent */
  g_assert_true (hp_nat_budget_take (&budget, HP_NAT_BUDGET_DEFAULT - 101,
                                     100 * MS));

  /* Too late, so back they go */
  hp_puncher_add_sockets (puncher, numbers, 3, 100 * MS);
  g_assert_cmpuint (count_surplus (puncher), ==, 3);
}

/* Fresher facts change what is still to come, and where it aims */
static void
test_facts (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  HpPunchPlan plan = plan_birthday ();
  HpNatFacts facts = plan.local;
  const HpPunchAttempt *attempts;
  HpPunch punch;
  gint64 now = 0;
  guint n;

  /* The other way round: we aim */
  plan.local = plan.remote;
  plan.remote = facts;
  plan.may_spray = FALSE;
  hp_puncher_start (puncher, &plan, 0);
  attempts = hp_puncher_get_attempts (puncher, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpint (attempts[0].outcome, ==, HP_PUNCH_NOT_WANTED);
  hp_puncher_allow_spray (puncher, 1 * MS);
  attempts = hp_puncher_get_attempts (puncher, &n);
  g_assert_cmpint (attempts[n - 1].rung, ==, HP_RUNG_BIRTHDAY);
  g_assert_cmpint (attempts[n - 1].outcome, ==, HP_PUNCH_ONGOING);

  facts.allocation = HP_WIRE_ALLOCATION_SEQUENTIAL;
  facts.step = 1;
  facts.port = 2000;
  hp_puncher_set_facts (puncher, NULL, &facts, 2 * MS);
  facts.port = 3000;
  hp_puncher_set_facts (puncher, NULL, &facts, 3 * MS);
  attempts = hp_puncher_get_attempts (puncher, &n);
  g_assert_cmpint (attempts[n - 1].rung, ==, HP_RUNG_SEQUENTIAL);
  do
    while (!hp_puncher_next (puncher, now, &punch))
      now = hp_puncher_get_deadline (puncher);
  while (!punch.is_probe);
  g_assert_cmpint (now, <=, 200 * MS);
  g_assert_cmpuint (punch.route.socket, ==, 0);
  g_assert_cmpuint (punch.route.remote.port, >, 3000);
  g_assert_cmpuint (punch.route.remote.port, <, 3030);
}

/* Somebody who tells other facts all the time does not have us open and close
 * sockets all the time */
static void
test_fickle (void)
{
  HpNatBudget budget;
  g_autoptr (HpPuncher) puncher = hp_puncher_new (&budget);
  HpPunchPlan plan = plan_birthday ();
  HpNatFacts other = plan.remote;
  guint numbers[HP_NAT_BUDGET_DEFAULT] = { 0 };
  guint n_opened = 0;

  other.filtering = HP_WIRE_FILTERING_ADDRESS_DEPENDENT;
  hp_nat_budget_init (&budget, HP_NAT_BUDGET_DEFAULT, 0);
  hp_puncher_start (puncher, &plan, 0);
  for (guint i = 0; i < 200; i++)
    {
      guint wanted = hp_puncher_get_wanted_sockets (puncher);

      hp_puncher_add_sockets (puncher, numbers, wanted, i);
      n_opened += wanted;
      hp_puncher_set_facts (puncher, NULL, i % 2 ? &plan.remote : &other, i);
    }
  g_assert_cmpuint (n_opened, >=, 500);
  g_assert_cmpuint (n_opened, <=, 16 * HP_NAT_BUDGET_DEFAULT);
}

/* Neither multicast nor a host without a port is a peer */
static void
test_nowhere (void)
{
  g_autoptr (HpPuncher) puncher = hp_puncher_new (NULL);
  const char *const nowhere[] = { "239.1.2.3:4000", "255.255.255.255:4000",
                                  "203.0.113.5:0" };
  HpPunchPlan plan = plan_birthday ();
  const HpPunchAttempt *attempts;
  guint n;

  for (guint i = 0; i < G_N_ELEMENTS (nowhere); i++)
    {
      g_assert_true (hp_address_parse (&plan.observed, nowhere[i]));
      hp_puncher_start (puncher, &plan, i);
      g_assert_cmpuint (hp_puncher_get_wanted_sockets (puncher), ==, 0);
      attempts = hp_puncher_get_attempts (puncher, &n);
      g_assert_cmpint (attempts[n - 1].outcome, ==, HP_PUNCH_NO_ADDRESS);
    }
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
  g_test_add_func ("/puncher/relay", test_relay);
  g_test_add_func ("/puncher/relay-untold", test_relay_untold);
  g_test_add_func ("/puncher/relay-at-once", test_relay_at_once);
  g_test_add_func ("/puncher/relay-only", test_relay_only);
  g_test_add_func ("/puncher/fickle", test_fickle);
  g_test_add_func ("/puncher/nowhere", test_nowhere);
  g_test_add_func ("/puncher/sockets", test_sockets);
  g_test_add_func ("/puncher/facts", test_facts);
  return g_test_run ();
}
