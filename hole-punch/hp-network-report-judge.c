/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-network-report-private.h"

#include <string.h>

/* What the answers mean. */

typedef struct
{
  HpRelayPolicy relay_policy;
  HpNatInfo *nat;
  gboolean has_mapped_port;
  guint n_match, n_match_reachable;
  guint n_found;                /* match servers whose name is known */
  guint n_udp, n_udp_reachable; /* servers that were asked by UDP */
  guint n_relays, n_relays_reachable;
} Facts;

static void
count_server (Facts *facts, HpServerReport *server)
{
  HpServerKind kind = hp_server_report_get_kind (server);
  gboolean is_udp
      = g_strcmp0 (hp_server_report_get_transport (server), "UDP") == 0;
  gboolean is_reachable = hp_server_report_get_reachable (server);
  gboolean is_found = hp_server_report_get_address (server) != NULL;

  if (kind == HP_SERVER_KIND_MATCH)
    {
      facts->n_match++;
      facts->n_match_reachable += is_reachable;
      facts->n_found += is_found;
    }
  else if (kind == HP_SERVER_KIND_RELAY)
    {
      facts->n_relays++;
      facts->n_relays_reachable += is_reachable;
    }
  /* A name that was not resolved was not asked, nor is a match server where it
   * must not see us. One that is reached by relay was asked, too. */
  if ((kind == HP_SERVER_KIND_MATCH
           ? facts->relay_policy != HP_RELAY_POLICY_RELAY_ONLY
           : is_udp)
      && (is_reachable || is_found))
    {
      facts->n_udp++;
      facts->n_udp_reachable += is_udp && is_reachable;
    }
}

static gboolean
is_udp_blocked (const Facts *facts)
{
  return facts->n_udp > 0 && facts->n_udp_reachable == 0;
}

/* It shows the same address to everybody, as far as is known */
static gboolean
is_friendly (const Facts *facts)
{
  switch (hp_nat_info_get_mapping (facts->nat))
    {
    case HP_NAT_MAPPING_NONE:
    case HP_NAT_MAPPING_PORT_INDEPENDENT:
    case HP_NAT_MAPPING_ENDPOINT_INDEPENDENT:
      return TRUE;
    case HP_NAT_MAPPING_UNKNOWN:
    case HP_NAT_MAPPING_ADDRESS_DEPENDENT:
    case HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT:
      return facts->has_mapped_port;
    }
  return FALSE;
}

static gboolean
may_relay (const Facts *facts)
{
  return facts->relay_policy != HP_RELAY_POLICY_DIRECT_ONLY
         && facts->n_relays_reachable > 0;
}

static HpProspects
judge (const Facts *facts)
{
  if (facts->n_match > 0 && facts->n_match_reachable == 0)
    return HP_PROSPECTS_NONE;
  if (facts->relay_policy == HP_RELAY_POLICY_RELAY_ONLY
      || is_udp_blocked (facts))
    return may_relay (facts) ? HP_PROSPECTS_RELAYED : HP_PROSPECTS_NONE;
  if (facts->nat == NULL
      || (hp_nat_info_get_mapping (facts->nat) == HP_NAT_MAPPING_UNKNOWN
          && !facts->has_mapped_port))
    return HP_PROSPECTS_UNKNOWN;
  return is_friendly (facts) ? HP_PROSPECTS_ALMOST_ALL : HP_PROSPECTS_MANY;
}

static const char *
tell_none (const Facts *facts)
{
  if (is_udp_blocked (facts))
    {
      if (facts->n_relays_reachable > 0)
        return facts->relay_policy == HP_RELAY_POLICY_DIRECT_ONLY
                   ? "No connection can be made: this network lets no UDP "
                     "through, and relays are not allowed."
                   : "No connection can be made: this network lets no UDP "
                     "through, and the match server does not answer through "
                     "the relay either.";
      return "No connection can be made: nobody answers by UDP. Either this "
             "network lets no UDP through, and a TURN server that is reached "
             "by TCP or TLS would help; or the match server is down.";
    }
  if (facts->n_match > 0 && facts->n_match_reachable == 0)
    return facts->n_found == 0
               ? "No connection can be made: the match server cannot be found."
               : "No connection can be made: the match server does not answer, "
                 "though UDP passes. Is its name right, and is it running?";
  return "No connection can be made: only relays are allowed, and none "
         "answers.";
}

