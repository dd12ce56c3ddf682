/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Objects that only hold values: enumerations, errors, HpNatInfo,
 * HpNetworkReport, HpRegistration, HpStatistics, HpServerStatistics */

#include "hole-punch/hp-enums.h"
#include "hole-punch/hp-nat-info-private.h"
#include "hole-punch/hp-network-report-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/hp-registration-private.h"
#include "hole-punch/hp-server-report-private.h"
#include "hole-punch/hp-match-run-inside-private.h"
#include "hole-punch/hp-server-statistics-private.h"
#include "hole-punch/hp-statistics-private.h"

#include "objects-test.h"

#include <string.h>

/* Prospects and summary, out of who answers */

typedef struct
{
  const char *name; /* m, s, u, t: match and STUN server, relay by UDP, TCP;
                       in capitals: it answers. r: only relays, d: none. r and
                       M: it answers through the relay */
  HpWireMapping mapping;
  gboolean has_mapped_port;
  HpProspects prospects;
  const char *words;
} Network;

static const Network networks[] = {
  { "", 0, FALSE, HP_PROSPECTS_UNKNOWN, "Nobody was asked" },
  { "M", 0, FALSE, HP_PROSPECTS_UNKNOWN, "could not be found out" },
  { "M", HP_WIRE_MAPPING_NONE, FALSE, HP_PROSPECTS_ALMOST_ALL, "everybody" },
  { "Mut", HP_WIRE_MAPPING_PORT_INDEPENDENT, FALSE, HP_PROSPECTS_ALMOST_ALL,
    "everybody" },
  { "M", HP_WIRE_MAPPING_ADDRESS_DEPENDENT, FALSE, HP_PROSPECTS_MANY,
    "there is no relay" },
  { "MUT", HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, FALSE,
    HP_PROSPECTS_MANY, "goes by relay" },
  { "dM", HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, FALSE,
    HP_PROSPECTS_MANY, "relays are not allowed" },
  { "M", HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, TRUE,
    HP_PROSPECTS_ALMOST_ALL, "everybody" },
  { "mS", HP_WIRE_MAPPING_NONE, FALSE, HP_PROSPECTS_NONE,
    "does not answer, though UDP passes" },
  { "ms", 0, FALSE, HP_PROSPECTS_NONE, "nobody answers by UDP" },
  { "muT", 0, FALSE, HP_PROSPECTS_NONE, "through the relay either" },
  { "su", 0, FALSE, HP_PROSPECTS_NONE, "nobody answers by UDP" },
  { "suT", 0, FALSE, HP_PROSPECTS_RELAYED, "lets no UDP through" },
  { "rMT", 0, FALSE, HP_PROSPECTS_RELAYED, "nothing else is allowed" },
  { "rsu", 0, FALSE, HP_PROSPECTS_NONE, "" },
};

static HpServerReport *
make_server (char letter)
{
  HpServerReportValues values = {
    .name = "server",
    .reachable = g_ascii_isupper (letter),
    .round_trip_time = g_ascii_isupper (letter) ? 1500 : -1,
    .problem = g_ascii_isupper (letter) ? NULL : "it does not answer",
    .transport = g_ascii_tolower (letter) == 't' ? "TCP" : "UDP",
    .kind = g_ascii_tolower (letter) == 'm'   ? HP_SERVER_KIND_MATCH
            : g_ascii_tolower (letter) == 's' ? HP_SERVER_KIND_STUN
                                              : HP_SERVER_KIND_RELAY,
  };

  g_assert_true (hp_address_parse (&values.address, "192.0.2.1:4222"));
  return hp_server_report_new (&values);
}

static HpNetworkReport *
make_report (const Network *network)
{
  HpNatFacts facts = { .mapping = network->mapping };
  HpNetworkReportValues values;

  hp_network_report_values_init (&values);
  for (const char *letter = network->name; *letter != '\0'; letter++)
    if (*letter == 'r')
      values.relay_policy = HP_RELAY_POLICY_RELAY_ONLY;
    else if (*letter == 'd')
      values.relay_policy = HP_RELAY_POLICY_DIRECT_ONLY;
    else
      g_ptr_array_add (values.servers, make_server (*letter));
  if (network->mapping != HP_WIRE_MAPPING_UNKNOWN)
    values.nat = hp_nat_info_new (&facts, 0, NULL);
  if (network->has_mapped_port)
    {
      values.port_mapping = g_strdup ("pcp");
      values.mapped_address
          = g_inet_socket_address_new_from_string ("192.0.2.9", 4711);
    }
  g_ptr_array_add (values.public_addresses, g_strdup ("2001:db8::1"));
  g_ptr_array_add (values.attempts, g_strdup ("Straight: nothing"));
  return hp_network_report_new (&values);
}

