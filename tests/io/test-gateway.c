/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-gateway.h"

#include <string.h>

#define HEAD                                                                   \
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t"    \
  "Window\tIRTT\n"

/* As the kernel shows addresses: in the machine's order */
static char *
line (const char *destination, const char *gateway, guint flags, guint metric,
      const char *mask)
{
  HpAddress addresses[3];
  const char *texts[] = { destination, gateway, mask };
  guint32 words[3];

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *text = g_strconcat (texts[i], ":0", NULL);

      g_assert_true (hp_address_parse (&addresses[i], text));
      memcpy (&words[i], addresses[i].ip, 4);
    }
  return g_strdup_printf ("eth0\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0\n",
                          words[0], words[1], flags, metric, words[2]);
}

static void
test_parse (void)
{
  g_autofree char *own = line ("10.1.0.0", "0.0.0.0", 1, 0, "255.255.255.0");
  g_autofree char *other = line ("10.0.0.0", "10.1.0.9", 3, 0, "255.0.0.0");
  /* A tunnel's: everything goes there, and no router is there to be asked */
  g_autofree char *tunnel = line ("0.0.0.0", "0.0.0.0", 1, 0, "0.0.0.0");
  g_autofree char *down = line ("0.0.0.0", "10.1.0.7", 2, 1, "0.0.0.0");
  g_autofree char *second = line ("0.0.0.0", "10.2.0.1", 3, 600, "0.0.0.0");
  g_autofree char *first = line ("0.0.0.0", "10.1.0.1", 3, 100, "0.0.0.0");
  g_autofree char *third = line ("0.0.0.0", "10.3.0.1", 3, 700, "0.0.0.0");
  g_autofree char *none = g_strconcat (HEAD, own, other, tunnel, down, NULL);
  g_autofree char *all
      = g_strconcat (HEAD, own, other, tunnel, down, second, first, third,
                     "nonsense\n", NULL);
  g_autofree char *text = NULL;
  HpAddress gateway;

  g_assert_false (hp_gateway_parse (&gateway, ""));
  g_assert_false (hp_gateway_parse (&gateway, none));
  g_assert_true (hp_gateway_parse (&gateway, all));
  text = hp_address_to_string (&gateway);
  g_assert_cmpstr (text, ==, "10.1.0.1");
  g_assert_cmpuint (gateway.port, ==, 0);
}

/* What ip(8) would say */
static void
test_find (void)
{
  g_autofree char *routes = NULL;
  HpAddress gateway;
  HpAddress parsed;

  g_assert_true (
      g_file_get_contents ("/proc/self/net/route", &routes, NULL, NULL));
  if (hp_gateway_parse (&parsed, routes))
    {
      g_assert_true (hp_gateway_find (&gateway));
      g_assert_true (hp_address_equal (&gateway, &parsed));
    }
  else
    {
      g_assert_false (hp_gateway_find (&gateway));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gateway/parse", test_parse);
  g_test_add_func ("/gateway/find", test_find);
  return g_test_run ();
}
