/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-busy-poll.h"
#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-socket.h"
#include "hole-punch/wire/hp-packet.h"

#include <string.h>

/* The kernel's full send buffer, which loopback never shows: the linker lets
 * the endpoint's calls come here first (--wrap). Takes a datagram of a batch
 * before it blocks if @blocked_after says so. */
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
static guint blocked_sends;
static guint blocks_each; /* how manieth send on its own; 0: none */
static gboolean is_stuck;
static gboolean blocked_after_one;
static guint calls_of_send; /* and runs that went in one call with others */
static guint calls_of_many;

HpSendResult
__wrap_hp_udp_socket_send_segments (HpUdpSocket *self, HpOutgoing *outgoing,
                                    gsize segment)
{
  HpOutgoing first = *outgoing;

  calls_of_send++;
  if (is_stuck)
    {
      /* The socket itself, which is waited for, is not. */
      g_usleep (1000);
      return HP_SEND_BLOCKED;
    }
  if (blocks_each > 0 && calls_of_send % blocks_each == 0)
    return HP_SEND_BLOCKED;
  if (blocked_sends == 0)
    return __real_hp_udp_socket_send_segments (self, outgoing, segment);
  blocked_sends--;
  if (blocked_after_one)
    {
      first.length = MIN (segment, first.length);
      g_assert_cmpint (hp_udp_socket_send (self, &first), ==, HP_SEND_OK);
      outgoing->bytes += first.length;
      outgoing->length -= first.length;
      if (outgoing->length == 0)
        return HP_SEND_OK;
    }
  return HP_SEND_BLOCKED;
}

guint
__wrap_hp_udp_socket_send_runs (HpUdpSocket *self, const HpUdpRun *runs,
                                guint n)
{
  guint sent;

  if (blocked_sends > 0 || blocks_each > 0 || is_stuck)
    return 0;
  calls_of_many++;
  sent = __real_hp_udp_socket_send_runs (self, runs, n);
  calls_of_send += sent;
  return sent;
}

/* A toy party: sends what it is told to, notes what happens to it, and can do
 * something drastic inside a callback. */
typedef enum
{
  IN_NOTHING,
  IN_RECEIVE,
  IN_PULL,
  IN_EXPIRE,
  IN_DELIVER,
} Callback;

typedef struct _Toy Toy;
struct _Toy
{
  HpParty party;
  HpEndpoint *endpoint;
  HpRoute route; /* where it sends to */
  guint to_send;
  const guint *sizes; /* of what it sends, else 2 bytes */
  guint alone;        /* the how manieth goes alone; 0: none */
  guint marked;       /* from the how manieth on they are; 0: none */
  gint64 spends;      /* µs with each pull and each datagram */
  guint8 mark;        /* first byte after the type of what it sends */
  gint64 next_deadline;
  guint received, pulled, expired, delivered;
  guint8 last_type;
  GString *log;
  Callback act_in;
  void (*act) (Toy *toy);
  Toy *other;
  gboolean in_heap_memory;
};

static gboolean
act (Toy *toy, Callback in)
{
  if (toy->act_in != in)
    return FALSE;
  toy->act_in = IN_NOTHING;
  toy->act (toy);
  return TRUE;
}

static void
spend (const Toy *toy)
{
  gint64 until = hp_clock_now () + toy->spends;

  while (toy->spends > 0 && hp_clock_now () < until)
    ;
}

static void
toy_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  Toy *toy = (Toy *) party;

  spend (toy);
  toy->received++;
  toy->last_type = datagram->bytes[0];
  act (toy, IN_RECEIVE);
}

static gboolean
toy_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  Toy *toy = (Toy *) party;

  if (toy->to_send == 0)
    return FALSE;
  spend (toy);
  toy->to_send--;
  toy->pulled++;
  if (toy->log != NULL)
    g_string_append_c (toy->log, toy->mark);
  outgoing->route = toy->route;
  outgoing->bytes[0] = 0xff;
  outgoing->length = toy->sizes != NULL ? toy->sizes[toy->pulled - 1] : 2;
  memset (outgoing->bytes + 1, toy->mark, outgoing->length - 1);
  outgoing->is_alone = toy->pulled == toy->alone;
  if (toy->marked != 0 && toy->pulled >= toy->marked)
    outgoing->ecn = HP_ECN_ECT_0;
  act (toy, IN_PULL);
  return TRUE;
}

static gint64
toy_get_deadline (HpParty *party, gint64 now)
{
  return ((Toy *) party)->next_deadline;
}

static void
toy_expire (HpParty *party, gint64 now)
{
  Toy *toy = (Toy *) party;

  /* It may have got another one since the endpoint last asked. */
  if (toy->next_deadline > now)
    return;
  toy->expired++;
  toy->next_deadline = G_MAXINT64;
  if (toy->log != NULL)
    g_string_append_c (toy->log, toy->mark);
  act (toy, IN_EXPIRE);
}

static void
toy_deliver (HpParty *party, gint64 now)
{
  Toy *toy = (Toy *) party;

  toy->delivered++;
  act (toy, IN_DELIVER);
}

