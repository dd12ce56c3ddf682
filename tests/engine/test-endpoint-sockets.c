/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An endpoint's further sockets, and carriers that pass for one */

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-socket.h"
#include "hole-punch/wire/hp-packet.h"

#include <string.h>
#include <unistd.h>

#define INDEX 10
#define DATA_SIZE 40
#define MANY 400

/* A full send buffer of one socket, which loopback never shows; the linker lets
 * the endpoint's calls come here first (--wrap). */
HpSendResult __real_hp_udp_socket_send_segments (HpUdpSocket *self,
                                                 HpOutgoing *outgoing,
                                                 gsize segment);
HpSendResult __wrap_hp_udp_socket_send_segments (HpUdpSocket *self,
                                                 HpOutgoing *outgoing,
                                                 gsize segment);
guint __real_hp_udp_socket_send_runs (HpUdpSocket *self, const HpUdpRun *runs,
                                      guint n);
guint __wrap_hp_udp_socket_send_runs (HpUdpSocket *self, const HpUdpRun *runs,
                                      guint n);
static guint blocked_socket;
static guint blocked_sends;

HpSendResult
__wrap_hp_udp_socket_send_segments (HpUdpSocket *self, HpOutgoing *outgoing,
                                    gsize segment)
{
  if (blocked_sends == 0 || hp_udp_socket_get_number (self) != blocked_socket)
    return __real_hp_udp_socket_send_segments (self, outgoing, segment);
  blocked_sends--;
  return HP_SEND_BLOCKED;
}

guint
__wrap_hp_udp_socket_send_runs (HpUdpSocket *self, const HpUdpRun *runs,
                                guint n)
{
  if (blocked_sends > 0 && hp_udp_socket_get_number (self) == blocked_socket)
    return 0;
  return __real_hp_udp_socket_send_runs (self, runs, n);
}

typedef enum
{
  IN_NOTHING,
  IN_RECEIVE,
  IN_PULL,
  IN_EXPIRE,
  IN_DELIVER,
} Callback;

/* A party that sends one datagram by each socket it is told of, and notes by
 * which ones something came */
typedef struct _Node Node;
struct _Node
{
  HpParty party;
  HpEndpoint *endpoint;
  HpAddress remote;
  GArray *to_send; /* guint: numbers of sockets */
  GArray *came_by; /* guint */
  GArray *sizes;   /* gsize, of what came */
  gint64 deadline;
  gint64 spends; /* µs with each datagram */
  Callback act_in;
  void (*act) (Node *node);
};

typedef struct
{
  HpCarrier carrier;
  GArray *sizes; /* gsize */
  GArray *ports; /* guint: of the remotes */
  gboolean removes;
  gboolean injects;
} Lane;

typedef struct
{
  GMainContext *context;
  HpEndpoint *endpoint;
  HpUdpSocket *outside;
  Node node;
  GArray *numbers; /* guint: the sockets opened */
  guint strays;
} Fixture;

static void
act (Node *node, Callback in)
{
  if (node->act_in != in)
    return;
  node->act_in = IN_NOTHING;
  node->act (node);
}

static void
node_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  Node *node = (Node *) party;
  gint64 until = hp_clock_now () + node->spends;

  while (node->spends > 0 && hp_clock_now () < until)
    ;
  g_array_append_val (node->came_by, datagram->route.socket);
  g_array_append_val (node->sizes, datagram->length);
  act (node, IN_RECEIVE);
}

static void
write_data (guint8 *bytes)
{
  HpWriter writer;

  memset (bytes, 0, DATA_SIZE);
  hp_writer_init (&writer, bytes, DATA_SIZE);
  hp_packet_write_data_header (&(HpDataHeader){ 0, INDEX, 7 }, &writer);
}

static gboolean
node_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  Node *node = (Node *) party;

  if (node->to_send->len == 0)
    return FALSE;
  outgoing->route.socket = g_array_index (node->to_send, guint, 0);
  outgoing->route.remote = node->remote;
  g_array_remove_index (node->to_send, 0);
  write_data (outgoing->bytes);
  outgoing->length = DATA_SIZE;
  act (node, IN_PULL);
  return TRUE;
}

