/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-candidate.h"

#include <string.h>

static HpAddress
address (const char *text)
{
  HpAddress parsed;

  g_assert_true (hp_address_parse (&parsed, text));
  return parsed;
}

static void
offer (HpWireCandidates *list, const char *text, HpCandidateKind kind,
       const guint8 *proof)
{
  HpAddress parsed = address (text);

  g_assert_true (hp_candidates_add (list, &parsed, kind, proof));
}

static void
assert_list (const HpWireCandidates *list, const char *first, ...)
{
  const char *text;
  va_list arguments;
  guint n = 0;

  va_start (arguments, first);
  for (text = first; text != NULL; text = va_arg (arguments, const char *))
    {
      g_autofree char *found = NULL;

      g_assert_cmpuint (n, <, list->n_candidates);
      found = hp_address_to_string (&list->candidates[n].address);
      g_assert_cmpstr (found, ==, text);
      g_assert_false (list->candidates[n].has_proof);
      n++;
    }
  va_end (arguments);
  g_assert_cmpuint (list->n_candidates, ==, n);
}

/* A proof is good when it begins with the address's last byte of IPv4 */
static gboolean
check_proof (gpointer user_data, const HpAddress *for_address,
             const guint8 proof[HP_PROOF_SIZE])
{
  guint *n_checked = user_data;

  (*n_checked)++;
  return proof[0] == for_address->ip[3];
}

static void
test_add (void)
{
  HpWireCandidates list = { 0 };
  HpAddress other;
  guint i;

  for (i = 0; i < HP_MAX_CANDIDATES; i++)
    {
      g_autofree char *text = g_strdup_printf ("192.0.2.%u:5", i + 1);

      offer (&list, text, HP_CANDIDATE_HOST, NULL);
      offer (&list, text, HP_CANDIDATE_MAPPED, NULL);
      g_assert_cmpuint (list.n_candidates, ==, i + 1);
      g_assert_cmpint (list.candidates[i].kind, ==, HP_CANDIDATE_HOST);
    }

  other = address ("192.0.2.99:5");
  g_assert_false (hp_candidates_add (&list, &other, 0, NULL));
  g_assert_false (hp_candidates_contain (&list, &other));
  other = address ("192.0.2.1:5");
  g_assert_true (hp_candidates_add (&list, &other, 0, NULL));
  other = address ("192.0.2.1:6");
  g_assert_false (hp_candidates_contain (&list, &other));
}

