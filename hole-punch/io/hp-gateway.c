/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-gateway.h"

#include <net/route.h>
#include <stdio.h>
#include <string.h>

/* The thread's: each may be in a network namespace of its own */
#define ROUTES "/proc/thread-self/net/route"

/* Addresses are shown as the integers that they are in memory: network order */
static gboolean
read_default_route (const char *line, HpAddress *gateway, guint *metric)
{
  guint32 destination;
  guint32 router;
  guint32 mask;
  guint flags;

  if (sscanf (line, "%*s %" G_GINT32_MODIFIER "x %" G_GINT32_MODIFIER
                    "x %x %*d %*d %u %" G_GINT32_MODIFIER "x",
              &destination, &router, &flags, metric, &mask)
          != 5
      || destination != 0 || mask != 0
      || (flags & (RTF_UP | RTF_GATEWAY)) != (RTF_UP | RTF_GATEWAY))
    return FALSE;
  memset (gateway, 0, sizeof *gateway);
  gateway->family = HP_ADDRESS_IPV4;
  memcpy (gateway->ip, &router, sizeof router);
  return TRUE;
}

gboolean
hp_gateway_parse (HpAddress *gateway, const char *routes)
{
  g_auto (GStrv) lines = g_strsplit (routes, "\n", -1);
  gboolean is_found = FALSE;
  guint least = G_MAXUINT;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      HpAddress candidate;
      guint metric;

      if (!read_default_route (lines[i], &candidate, &metric)
          || (is_found && metric >= least))
        continue;
      *gateway = candidate;
      least = metric;
      is_found = TRUE;
    }
  return is_found;
}

gboolean
hp_gateway_find (HpAddress *gateway)
{
  g_autofree char *routes = NULL;

  return g_file_get_contents (ROUTES, &routes, NULL, NULL)
         && hp_gateway_parse (gateway, routes);
}