static gint64
node_get_deadline (HpParty *party, gint64 now)
{
  return ((Node *) party)->deadline;
}

static void
node_expire (HpParty *party, gint64 now)
{
  Node *node = (Node *) party;

  node->deadline = G_MAXINT64;
  act (node, IN_EXPIRE);
}

static void
node_deliver (HpParty *party, gint64 now)
{
  act ((Node *) party, IN_DELIVER);
}

static const HpPartyClass node_class = {
  "node", node_receive, node_pull, node_get_deadline, node_expire,
  node_deliver,
};

static gboolean
on_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  ((Fixture *) user_data)->strays++;
  return TRUE;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Node *node = &fixture->node;

  memset (fixture, 0, sizeof *fixture);
  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->endpoint
      = hp_endpoint_new ("127.0.0.1", 0, on_stray, fixture, &error);
  g_assert_no_error (error);
  fixture->outside = hp_udp_socket_new ("127.0.0.1", 0, 0, &error);
  g_assert_no_error (error);
  fixture->numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  node->endpoint = fixture->endpoint;
  node->remote = *hp_udp_socket_get_address (fixture->outside);
  node->to_send = g_array_new (FALSE, FALSE, sizeof (guint));
  node->came_by = g_array_new (FALSE, FALSE, sizeof (guint));
  node->sizes = g_array_new (FALSE, FALSE, sizeof (gsize));
  node->deadline = G_MAXINT64;
  hp_endpoint_add_party (fixture->endpoint, &node->party, &node_class, INDEX);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  hp_endpoint_close (fixture->endpoint);
  hp_endpoint_unref (fixture->endpoint);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  hp_udp_socket_free (fixture->outside);
  g_array_unref (fixture->numbers);
  g_array_unref (fixture->node.to_send);
  g_array_unref (fixture->node.came_by);
  g_array_unref (fixture->node.sizes);
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
}

static void
settle (Fixture *fixture)
{
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
}

static const HpEndpointStatistics *
get_statistics (Fixture *fixture)
{
  return hp_endpoint_get_statistics (fixture->endpoint);
}

static guint
open_one (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  guint number
      = hp_endpoint_open_socket (fixture->endpoint, "127.0.0.1", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (number, >, 0);
  g_array_append_val (fixture->numbers, number);
  return number;
}

static void
send_by (Fixture *fixture, guint number)
{
  g_array_append_val (fixture->node.to_send, number);
  hp_endpoint_wake (fixture->endpoint, &fixture->node.party);
}

/* From outside to that socket */
static void
send_to (Fixture *fixture, guint number)
{
  guint8 bytes[DATA_SIZE];
  HpOutgoing outgoing = { .bytes = bytes, .length = sizeof bytes };

  write_data (bytes);
  g_assert_true (hp_endpoint_get_socket_address (fixture->endpoint, number,
                                                 &outgoing.route.remote));
  g_assert_cmpint (hp_udp_socket_send (fixture->outside, &outgoing), ==,
                   HP_SEND_OK);
}

static void
on_outside (gpointer user_data, const HpDatagram *datagram)
{
  GHashTable *ports = user_data;
  guint port = datagram->route.remote.port;

  g_hash_table_add (ports, GUINT_TO_POINTER (port));
}

/* From how many ports something came */
static guint
count_ports (Fixture *fixture)
{
  g_autoptr (GHashTable) ports = g_hash_table_new (NULL, NULL);

  while (hp_udp_socket_receive (fixture->outside, 64, on_outside, ports))
    ;
  return g_hash_table_size (ports);
}

static guint
get_came_by (const Fixture *fixture, guint i)
{
  g_assert_cmpuint (i, <, fixture->node.came_by->len);
  return g_array_index (fixture->node.came_by, guint, i);
}

/* Pages that the process has mapped */
static gsize
get_mapped (void)
{
  g_autofree char *text = NULL;
  guint64 pages = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_true (g_ascii_string_to_unsigned (strtok (text, " "), 10, 0,
                                             G_MAXUINT64, &pages, NULL));
  return pages;
}

/* A birthday volley's worth of sockets */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  gsize before = get_mapped ();
  guint64 seen = 0;

  for (guint i = 0; i < MANY; i++)
    send_by (fixture, open_one (fixture));
  /* They share their buffers, of a megabyte each. */
  g_assert_cmpuint (get_mapped () - before, <, 100 * 1024 * 1024 / 4096);
  settle (fixture);
  g_assert_cmpuint (count_ports (fixture), ==, MANY);
  for (guint i = 0; i < MANY; i++)
    send_to (fixture, g_array_index (fixture->numbers, guint, i));
  settle (fixture);
  g_assert_cmpuint (fixture->node.came_by->len, ==, MANY);
  for (guint i = 0; i < MANY; i++)
    seen += get_came_by (fixture, i);
  g_assert_cmpuint (seen, ==, MANY * (MANY + 1) / 2);

  for (guint i = 0; i < MANY; i++)
    if (i != 7)
      hp_endpoint_close_socket (fixture->endpoint,
                                g_array_index (fixture->numbers, guint, i));
  /* The winner stays, and so does the first one. */
  send_to (fixture, g_array_index (fixture->numbers, guint, 7));
  send_to (fixture, 0);
  settle (fixture);
  g_assert_cmpuint (fixture->node.came_by->len, ==, MANY + 2);
  g_assert_cmpuint (get_statistics (fixture)->datagrams_sent, ==, MANY);
}

