/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-interfaces.h"

static void
test_list (void)
{
  HpAddress addresses[16];
  guint n = hp_interfaces_list (addresses, G_N_ELEMENTS (addresses), 4222,
                                TRUE);

  g_assert_cmpuint (n, <=, G_N_ELEMENTS (addresses));
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpuint (addresses[i].port, ==, 4222);
      g_assert_true (hp_address_is_usable (addresses + i));
      g_assert_cmpint (hp_address_get_scope (addresses + i), !=,
                       HP_SCOPE_LOOPBACK);
      g_assert_cmpint (hp_address_get_scope (addresses + i), !=,
                       HP_SCOPE_LINK);
      for (guint k = 0; k < i; k++)
        g_assert_false (hp_address_equal (addresses + i, addresses + k));
    }
}

static void
test_bounds (void)
{
  HpAddress all[64];
  HpAddress one[2] = { 0 };
  guint n = hp_interfaces_list (all, G_N_ELEMENTS (all), 1, TRUE);
  guint n_ipv4 = hp_interfaces_list (all, G_N_ELEMENTS (all), 1, FALSE);

  g_assert_cmpuint (n_ipv4, <=, n);
  for (guint i = 0; i < n_ipv4; i++)
    g_assert_cmpuint (all[i].family, ==, HP_ADDRESS_IPV4);
  g_assert_cmpuint (hp_interfaces_list (one, 0, 1, TRUE), ==, 0);
  g_assert_cmpuint (hp_interfaces_list (one, 1, 1, TRUE), ==, MIN (n, 1));
  g_assert_cmpuint (one[1].family, ==, HP_ADDRESS_NONE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/interfaces/list", test_list);
  g_test_add_func ("/interfaces/bounds", test_bounds);
  return g_test_run ();
}
