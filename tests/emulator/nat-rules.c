/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "nat-rules.h"

#include "words.h"

static const char *const dependences[] = {
  "none", "endpoint-independent", "address-dependent",
  "address-and-port-dependent", NULL,
};
static const char *const port_choices[] = {
  "preserved", "sequential", "random", "block", NULL,
};
static const char *const knocks[] = { "dropped", "takes-port", NULL };
static const char *const refreshes[] = { "outbound", "both", NULL };

/* A NAT as RFC 4787 wants it, but that its filter is the strictest. */
void
nat_rules_init (NatRules *rules)
{
  *rules = (NatRules) {
    .mapping = DEPENDS_ENDPOINT_INDEPENDENT,
    .filtering = DEPENDS_ADDRESS_AND_PORT,
    .ports = PORTS_PRESERVED,
    .step = 1,
    .block = 512,
    .first_port = 1024,
    .last_port = 65535,
    .udp = TRUE,
    .lifetime = 120 * G_GINT64_CONSTANT (1000000000),
    .refresh_inbound = TRUE,
  };
}

static gboolean
parse_range (NatRules *rules, const char *text)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);

  return g_strv_length (ends) == 2
         && words_parse_count (ends[0], 65535, &rules->first_port)
         && words_parse_count (ends[1], 65535, &rules->last_port)
         && rules->first_port > 0 && rules->first_port <= rules->last_port;
}

static gboolean
take_port_rule (NatRules *rules, const char *name, const char *value)
{
  if (g_str_equal (name, "ports"))
    return words_parse_choice (value, port_choices, &rules->ports);
  if (g_str_equal (name, "step"))
    return words_parse_count (value, 1000, &rules->step) && rules->step > 0;
  if (g_str_equal (name, "block"))
    return words_parse_count (value, 65535, &rules->block)
           && rules->block > 0;
  if (g_str_equal (name, "range"))
    return parse_range (rules, value);
  if (g_str_equal (name, "overload"))
    return words_parse_boolean (value, &rules->overload);
  if (g_str_equal (name, "foreign"))
    return words_parse_number (value, count_units, 1e6, &rules->foreign);
  return FALSE;
}

static gboolean
take_lifetime_rule (NatRules *rules, const char *name, const char *value)
{
  guint choice;

  if (g_str_equal (name, "lifetime"))
    return words_parse_time (value, &rules->lifetime);
  if (g_str_equal (name, "absolute"))
    return words_parse_time (value, &rules->absolute_lifetime);
  if (g_str_equal (name, "max-mappings"))
    return words_parse_count (value, G_MAXINT, &rules->max_mappings);
  if (g_str_equal (name, "max-entries"))
    return words_parse_count (value, G_MAXINT, &rules->max_entries);
  if (g_str_equal (name, "refresh")
      && words_parse_choice (value, refreshes, &choice))
    {
      rules->refresh_inbound = choice;
      return TRUE;
    }
  return FALSE;
}

static gboolean
take_rule (gpointer user, const char *name, const char *value)
{
  NatRules *rules = user;
  guint choice;

  if (g_str_equal (name, "mapping"))
    return words_parse_choice (value, dependences, &rules->mapping);
  if (g_str_equal (name, "filtering"))
    return words_parse_choice (value, dependences, &rules->filtering);
  if (g_str_equal (name, "hairpin"))
    return words_parse_boolean (value, &rules->hairpin);
  if (g_str_equal (name, "udp"))
    return words_parse_boolean (value, &rules->udp);
  if (g_str_equal (name, "knock")
      && words_parse_choice (value, knocks, &choice))
    {
      rules->knock_takes = choice;
      return TRUE;
    }
  return take_port_rule (rules, name, value)
         || take_lifetime_rule (rules, name, value);
}

/* Words like "mapping=address-dependent ports=sequential step=2"; those not
 * named stay as they are.  Nothing changes if one is wrong, and @problem says
 * which. */
gboolean
nat_rules_parse (NatRules *rules, const char *text, char **problem)
{
  NatRules changed = *rules;

  if (!words_parse (text, take_rule, &changed, problem))
    return FALSE;
  *rules = changed;
  return TRUE;
}