static void
test_network_report (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      HpNetworkReport *report = make_report (&networks[i]);
      g_autofree char *text = hp_network_report_to_string (report);

      g_test_message ("“%s”: %s", networks[i].name,
                      hp_network_report_get_summary (report));
      g_assert_cmpint (hp_network_report_get_prospects (report), ==,
                       networks[i].prospects);
      g_assert_nonnull (strstr (hp_network_report_get_summary (report),
                                networks[i].words));
      g_assert_true (g_str_has_prefix (
          text, hp_network_report_get_summary (report)));
      g_assert_true (hp_network_report_get_has_ipv6 (report));
      g_assert_nonnull (strstr (text, "\nTried: Straight: nothing\n"));
      g_assert_nonnull (strstr (text, networks[i].has_mapped_port
                                          ? "Port mapping: pcp, 192.0.2.9:4711"
                                          : "Port mapping: none"));
      g_assert_finalize_object (report);
    }
}

static void
test_server_report (void)
{
  HpServerReport *server = make_server ('S');
  g_autofree char *text = hp_server_report_to_string (server);
  g_autofree char *silent = NULL;

  g_assert_cmpstr (text, ==,
                   "STUN server server (192.0.2.1:4222): answers in 1.5 ms");
  g_assert_finalize_object (server);
  server = make_server ('t');
  silent = hp_server_report_to_string (server);
  g_assert_cmpstr (silent, ==,
                   "Relay server (192.0.2.1:4222): it does not answer");
  g_assert_finalize_object (server);
}

static const char fingerprint[]
    = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";

static void
assert_nick (GType type, int value, const char *nick)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  GEnumValue *found = g_enum_get_value_by_nick (klass, nick);

  g_assert_nonnull (found);
  g_assert_cmpint (found->value, ==, value);
}

static void
test_enums (void)
{
  g_autoptr (GFlagsClass) flags = g_type_class_ref (HP_TYPE_MESSAGE_FLAGS);

  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_NONE, "none");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_LAN, "lan");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_DIRECT, "direct");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_MAPPED, "mapped");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_RELAYED, "relayed");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CONNECTING,
               "connecting");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CONNECTED,
               "connected");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_INTERRUPTED,
               "interrupted");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CLOSED,
               "closed");
  g_assert_cmpuint (
      g_flags_get_value_by_nick (flags, "unordered")->value, ==,
      HP_MESSAGE_FLAGS_UNORDERED);
  g_assert_cmpuint (
      g_flags_get_value_by_nick (flags, "unreliable")->value, ==,
      HP_MESSAGE_FLAGS_UNRELIABLE);
  g_assert_cmpuint (flags->mask, ==, 3);
}

static void
test_nat_enums (void)
{
  assert_nick (HP_TYPE_NAT_MAPPING, HP_NAT_MAPPING_NONE, "none");
  assert_nick (HP_TYPE_NAT_MAPPING, HP_NAT_MAPPING_PORT_INDEPENDENT,
               "port-independent");
  assert_nick (HP_TYPE_NAT_MAPPING, HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
               "address-and-port-dependent");
  assert_nick (HP_TYPE_NAT_FILTERING, HP_NAT_FILTERING_ADDRESS_DEPENDENT,
               "address-dependent");
  assert_nick (HP_TYPE_NAT_ALLOCATION, HP_NAT_ALLOCATION_BLOCK, "block");
  assert_nick (HP_TYPE_NAT_HAIRPIN, HP_NAT_HAIRPIN_YES, "yes");
}

static void
assert_tells (HpNatInfo *info, const char *line)
{
  g_autofree char *text = hp_nat_info_to_string (info);

  if (strstr (text, line) == NULL)
    g_error ("No “%s” in:\n%s", line, text);
}

