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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nat-budget/take", test_take);
  g_test_add_func ("/nat-budget/refill", test_refill);
  g_test_add_func ("/nat-budget/set-maximum", test_set_maximum);
  return g_test_run ();
}
