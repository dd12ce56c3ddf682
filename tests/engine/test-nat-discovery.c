/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The discovery's sockets are real ones, on loopback; the STUN servers, which
 * answer as if NATs of all kinds were in between, are made up.
 *
 *   127.0.0.1:a  main           127.0.0.2:c  another host
 *   127.0.0.1:b  its other port
 *
 * All of 127/8 is this machine, so a "NAT" at 127.0.0.3 that preserves ports
 * turns datagrams round as a hairpinning one does, others do not.
 */

#include "hole-punch/engine/hp-nat-discovery-private.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/wire/hp-stun.h"

#include <string.h>

#define N_SERVERS 3

typedef struct
{
  HpWireMapping mapping;
  HpWireAllocation allocation;
  guint foreign; /* mappings of others in a second */
  guint16 first_port, last_port;
} Nat;

typedef struct
{
  GSocket *socket;
  GSource *source;
  HpAddress address;
} Server;

typedef struct
{
  Nat nat;
  Server servers[N_SERVERS];
  gboolean has_other;      /* the first tells of the second */
  gboolean is_silent;
  guint loss;              /* every so manieth request; 0: none */
  guint n_requests;
  GHashTable *mappings;    /* "port-server" to port */
  guint32 next_port;
  guint n_allocated;       /* in sequence */
  gint64 counted_at;
  HpEndpoint *endpoint;
  HpNatBudget budget;
  HpNatDiscovery *discovery;
  guint n_changes;
  HpNatFacts facts;
  HpWireFiltering filtering; /* of knocks; answers come in anyway */
  gboolean has_other_host;   /* the match server has */
  guint n_knocks;
  HpFrame knock; /* the last one */
} Bench;

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = g_random_int ();
}

static const HpRandom generator = { fill_random, NULL };

/* The NAT */

/* At random moments, but never between our third and fourth: else all gaps
 * might happen to be multiples of two. */
static guint
count_foreign (Bench *self, gint64 now)
{
  guint n = 0;

  if (self->n_allocated++ == 3)
    return 0;
  for (; self->counted_at + 1000 <= now; self->counted_at += 1000)
    n += (guint) g_random_int_range (0, 1000) < self->nat.foreign;
  return n;
}

static guint16
allocate (Bench *self, guint16 local_port)
{
  guint range = self->nat.last_port - self->nat.first_port + 1;

  switch (self->nat.allocation)
    {
    case HP_WIRE_ALLOCATION_PRESERVED:
      return local_port;
    case HP_WIRE_ALLOCATION_SEQUENTIAL:
      self->next_port += count_foreign (self, g_get_monotonic_time ());
      return self->next_port++;
    case HP_WIRE_ALLOCATION_UNKNOWN:
    case HP_WIRE_ALLOCATION_BLOCK:
    case HP_WIRE_ALLOCATION_RANDOM:
    default:
      return self->nat.first_port + g_random_int_range (0, range);
    }
}

static void
map (Bench *self, const HpAddress *from, guint server, HpAddress *mapped)
{
  g_autofree char *key = NULL;
  gpointer port;

  *mapped = *from;
  if (self->nat.mapping == HP_WIRE_MAPPING_NONE)
    return;
  if (self->nat.mapping == HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT)
    key = g_strdup_printf ("%u-%u", from->port, server);
  else if (self->nat.mapping == HP_WIRE_MAPPING_ADDRESS_DEPENDENT)
    key = g_strdup_printf ("%u-%u", from->port, server / 2);
  else
    key = g_strdup_printf ("%u", from->port);
  if (!g_hash_table_lookup_extended (self->mappings, key, NULL, &port))
    {
      port = GUINT_TO_POINTER (allocate (self, from->port));
      g_hash_table_insert (self->mappings, g_steal_pointer (&key), port);
    }
  mapped->ip[3] = 3;
  mapped->port = GPOINTER_TO_UINT (port);
}