static void
test_nat_info (void)
{
  HpNatFacts facts = { .mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
                       .filtering = HP_WIRE_FILTERING_ADDRESS_DEPENDENT,
                       .allocation = HP_WIRE_ALLOCATION_SEQUENTIAL,
                       .hairpin = HP_WIRE_HAIRPIN_NO,
                       .step = -2,
                       .drift = 50,
                       .port = 40000,
                       .first_port = 39990,
                       .last_port = 40000 };
  HpAddress mapped;
  HpNatInfo *info;
  HpNatInfo *other;

  g_assert_true (hp_address_parse (&mapped, "192.0.2.7:40000"));
  info = hp_nat_info_new (&facts, 65, &mapped);
  g_assert_cmpint (hp_nat_info_get_mapping (info), ==,
                   HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT);
  g_assert_cmpint (hp_nat_info_get_filtering (info), ==,
                   HP_NAT_FILTERING_ADDRESS_DEPENDENT);
  g_assert_cmpint (hp_nat_info_get_allocation (info), ==,
                   HP_NAT_ALLOCATION_SEQUENTIAL);
  g_assert_cmpint (hp_nat_info_get_hairpin (info), ==, HP_NAT_HAIRPIN_NO);
  g_assert_cmpint (hp_nat_info_get_step (info), ==, -2);
  g_assert_cmpuint (hp_nat_info_get_drift (info), ==, 50);
  g_assert_cmpuint (hp_nat_info_get_first_port (info), ==, 39990);
  g_assert_cmpuint (hp_nat_info_get_last_port (info), ==, 40000);
  g_assert_cmpuint (hp_nat_info_get_mapping_lifetime (info), ==, 65);
  assert_tells (info, "Ports: in sequence, by -2, 50 a second for others\n");
  assert_tells (info, "Mapping lifetime: 65 s at least\n");
  assert_tells (info, "Public address: 192.0.2.7:40000\n");

  /* Another port of the newest mapping is nothing that shows. */
  facts.port = 40010;
  other = hp_nat_info_new (&facts, 65, &mapped);
  g_assert_true (hp_nat_info_equal (info, other));
  g_assert_finalize_object (other);
  other = hp_nat_info_new (&facts, 125, &mapped);
  g_assert_false (hp_nat_info_equal (info, other));
  g_assert_finalize_object (other);
  other = hp_nat_info_new (&facts, 65, NULL);
  g_assert_false (hp_nat_info_equal (info, other));
  g_assert_finalize_object (other);
  g_assert_finalize_object (info);

  facts.allocation = HP_WIRE_ALLOCATION_BLOCK;
  info = hp_nat_info_new (&facts, 0, NULL);
  assert_tells (info, "Ports: any from 39990 to 40000\n");
  g_assert_null (hp_nat_info_get_public_address (info));
  g_assert_finalize_object (info);

  info = g_object_new (HP_TYPE_NAT_INFO, NULL);
  g_assert_cmpint (hp_nat_info_get_mapping (info), ==,
                   HP_NAT_MAPPING_UNKNOWN);
  assert_tells (info, "Ports: not known\n");
  g_assert_finalize_object (info);
}

/* Every code from 0 on has a nick of its own. */
static void
test_errors (void)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (HP_TYPE_PUNCH_ERROR);

  g_assert_cmpstr (g_quark_to_string (HP_PUNCH_ERROR), ==,
                   "hp-punch-error-quark");
  g_assert_cmpint (klass->minimum, ==, 0);
  g_assert_cmpint (klass->maximum, ==, HP_PUNCH_ERROR_EXPIRED);
  g_assert_cmpuint (klass->n_values, ==, HP_PUNCH_ERROR_EXPIRED + 1);
  for (int code = 0; code <= HP_PUNCH_ERROR_EXPIRED; code++)
    assert_nick (HP_TYPE_PUNCH_ERROR, code,
                 g_enum_get_value (klass, code)->value_nick);
  assert_nick (HP_TYPE_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID, "unknown-id");
  assert_nick (HP_TYPE_PUNCH_ERROR, HP_PUNCH_ERROR_IDENTITY_MISMATCH,
               "identity-mismatch");
}

static void
test_registration (void)
{
  HpRegistration *registration = hp_registration_new ("wq", fingerprint);
  g_autofree char *id = NULL;
  g_autofree char *key = NULL;
  g_autoptr (GSocketAddress) address = NULL;

  g_object_get (registration, "id", &id, "fingerprint", &key, "address",
                &address, NULL);
  g_assert_cmpstr (id, ==, "wq");
  g_assert_cmpstr (key, ==, fingerprint);
  g_assert_null (address);
  g_assert_cmpstr (hp_registration_get_id (registration), ==, "wq");
  g_assert_cmpstr (hp_registration_get_fingerprint (registration), ==,
                   fingerprint);
  g_assert_null (hp_registration_get_address (registration));
  g_assert_finalize_object (registration);
}