static const char *
tell_many (const Facts *facts)
{
  if (may_relay (facts))
    return "Direct connections work with many: those whose NAT shows the same "
           "address to everybody. With the others it goes by relay.";
  if (facts->relay_policy == HP_RELAY_POLICY_DIRECT_ONLY)
    return "Direct connections work with many: those whose NAT shows the same "
           "address to everybody. With the others none can be made, since "
           "relays are not allowed.";
  return "Direct connections work with many: those whose NAT shows the same "
         "address to everybody. With the others none can be made, since there "
         "is no relay.";
}

static char *
summarise (const Facts *facts)
{
  const char *text = NULL;

  switch (judge (facts))
    {
    case HP_PROSPECTS_UNKNOWN:
      text = facts->n_udp > 0
                 ? "What the NAT does to connections could not be found out."
                 : "Nobody was asked: there is neither a match server nor a "
                   "STUN server.";
      break;
    case HP_PROSPECTS_NONE:
      text = tell_none (facts);
      break;
    case HP_PROSPECTS_RELAYED:
      text = facts->relay_policy == HP_RELAY_POLICY_RELAY_ONLY
                 ? "Connections work only by relay, since nothing else is "
                   "allowed."
                 : "Connections work only by relay: this network lets no UDP "
                   "through.";
      break;
    case HP_PROSPECTS_MANY:
      text = tell_many (facts);
      break;
    case HP_PROSPECTS_ALMOST_ALL:
      text = "Direct connections work with almost everybody.";
      break;
    }
  return g_strdup (text);
}

/* Making one */

void
hp_network_report_values_init (HpNetworkReportValues *values)
{
  *values = (HpNetworkReportValues){
    .relay_policy = HP_RELAY_POLICY_ALLOW_RELAY,
    .local_addresses = g_ptr_array_new_with_free_func (g_free),
    .public_addresses = g_ptr_array_new_with_free_func (g_free),
    .attempts = g_ptr_array_new_with_free_func (g_free),
    .servers = g_ptr_array_new_with_free_func (g_object_unref),
  };
}

/* @texts is taken over */
static void
set_texts (char ***to, GPtrArray *texts)
{
  g_ptr_array_add (texts, NULL);
  g_strfreev (*to);
  *to = (char **) g_ptr_array_free (texts, FALSE);
}

static void
add_server (HpNetworkReport *self, HpServerReport *server)
{
  switch (hp_server_report_get_kind (server))
    {
    case HP_SERVER_KIND_MATCH:
      g_list_store_append (self->match_servers, server);
      break;
    case HP_SERVER_KIND_STUN:
      g_list_store_append (self->stun_servers, server);
      break;
    case HP_SERVER_KIND_RELAY:
      g_list_store_append (self->relays, server);
      break;
    }
}

HpNetworkReport *
hp_network_report_new (HpNetworkReportValues *values)
{
  HpNetworkReport *self = g_object_new (HP_TYPE_NETWORK_REPORT, NULL);
  Facts facts = {
    .relay_policy = values->relay_policy,
    .nat = values->nat,
    .has_mapped_port = values->mapped_address != NULL,
  };

  for (guint i = 0; i < values->servers->len; i++)
    {
      add_server (self, values->servers->pdata[i]);
      count_server (&facts, values->servers->pdata[i]);
    }
  for (guint i = 0; i < values->public_addresses->len; i++)
    self->has_ipv6 |= strchr (values->public_addresses->pdata[i], ':') != NULL;
  self->udp_blocked = is_udp_blocked (&facts);
  self->udp_passes = facts.n_udp_reachable > 0;
  self->prospects = judge (&facts);
  g_free (self->summary);
  self->summary = summarise (&facts);

  self->nat = values->nat;
  self->port_mapping = values->port_mapping;
  self->mapped_address = values->mapped_address;
  set_texts (&self->public_addresses, values->public_addresses);
  set_texts (&self->local_addresses, values->local_addresses);
  set_texts (&self->attempts, values->attempts);
  g_ptr_array_unref (values->servers);
  return self;
}