static void
test_filter (void)
{
  HpAddress observed = address ("198.51.100.1:4000");
  guint8 good[HP_PROOF_SIZE] = { 7 };
  guint8 bad[HP_PROOF_SIZE] = { 8 };
  HpWireCandidates offered = { 0 };
  HpWireCandidates passed;
  guint n_checked = 0;

  offer (&offered, "192.168.1.4:4222", HP_CANDIDATE_HOST, NULL);
  offer (&offered, "[fd00::1]:4222", HP_CANDIDATE_HOST, NULL);
  offer (&offered, "100.64.3.4:4222", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "127.0.0.1:4222", HP_CANDIDATE_HOST, NULL);
  offer (&offered, "224.0.0.1:4222", HP_CANDIDATE_HOST, good);
  offer (&offered, "203.0.113.7:1", HP_CANDIDATE_MAPPED, good);
  offer (&offered, "203.0.113.7:2", HP_CANDIDATE_MAPPED, bad);
  offer (&offered, "203.0.113.7:3", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:0", HP_CANDIDATE_MAPPED, good);
  offer (&offered, "198.51.100.1:4000", HP_CANDIDATE_HOST, NULL);

  hp_candidates_filter (&passed, &offered, &observed, FALSE, check_proof,
                        &n_checked);
  assert_list (&passed, "198.51.100.1:4000", "203.0.113.7:1", NULL);
  g_assert_cmpint (passed.candidates[0].kind, ==,
                   HP_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_cmpint (passed.candidates[1].kind, ==, HP_CANDIDATE_MAPPED);
  g_assert_cmpuint (n_checked, ==, 2);

  hp_candidates_filter (&passed, &offered, &observed, TRUE, check_proof,
                        &n_checked);
  assert_list (&passed, "198.51.100.1:4000", "192.168.1.4:4222",
               "[fd00::1]:4222", "100.64.3.4:4222", "203.0.113.7:1", NULL);
}

/* Ports that the NAT has granted, which no proof can come from */
static void
test_filter_mapped (void)
{
  HpAddress observed = address ("203.0.113.7:4000");
  HpAddress inside = address ("192.168.1.1:4000");
  guint8 good[HP_PROOF_SIZE] = { 7 };
  HpWireCandidates offered = { 0 };
  HpWireCandidates passed;
  guint n_checked = 0;

  offer (&offered, "203.0.113.7:0", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:1", HP_CANDIDATE_HOST, NULL);
  offer (&offered, "203.0.113.7:2", HP_CANDIDATE_RELAYED, NULL);
  offer (&offered, "203.0.113.8:3", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:4", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:4000", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:5", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:6", HP_CANDIDATE_MAPPED, NULL);
  offer (&offered, "203.0.113.7:7", HP_CANDIDATE_MAPPED, good);
  offer (&offered, "192.168.1.1:8", HP_CANDIDATE_MAPPED, NULL);
  hp_candidates_filter (&passed, &offered, &observed, FALSE, check_proof,
                        &n_checked);
  assert_list (&passed, "203.0.113.7:4000", "203.0.113.7:4", "203.0.113.7:5",
               "203.0.113.7:7", NULL);
  g_assert_cmpuint (n_checked, ==, 1);
  /* A server inside of the network that it serves: the rule of private ones */
  hp_candidates_filter (&passed, &offered, &inside, FALSE, check_proof,
                        &n_checked);
  assert_list (&passed, "192.168.1.1:4000", "203.0.113.7:7", NULL);
}

/* A client that reaches the server through its relay */
static void
test_filter_relayed (void)
{
  HpAddress observed = address ("198.51.100.1:4000");
  HpWireCandidates offered = { 0 };
  HpWireCandidates passed;
  guint n_checked = 0;

  offer (&offered, "198.51.100.1:4000", HP_CANDIDATE_RELAYED, NULL);
  offer (&offered, "198.51.100.1:4001", HP_CANDIDATE_RELAYED, NULL);
  hp_candidates_filter (&passed, &offered, &observed, FALSE, check_proof,
                        &n_checked);
  assert_list (&passed, "198.51.100.1:4000", NULL);
  g_assert_cmpint (passed.candidates[0].kind, ==, HP_CANDIDATE_RELAYED);
  g_assert_cmpuint (n_checked, ==, 0);
}

static void
test_filter_bounds (void)
{
  HpAddress observed = address ("198.51.100.1:4000");
  HpWireCandidates offered = { 0 };
  HpWireCandidates passed;
  guint n_checked = 0;
  guint i;

  for (i = 0; i < HP_MAX_CANDIDATES; i++)
    {
      g_autofree char *text = g_strdup_printf ("10.0.0.%u:5", i + 1);

      offer (&offered, text, HP_CANDIDATE_HOST, NULL);
    }
  hp_candidates_filter (&passed, &offered, &observed, TRUE, check_proof,
                        &n_checked);
  g_assert_cmpuint (passed.n_candidates, ==, 1 + HP_MAX_HOST_CANDIDATES);
}

static void
test_same_network (void)
{
  HpAddress a = address ("198.51.100.1:4000");
  HpAddress b = address ("198.51.100.1:9");
  HpAddress c = address ("198.51.100.2:4000");
  HpAddress d = address ("[2001:db8:1:2::1]:4000");
  HpAddress e = address ("[2001:db8:1:2:ffff::9]:1");
  HpAddress f = address ("[2001:db8:1:3::1]:4000");
  HpAddress none = { 0 };

  g_assert_true (hp_candidates_same_network (&a, &b));
  g_assert_false (hp_candidates_same_network (&a, &c));
  g_assert_true (hp_candidates_same_network (&d, &e));
  g_assert_false (hp_candidates_same_network (&d, &f));
  g_assert_false (hp_candidates_same_network (&a, &d));
  g_assert_false (hp_candidates_same_network (&none, &none));
}

static void
test_rank (void)
{
  HpWireCandidate host = { .kind = HP_CANDIDATE_HOST };
  HpWireCandidate server = { .kind = HP_CANDIDATE_SERVER_REFLEXIVE };
  HpWireCandidate peer = { .kind = HP_CANDIDATE_PEER_REFLEXIVE };
  HpWireCandidate mapped = { .kind = HP_CANDIDATE_MAPPED };
  HpWireCandidate relayed = { .kind = HP_CANDIDATE_RELAYED };

  g_assert_cmpuint (hp_candidate_get_rank (&host), <,
                    hp_candidate_get_rank (&server));
  g_assert_cmpuint (hp_candidate_get_rank (&server), ==,
                    hp_candidate_get_rank (&peer));
  g_assert_cmpuint (hp_candidate_get_rank (&server), <,
                    hp_candidate_get_rank (&mapped));
  g_assert_cmpuint (hp_candidate_get_rank (&mapped), <,
                    hp_candidate_get_rank (&relayed));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/candidate/add", test_add);
  g_test_add_func ("/candidate/filter", test_filter);
  g_test_add_func ("/candidate/filter-mapped", test_filter_mapped);
  g_test_add_func ("/candidate/filter-relayed", test_filter_relayed);
  g_test_add_func ("/candidate/filter-bounds", test_filter_bounds);
  g_test_add_func ("/candidate/same-network", test_same_network);
  g_test_add_func ("/candidate/rank", test_rank);
  return g_test_run ();
}