static void
test_registration_address (void)
{
  HpAddress address;
  HpRegistration *registration;
  g_autofree char *text = NULL;

  g_assert_true (hp_address_parse (&address, "192.0.2.7:4711"));
  registration = hp_registration_new_private ("", fingerprint, &address);
  g_assert_null (hp_registration_get_id (registration));
  text = g_socket_connectable_to_string (
      G_SOCKET_CONNECTABLE (hp_registration_get_address (registration)));
  g_assert_cmpstr (text, ==, "192.0.2.7:4711");
  g_assert_finalize_object (registration);

  registration = g_object_new (HP_TYPE_REGISTRATION, NULL);
  g_assert_null (hp_registration_get_id (registration));
  g_assert_null (hp_registration_get_fingerprint (registration));
  g_assert_finalize_object (registration);
}

/* Each property has its own number, @first, @first + 1 … in the order of the
 * text, and is in it. */
/* @last: the line after the numbers, of a property that is none */
static void
assert_values (GObject *object, guint64 first, guint n_values,
               const char *text, const char *last)
{
  const guint n_lines = n_values + (last != NULL ? 1 : 0);
  guint n_properties;
  g_autofree GParamSpec **properties = g_object_class_list_properties (
      G_OBJECT_GET_CLASS (object), &n_properties);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpuint (n_properties, ==, n_lines);
  g_assert_cmpuint (g_strv_length (lines), ==, n_lines + 1);
  if (last != NULL)
    g_assert_cmpstr (lines[n_values], ==, last);
  for (guint i = 0; i < n_values; i++)
    {
      guint64 value = 0;
      g_autofree char *line = NULL;

      g_object_get (object, properties[i]->name, &value, NULL);
      g_assert_cmpuint (value, ==, first + i);
      g_assert_cmpint (properties[i]->flags & G_PARAM_WRITABLE, ==, 0);
      line = g_strdup_printf ("%s: %" G_GUINT64_FORMAT,
                              g_param_spec_get_nick (properties[i]), value);
      g_assert_cmpstr (lines[i], ==, line);
    }
}