static void
test_numbers (Fixture *fixture, gconstpointer data)
{
  guint first = open_one (fixture);
  guint second = open_one (fixture);
  HpAddress address;
  HpAddress again;

  g_assert_cmpuint (second, >, first);
  g_assert_true (hp_endpoint_get_socket_address (fixture->endpoint, first,
                                                 &address));
  g_assert_true (hp_endpoint_get_socket_address (fixture->endpoint, 0,
                                                 &again));
  g_assert_true (
      hp_address_equal (&again, hp_endpoint_get_address (fixture->endpoint)));
  hp_endpoint_close_socket (fixture->endpoint, second);
  hp_endpoint_close_socket (fixture->endpoint, second);
  hp_endpoint_close_socket (fixture->endpoint, 77);
  g_assert_false (hp_endpoint_get_socket_address (fixture->endpoint, second,
                                                  &again));
  g_assert_cmpuint (open_one (fixture), >, second);
  hp_endpoint_close_socket (fixture->endpoint, first);
  /* The port is free at once. */
  g_assert_cmpuint (hp_endpoint_open_socket (fixture->endpoint, "127.0.0.1",
                                             address.port, NULL),
                    >, second + 1);
}

/* A process that was forked has copies of all sockets: what comes to one that
 * is closed here is nothing to us, and does not wake us for ever */
static void
test_copied (Fixture *fixture, gconstpointer data)
{
  int next = dup (STDIN_FILENO);
  guint8 bytes[DATA_SIZE];
  HpOutgoing outgoing = { .bytes = bytes, .length = sizeof bytes };
  guint number;
  int copy;

  close (next);
  number = open_one (fixture);
  copy = dup (next);
  g_assert_cmpint (copy, >, next);
  write_data (bytes);
  g_assert_true (hp_endpoint_get_socket_address (fixture->endpoint, number,
                                                 &outgoing.route.remote));
  hp_endpoint_close_socket (fixture->endpoint, number);
  settle (fixture);
  g_assert_cmpint (hp_udp_socket_send (fixture->outside, &outgoing), ==,
                   HP_SEND_OK);
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (fixture->context, FALSE);
  g_assert_false (g_main_context_pending (fixture->context));
  close (copy);
}

/* Who is bound to one address has all sockets there */
static void
test_same_address (Fixture *fixture, gconstpointer data)
{
  const HpAddress *first = hp_endpoint_get_address (fixture->endpoint);
  g_autoptr (GError) error = NULL;
  HpAddress address;
  guint number = hp_endpoint_open_socket (fixture->endpoint, NULL, 0, &error);

  g_assert_no_error (error);
  g_assert_true (hp_endpoint_get_socket_address (fixture->endpoint, number,
                                                 &address));
  g_assert_true (hp_address_same_host (&address, first));
  g_assert_cmpuint (address.port, !=, first->port);
}