static const HpPartyClass toy_class = {
  "toy", toy_receive, toy_pull, toy_get_deadline, toy_expire, toy_deliver,
};

typedef struct
{
  GMainContext *context;
  HpEndpoint *endpoint;
  HpUdpSocket *outside; /* somebody out there */
  HpRoute to_endpoint;
  HpRoute to_outside;
  guint strays;
  gboolean claims;
} Fixture;

static gboolean
on_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  Fixture *fixture = user_data;

  fixture->strays++;
  return fixture->claims;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  memset (fixture, 0, sizeof *fixture);
  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->endpoint
      = hp_endpoint_new ("127.0.0.1", 0, on_stray, fixture, &error);
  g_assert_no_error (error);
  fixture->outside = hp_udp_socket_new ("127.0.0.1", 0, 0, &error);
  g_assert_no_error (error);
  fixture->to_endpoint.remote = *hp_endpoint_get_address (fixture->endpoint);
  fixture->to_outside.remote = *hp_udp_socket_get_address (fixture->outside);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->endpoint != NULL)
    hp_endpoint_close (fixture->endpoint);
  g_clear_pointer (&fixture->endpoint, hp_endpoint_unref);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  hp_udp_socket_free (fixture->outside);
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
}

static void
add_toy (Fixture *fixture, Toy *toy, guint32 index)
{
  toy->next_deadline
      = toy->next_deadline != 0 ? toy->next_deadline : G_MAXINT64;
  toy->endpoint = fixture->endpoint;
  toy->route = fixture->to_outside;
  hp_endpoint_add_party (fixture->endpoint, &toy->party, &toy_class, index);
}

static void
settle (Fixture *fixture)
{
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
}

static void
send_raw (Fixture *fixture, const guint8 *bytes, gsize length)
{
  HpOutgoing outgoing = { .route = fixture->to_endpoint,
                          .bytes = (guint8 *) bytes, .length = length };

  g_assert_cmpint (hp_udp_socket_send (fixture->outside, &outgoing), ==,
                   HP_SEND_OK);
}

static void
send_data (Fixture *fixture, guint32 index)
{
  guint8 bytes[40] = { 0 };
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_data_header (&(HpDataHeader){ 0, index, 7 }, &writer);
  send_raw (fixture, bytes, sizeof bytes);
}

static void
send_probe (Fixture *fixture, guint64 ticket)
{
  guint8 bytes[HP_PROBE_SIZE] = { 0 };
  HpProbe probe = { .version = HP_PROTOCOL_VERSION, .ticket_number = ticket };
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_probe_header (&probe, &writer);
  send_raw (fixture, bytes, sizeof bytes);
}