static void
test_statistics (void)
{
  const HpStatisticsValues values = { 101, 102, 103, 104, 105,
                                      106, 107, 108, 109 };
  HpStatistics *statistics = hp_statistics_new_private (&values);
  g_autofree char *text = hp_statistics_to_string (statistics);

  assert_values (G_OBJECT (statistics), 101, 9, text, NULL);
#define ASSERT_GETTER(member)                                                 \
  g_assert_cmpuint (hp_statistics_get_##member (statistics), ==, values.member)
  ASSERT_GETTER (bytes_sent);
  ASSERT_GETTER (bytes_received);
  ASSERT_GETTER (bytes_resent);
  ASSERT_GETTER (messages_sent);
  ASSERT_GETTER (messages_received);
  ASSERT_GETTER (datagrams_sent);
  ASSERT_GETTER (datagrams_received);
  ASSERT_GETTER (datagrams_lost);
  ASSERT_GETTER (datagrams_dropped);
#undef ASSERT_GETTER
  g_assert_finalize_object (statistics);

  statistics = g_object_new (HP_TYPE_STATISTICS, NULL);
  g_assert_cmpuint (hp_statistics_get_bytes_sent (statistics), ==, 0);
  g_assert_finalize_object (statistics);
}

static void
test_server_statistics (void)
{
  const guint64 base = G_MAXUINT64 - 100;
  HpServerStatisticsValues values = { .registry_healthy = TRUE };
  HpServerStatistics *statistics;
  g_autofree char *text = NULL;
  guint64 next = base;

#define NUMBERS(DO)                                                           \
  DO (peers) DO (registrations) DO (workers) DO (handshakes) DO (registers)   \
  DO (keepalives) DO (asks) DO (introductions) DO (forwarded) DO (refused)    \
  DO (cookies) DO (stun_answers) DO (datagrams_received)                      \
  DO (datagrams_sent) DO (bytes_received) DO (bytes_sent)                     \
  DO (send_failures) DO (datagrams_dropped) DO (dropped_malformed)            \
  DO (dropped_ticket) DO (dropped_forged) DO (dropped_replayed)               \
  DO (dropped_unknown) DO (dropped_rate_limited) DO (dropped_full)            \
  DO (registry_failures) DO (unclaimed_refreshes)
#define SET(member) values.member = next++;
#define ASSERT_GETTER(member)                                                 \
  g_assert_cmpuint (hp_server_statistics_get_##member (statistics), ==,       \
                    values.member);
  NUMBERS (SET)
  statistics = hp_server_statistics_new_private (&values);
  text = hp_server_statistics_to_string (statistics);
  assert_values (G_OBJECT (statistics), base, 27, text, "Registry: works");
  NUMBERS (ASSERT_GETTER)
#undef ASSERT_GETTER
#undef SET
#undef NUMBERS
  g_assert_true (hp_server_statistics_get_registry_healthy (statistics));
  g_assert_finalize_object (statistics);

  values.registry_healthy = FALSE;
  statistics = hp_server_statistics_new_private (&values);
  g_assert_false (hp_server_statistics_get_registry_healthy (statistics));
  g_assert_finalize_object (statistics);

  statistics = g_object_new (HP_TYPE_SERVER_STATISTICS, NULL);
  g_assert_cmpuint (hp_server_statistics_get_peers (statistics), ==, 0);
  g_assert_true (hp_server_statistics_get_registry_healthy (statistics));
  g_assert_finalize_object (statistics);
}

/* Two workers: what each has done is in one number, and what both dropped is in
 * one of the reasons. */
static void
test_server_statistics_sum (void)
{
  const HpServiceStatistics inner = {
    .peers = 1, .registrations = 2, .handshakes = 3, .registers = 4,
    .asks = 5, .introductions = 6, .keepalives = 7, .stun_answers = 8,
    .cookies = 9, .forwarded = 10, .refused = 11, .dropped_malformed = 100,
    .dropped_ticket = 200, .dropped_forged = 400, .dropped_replayed = 800,
    .dropped_unknown = 1600, .dropped_rate_limited = 3200,
    .dropped_full = 6400,
  };
  const HpEndpointStatistics outer = {
    .datagrams_sent = 12, .datagrams_received = 13, .bytes_sent = 14,
    .bytes_received = 15, .send_failures = 16,
    .dropped_unknown_type = 10000, .dropped_unknown_index = 20000,
    .dropped_unclaimed = 40000, .dropped_rate_limited = 80000,
  };
  HpServerStatisticsValues sum = { .registry_failures = 17 };

  hp_match_run_add_statistics (&sum, &inner, &outer);
  hp_match_run_add_statistics (&sum, &inner, &outer);
#define ASSERT_SUM(member, number) g_assert_cmpuint (sum.member, ==, number)
  ASSERT_SUM (workers, 2);
  ASSERT_SUM (peers, 2);
  ASSERT_SUM (registrations, 4);
  ASSERT_SUM (handshakes, 6);
  ASSERT_SUM (registers, 8);
  ASSERT_SUM (asks, 10);
  ASSERT_SUM (introductions, 12);
  ASSERT_SUM (keepalives, 14);
  ASSERT_SUM (stun_answers, 16);
  ASSERT_SUM (cookies, 18);
  ASSERT_SUM (forwarded, 20);
  ASSERT_SUM (refused, 22);
  ASSERT_SUM (datagrams_sent, 24);
  ASSERT_SUM (datagrams_received, 26);
  ASSERT_SUM (bytes_sent, 28);
  ASSERT_SUM (bytes_received, 30);
  ASSERT_SUM (send_failures, 32);
  ASSERT_SUM (registry_failures, 17);
  ASSERT_SUM (dropped_malformed, 20200);
  ASSERT_SUM (dropped_ticket, 400);
  ASSERT_SUM (dropped_forged, 800);
  ASSERT_SUM (dropped_replayed, 1600);
  ASSERT_SUM (dropped_unknown, 123200);
  ASSERT_SUM (dropped_rate_limited, 166400);
  ASSERT_SUM (dropped_full, 12800);
  ASSERT_SUM (datagrams_dropped, 325400);
#undef ASSERT_SUM
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/values/enums", test_enums);
  g_test_add_func ("/values/nat-enums", test_nat_enums);
  g_test_add_func ("/values/nat-info", test_nat_info);
  g_test_add_func ("/values/network-report", test_network_report);
  g_test_add_func ("/values/server-report", test_server_report);
  g_test_add_func ("/values/errors", test_errors);
  g_test_add_func ("/values/registration", test_registration);
  g_test_add_func ("/values/registration-address", test_registration_address);
  g_test_add_func ("/values/statistics", test_statistics);
  g_test_add_func ("/values/server-statistics", test_server_statistics);
  g_test_add_func ("/values/server-statistics-sum",
                   test_server_statistics_sum);
  return g_test_run ();
}
