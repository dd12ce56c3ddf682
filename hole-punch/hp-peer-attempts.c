/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A call that found no path, in sentences. */

#include "hole-punch/hp-peer-report-private.h"

#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/io/hp-clock.h"

static void G_GNUC_PRINTF (2, 3)
add (GPtrArray *attempts, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (attempts, g_strdup_vprintf (format, args));
  va_end (args);
}

void
hp_peer_attempts_add_servers (HpPeer *peer, GPtrArray *attempts)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];
      const char *problem = match->error != NULL       ? match->error->message
                            : match->n_addresses == 0
                                ? "its name is not resolved"
                                : "it does not answer";

      if (!hp_match_client_is_connected (match->client))
        add (attempts, "Match server %s: %s", match->name->host, problem);
    }
}

static void
add_addresses (HpPeerCall *call, GPtrArray *attempts)
{
  g_autoptr (GString) text = g_string_new (NULL);
  HpIntroduction introduction;

  hp_peer_links_convert (&introduction, &call->introduction, TRUE);
  for (guint i = 0; i < introduction.candidates.n_candidates; i++)
    {
      const HpWireCandidate *candidate
          = &introduction.candidates.candidates[i];
      g_autofree char *address = hp_address_to_string (&candidate->address);

      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", address);
    }
  add (attempts, "Addresses tried: %s", text->str);
}

/* The ladder's lines, each to begin with a capital */
static void
add_rungs (HpPeerCall *call, GPtrArray *attempts)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (call->connection != NULL)
    text = hp_connection_describe_attempts (call->connection);
  if (text == NULL)
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      add (attempts, "%c%s", g_ascii_toupper (*lines[i]), lines[i] + 1);
}

static void
add_relay (HpPeer *peer, GPtrArray *attempts)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  const HpRelay *relay = hp_peer_relay_get_ready (peer);
  const GError *error = hp_peer_relay_get_error (peer);
  g_autoptr (GPtrArray) servers = hp_peer_relay_list_servers (peer);

  if (priv->relay_policy == HP_RELAY_POLICY_DIRECT_ONLY)
    {
      add (attempts, "No relay: relays are not allowed");
    }
  else if (relay != NULL)
    {
      g_autofree char *name
          = hp_peer_report_name_relay (hp_relay_get_server (relay));

      add (attempts, "Relay %s: nothing was answered", name);
    }
  else if (error != NULL)
    {
      add (attempts, "No relay: %s", error->message);
    }
  else
    {
      add (attempts, "No relay: %s",
           servers->len > 0 ? "none has answered" : "none is known");
    }
}

static const char *
describe_allocation (const HpNatFacts *facts)
{
  switch ((HpWireAllocation) facts->allocation)
    {
    case HP_WIRE_ALLOCATION_SEQUENTIAL:
      return ", in sequence";
    case HP_WIRE_ALLOCATION_BLOCK:
      return ", out of a block";
    case HP_WIRE_ALLOCATION_RANDOM:
      return ", at random";
    case HP_WIRE_ALLOCATION_UNKNOWN:
    case HP_WIRE_ALLOCATION_PRESERVED:
      break;
    }
  return "";
}

static char *
describe_nat (const HpNatFacts *facts)
{
  switch ((HpWireMapping) facts->mapping)
    {
    case HP_WIRE_MAPPING_UNKNOWN:
      break;
    case HP_WIRE_MAPPING_NONE:
      return g_strdup ("none");
    case HP_WIRE_MAPPING_PORT_INDEPENDENT:
    case HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT:
      return g_strdup ("one port for everybody");
    case HP_WIRE_MAPPING_ADDRESS_DEPENDENT:
      return g_strconcat ("another port for each host",
                          describe_allocation (facts), NULL);
    case HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT:
      return g_strconcat ("another port for each host and port",
                          describe_allocation (facts), NULL);
    }
  return g_strdup ("not known");
}

static void
add_nats (HpPeerCall *call, GPtrArray *attempts)
{
  g_autofree char *here = NULL;
  g_autofree char *there = NULL;
  HpNatFacts facts;

  (void) hp_peer_nat_get_facts (call->peer, &facts, hp_clock_now ());
  here = describe_nat (&facts);
  there = describe_nat (&call->introduction.nat);
  add (attempts, "NAT here: %s; there: %s", here, there);
}

GPtrArray *
hp_peer_call_list_attempts (HpPeerCall *call)
{
  GPtrArray *attempts = g_ptr_array_new_with_free_func (g_free);

  if (call->is_direct)
    {
      g_autofree char *address = hp_address_to_string (&call->address);

      add (attempts, "%s: nothing was answered", address);
    }
  else if (call->answered.match != NULL)
    {
      add_addresses (call, attempts);
      add_rungs (call, attempts);
      add_relay (call->peer, attempts);
      add_nats (call, attempts);
    }
  else
    {
      hp_peer_attempts_add_servers (call->peer, attempts);
      if (attempts->len > 0)
        add_relay (call->peer, attempts);
    }
  return attempts;
}