static void
send_unknown (Fixture *fixture, guint32 index)
{
  guint8 bytes[HP_UNKNOWN_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_unknown (&(HpUnknown){ index, 7 }, &writer);
  send_raw (fixture, bytes, sizeof bytes);
}

typedef struct
{
  guint n;
  GString *marks;
  GArray *sizes;
} Outside;

static void
on_outside (gpointer user_data, const HpDatagram *datagram)
{
  Outside *outside = user_data;

  outside->n++;
  if (outside->marks != NULL)
    g_string_append_c (outside->marks, datagram->bytes[1]);
  if (outside->sizes != NULL)
    {
      guint size = datagram->length;

      /* All of the same mark: none was written over another */
      g_assert_cmpmem (datagram->bytes + 1, size - 2, datagram->bytes + 2,
                       size - 2);
      g_array_append_val (outside->sizes, size);
    }
}

static guint
receive_outside (Fixture *fixture)
{
  Outside outside = { 0 };

  while (hp_udp_socket_receive (fixture->outside, 64, on_outside, &outside))
    ;
  return outside.n;
}

static void
test_routing (Fixture *fixture, gconstpointer data)
{
  const HpEndpointStatistics *statistics
      = hp_endpoint_get_statistics (fixture->endpoint);
  Toy toys[3] = { 0 };

  add_toy (fixture, &toys[0], 10);
  add_toy (fixture, &toys[1], 20);
  add_toy (fixture, &toys[2], 0);
  hp_endpoint_add_ticket (fixture->endpoint, &toys[2].party, 99);
  send_data (fixture, 10);
  send_data (fixture, 21);
  send_data (fixture, 20);
  send_data (fixture, 30);
  send_probe (fixture, 99);
  send_probe (fixture, 98);
  send_raw (fixture, (const guint8 *) "\x80???", 4);
  send_raw (fixture, (const guint8 *) "\x00\x01\x00\x00", 4);
  send_raw (fixture, (const guint8 *) "\xb4", 1);
  settle (fixture);

  g_assert_cmpuint (toys[0].received, ==, 1);
  g_assert_cmpuint (toys[1].received, ==, 2);
  g_assert_cmpuint (toys[2].received, ==, 1);
  g_assert_cmpuint (toys[2].last_type, ==, HP_PACKET_PROBE);
  /* Index 30, ticket 98 and STUN */
  g_assert_cmpuint (fixture->strays, ==, 3);
  g_assert_cmpuint (statistics->datagrams_received, ==, 9);
  g_assert_cmpuint (statistics->dropped_unknown_index, ==, 1);
  g_assert_cmpuint (statistics->dropped_unknown_type, ==, 1);
  g_assert_cmpuint (statistics->dropped_unclaimed, ==, 3);

  hp_endpoint_remove_party (fixture->endpoint, &toys[1].party);
  g_assert_null (toys[1].party.endpoint);
  hp_endpoint_remove_party (fixture->endpoint, &toys[2].party);
  send_data (fixture, 20);
  send_probe (fixture, 99);
  settle (fixture);
  g_assert_cmpuint (toys[1].received, ==, 2);
  g_assert_cmpuint (toys[2].received, ==, 1);
  g_assert_cmpuint (fixture->strays, ==, 5);
  hp_endpoint_remove_party (fixture->endpoint, &toys[0].party);
}

/* The latest few are kept, and a number goes to whoever took it last. */
/* Datagrams of two parties by turns, and then of one that is not there any
 * more */
static void
test_removed (Fixture *fixture, gconstpointer data)
{
  Toy a = { 0 };
  Toy b = { 0 };

  add_toy (fixture, &a, 2);
  add_toy (fixture, &b, 4);
  for (guint i = 0; i < 3; i++)
    {
      send_data (fixture, 2);
      send_data (fixture, 3);
      send_data (fixture, 4);
    }
  settle (fixture);
  g_assert_cmpuint (a.received, ==, 6);
  g_assert_cmpuint (b.received, ==, 3);
  hp_endpoint_remove_party (fixture->endpoint, &b.party);
  send_data (fixture, 4);
  send_data (fixture, 2);
  settle (fixture);
  g_assert_cmpuint (b.received, ==, 3);
  g_assert_cmpuint (a.received, ==, 7);
  g_assert_cmpuint (fixture->strays, ==, 1);
  hp_endpoint_close (fixture->endpoint);
}

static void
test_tickets (Fixture *fixture, gconstpointer data)
{
  Toy a = { 0 };
  Toy b = { 0 };

  add_toy (fixture, &a, 0);
  add_toy (fixture, &b, 0);
  for (guint i = 0; i < HP_PARTY_MAX_TICKETS + 2; i++)
    hp_endpoint_add_ticket (fixture->endpoint, &a.party, 100 + i);
  for (guint i = 0; i < HP_PARTY_MAX_TICKETS + 2; i++)
    send_probe (fixture, 100 + i);
  settle (fixture);
  g_assert_cmpuint (a.received, ==, HP_PARTY_MAX_TICKETS);
  g_assert_cmpuint (fixture->strays, ==, 2);

  hp_endpoint_add_ticket (fixture->endpoint, &b.party, 105);
  hp_endpoint_remove_party (fixture->endpoint, &a.party);
  memset (&a, 0xee, sizeof a);
  send_probe (fixture, 105);
  send_probe (fixture, 106);
  settle (fixture);
  g_assert_cmpuint (b.received, ==, 1);
  g_assert_cmpuint (fixture->strays, ==, 3);
  hp_endpoint_remove_party (fixture->endpoint, &b.party);
}

static void
test_sending (Fixture *fixture, gconstpointer data)
{
  Toy toy = { .to_send = 700, .mark = 'a' };

  add_toy (fixture, &toy, 2);
  settle (fixture);
  g_assert_cmpuint (toy.pulled, ==, 700);
  /* More than its receive buffer holds may be lost, not the first ones. */
  g_assert_cmpuint (receive_outside (fixture), >, 100);
  toy.to_send = 3;
  settle (fixture);
  g_assert_cmpuint (toy.pulled, ==, 700);
  hp_endpoint_wake (fixture->endpoint, &toy.party);
  settle (fixture);
  g_assert_cmpuint (toy.pulled, ==, 703);
  g_assert_cmpuint (receive_outside (fixture), ==, 3);
  /* What is left is sent when it goes. */
  toy.to_send = 5;
  hp_endpoint_remove_party (fixture->endpoint, &toy.party);
  g_assert_cmpuint (receive_outside (fixture), ==, 5);
}

static void
test_close_sends (Fixture *fixture, gconstpointer data)
{
  Toy toys[2] = { { .to_send = 2 }, { .to_send = 3 } };

  add_toy (fixture, &toys[0], 2);
  add_toy (fixture, &toys[1], 4);
  hp_endpoint_close (fixture->endpoint);
  hp_endpoint_close (fixture->endpoint);
  g_assert_null (toys[0].party.endpoint);
  g_assert_null (toys[1].party.endpoint);
  g_assert_cmpuint (receive_outside (fixture), ==, 5);
}

static void
test_fairness (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) log = g_string_new (NULL);
  Toy greedy = { .to_send = 5000, .mark = 'g', .log = log };
  Toy modest = { .to_send = 1, .mark = 'm', .log = log };

  add_toy (fixture, &greedy, 2);
  add_toy (fixture, &modest, 4);
  settle (fixture);
  g_assert_cmpuint (log->len, ==, 5001);
  g_assert_cmpint (strchr (log->str, 'm') - log->str, <, 64);
  hp_endpoint_close (fixture->endpoint);
}

