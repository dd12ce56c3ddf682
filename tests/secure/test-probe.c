/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-handshake.h"

static void
test_roles (void)
{
  const guint8 secret[32] = "a ticket's secret";
  HpTicket ticket, other;
  guint8 bytes[HP_PROBE_SIZE];
  HpProbe probe;

  hp_ticket_init (&ticket, 0x1122334455667788, secret, sizeof secret);
  for (guint from = 0; from < 2; from++)
    {
      g_assert_cmpuint (hp_probe_write (&ticket, from, bytes, sizeof bytes),
                        ==, HP_PROBE_SIZE);
      g_assert_true (hp_packet_parse_probe (&probe, bytes, sizeof bytes));
      g_assert_cmpuint (probe.ticket_number, ==, ticket.number);
      g_assert_true (hp_probe_check (&probe, bytes, &ticket, from));
      /* Thrown back at its sender it proves nothing. */
      g_assert_false (hp_probe_check (&probe, bytes, &ticket, !from));
      other = ticket;
      other.secret[0] ^= 1;
      g_assert_false (hp_probe_check (&probe, bytes, &other, from));
      other = ticket;
      other.number ^= 1;
      g_assert_false (hp_probe_check (&probe, bytes, &other, from));
      for (gsize bit = 0; bit < 8 * sizeof bytes; bit++)
        {
          bytes[bit / 8] ^= 1 << bit % 8;
          g_assert_false (hp_packet_parse_probe (&probe, bytes, sizeof bytes)
                          && hp_probe_check (&probe, bytes, &ticket, from));
          bytes[bit / 8] ^= 1 << bit % 8;
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/probe/roles", test_roles);
  return g_test_run ();
}
