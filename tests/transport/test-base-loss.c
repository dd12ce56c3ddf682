/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-base-loss.h"

typedef struct
{
  HpBaseLoss base;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  hp_base_loss_init (&self->base);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
}

static void
assert_base (Fixture *self, double expected)
{
  g_assert_cmpfloat_with_epsilon (hp_base_loss_get (&self->base), expected,
                                  1e-9);
}

/* Nothing is taken to be the path's before there is a sample. */
static void
test_first (Fixture *self, gconstpointer data)
{
  assert_base (self, 0);
  hp_base_loss_add (&self->base, 90, 10);
  assert_base (self, 0);
  hp_base_loss_add (&self->base, 98, 2);
  assert_base (self, 0.06);
}

/* The least of this cycle and the last */
static void
test_least (Fixture *self, gconstpointer data)
{
  hp_base_loss_add (&self->base, 950, 50);
  hp_base_loss_add (&self->base, 990, 10);
  hp_base_loss_add (&self->base, 930, 70);
  assert_base (self, 0.01);
  hp_base_loss_advance (&self->base);
  hp_base_loss_add (&self->base, 970, 30);
  assert_base (self, 0.01);
  hp_base_loss_advance (&self->base);
  assert_base (self, 0.03);
  hp_base_loss_add (&self->base, 1000, 0);
  assert_base (self, 0);
}

/* A sample of many small rounds; a cycle without one keeps the last, for a
 * while. */
static void
test_slow (Fixture *self, gconstpointer data)
{
  hp_base_loss_add (&self->base, 196, 4);
  for (guint i = 0; i < 8; i++)
    {
      hp_base_loss_advance (&self->base);
      hp_base_loss_add (&self->base, 90, 10);
      assert_base (self, 0.02);
    }
  hp_base_loss_advance (&self->base);
  hp_base_loss_add (&self->base, 180, 20);
  hp_base_loss_advance (&self->base);
  assert_base (self, HP_BASE_LOSS_MAX);
  for (guint i = 0; i < 20; i++)
    hp_base_loss_advance (&self->base);
  assert_base (self, 0);
}

static void
test_bound (Fixture *self, gconstpointer data)
{
  hp_base_loss_add (&self->base, 500, 500);
  assert_base (self, HP_BASE_LOSS_MAX);
  g_assert_true (
      hp_base_loss_is_exceeded (&self->base, 1000, 200, 0.02));
  g_assert_true (hp_base_loss_is_hopeless (1000, 200, 0.02));
  g_assert_false (hp_base_loss_is_hopeless (1000, 100, 0.02));
}

static void
test_exceeded (Fixture *self, gconstpointer data)
{
  /* As the draft has it, while no base is known */
  g_assert_false (hp_base_loss_is_exceeded (&self->base, 1000, 20, 0.02));
  g_assert_true (hp_base_loss_is_exceeded (&self->base, 1000, 21, 0.02));
  g_assert_true (hp_base_loss_is_exceeded (&self->base, 1000, 1, 0));
  g_assert_false (hp_base_loss_is_exceeded (&self->base, 1000, 0, 0));
  /* 50 of a thousand by itself, by chance up to 21 more */
  hp_base_loss_add (&self->base, 950, 50);
  g_assert_false (hp_base_loss_is_exceeded (&self->base, 1000, 71, 0));
  g_assert_true (hp_base_loss_is_exceeded (&self->base, 1000, 72, 0));
  g_assert_false (hp_base_loss_is_exceeded (&self->base, 1000, 91, 0.02));
  g_assert_true (hp_base_loss_is_exceeded (&self->base, 1000, 92, 0.02));
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/base-loss/" name, Fixture, NULL, set_up, function,  \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("first", test_first);
  ADD ("least", test_least);
  ADD ("slow", test_slow);
  ADD ("bound", test_bound);
  ADD ("exceeded", test_exceeded);
  return g_test_run ();
}