static gboolean
on_idle (gpointer user_data)
{
  guint *calls = user_data;

  (*calls)++;
  return G_SOURCE_CONTINUE;
}

/* A redraw, or an idle handler, has its turn while an endpoint is flooded. */
static void
test_stays_alive (Fixture *fixture, gconstpointer data)
{
  GSource *idle = g_idle_source_new ();
  Toy toy = { .to_send = 20000 };
  guint idles = 0;

  add_toy (fixture, &toy, 2);
  g_source_set_callback (idle, on_idle, &idles, NULL);
  g_source_attach (idle, fixture->context);
  while (toy.to_send > 0)
    g_main_context_iteration (fixture->context, FALSE);
  g_assert_cmpuint (idles, >, 20);
  g_source_destroy (idle);
  g_source_unref (idle);
  hp_endpoint_close (fixture->endpoint);
}

/* A dispatch ends when it has taken its time, be there few datagrams or
 * many. */
static void
test_takes_its_time (Fixture *fixture, gconstpointer data)
{
  guint sizes[100];
  Toy toy = { .to_send = G_N_ELEMENTS (sizes), .sizes = sizes,
              .spends = 100 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    sizes[i] = 60000;
  add_toy (fixture, &toy, 2);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (toy.pulled, >=, 1);
  g_assert_cmpuint (toy.pulled, <=, 12);
  toy.to_send = 0;
  settle (fixture);

  for (guint i = 0; i < 300; i++)
    send_data (fixture, 2);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  /* What one call had brought is passed on. */
  g_assert_cmpuint (toy.received, >=, 1);
  g_assert_cmpuint (toy.received, <, 150);
  settle (fixture);
  g_assert_cmpuint (toy.received, ==, 300);

  /* By now it knows how long they take. */
  for (guint i = 0; i < 300; i++)
    send_data (fixture, 2);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (toy.received, >, 300);
  g_assert_cmpuint (toy.received, <=, 312);
  /* And forgets it again. */
  toy.spends = 0;
  settle (fixture);
  for (guint i = 0; i < 200; i++)
    send_data (fixture, 2);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (toy.received, >, 700);
  settle (fixture);
  g_assert_cmpuint (toy.received, ==, 800);
  hp_endpoint_close (fixture->endpoint);
}

static void
check_blocked (Fixture *fixture, gboolean after_one)
{
  Outside outside = { .marks = g_string_new (NULL) };
  Toy a = { .to_send = 3, .mark = 'a' };
  Toy b = { .to_send = 2, .mark = 'b' };
  Toy gone = { .to_send = 4, .mark = 'x' };

  add_toy (fixture, &gone, 2);
  add_toy (fixture, &a, 4);
  add_toy (fixture, &b, 6);
  blocked_sends = 3;
  blocked_after_one = after_one;
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  /* It is kept, even if who sent it goes; nothing else is pulled. */
  g_assert_cmpuint (gone.pulled, ==, 4);
  g_assert_cmpuint (a.pulled, ==, 0);
  hp_endpoint_remove_party (fixture->endpoint, &gone.party);
  settle (fixture);
  g_assert_cmpuint (blocked_sends, ==, 0);
  while (hp_udp_socket_receive (fixture->outside, 64, on_outside, &outside))
    ;
  g_assert_cmpstr (outside.marks->str, ==, "xxxxaaabb");
  g_assert_cmpuint (
      hp_endpoint_get_statistics (fixture->endpoint)->datagrams_sent, ==, 9);
  g_string_free (outside.marks, TRUE);
  hp_endpoint_close (fixture->endpoint);
}

static void
test_blocked (Fixture *fixture, gconstpointer data)
{
  check_blocked (fixture, FALSE);
}

static void
test_blocked_in_between (Fixture *fixture, gconstpointer data)
{
  check_blocked (fixture, TRUE);
}

static guint
read_outside (Fixture *fixture, GString *marks)
{
  Outside outside = { .marks = marks };

  while (hp_udp_socket_receive (fixture->outside, 64, on_outside, &outside))
    ;
  return outside.n;
}

/* The kernel takes some at a time: whoever closes waits, be it for what was
 * kept before that or for what is pulled then. */
static void
test_blocked_at_close (Fixture *fixture, gconstpointer data)
{
  guint sizes[60];
  GString *marks = g_string_new (NULL);
  Toy first = { .to_send = 2, .mark = 'x' };
  Toy last = { .to_send = 3, .mark = 'l' };
  /* None goes with another. */
  Toy many = { .to_send = G_N_ELEMENTS (sizes), .sizes = sizes, .mark = 'm' };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    sizes[i] = 2 + i;
  add_toy (fixture, &first, 2);
  blocked_sends = 1;
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (blocked_sends, ==, 0);
  add_toy (fixture, &last, 4);
  add_toy (fixture, &many, 6);
  blocks_each = 2;
  hp_endpoint_close (fixture->endpoint);
  blocks_each = 0;
  g_assert_cmpuint (read_outside (fixture, marks), ==,
                    2 + G_N_ELEMENTS (sizes) + 3);
  g_assert_true (g_str_has_prefix (marks->str, "xxmmm"));
  g_assert_true (g_str_has_suffix (marks->str, "mmlll"));
  g_string_free (marks, TRUE);
}

/* More than a batch, of which each is kept: not only what had been pulled when
 * it blocked first */
static void
test_farewells (Fixture *fixture, gconstpointer data)
{
  Toy toy = { .to_send = 200 };

  add_toy (fixture, &toy, 2);
  blocks_each = 2;
  hp_endpoint_close (fixture->endpoint);
  blocks_each = 0;
  g_assert_cmpuint (toy.pulled, ==, 200);
  g_assert_cmpuint (receive_outside (fixture), ==, 200);
}

/* It does not wait for ever, nor for each party. */
static void
test_stuck_at_close (Fixture *fixture, gconstpointer data)
{
  Toy toys[3] = { { .to_send = 500 }, { .to_send = 500 }, { .to_send = 500 } };
  gint64 before = hp_clock_now ();
  gint64 taken;

  for (guint i = 0; i < G_N_ELEMENTS (toys); i++)
    add_toy (fixture, &toys[i], 2 + 2 * i);
  is_stuck = TRUE;
  hp_endpoint_close (fixture->endpoint);
  is_stuck = FALSE;
  taken = hp_clock_now () - before;
  g_assert_cmpint (taken, >, 1 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (taken, <, 4 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < G_N_ELEMENTS (toys); i++)
    g_assert_null (toys[i].party.endpoint);
  g_assert_cmpuint (receive_outside (fixture), ==, 0);
}

/* But one party that goes keeps nobody waiting. */
static void
test_stuck_at_removal (Fixture *fixture, gconstpointer data)
{
  Toy toy = { .to_send = 500 };
  gint64 before = hp_clock_now ();

  add_toy (fixture, &toy, 2);
  is_stuck = TRUE;
  hp_endpoint_remove_party (fixture->endpoint, &toy.party);
  is_stuck = FALSE;
  g_assert_cmpint (hp_clock_now () - before, <, G_TIME_SPAN_SECOND);
  g_assert_cmpuint (toy.pulled, <, 500);
  hp_endpoint_close (fixture->endpoint);
}

static void
check_batches (Fixture *fixture, Toy *toy, guint n, guint n_calls)
{
  Outside outside = { .sizes = g_array_new (FALSE, FALSE, sizeof (guint)) };

  toy->to_send = n;
  toy->mark = 'x';
  add_toy (fixture, toy, 2);
  calls_of_send = 0;
  settle (fixture);
  while (hp_udp_socket_receive (fixture->outside, 64, on_outside, &outside))
    ;
  g_assert_cmpmem (outside.sizes->data, outside.sizes->len * sizeof (guint),
                   toy->sizes, n * sizeof (guint));
  g_assert_cmpuint (calls_of_send, ==, n_calls);
  g_array_unref (outside.sizes);
  hp_endpoint_close (fixture->endpoint);
}

/* Different sizes, places and TTLs: each goes as it is, in order, and alike
 * ones in one call. */
static void
test_batches (Fixture *fixture, gconstpointer data)
{
  static const guint sizes[] = { 900, 900, 900, 400, 400, 900, 901, 2, 2,
                                 60000, 60000, 7 };
  Toy toy = { .sizes = sizes };

  /* 900 900 900 400, 400, 900, 901 2, 2, 60000, 60000 7 */
  check_batches (fixture, &toy, G_N_ELEMENTS (sizes), 7);
}

/* Though no two of them are alike, they share a call. */
static void
test_all_different (Fixture *fixture, gconstpointer data)
{
  guint sizes[60];
  Toy toy = { .sizes = sizes };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    sizes[i] = 10 + i;
  calls_of_many = 0;
  check_batches (fixture, &toy, G_N_ELEMENTS (sizes), G_N_ELEMENTS (sizes));
  g_assert_cmpuint (calls_of_many, ==, 1);
}

static void
test_largest (Fixture *fixture, gconstpointer data)
{
  static const guint sizes[] = { 65507, 65507, 65507, 7, 7 };
  Toy toy = { .sizes = sizes };

  check_batches (fixture, &toy, G_N_ELEMENTS (sizes), 4);
}

/* It shares neither what comes before it nor what follows. */
static void
test_alone (Fixture *fixture, gconstpointer data)
{
  static const guint sizes[] = { 900, 900, 900, 900, 400 };
  Toy toy = { .sizes = sizes, .alone = 3 };

  check_batches (fixture, &toy, G_N_ELEMENTS (sizes), 3);
}

/* The mark is of all that go together. */
static void
test_marked (Fixture *fixture, gconstpointer data)
{
  static const guint sizes[] = { 900, 900, 900, 900, 400 };
  Toy toy = { .sizes = sizes, .marked = 3 };

  check_batches (fixture, &toy, G_N_ELEMENTS (sizes), 2);
}

/* Each expires once, the earliest first, whatever order they came in. */
static void
test_deadlines (Fixture *fixture, gconstpointer data)
{
  enum { N = 1000 };
  g_autofree Toy *toys = g_new0 (Toy, N);
  gint64 start = hp_clock_now ();
  guint expired = 0;

  for (guint i = 0; i < N; i++)
    {
      toys[i].next_deadline = start + 20000 + (i * 7919 % N) * 30;
      add_toy (fixture, toys + i, 2 * i + 2);
    }
  /* Some change their minds, some go. */
  settle (fixture);
  for (guint i = 0; i < N; i += 10)
    {
      toys[i].next_deadline = i % 20 == 0 ? start + 60000 : start;
      hp_endpoint_wake (fixture->endpoint, &toys[i].party);
    }
  for (guint i = 5; i < N; i += 10)
    hp_endpoint_remove_party (fixture->endpoint, &toys[i].party);
  while (expired < N - N / 10)
    {
      gint64 now;
      gint64 earliest = G_MAXINT64;

      g_main_context_iteration (fixture->context, TRUE);
      now = hp_clock_now ();
      expired = 0;
      for (guint i = 0; i < N; i++)
        {
          expired += toys[i].expired;
          g_assert_cmpuint (toys[i].expired, <=, 1);
          if (i % 10 != 5 && toys[i].expired == 0)
            earliest = MIN (earliest, toys[i].next_deadline);
        }
      g_assert_cmpint (now, <, start + 10 * G_USEC_PER_SEC);
      /* Nobody who was due long ago is still waiting. */
      if (earliest != G_MAXINT64)
        g_assert_cmpint (earliest, >, now - 2 * G_USEC_PER_SEC);
    }
  for (guint i = 5; i < N; i += 10)
    g_assert_cmpuint (toys[i].expired, ==, 0);
  hp_endpoint_close (fixture->endpoint);
}

static void
test_deadline_order (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) log = g_string_new (NULL);
  gint64 start = hp_clock_now ();
  const char *order = "hbdafgec";
  Toy toys[8] = { 0 };

  for (guint i = 0; i < 8; i++)
    {
      toys[i].mark = order[i];
      toys[i].log = log;
      toys[i].next_deadline = start + 5000 + (order[i] - 'a') * 100;
      add_toy (fixture, toys + i, 2 * i + 2);
    }
  while (log->len < 8)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpstr (log->str, ==, "abcdefgh");
  hp_endpoint_close (fixture->endpoint);
}

static void
remove_self (Toy *toy)
{
  hp_endpoint_remove_party (toy->endpoint, &toy->party);
  if (toy->in_heap_memory)
    {
      memset (toy, 0xee, sizeof *toy);
      g_free (toy);
    }
}

static void
remove_other (Toy *toy)
{
  hp_endpoint_remove_party (toy->endpoint, &toy->other->party);
  memset (toy->other, 0xee, sizeof *toy->other);
}

static void
remove_both (Toy *toy)
{
  remove_other (toy);
  remove_self (toy);
}

static void
close_endpoint (Toy *toy)
{
  hp_endpoint_close (toy->endpoint);
}

static void
close_and_unref (Toy *toy)
{
  HpEndpoint *endpoint = toy->endpoint;

  hp_endpoint_close (endpoint);
  hp_endpoint_unref (endpoint);
  if (toy->in_heap_memory)
    g_free (toy);
}

/* Every drastic act in every callback */
static void
run_act (Callback in, void (*what) (Toy *toy))
{
  Fixture fixture;
  Toy other = { .to_send = 4, .next_deadline = hp_clock_now () };
  Toy *toy = g_new0 (Toy, 1);
  gboolean frees = what == remove_self || what == remove_both
                   || what == close_and_unref;

  set_up (&fixture, NULL);
  *toy = (Toy){ .to_send = 40, .next_deadline = hp_clock_now (), .act_in = in,
                .act = what, .other = &other, .in_heap_memory = frees };
  add_toy (&fixture, toy, 2);
  add_toy (&fixture, &other, 4);
  for (guint i = 0; i < 10; i++)
    {
      send_data (&fixture, 2);
      send_data (&fixture, 4);
    }
  settle (&fixture);
  if (what == close_and_unref)
    fixture.endpoint = NULL;
  if (!frees)
    {
      g_assert_cmpint (toy->act_in, ==, IN_NOTHING);
      if (what == close_endpoint)
        g_assert_null (toy->party.endpoint);
      else
        g_assert_cmpuint (toy->received, ==, 10);
    }
  else if (what == remove_self)
    {
      g_assert_cmpuint (other.received, ==, 10);
      g_assert_cmpuint (other.pulled, ==, 4);
      g_assert_cmpuint (other.expired, ==, 1);
    }
  tear_down (&fixture, NULL);
  if (!frees)
    g_free (toy);
}

static void
test_drastic_acts (void)
{
  for (Callback in = IN_RECEIVE; in <= IN_DELIVER; in++)
    {
      run_act (in, remove_self);
      run_act (in, remove_other);
      run_act (in, remove_both);
      run_act (in, close_endpoint);
      run_act (in, close_and_unref);
    }
}

static void
test_unknown_answers (Fixture *fixture, gconstpointer data)
{
  const HpEndpointStatistics *statistics
      = hp_endpoint_get_statistics (fixture->endpoint);

  send_data (fixture, 50);
  settle (fixture);
  g_assert_cmpuint (receive_outside (fixture), ==, 0);
  hp_endpoint_set_answer_unknown (fixture->endpoint, TRUE);
  for (guint i = 0; i < 20; i++)
    send_data (fixture, 50);
  settle (fixture);
  g_assert_cmpuint (statistics->dropped_rate_limited, >=, 14);
  g_assert_cmpuint (receive_outside (fixture), ==,
                    20 - statistics->dropped_rate_limited);
  /* Somebody claims it: no answer. */
  fixture->claims = TRUE;
  g_usleep (300000);
  send_data (fixture, 50);
  settle (fixture);
  g_assert_cmpuint (receive_outside (fixture), ==, 0);
  g_assert_cmpuint (statistics->dropped_unknown_index, ==, 21);
}

static void
test_unknown_hints (Fixture *fixture, gconstpointer data)
{
  Toy toys[3] = { 0 };

  for (guint i = 0; i < 3; i++)
    add_toy (fixture, toys + i, i * 2);
  for (guint i = 0; i < 20; i++)
    send_unknown (fixture, 1);
  settle (fixture);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (toys[i].received, >=, 1);
      g_assert_cmpuint (toys[i].received, <=, 6);
    }
  hp_endpoint_close (fixture->endpoint);
}

