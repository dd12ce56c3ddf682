/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-nat-budget.h"

static void
test_take (void)
{
  HpNatBudget budget;

  hp_nat_budget_init (&budget, 10, 1000);
  g_assert_true (hp_nat_budget_take (&budget, 4, 1000));
  g_assert_false (hp_nat_budget_take (&budget, 7, 1000));
  g_assert_true (hp_nat_budget_take (&budget, 6, 1000));
  g_assert_false (hp_nat_budget_take (&budget, 1, 1000));
}

static void
test_refill (void)
{
  HpNatBudget budget;
  gint64 now = 5;
  gint64 one = HP_NAT_BUDGET_REFILL / 10;

  hp_nat_budget_init (&budget, 10, now);
  g_assert_true (hp_nat_budget_take (&budget, 10, now));
  g_assert_false (hp_nat_budget_take (&budget, 1, now + one - 10));
  g_assert_true (hp_nat_budget_take (&budget, 1, now + one + 10));
  g_assert_false (hp_nat_budget_take (&budget, 1, now + one + 10));

  /* Never more than full, and a clock that stands still gives nothing */
  now += 10 * HP_NAT_BUDGET_REFILL;
  g_assert_true (hp_nat_budget_take (&budget, 10, now));
  g_assert_false (hp_nat_budget_take (&budget, 1, now));
  g_assert_false (hp_nat_budget_take (&budget, 1, now - one));
}

static void
test_set_maximum (void)
{
  HpNatBudget budget;

  hp_nat_budget_init (&budget, 10, 0);
  g_assert_true (hp_nat_budget_take (&budget, 8, 0));
  hp_nat_budget_set_maximum (&budget, 12, 0);
  g_assert_true (hp_nat_budget_take (&budget, 4, 0));
  g_assert_false (hp_nat_budget_take (&budget, 1, 0));
  hp_nat_budget_set_maximum (&budget, 2, 0);
  g_assert_false (hp_nat_budget_take (&budget, 1, 0));
  g_assert_true (hp_nat_budget_take (&budget, 2, HP_NAT_BUDGET_REFILL));
  hp_nat_budget_set_maximum (&budget, 0, HP_NAT_BUDGET_REFILL);
  g_assert_false (hp_nat_budget_take (&budget, 1, 3 * HP_NAT_BUDGET_REFILL));
}

static void
test_many (void)
{
  HpNatBudget budget;
  gint64 one = HP_NAT_BUDGET_REFILL / 100;
  guint reserve = HP_NAT_BUDGET_RESERVE;

  hp_nat_budget_init (&budget, 100 + reserve, 0);
  g_assert_cmpuint (hp_nat_budget_take_some (&budget, 80, 60, 0), ==, 80);
  g_assert_cmpuint (hp_nat_budget_take_some (&budget, 80, 21, 0), ==, 0);
  g_assert_cmpuint (hp_nat_budget_take_some (&budget, 80, 20, 0), ==, 20);
  g_assert_cmpuint (hp_nat_budget_take_some (&budget, 1, 1, 0), ==, 0);
  g_assert_true (hp_nat_budget_take (&budget, reserve, 0));
  /* While they are being made nothing comes again, but what was not made */
  g_assert_false (hp_nat_budget_take (&budget, 1, HP_NAT_BUDGET_HOLD));
  hp_nat_budget_give_back (&budget, 7);
  g_assert_true (hp_nat_budget_take (&budget, 7, HP_NAT_BUDGET_HOLD));
  g_assert_true (
      hp_nat_budget_take (&budget, 1, HP_NAT_BUDGET_HOLD + one + 10));
  hp_nat_budget_give_back (&budget, 500);
  g_assert_false (hp_nat_budget_take (&budget, 109, HP_NAT_BUDGET_HOLD));
}

/* Nobody else wants any: all of it. Then no more than half, until both are full
 * again. */
static void
test_share (void)
{
  const guint half = 50, all = 100 - HP_NAT_BUDGET_RESERVE;
  HpNatBudget whole, share;
  gint64 now = 1;

  hp_nat_budget_init (&whole, 100, now);
  hp_nat_budget_init_share (&share, &whole, now);
  g_assert_cmpuint (hp_nat_budget_take_some (&share, 1000, 1, now), ==, all);
  g_assert_cmpuint (hp_nat_budget_take_some (&whole, 1000, 1, now), ==, 0);
  hp_nat_budget_give_back (&share, all);

  /* A claim that was in vain is one, too */
  g_assert_cmpuint (hp_nat_budget_take_some (&share, 1000, 1, now), ==, half);
  g_assert_false (hp_nat_budget_take (&share, 1, now));
  g_assert_cmpuint (hp_nat_budget_take_some (&whole, 1000, 1, now), ==,
                    all - half);
  g_assert_true (hp_nat_budget_take (&whole, 1, now));
  hp_nat_budget_give_back (&share, half);
  g_assert_true (hp_nat_budget_take (&share, half, now));
  g_assert_false (hp_nat_budget_take (&share, 1, now));

  now += HP_NAT_BUDGET_HOLD + 2 * HP_NAT_BUDGET_REFILL;
  g_assert_cmpuint (hp_nat_budget_take_some (&share, 1000, 1, now), ==, all);
}

/* Who had more than half pays for it when somebody else comes */
static void
test_share_owes (void)
{
  HpNatBudget whole, share;
  gint64 now = 1;

  hp_nat_budget_init (&whole, 100, now);
  hp_nat_budget_init_share (&share, &whole, now);
  g_assert_cmpuint (hp_nat_budget_take_some (&share, 90, 1, now), ==, 90);
  g_assert_cmpuint (hp_nat_budget_take_some (&whole, 50, 50, now), ==, 0);
  now += HP_NAT_BUDGET_HOLD + HP_NAT_BUDGET_REFILL / 2;
  g_assert_false (hp_nat_budget_take (&share, 1, now));
  g_assert_cmpuint (hp_nat_budget_take_some (&whole, 50, 50, now), ==, 50);
}

static void
test_share_follows_maximum (void)
{
  HpNatBudget whole, share;

  hp_nat_budget_init (&whole, 100, 1);
  hp_nat_budget_init_share (&share, &whole, 1);
  hp_nat_budget_set_maximum (&whole, 40, 1);
  g_assert_cmpuint (hp_nat_budget_take_some (&whole, 1, 1, 1), ==, 1);
  g_assert_true (hp_nat_budget_take (&share, 20, 2));
  g_assert_false (hp_nat_budget_take (&share, 1, 2));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nat-budget/take", test_take);
  g_test_add_func ("/nat-budget/refill", test_refill);
  g_test_add_func ("/nat-budget/set-maximum", test_set_maximum);
  g_test_add_func ("/nat-budget/many", test_many);
  g_test_add_func ("/nat-budget/share", test_share);
  g_test_add_func ("/nat-budget/share-owes", test_share_owes);
  g_test_add_func ("/nat-budget/share-follows-maximum",
                   test_share_follows_maximum);
  return g_test_run ();
}