static void
test_failures (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint16 port = hp_endpoint_get_address (fixture->endpoint)->port;

  g_assert_cmpuint (hp_endpoint_open_socket (fixture->endpoint, "127.0.0.1",
                                             port, &error),
                    ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_clear_error (&error);
  hp_endpoint_close (fixture->endpoint);
  g_assert_cmpuint (hp_endpoint_open_socket (fixture->endpoint, "127.0.0.1",
                                             0, &error),
                    ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_closed (Fixture *fixture, gconstpointer data)
{
  guint number = open_one (fixture);
  guint8 byte = 1;
  HpOutgoing outgoing = { .route = { .socket = number,
                                     .remote = fixture->node.remote },
                          .bytes = &byte, .length = 1 };

  hp_endpoint_send (fixture->endpoint, &outgoing);
  g_assert_cmpuint (count_ports (fixture), ==, 1);
  hp_endpoint_close_socket (fixture->endpoint, number);
  hp_endpoint_send (fixture->endpoint, &outgoing);
  for (guint i = 0; i < 3; i++)
    send_by (fixture, number);
  send_by (fixture, 0);
  settle (fixture);
  g_assert_cmpuint (get_statistics (fixture)->dropped_closed_socket, ==, 4);
  g_assert_cmpuint (get_statistics (fixture)->datagrams_sent, ==, 2);
  g_assert_cmpuint (count_ports (fixture), ==, 1);
}

static void
close_all (Node *node)
{
  for (guint number = 1; number <= 8; number++)
    hp_endpoint_close_socket (node->endpoint, number);
}

static void
close_endpoint (Node *node)
{
  hp_endpoint_close (node->endpoint);
}

static void
open_another (Node *node)
{
  g_assert_cmpuint (
      hp_endpoint_open_socket (node->endpoint, "127.0.0.1", 0, NULL), ==, 9);
}

static void
remove_node (Node *node)
{
  hp_endpoint_remove_party (node->endpoint, &node->party);
}

static void
run_act (Callback in, void (*what) (Node *node))
{
  Fixture fixture;

  set_up (&fixture, NULL);
  for (guint i = 0; i < 8; i++)
    open_one (&fixture);
  settle (&fixture);
  fixture.node.act_in = in;
  fixture.node.act = what;
  fixture.node.deadline = hp_clock_now ();
  for (guint i = 0; i < 8; i++)
    {
      send_by (&fixture, i + 1);
      send_to (&fixture, i + 1);
      send_to (&fixture, i + 1);
    }
  settle (&fixture);
  g_assert_cmpint (fixture.node.act_in, ==, IN_NOTHING);
  if (what == open_another)
    g_assert_cmpuint (fixture.node.came_by->len, ==, 16);
  else if (in == IN_RECEIVE)
    g_assert_cmpuint (fixture.node.came_by->len, ==, 1);
  if (what == close_all)
    {
      g_assert_false (hp_endpoint_get_socket_address (
          fixture.endpoint, 3, &fixture.node.remote));
      /* The first one works on. */
      send_to (&fixture, 0);
      settle (&fixture);
      g_assert_cmpuint (get_came_by (&fixture, fixture.node.came_by->len - 1),
                        ==, 0);
    }
  tear_down (&fixture, NULL);
}

static void
test_acts (void)
{
  for (Callback in = IN_RECEIVE; in <= IN_DELIVER; in++)
    {
      run_act (in, close_all);
      run_act (in, close_endpoint);
      run_act (in, open_another);
      run_act (in, remove_node);
    }
}

/* Nothing more comes by a socket once it is closed, not even what the same call
 * has brought. */
static void
test_closed_inside (Fixture *fixture, gconstpointer data)
{
  guint number = open_one (fixture);

  /* It learns to ask for several at once. */
  for (guint i = 0; i < 60; i++)
    send_to (fixture, number);
  settle (fixture);
  g_assert_cmpuint (fixture->node.came_by->len, ==, 60);
  fixture->node.act_in = IN_RECEIVE;
  fixture->node.act = close_all;
  for (guint i = 0; i < 10; i++)
    send_to (fixture, number);
  settle (fixture);
  g_assert_cmpuint (fixture->node.came_by->len, ==, 61);
}

/* Many that all have something to say do not keep the main loop, nor the first
 * socket, waiting; and each of them has its turn. */
static void
test_bounds (Fixture *fixture, gconstpointer data)
{
  Node *node = &fixture->node;
  gboolean saw_main = FALSE;

  for (guint i = 0; i < 200; i++)
    open_one (fixture);
  settle (fixture);
  for (guint i = 0; i < 200; i++)
    for (guint k = 0; k < 4; k++)
      send_to (fixture, i + 1);
  for (guint i = 0; i < 100; i++)
    send_to (fixture, 0);
  node->spends = 50;
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (node->came_by->len, >=, 2);
  /* 64 of the first one's in a row, and 16 of another's, at most */
  g_assert_cmpuint (node->came_by->len, <, 100);
  for (guint i = 0; i < node->came_by->len; i++)
    saw_main |= get_came_by (fixture, i) == 0;
  g_assert_true (saw_main);
  g_assert_cmpuint (get_came_by (fixture, node->came_by->len - 1), !=, 0);
  node->spends = 0;
  settle (fixture);
  g_assert_cmpuint (node->came_by->len, ==, 900);
}

static void
test_blocked (Fixture *fixture, gconstpointer data)
{
  guint slow = open_one (fixture);
  guint other = open_one (fixture);

  blocked_socket = slow;
  blocked_sends = 2;
  send_by (fixture, slow);
  send_by (fixture, other);
  send_by (fixture, 0);
  settle (fixture);
  g_assert_cmpuint (blocked_sends, ==, 0);
  g_assert_cmpuint (get_statistics (fixture)->datagrams_sent, ==, 3);
  g_assert_cmpuint (count_ports (fixture), ==, 3);

  /* What a socket keeps goes with it, and nobody waits for it any more. */
  blocked_sends = G_MAXUINT;
  for (guint i = 0; i < 70; i++)
    {
      send_by (fixture, slow);
      send_by (fixture, other);
    }
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  /* Of 140: what had been pulled for one batch is kept or gone, no more. */
  g_assert_cmpuint (fixture->node.to_send->len, ==, 140 - 63);
  hp_endpoint_close_socket (fixture->endpoint, slow);
  settle (fixture);
  g_assert_cmpuint (fixture->node.to_send->len, ==, 0);
  g_assert_cmpuint (get_statistics (fixture)->datagrams_sent, ==, 73);
  g_assert_cmpuint (get_statistics (fixture)->dropped_closed_socket, ==, 38);
  g_assert_cmpuint (count_ports (fixture), ==, 1);
  blocked_sends = 0;
}

/* Whoever closes waits for each socket. */
static void
test_blocked_at_close (Fixture *fixture, gconstpointer data)
{
  guint slow = open_one (fixture);
  guint other = open_one (fixture);

  blocked_socket = slow;
  blocked_sends = 3;
  for (guint i = 0; i < 50; i++)
    {
      send_by (fixture, slow);
      send_by (fixture, other);
      send_by (fixture, 0);
    }
  hp_endpoint_close (fixture->endpoint);
  g_assert_cmpuint (blocked_sends, ==, 0);
  g_assert_cmpuint (fixture->node.to_send->len, ==, 0);
  g_assert_cmpuint (get_statistics (fixture)->datagrams_sent, ==, 150);
  g_assert_cmpuint (count_ports (fixture), ==, 3);
}

/* Carriers */

static void
inject (Fixture *fixture, guint number, gsize length)
{
  guint8 bytes[DATA_SIZE];
  HpDatagram datagram = { .route = { .socket = number,
                                     .remote = fixture->node.remote },
                          .bytes = bytes, .length = length };

  write_data (bytes);
  hp_endpoint_inject (fixture->endpoint, &datagram);
}

static void
lane_send (HpCarrier *carrier, const HpOutgoing *outgoing, gint64 now)
{
  Lane *lane = (Lane *) carrier;
  guint port = outgoing->route.remote.port;
  HpOutgoing around = *outgoing;
  guint8 bytes[DATA_SIZE];
  HpDatagram datagram = { .route = outgoing->route, .bytes = bytes,
                          .length = DATA_SIZE };

  g_assert_cmpint (now, >, 0);
  g_assert_cmpuint (outgoing->route.socket, ==, carrier->number);
  g_array_append_val (lane->sizes, outgoing->length);
  g_array_append_val (lane->ports, port);
  around.route.socket = 0;
  hp_endpoint_send (carrier->endpoint, &around);
  write_data (bytes);
  if (lane->injects)
    hp_endpoint_inject (carrier->endpoint, &datagram);
  if (lane->removes)
    hp_endpoint_remove_carrier (carrier->endpoint, carrier);
}

static const HpCarrierClass lane_class = { "lane", lane_send };

static guint
add_lane (Fixture *fixture, Lane *lane)
{
  lane->sizes = g_array_new (FALSE, FALSE, sizeof (gsize));
  lane->ports = g_array_new (FALSE, FALSE, sizeof (guint));
  return hp_endpoint_add_carrier (fixture->endpoint, &lane->carrier,
                                  &lane_class);
}

static void
clear_lane (Lane *lane)
{
  g_array_unref (lane->sizes);
  g_array_unref (lane->ports);
}

static void
test_carrier (Fixture *fixture, gconstpointer data)
{
  guint before = open_one (fixture);
  Lane lane = { 0 };
  guint number = add_lane (fixture, &lane);
  HpRoute route = { .socket = number, .remote = fixture->node.remote };
  HpAddress address;

  g_assert_cmpuint (number, >, before);
  g_assert_cmpuint (lane.carrier.number, ==, number);
  g_assert_cmpuint (open_one (fixture), >, number);
  g_assert_false (hp_endpoint_get_socket_address (fixture->endpoint, number,
                                                  &address));
  g_assert_cmpuint (hp_endpoint_get_interface_size (fixture->endpoint,
                                                    &route),
                    ==, 0);
  route.socket = before;
  g_assert_cmpuint (hp_endpoint_get_interface_size (fixture->endpoint,
                                                    &route),
                    >, 0);

  /* What goes through the kernel together comes here one by one. */
  for (guint i = 0; i < 5; i++)
    send_by (fixture, number);
  settle (fixture);
  g_assert_cmpuint (lane.sizes->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_cmpuint (g_array_index (lane.sizes, gsize, i), ==, DATA_SIZE);
      g_assert_cmpuint (g_array_index (lane.ports, guint, i), ==,
                        fixture->node.remote.port);
    }
  g_assert_cmpuint (get_statistics (fixture)->datagrams_sent, ==, 5);
  hp_endpoint_remove_carrier (fixture->endpoint, &lane.carrier);
  hp_endpoint_remove_carrier (fixture->endpoint, &lane.carrier);
  g_assert_null (lane.carrier.endpoint);
  send_by (fixture, number);
  settle (fixture);
  g_assert_cmpuint (lane.sizes->len, ==, 5);
  g_assert_cmpuint (get_statistics (fixture)->dropped_closed_socket, ==, 1);
  clear_lane (&lane);
}

static void
answer_by_same (Node *node)
{
  guint number = g_array_index (node->came_by, guint, node->came_by->len - 1);

  g_array_append_val (node->to_send, number);
}

static void
test_inject (Fixture *fixture, gconstpointer data)
{
  Lane lane = { .injects = TRUE };
  guint number = add_lane (fixture, &lane);

  settle (fixture);
  fixture->node.act_in = IN_RECEIVE;
  fixture->node.act = answer_by_same;
  inject (fixture, number, DATA_SIZE);
  g_assert_cmpuint (get_came_by (fixture, 0), ==, number);
  /* Not from inside the injection */
  g_assert_cmpuint (lane.sizes->len, ==, 0);
  settle (fixture);
  g_assert_cmpuint (lane.sizes->len, ==, 1);
  /* What the carrier injected while it sent was dropped. */
  g_assert_cmpuint (fixture->node.came_by->len, ==, 1);
  g_assert_cmpuint (get_statistics (fixture)->dropped_unclaimed, ==, 1);
  /* A datagram that is cut short is nobody's. */
  inject (fixture, number, 3);
  g_assert_cmpuint (fixture->node.came_by->len, ==, 1);
  g_assert_cmpuint (get_statistics (fixture)->dropped_unclaimed, ==, 2);
  hp_endpoint_close (fixture->endpoint);
  inject (fixture, number, DATA_SIZE);
  g_assert_cmpuint (fixture->node.came_by->len, ==, 1);
  g_assert_null (lane.carrier.endpoint);
  clear_lane (&lane);
}

/* A relay's datagram comes to a socket, and another one out of it. */
static guint injected_by;

static void
inject_inside (Node *node)
{
  guint8 bytes[DATA_SIZE];
  HpDatagram datagram = { .route = { .socket = injected_by,
                                     .remote = node->remote },
                          .bytes = bytes, .length = DATA_SIZE };

  write_data (bytes);
  hp_endpoint_inject (node->endpoint, &datagram);
}

static void
test_inject_inside (Fixture *fixture, gconstpointer data)
{
  Lane lane = { 0 };
  guint number = open_one (fixture);

  injected_by = add_lane (fixture, &lane);
  settle (fixture);
  fixture->node.act_in = IN_RECEIVE;
  fixture->node.act = inject_inside;
  send_to (fixture, number);
  settle (fixture);
  g_assert_cmpuint (fixture->node.came_by->len, ==, 2);
  g_assert_cmpuint (get_came_by (fixture, 0), ==, number);
  g_assert_cmpuint (get_came_by (fixture, 1), ==, injected_by);
  /* After all has been received it is too late. */
  fixture->node.act_in = IN_DELIVER;
  send_to (fixture, 0);
  settle (fixture);
  g_assert_cmpuint (fixture->node.came_by->len, ==, 3);
  g_assert_cmpuint (get_statistics (fixture)->dropped_unclaimed, ==, 1);
  hp_endpoint_remove_carrier (fixture->endpoint, &lane.carrier);
  clear_lane (&lane);
}

static void
test_removed_in_send (Fixture *fixture, gconstpointer data)
{
  Lane lane = { .removes = TRUE };
  guint number = add_lane (fixture, &lane);

  for (guint i = 0; i < 5; i++)
    send_by (fixture, number);
  settle (fixture);
  g_assert_cmpuint (lane.sizes->len, ==, 1);
  g_assert_cmpuint (get_statistics (fixture)->dropped_closed_socket, ==, 4);
  clear_lane (&lane);
}

/* What a party that goes has to say goes by a carrier, too. */
static void
test_carrier_at_close (Fixture *fixture, gconstpointer data)
{
  Lane lane = { 0 };
  guint number = add_lane (fixture, &lane);

  settle (fixture);
  send_by (fixture, number);
  send_by (fixture, open_one (fixture));
  hp_endpoint_close (fixture->endpoint);
  g_assert_cmpuint (lane.sizes->len, ==, 1);
  g_assert_cmpuint (count_ports (fixture), ==, 2);
  clear_lane (&lane);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/endpoint-sockets/" name, Fixture, NULL, set_up, func,         \
              tear_down)
  ADD ("many", test_many);
  ADD ("numbers", test_numbers);
  ADD ("copied", test_copied);
  ADD ("same-address", test_same_address);
  ADD ("failures", test_failures);
  ADD ("closed", test_closed);
  ADD ("closed-inside", test_closed_inside);
  ADD ("bounds", test_bounds);
  ADD ("blocked", test_blocked);
  ADD ("blocked-at-close", test_blocked_at_close);
  ADD ("carrier", test_carrier);
  ADD ("inject", test_inject);
  ADD ("inject-inside", test_inject_inside);
  ADD ("removed-in-send", test_removed_in_send);
  ADD ("carrier-at-close", test_carrier_at_close);
  g_test_add_func ("/endpoint-sockets/acts", test_acts);
  return g_test_run ();
}