static void
test_indexes (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 1000; i++)
    {
      guint32 index = hp_endpoint_allocate_index (fixture->endpoint);

      g_assert_cmpuint (index % 2, ==, 0);
      g_assert_cmpuint (index, !=, 0);
    }
}

/* An answer */
static void
hurry_now (Toy *toy)
{
  guint before = toy->pulled;

  toy->to_send++;
  hp_endpoint_hurry (toy->endpoint, &toy->party);
  g_assert_cmpuint (toy->pulled, ==, before + 1);
}

/* Inside of a pull(): in the same dispatch, after it */
static void
hurry_later (Toy *toy)
{
  guint before = toy->pulled;

  toy->to_send++;
  hp_endpoint_hurry (toy->endpoint, &toy->party);
  g_assert_cmpuint (toy->pulled, ==, before);
}

/* Inside of somebody else's callback, likewise */
static void
hurry_other (Toy *toy)
{
  toy->other->to_send++;
  hp_endpoint_hurry (toy->endpoint, &toy->other->party);
  g_assert_cmpuint (toy->other->pulled, ==, 0);
}

static void
test_hurry_inside (Fixture *fixture, gconstpointer data)
{
  Toy other = { 0 };
  Toy now = { .act_in = IN_DELIVER, .act = hurry_now };
  Toy later = { .act_in = IN_PULL, .act = hurry_later, .to_send = 1 };
  Toy asking = { .act_in = IN_DELIVER, .act = hurry_other, .other = &other };
  Toy *toys[] = { &other, &now, &later, &asking };

  for (guint i = 0; i < G_N_ELEMENTS (toys); i++)
    {
      add_toy (fixture, toys[i], 10 * (i + 1));
      settle (fixture);
      g_assert_cmpint (toys[i]->act_in, ==, IN_NOTHING);
    }
  g_assert_cmpuint (now.pulled, ==, 1);
  g_assert_cmpuint (later.pulled, ==, 2);
  g_assert_cmpuint (other.pulled, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (toys); i++)
    hp_endpoint_remove_party (fixture->endpoint, &toys[i]->party);
}

