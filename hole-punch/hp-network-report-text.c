/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-network-report-private.h"

#include <string.h>

static void
append_list (GString *text, const char *name, char **values)
{
  g_autofree char *joined = g_strjoinv (", ", values);

  g_string_append_printf (text, "%s: %s\n", name,
                          *joined != '\0' ? joined : "none known");
}

/* Its ports were those of the check, and are nobody's any more */
static void
append_nat (GString *text, HpNatInfo *nat)
{
  g_autofree char *lines = nat != NULL ? hp_nat_info_to_string (nat) : NULL;
  char *public_address;

  if (lines == NULL)
    {
      g_string_append (text, "NAT: not known\n");
      return;
    }
  public_address = strstr (lines, "Public address: ");
  if (public_address != NULL)
    *public_address = '\0';
  g_string_append (text, lines);
}

static void
append_port_mapping (GString *text, HpNetworkReport *self)
{
  g_autofree char *address = NULL;

  if (self->mapped_address != NULL)
    address = g_socket_connectable_to_string (
        G_SOCKET_CONNECTABLE (self->mapped_address));
  if (self->port_mapping == NULL)
    g_string_append (text, "Port mapping: none\n");
  else
    g_string_append_printf (text, "Port mapping: %s, %s\n",
                            self->port_mapping,
                            address != NULL ? address
                                            : "but behind a further NAT");
}

static void
append_servers (GString *text, GListStore *servers)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (servers));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (HpServerReport)
          server = g_list_model_get_item (G_LIST_MODEL (servers), i);
      g_autofree char *line = hp_server_report_to_string (server);

      g_string_append_printf (text, "%s\n", line);
    }
}

/**
 * hp_network_report_to_string:
 * @self: a #HpNetworkReport
 *
 * Writes the report down for people: the summary, then a line for each fact. It
 * contains neither passwords nor keys. Programs should read the properties.
 *
 * Returns: (transfer full): a text of several lines
 *
 * Since: 1.0
 */
char *
hp_network_report_to_string (HpNetworkReport *self)
{
  GString *text;

  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  text = g_string_new (NULL);
  g_string_append_printf (text, "%s\n\nUDP: %s\n", self->summary,
                          self->udp_passes    ? "passes"
                          : self->udp_blocked ? "nobody answers"
                                              : "not known");
  append_list (text, "Public addresses", self->public_addresses);
  append_list (text, "Local addresses", self->local_addresses);
  g_string_append_printf (text, "IPv6: %s\n", self->has_ipv6 ? "yes" : "no");
  append_nat (text, self->nat);
  append_port_mapping (text, self);
  append_servers (text, self->match_servers);
  append_servers (text, self->stun_servers);
  append_servers (text, self->relays);
  for (guint i = 0; self->attempts[i] != NULL; i++)
    g_string_append_printf (text, "Tried: %s\n", self->attempts[i]);
  return g_string_free (text, FALSE);
}
