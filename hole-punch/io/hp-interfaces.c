/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

/* Networks of containers and virtual machines: nearly never what a peer can
 * reach, and the same numbers on every machine. */
static gboolean
is_container_bridge (const char *name)
{
  static const char *const prefixes[]
      = { "docker", "br-",  "virbr", "veth", "lxc",   "lxd",
          "podman", "cni",  "vmnet", "vnet", "vbox",  "flannel",
          "cali",   "tunl", "kube",  "incus", NULL };

  for (guint i = 0; prefixes[i] != NULL; i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return TRUE;
  return FALSE;
}

static gboolean
read_address (HpAddress *address, const struct ifaddrs *entry, guint16 port,
              gboolean with_ipv6)
{
  HpAddressScope scope;

  if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_UP) == 0
      || (entry->ifa_flags & IFF_RUNNING) == 0
      || (entry->ifa_flags & IFF_LOOPBACK) != 0)
    return FALSE;
  if (entry->ifa_addr->sa_family == AF_INET)
    {
      if (!hp_address_from_native (address, entry->ifa_addr,
                                   sizeof (struct sockaddr_in)))
        return FALSE;
    }
  else if (entry->ifa_addr->sa_family == AF_INET6 && with_ipv6)
    {
      if (!hp_address_from_native (address, entry->ifa_addr,
                                   sizeof (struct sockaddr_in6)))
        return FALSE;
    }
  else
    {
      return FALSE;
    }
  address->port = port;
  scope = hp_address_get_scope (address);
  return scope != HP_SCOPE_LOOPBACK && scope != HP_SCOPE_LINK
         && scope != HP_SCOPE_INVALID;
}

static gboolean
is_listed (const HpAddress *addresses, guint n, const HpAddress *address)
{
  for (guint i = 0; i < n; i++)
    if (hp_address_equal (addresses + i, address))
      return TRUE;
  return FALSE;
}

guint
hp_interfaces_list (HpAddress *addresses, guint most, guint16 port,
                    gboolean with_ipv6)
{
  struct ifaddrs *entries = NULL;
  guint n = 0;

  if (getifaddrs (&entries) != 0)
    return 0;
  for (guint bridges = 0; bridges <= 1; bridges++)
    for (struct ifaddrs *entry = entries; entry != NULL && n < most;
         entry = entry->ifa_next)
      {
        HpAddress address;

        if (is_container_bridge (entry->ifa_name) == (bridges == 1)
            && read_address (&address, entry, port, with_ipv6)
            && !is_listed (addresses, n, &address))
          addresses[n++] = address;
      }
  freeifaddrs (entries);
  return n;
}