/* The first of a turn goes at once, what follows goes together. */
static void
test_hurry (Fixture *fixture, gconstpointer data)
{
  Toy toy = { 0 };

  add_toy (fixture, &toy, 10);
  settle (fixture);
  for (guint round = 0; round < 3; round++)
    {
      toy.delivered = 0;
      toy.to_send = 1;
      calls_of_send = 0;
      hp_endpoint_hurry (fixture->endpoint, &toy.party);
      g_assert_cmpuint (receive_outside (fixture), ==, 1);
      g_assert_cmpuint (calls_of_send, ==, 1);
      for (guint i = 0; i < 5; i++)
        {
          toy.to_send++;
          hp_endpoint_hurry (fixture->endpoint, &toy.party);
        }
      g_assert_cmpuint (calls_of_send, ==, 1);
      g_assert_cmpuint (toy.delivered, ==, 0);
      settle (fixture);
      g_assert_cmpuint (calls_of_send, ==, 2);
      g_assert_cmpuint (receive_outside (fixture), ==, 5);
    }

  /* Its new deadline is armed. */
  toy.next_deadline = hp_clock_now () + 20 * G_TIME_SPAN_MILLISECOND;
  hp_endpoint_hurry (fixture->endpoint, &toy.party);
  while (toy.expired == 0)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (toy.expired, ==, 1);

  hp_endpoint_remove_party (fixture->endpoint, &toy.party);
  /* Too late */
  hp_endpoint_hurry (fixture->endpoint, &toy.party);
}