static gsize
write_cookie (const HpHello *hello, const HpAddress *mapped, guint8 *bytes,
              gsize capacity)
{
  HpCookiePacket cookie = { .version = HP_PROTOCOL_VERSION,
                            .cookie = "fifteen letters",
                            .observed = *mapped };
  HpWriter writer;

  memcpy (cookie.transaction, hello->transaction, HP_TRANSACTION_SIZE);
  hp_writer_init (&writer, bytes, capacity);
  hp_packet_write_cookie (&cookie, &writer);
  return writer.offset;
}

static gboolean
on_request (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Bench *self = user_data;
  g_autoptr (GSocketAddress) from = NULL;
  char request[1500];
  guint8 response[HP_STUN_MAX_SIZE];
  HpAddress source;
  HpAddress mapped;
  HpHello hello;
  gboolean tells;
  guint server = 0;
  gssize length;

  length = g_socket_receive_from (socket, &from, request, sizeof request, NULL,
                                  NULL);
  while (self->servers[server].socket != socket)
    server++;
  g_assert_cmpint (length, >, 0);
  g_assert_true (hp_address_from_socket_address (&source, from));
  self->n_requests++;
  /* The NAT is crossed before anything is lost */
  map (self, &source, server, &mapped);
  if (self->is_silent
      || (self->loss > 0 && self->n_requests % self->loss == 0))
    return G_SOURCE_CONTINUE;
  if (hp_packet_parse_hello (&hello, (const guint8 *) request, length))
    {
      length = write_cookie (&hello, &mapped, response, sizeof response);
      g_socket_send_to (socket, from, (const char *) response, length, NULL,
                        NULL);
      return G_SOURCE_CONTINUE;
    }
  tells = server == 0 && self->has_other;
  length = hp_stun_create_response (
      (const guint8 *) request, length, &mapped,
      tells ? &self->servers[1].address : NULL, response, sizeof response);
  g_assert_cmpint (length, >, 0);
  g_socket_send_to (socket, from, (const char *) response, length, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
open_server (Bench *self, guint number)
{
  Server *server = &self->servers[number];
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string (
      number < 2 ? "127.0.0.1" : "127.0.0.2", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  server->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                                 G_SOCKET_PROTOCOL_UDP, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (server->socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (server->socket, NULL);
  g_assert_true (hp_address_from_socket_address (&server->address, bound));
  server->source = g_socket_create_source (server->socket, G_IO_IN, NULL);
  g_source_set_callback (server->source, G_SOURCE_FUNC (on_request), self,
                         NULL);
  g_source_attach (server->source, NULL);
}

/* The bench */

static void
on_changed (gpointer user_data, gint64 now)
{
  Bench *self = user_data;

  self->n_changes++;
  (void) hp_nat_discovery_get_facts (self->discovery, &self->facts, now);
}

static gboolean
on_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  Bench *self = user_data;

  return hp_nat_discovery_receive (self->discovery, datagram, now);
}

static void
set_up (Bench *self, const Nat *nat)
{
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->nat = *nat;
  self->has_other = TRUE;
  self->next_port = nat->first_port;
  self->counted_at = g_get_monotonic_time ();
  self->mappings
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < N_SERVERS; i++)
    open_server (self, i);
  self->endpoint = hp_endpoint_new ("0.0.0.0", 0, on_stray, self, &error);
  g_assert_no_error (error);
  hp_nat_budget_init (&self->budget, 100, hp_clock_now ());
  self->discovery = hp_nat_discovery_new (self->endpoint, &self->budget,
                                          &generator, on_changed, self);
}

static void
tear_down (Bench *self)
{
  hp_nat_discovery_free (self->discovery);
  hp_endpoint_close (self->endpoint);
  hp_endpoint_unref (self->endpoint);
  for (guint i = 0; i < N_SERVERS; i++)
    {
      g_source_destroy (self->servers[i].source);
      g_source_unref (self->servers[i].source);
      g_object_unref (self->servers[i].socket);
    }
  g_hash_table_unref (self->mappings);
}

/* The match server knocks: it can from here, and the NAT lets that in */

static guint
get_passing (const Bench *self)
{
  switch (self->filtering)
    {
    case HP_WIRE_FILTERING_ENDPOINT_INDEPENDENT:
      return HP_KNOCK_SAME | HP_KNOCK_OTHER_PORT | HP_KNOCK_OTHER_HOST;
    case HP_WIRE_FILTERING_ADDRESS_DEPENDENT:
      return HP_KNOCK_SAME | HP_KNOCK_OTHER_PORT;
    case HP_WIRE_FILTERING_UNKNOWN:
    case HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT:
      break;
    }
  return HP_KNOCK_SAME;
}

static void
knock (Bench *self, guint socket, const HpFrame *frame, gint64 now)
{
  guint made = HP_KNOCK_SAME | HP_KNOCK_OTHER_PORT
               | (self->has_other_host ? HP_KNOCK_OTHER_HOST : 0);
  guint8 bytes[HP_STUN_MAX_SIZE];
  HpDatagram datagram = { .bytes = bytes, .route.socket = socket };

  made &= frame->knock.flags;
  for (guint i = 0; i < N_SERVERS; i++)
    {
      datagram.length = hp_stun_create_indication (frame->knock.transaction,
                                                   bytes, sizeof bytes);
      datagram.route.remote = self->servers[i].address;
      if ((made & get_passing (self) & 1 << i) != 0)
        g_assert_true (hp_nat_discovery_receive (self->discovery, &datagram,
                                                 now));
    }
  hp_nat_discovery_knocked (self->discovery, frame->knock.transaction, made,
                            now);
}

static gboolean
on_knock (gpointer user_data)
{
  Bench *self = user_data;

  knock (self, self->discovery->filtering.socket, &self->knock,
         hp_clock_now ());
  return G_SOURCE_REMOVE;
}

static gboolean
ask_knock (gpointer user_data, const HpAddress *server, const HpFrame *frame,
           gint64 now)
{
  Bench *self = user_data;

  g_assert_true (hp_address_equal (server, &self->servers[0].address));
  g_assert_cmpmem (frame->knock.proof, HP_PROOF_SIZE, "fifteen letters",
                   HP_PROOF_SIZE);
  self->n_knocks++;
  self->knock = *frame;
  /* Those after a silence are answered by the test itself. */
  if (self->discovery->filtering.socket != 0)
    g_timeout_add (5, on_knock, self);
  return TRUE;
}

/* The main server, and perhaps the one at another host */
static void
set_servers (Bench *self, gboolean with_other_host)
{
  HpAddress servers[]
      = { self->servers[0].address, self->servers[2].address };

  hp_nat_discovery_set_servers (self->discovery, servers,
                                with_other_host ? 2 : 1, 1, hp_clock_now ());
}

static gboolean
on_time_up (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
run (guint milliseconds)
{
  gboolean is_up = FALSE;

  g_timeout_add (milliseconds, on_time_up, &is_up);
  while (!is_up)
    g_main_context_iteration (NULL, TRUE);
}

static void
run_until_done (Bench *self)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  do
    run (10);
  while (!hp_nat_discovery_is_done (self->discovery)
         && g_get_monotonic_time () < end);
  g_assert_true (hp_nat_discovery_is_done (self->discovery));
}

/* What is left of it; as long as it takes so few seconds, nothing comes back */
static guint
count_entries (Bench *self)
{
  guint n = 0;

  while (hp_nat_budget_take (&self->budget, 1, 0))
    n++;
  return 100 - n;
}

static const struct
{
  const char *name;
  Nat nat;
  HpWireMapping with_one_host;
  HpWireHairpin hairpin;
  guint most_entries; /* with both hosts: NAT entries, hairpin's two included */
} kinds[] = {
  { "none", { HP_WIRE_MAPPING_NONE, HP_WIRE_ALLOCATION_PRESERVED, 0, 0, 0 },
    HP_WIRE_MAPPING_NONE, HP_WIRE_HAIRPIN_UNKNOWN, 1 },
  { "preserved",
    { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT, HP_WIRE_ALLOCATION_PRESERVED, 0, 0,
      0 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT, HP_WIRE_HAIRPIN_YES, 8 },
  { "remapped",
    { HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT, HP_WIRE_ALLOCATION_RANDOM, 0, 1024,
      65535 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT, HP_WIRE_HAIRPIN_NO, 8 },
  { "address-dependent",
    { HP_WIRE_MAPPING_ADDRESS_DEPENDENT, HP_WIRE_ALLOCATION_RANDOM, 0, 1024,
      65535 },
    HP_WIRE_MAPPING_PORT_INDEPENDENT, HP_WIRE_HAIRPIN_UNKNOWN, 20 },
  { "sequential",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
      HP_WIRE_ALLOCATION_SEQUENTIAL, 0, 30000, 0 },
    HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_HAIRPIN_UNKNOWN, 9 },
  { "block",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_ALLOCATION_BLOCK, 0,
      20480, 20991 },
    HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_HAIRPIN_UNKNOWN, 20 },
  { "random",
    { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_ALLOCATION_RANDOM, 0,
      1024, 65535 },
    HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT, HP_WIRE_HAIRPIN_UNKNOWN, 20 },
};

static void
check_kind (gconstpointer which, gboolean with_other_host)
{
  guint i = GPOINTER_TO_UINT (which);
  HpWireMapping mapping = with_other_host ? kinds[i].nat.mapping
                                          : kinds[i].with_one_host;
  Bench bench;

  set_up (&bench, &kinds[i].nat);
  set_servers (&bench, with_other_host);
  run_until_done (&bench);
  g_assert_cmpuint (bench.facts.mapping, ==, mapping);
  g_assert_cmpuint (bench.facts.allocation, ==, kinds[i].nat.allocation);
  /* Not dependent as far as it knows: then silence means no */
  if (with_other_host || mapping == kinds[i].nat.mapping)
    g_assert_cmpuint (bench.facts.hairpin, ==, kinds[i].hairpin);
  if (kinds[i].nat.allocation == HP_WIRE_ALLOCATION_SEQUENTIAL)
    g_assert_cmpint (bench.facts.step, ==, 1);
  if (kinds[i].nat.allocation == HP_WIRE_ALLOCATION_BLOCK)
    {
      g_assert_cmpuint (bench.facts.first_port, <=, 20480 + 80);
      g_assert_cmpuint (bench.facts.last_port, >=, 20991 - 80);
    }
  g_assert_cmpuint (bench.n_changes, >, 0);
  g_assert_cmpuint (bench.n_changes, <=, 5);
  g_assert_nonnull (hp_nat_discovery_get_mapped (bench.discovery));
  g_assert_cmpuint (count_entries (&bench), <=, kinds[i].most_entries);
  tear_down (&bench);
}

static void
test_kind (gconstpointer which)
{
  check_kind (which, TRUE);
}

static void
test_kind_one_host (gconstpointer which)
{
  check_kind (which, FALSE);
}

/* Every third request is lost. */
static void
test_loss (gconstpointer which)
{
  guint i = GPOINTER_TO_UINT (which);
  Bench bench;

  set_up (&bench, &kinds[i].nat);
  bench.loss = 3;
  set_servers (&bench, FALSE);
  run_until_done (&bench);
  g_assert_cmpuint (bench.facts.mapping, ==, kinds[i].with_one_host);
  g_assert_cmpuint (bench.facts.allocation, ==, kinds[i].nat.allocation);
  tear_down (&bench);
}

/* Others use the NAT as well: the pause shows how much. */
static void
test_busy (void)
{
  Nat nat = { HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
              HP_WIRE_ALLOCATION_SEQUENTIAL, 50, 40000, 0 };
  Bench bench;
  HpNatFacts facts;
  guint16 port;

  set_up (&bench, &nat);
  set_servers (&bench, FALSE);
  run_until_done (&bench);
  g_assert_cmpuint (bench.facts.allocation, ==,
                    HP_WIRE_ALLOCATION_SEQUENTIAL);
  g_assert_cmpint (bench.facts.step, ==, 1);
  g_assert_cmpuint (bench.facts.drift, >=, 20);
  g_assert_cmpuint (bench.facts.drift, <=, 90);

  /* Later, another port is the last; a fresh sample tells. */
  run (1000);
  g_assert_true (hp_nat_discovery_get_facts (bench.discovery, &facts,
                                             hp_clock_now ()));
  port = facts.port;
  g_assert_cmpuint (facts.age, >=, 990);
  hp_nat_discovery_sample (bench.discovery, hp_clock_now ());
  run (50);
  g_assert_true (hp_nat_discovery_get_facts (bench.discovery, &facts,
                                             hp_clock_now ()));
  g_assert_cmpuint (facts.age, <, 500);
  g_assert_cmpuint (facts.port, >=, port + 20);
  g_assert_cmpuint (bench.facts.port, ==, facts.port);

  /* Not again so soon */
  bench.n_requests = 0;
  hp_nat_discovery_sample (bench.discovery, hp_clock_now ());
  run (50);
  g_assert_cmpuint (bench.n_requests, ==, 0);
  tear_down (&bench);
}

/* No fresh sockets without budget; what costs nothing is found out. */
static void
test_no_budget (void)
{
  Bench bench;

  set_up (&bench, &kinds[1].nat);
  hp_nat_budget_set_maximum (&bench.budget, 0, hp_clock_now ());
  set_servers (&bench, TRUE);
  run_until_done (&bench);
  g_assert_cmpuint (bench.n_requests, ==, 1);
  g_assert_cmpuint (bench.facts.mapping, ==, HP_WIRE_MAPPING_UNKNOWN);
  g_assert_cmpuint (bench.facts.allocation, ==, HP_WIRE_ALLOCATION_PRESERVED);
  tear_down (&bench);
}

/* Without OTHER-ADDRESS there is one view only. */
static void
test_no_other (void)
{
  Bench bench;

  set_up (&bench, &kinds[2].nat);
  bench.has_other = FALSE;
  set_servers (&bench, FALSE);
  run_until_done (&bench);
  g_assert_cmpuint (bench.facts.mapping, ==, HP_WIRE_MAPPING_UNKNOWN);
  g_assert_cmpuint (bench.facts.allocation, ==, HP_WIRE_ALLOCATION_RANDOM);
  tear_down (&bench);
}

/* A server that keeps silent is asked a few times, and then nothing more. */
static void
test_silence (void)
{
  Bench bench;
  HpNatFacts facts;

  set_up (&bench, &kinds[1].nat);
  bench.is_silent = TRUE;
  set_servers (&bench, FALSE);
  run (3500);
  g_assert_cmpuint (bench.n_requests, ==, 4);
  g_assert_false (hp_nat_discovery_get_facts (bench.discovery, &facts,
                                              hp_clock_now ()));
  g_assert_cmpuint (bench.n_changes, ==, 0);
  tear_down (&bench);
}

/* A dead STUN server keeps nobody waiting. */
static void
test_dead_stun_server (void)
{
  Bench bench;
  HpAddress servers[2];

  set_up (&bench, &kinds[1].nat);
  servers[0] = bench.servers[0].address;
  servers[1] = servers[0];
  servers[1].ip[3] = 77;
  hp_nat_discovery_set_servers (bench.discovery, servers, 2, 1,
                                hp_clock_now ());
  run (600);
  g_assert_true (hp_nat_discovery_is_done (bench.discovery));
  g_assert_cmpuint (bench.facts.mapping, ==, HP_WIRE_MAPPING_PORT_INDEPENDENT);
  g_assert_cmpuint (bench.facts.allocation, ==, HP_WIRE_ALLOCATION_PRESERVED);
  tear_down (&bench);
}

/* A further server that becomes known later adds its view. */
static void
test_later_server (void)
{
  Bench bench;

  set_up (&bench, &kinds[1].nat);
  set_servers (&bench, FALSE);
  run_until_done (&bench);
  g_assert_cmpuint (bench.facts.mapping, ==, HP_WIRE_MAPPING_PORT_INDEPENDENT);
  set_servers (&bench, TRUE);
  run (100);
  g_assert_cmpuint (bench.facts.mapping, ==,
                    HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT);
  tear_down (&bench);
}

/* A forged answer does not count: wrong transaction, wrong sender. */
static void
test_forged (void)
{
  Bench bench;
  guint8 transaction[HP_STUN_TRANSACTION_SIZE] = { 1 };
  guint8 request[HP_STUN_MAX_SIZE];
  guint8 response[HP_STUN_MAX_SIZE];
  gsize length;

  set_up (&bench, &kinds[1].nat);
  bench.is_silent = TRUE;
  set_servers (&bench, FALSE);
  run (50);
  length = hp_stun_create_request (transaction, request, sizeof request);
  length = hp_stun_create_response (request, length,
                                    &bench.servers[0].address, NULL, response,
                                    sizeof response);
  for (gsize size = 0; size <= length; size++)
    {
      HpDatagram datagram = { .bytes = response, .length = size };

      datagram.route.remote = bench.servers[0].address;
      g_assert_false (hp_nat_discovery_receive (bench.discovery, &datagram,
                                                hp_clock_now ()));
    }
  tear_down (&bench);
}

/* What a NAT lets in is known, whatever else is. */
static void
test_filtering (gconstpointer which)
{
  const Nat *nat = &kinds[GPOINTER_TO_UINT (which)].nat;

  for (guint filtering = HP_WIRE_FILTERING_ENDPOINT_INDEPENDENT;
       filtering <= HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT; filtering++)
    for (guint with_other_host = 0; with_other_host < 2; with_other_host++)
      {
        Bench bench;

        set_up (&bench, nat);
        bench.filtering = filtering;
        bench.has_other_host = with_other_host;
        hp_nat_discovery_set_knock (bench.discovery, ask_knock);
        set_servers (&bench, FALSE);
        run_until_done (&bench);
        /* The stricter of what may be */
        g_assert_cmpuint (bench.facts.filtering, ==,
                          with_other_host
                              ? filtering
                              : MAX (filtering,
                                     HP_WIRE_FILTERING_ADDRESS_DEPENDENT));
        g_assert_cmpuint (bench.facts.allocation, ==, nat->allocation);
        /* No more entries than without, but for a firewall's */
        g_assert_cmpuint (count_entries (&bench), <=,
                          MAX (kinds[GPOINTER_TO_UINT (which)].most_entries,
                               2));
        tear_down (&bench);
      }
}

/* A STUN server has no session in which to ask for it, and a match server
 * without a second port cannot. */
static void
test_nobody_knocks (void)
{
  Bench bench;

  set_up (&bench, &kinds[1].nat);
  hp_nat_discovery_set_knock (bench.discovery, ask_knock);
  hp_nat_discovery_set_servers (bench.discovery, &bench.servers[0].address, 1,
                                0, hp_clock_now ());
  run_until_done (&bench);
  g_assert_cmpuint (bench.n_knocks, ==, 0);
  tear_down (&bench);

  set_up (&bench, &kinds[1].nat);
  bench.has_other = FALSE;
  hp_nat_discovery_set_knock (bench.discovery, ask_knock);
  set_servers (&bench, FALSE);
  run_until_done (&bench);
  g_assert_cmpuint (bench.n_knocks, ==, 0);
  g_assert_cmpuint (bench.facts.filtering, ==, HP_WIRE_FILTERING_UNKNOWN);
  tear_down (&bench);
}

/* Answers the HELLO after which a socket is left in silence, and then the
 * knocks, if the mapping still lives; the clock is invented. Gives the time. */
static gint64
keep_silent (Bench *self, gint64 lifetime, gint64 now)
{
  HpNatTrial *trial = &self->discovery->silence;
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  guint silence = self->discovery->n_silences;
  gint64 mapped_at = now;
  HpHello hello;

  if (hp_nat_trial_pull (trial, &outgoing, now))
    {
      HpDatagram datagram = { .bytes = bytes, .route = outgoing.route };

      g_assert_true (hp_packet_parse_hello (&hello, bytes, outgoing.length));
      datagram.length = write_cookie (&hello, &self->servers[0].address, bytes,
                                      sizeof bytes);
      g_assert_true (hp_nat_discovery_receive (self->discovery, &datagram,
                                               now));
    }
  while (trial->socket != 0 && self->discovery->n_silences == silence)
    {
      guint n_knocks = self->n_knocks;

      now = MAX (now, hp_nat_trial_get_deadline (trial));
      hp_nat_discovery_advance_trials (self->discovery, now);
      if (self->n_knocks == n_knocks)
        continue;
      g_assert_cmpuint (self->knock.knock.flags, ==, HP_KNOCK_SAME);
      if (now - mapped_at < lifetime)
        knock (self, trial->socket, &self->knock, now);
      else
        hp_nat_discovery_knocked (self->discovery,
                                  self->knock.knock.transaction, HP_KNOCK_SAME,
                                  now);
      hp_nat_discovery_advance_trials (self->discovery, now);
    }
  return now;
}

/* Longer and longer silences; ports that are preserved make no difference. */
static void
test_silences (void)
{
  static const struct
  {
    guint lifetime, outlived;
  } lives[] = { { 10, 0 }, { 30, 20 }, { 60, 35 }, { 90, 65 }, { 600, 115 } };

  for (guint i = 0; i < G_N_ELEMENTS (lives); i++)
    {
      HpNatTrial *trial;
      gint64 now;
      Bench bench;

      set_up (&bench, &kinds[1].nat);
      bench.has_other_host = TRUE;
      hp_nat_discovery_set_knock (bench.discovery, ask_knock);
      set_servers (&bench, FALSE);
      run_until_done (&bench);
      trial = &bench.discovery->silence;
      g_assert_cmpuint (trial->socket, !=, 0);
      /* The first HELLO was answered by the real clock. */
      run (50);
      now = hp_clock_now ();
      while (trial->socket != 0)
        now = keep_silent (&bench, lives[i].lifetime * G_USEC_PER_SEC, now);
      g_assert_cmpuint (hp_nat_discovery_get_lifetime (bench.discovery), ==,
                        lives[i].outlived);
      tear_down (&bench);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *both
          = g_strdup_printf ("/nat-discovery/kind/%s", kinds[i].name);
      g_autofree char *one
          = g_strdup_printf ("/nat-discovery/one-host/%s", kinds[i].name);
      g_autofree char *loss
          = g_strdup_printf ("/nat-discovery/loss/%s", kinds[i].name);
      g_autofree char *filtering
          = g_strdup_printf ("/nat-discovery/filtering/%s", kinds[i].name);

      g_test_add_data_func (both, GUINT_TO_POINTER (i), test_kind);
      g_test_add_data_func (one, GUINT_TO_POINTER (i), test_kind_one_host);
      g_test_add_data_func (loss, GUINT_TO_POINTER (i), test_loss);
      g_test_add_data_func (filtering, GUINT_TO_POINTER (i), test_filtering);
    }
  g_test_add_func ("/nat-discovery/busy", test_busy);
  g_test_add_func ("/nat-discovery/no-budget", test_no_budget);
  g_test_add_func ("/nat-discovery/no-other", test_no_other);
  g_test_add_func ("/nat-discovery/silence", test_silence);
  g_test_add_func ("/nat-discovery/dead-stun-server", test_dead_stun_server);
  g_test_add_func ("/nat-discovery/later-server", test_later_server);
  g_test_add_func ("/nat-discovery/forged", test_forged);
  g_test_add_func ("/nat-discovery/nobody-knocks", test_nobody_knocks);
  g_test_add_func ("/nat-discovery/silences", test_silences);
  return g_test_run ();
}