static void
answer (Toy *toy)
{
  toy->to_send = 1;
}

/* Would not sleep now */
static gboolean
is_awake (GMainContext *context)
{
  GPollFD fds[16];
  int priority;
  int timeout;

  g_assert_true (g_main_context_acquire (context));
  g_main_context_prepare (context, &priority);
  g_assert_cmpint (g_main_context_query (context, priority, &timeout, fds,
                                         G_N_ELEMENTS (fds)),
                   <=, G_N_ELEMENTS (fds));
  g_main_context_release (context);
  return timeout == 0;
}

/* The outside asks as soon as it is answered, @most times or until the endpoint
 * looks out for it. */
static gboolean
converse (Fixture *fixture, Toy *toy, gsize question_size, guint most)
{
  g_autofree guint8 *question = g_malloc0 (question_size);
  HpWriter writer;

  hp_writer_init (&writer, question, question_size);
  hp_packet_write_data_header (&(HpDataHeader){ 0, 2, 7 }, &writer);
  for (guint i = 0; i < most; i++)
    {
      toy->act_in = IN_RECEIVE;
      toy->act = answer;
      send_raw (fixture, question, question_size);
      settle (fixture);
      if (is_awake (fixture->context))
        return TRUE;
    }
  return FALSE;
}

/* Awake because of what the user has said, not of an answer */
static gboolean
speak (Fixture *fixture, Toy *toy)
{
  g_assert_true (converse (fixture, toy, 40, 100000));
  send_data (fixture, 2);
  settle (fixture);
  g_assert_false (is_awake (fixture->context));
  toy->to_send = 1;
  hp_endpoint_hurry (fixture->endpoint, &toy->party);
  return is_awake (fixture->context);
}

static void
test_busy_polling (Fixture *fixture, gconstpointer data)
{
  Toy toy = { .to_send = 0 };
  gboolean is_awake_again = FALSE;

  add_toy (fixture, &toy, 2);
  g_assert_false (converse (fixture, &toy, 40, 1000));
  hp_endpoint_set_busy_polling (fixture->endpoint, TRUE);
  g_assert_false (converse (fixture, &toy, 9000, 1000));
  g_assert_cmpuint (toy.pulled, ==, 2000);
  g_assert_false (
      converse (fixture, &toy, 40, HP_BUSY_POLL_MIN_PATIENCE - 1));
  /* If the machine has other things to do, it may take a while. */
  g_assert_true (converse (fixture, &toy, 40, 100000));
  g_usleep (HP_BUSY_POLL_LONG);
  g_assert_false (is_awake (fixture->context));
  /* What has come, and is not answered, ends it. What the user says is a
   * question, too; what time has it say is not. */
  for (guint i = 0; i < 1000 && !is_awake_again; i++)
    is_awake_again = speak (fixture, &toy);
  g_assert_true (is_awake_again);
  send_data (fixture, 2);
  settle (fixture);
  toy.act_in = IN_EXPIRE;
  toy.act = answer;
  toy.next_deadline = hp_clock_now ();
  hp_endpoint_wake (fixture->endpoint, &toy.party);
  settle (fixture);
  g_assert_cmpuint (toy.expired, ==, 1);
  g_assert_cmpuint (toy.to_send, ==, 0);
  g_assert_false (is_awake (fixture->context));
  hp_endpoint_remove_party (fixture->endpoint, &toy.party);
}

/* Who is asked, at the close, what it still has to send closes it, too. */
static void
test_closed_at_close (Fixture *fixture, gconstpointer data)
{
  Toy other = { .to_send = 2 };
  Toy toy = { .to_send = 2, .act_in = IN_PULL, .act = close_endpoint };

  add_toy (fixture, &other, 2);
  add_toy (fixture, &toy, 4);
  hp_endpoint_close (fixture->endpoint);
  g_assert_cmpuint (toy.pulled, ==, 1);
  g_assert_cmpuint (other.pulled, ==, 2);
  g_assert_null (toy.party.endpoint);
  g_assert_null (other.party.endpoint);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/endpoint/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("routing", test_routing);
  ADD ("removed", test_removed);
  ADD ("tickets", test_tickets);
  ADD ("sending", test_sending);
  ADD ("close-sends", test_close_sends);
  ADD ("fairness", test_fairness);
  ADD ("stays-alive", test_stays_alive);
  ADD ("takes-its-time", test_takes_its_time);
  ADD ("hurry", test_hurry);
  ADD ("hurry-inside", test_hurry_inside);
  ADD ("busy-polling", test_busy_polling);
  ADD ("blocked", test_blocked);
  ADD ("blocked-in-between", test_blocked_in_between);
  ADD ("blocked-at-close", test_blocked_at_close);
  ADD ("farewells", test_farewells);
  ADD ("stuck-at-close", test_stuck_at_close);
  ADD ("stuck-at-removal", test_stuck_at_removal);
  ADD ("closed-at-close", test_closed_at_close);
  ADD ("batches", test_batches);
  ADD ("all-different", test_all_different);
  ADD ("largest", test_largest);
  ADD ("alone", test_alone);
  ADD ("marked", test_marked);
  ADD ("deadlines", test_deadlines);
  ADD ("deadline-order", test_deadline_order);
  ADD ("unknown-answers", test_unknown_answers);
  ADD ("unknown-hints", test_unknown_hints);
  ADD ("indexes", test_indexes);
  g_test_add_func ("/endpoint/drastic-acts", test_drastic_acts);
  return g_test_run ();
}
