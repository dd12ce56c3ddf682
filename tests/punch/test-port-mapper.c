/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-port-mapper.h"

#include <string.h>

#define SECOND G_TIME_SPAN_SECOND
#define MS G_TIME_SPAN_MILLISECOND
#define START (1000 * SECOND)
#define PORT 4222

/* A gateway that keeps to the RFCs, as far as it is told to */
typedef struct
{
  gboolean knows_pcp;
  gboolean is_silent;
  guint result; /* of what is asked for by MAP */
  guint32 lifetime;
  gint64 since; /* it forgot everything */
  const char *host;
  guint16 external_port;
  /* What it has seen */
  guint n_asked, n_addresses;
  guint32 asked_lifetime;
  guint16 asked_external;
  guint8 nonce[HP_PCP_NONCE_SIZE];
  gboolean is_mapped;
} Gateway;

typedef struct
{
  Gateway gateway;
  HpPortMapper *mapper;
  guint32 seed;
  gint64 now;
} World;

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  guint32 *state = user_data;

  for (gsize i = 0; i < length; i++)
    bytes[i] = (*state = *state * 1664525 + 1013904223) >> 24;
}

static void
begin (World *self, gboolean knows_pcp, guint32 seed)
{
  HpPortMapperConfig config = { .random = { fill, &self->seed } };

  memset (self, 0, sizeof *self);
  self->seed = seed;
  self->now = START;
  self->gateway.knows_pcp = knows_pcp;
  self->gateway.lifetime = 3600;
  self->gateway.since = START - 500 * SECOND;
  self->gateway.host = "203.0.113.7:0";
  self->gateway.external_port = 5000;
  g_assert_true (hp_address_parse (&config.client, "10.1.0.2:4222"));
  self->mapper = hp_port_mapper_new (&config, self->now);
}

static void
end (World *self)
{
  hp_port_mapper_free (self->mapper);
}

static void
write_host (Gateway *self, HpWriter *writer, gboolean is_mapped)
{
  HpAddress host;

  g_assert_true (hp_address_parse (&host, self->host));
  if (is_mapped)
    {
      hp_writer_zeros (writer, 10);
      hp_writer_u16 (writer, 0xffff);
    }
  hp_writer_bytes (writer, host.ip, 4);
}

static guint32
get_epoch (World *self)
{
  return (self->now - self->gateway.since) / SECOND;
}

static void
answer_pcp (World *self, HpReader *reader, HpWriter *writer)
{
  Gateway *gateway = &self->gateway;
  const guint8 *nonce;

  g_assert_cmpuint (hp_reader_u8 (reader), ==, 1);
  (void) hp_reader_u16 (reader);
  gateway->asked_lifetime = hp_reader_u32 (reader);
  (void) hp_reader_bytes (reader, 16);
  nonce = hp_reader_bytes (reader, HP_PCP_NONCE_SIZE);
  memcpy (gateway->nonce, nonce, HP_PCP_NONCE_SIZE);
  g_assert_cmpuint (hp_reader_u8 (reader), ==, 17);
  (void) hp_reader_bytes (reader, 3);
  g_assert_cmpuint (hp_reader_u16 (reader), ==, PORT);
  gateway->asked_external = hp_reader_u16 (reader);
  (void) hp_reader_bytes (reader, 16);
  g_assert_true (hp_reader_done (reader));

  gateway->n_asked++;
  gateway->is_mapped = gateway->asked_lifetime > 0 && gateway->result == 0;
  hp_writer_u16 (writer, 0x0281);
  hp_writer_u16 (writer, gateway->result);
  hp_writer_u32 (writer, MIN (gateway->asked_lifetime, gateway->lifetime));
  hp_writer_u32 (writer, get_epoch (self));
  hp_writer_zeros (writer, 12);
  hp_writer_bytes (writer, gateway->nonce, HP_PCP_NONCE_SIZE);
  hp_writer_u32 (writer, 17u << 24);
  hp_writer_u16 (writer, PORT);
  hp_writer_u16 (writer, gateway->external_port);
  write_host (gateway, writer, TRUE);
}

static void
answer_nat_pmp (World *self, HpReader *reader, HpWriter *writer)
{
  Gateway *gateway = &self->gateway;
  gboolean is_map = hp_reader_u8 (reader) == 1;

  hp_writer_u8 (writer, 0);
  hp_writer_u8 (writer, is_map ? 0x81 : 0x80);
  hp_writer_u16 (writer, is_map ? gateway->result : 0);
  hp_writer_u32 (writer, get_epoch (self));
  if (!is_map)
    {
      gateway->n_addresses++;
      write_host (gateway, writer, FALSE);
      return;
    }
  (void) hp_reader_u16 (reader);
  g_assert_cmpuint (hp_reader_u16 (reader), ==, PORT);
  gateway->asked_external = hp_reader_u16 (reader);
  gateway->asked_lifetime = hp_reader_u32 (reader);
  g_assert_true (hp_reader_done (reader));
  gateway->n_asked++;
  gateway->is_mapped = gateway->asked_lifetime > 0 && gateway->result == 0;
  hp_writer_u16 (writer, PORT);
  hp_writer_u16 (writer, gateway->external_port);
  hp_writer_u32 (writer, MIN (gateway->asked_lifetime, gateway->lifetime));
}

/* What the gateway says to a request; 0: nothing */
static gsize
answer (World *self, const guint8 *request, gsize length, guint8 *bytes)
{
  HpReader reader;
  HpWriter writer;
  guint8 version;

  if (self->gateway.is_silent)
    return 0;
  hp_reader_init (&reader, request, length);
  hp_writer_init (&writer, bytes, HP_PCP_ANSWER_MAX_SIZE);
  version = hp_reader_u8 (&reader);
  if (version == 2 && !self->gateway.knows_pcp)
    {
      hp_writer_u32 (&writer, 0x00810001);
      hp_writer_u32 (&writer, get_epoch (self));
    }
  else if (version == 2)
    {
      answer_pcp (self, &reader, &writer);
    }
  else
    {
      answer_nat_pmp (self, &reader, &writer);
    }
  g_assert_true (hp_writer_ok (&writer));
  return writer.offset;
}

/* All that is to be said now, with its answers; how many requests */
static guint
exchange (World *self)
{
  guint8 request[HP_PCP_REQUEST_MAX_SIZE];
  guint8 bytes[HP_PCP_ANSWER_MAX_SIZE];
  gsize length;
  guint n = 0;

  hp_port_mapper_expire (self->mapper, self->now);
  while ((length = hp_port_mapper_pull (self->mapper, request, sizeof request,
                                        self->now)) > 0)
    {
      g_assert_cmpuint (++n, <, 10);
      length = answer (self, request, length, bytes);
      if (length > 0)
        g_assert_true (hp_port_mapper_receive (self->mapper, bytes, length,
                                               self->now));
    }
  return n;
}

/* To the next deadline; how long that was */
static gint64
step (World *self)
{
  gint64 before = self->now;
  gint64 deadline = hp_port_mapper_get_deadline (self->mapper);

  g_assert_cmpint (deadline, <, G_MAXINT64);
  self->now = MAX (self->now, deadline);
  exchange (self);
  return self->now - before;
}

static void
assert_external (World *self, const char *wanted)
{
  const HpAddress *external = hp_port_mapper_get_external (self->mapper);
  g_autofree char *text
      = external != NULL ? hp_address_to_string (external) : NULL;

  g_assert_cmpstr (text, ==, wanted);
}

static void
assert_state (World *self, HpPortMapperState state)
{
  g_assert_cmpint (hp_port_mapper_get_state (self->mapper), ==, state);
}

static void
test_pcp (void)
{
  World world;

  begin (&world, TRUE, 1);
  assert_external (&world, NULL);
  g_assert_cmpuint (exchange (&world), ==, 1);
  assert_state (&world, HP_PORT_MAPPER_MAPPED);
  assert_external (&world, "203.0.113.7:5000");
  g_assert_cmpuint (world.gateway.asked_external, ==, PORT);
  g_assert_cmpuint (world.gateway.asked_lifetime, ==,
                    HP_PORT_MAPPER_LIFETIME);
  g_assert_cmpuint (hp_port_mapper_get_lifetime (world.mapper), ==, 3600);
  end (&world);
}

static void
test_nat_pmp (void)
{
  World world;

  begin (&world, FALSE, 1);
  g_assert_cmpuint (exchange (&world), ==, 3);
  assert_external (&world, "203.0.113.7:5000");
  g_assert_cmpint (hp_port_mapper_get_version (world.mapper), ==,
                   HP_PCP_VERSION_NAT_PMP);
  g_assert_cmpuint (world.gateway.n_addresses, ==, 1);
  end (&world);
}

/* Half of the lifetime or a little more, with the port that was granted */
static void
test_renewal (gconstpointer knows_pcp)
{
  for (guint seed = 1; seed <= 50; seed++)
    {
      World world;
      guint n_asked;

      begin (&world, knows_pcp != NULL, seed);
      exchange (&world);
      for (guint i = 1; i <= 20; i++)
        {
          gint64 passed = step (&world);

          g_assert_cmpint (passed, >=, 1800 * SECOND);
          g_assert_cmpint (passed, <=, 2250 * SECOND);
          g_assert_cmpuint (world.gateway.asked_external, ==, 5000);
          n_asked = world.gateway.n_asked;
          g_assert_cmpuint (n_asked, ==, i + 1);
          assert_external (&world, "203.0.113.7:5000");
        }
      end (&world);
    }
}

/* The gateway is gone: asked again and again, given up when it is over */
static void
test_loss (gconstpointer knows_pcp)
{
  World world;
  guint n = 0;

  begin (&world, knows_pcp != NULL, 3);
  exchange (&world);
  world.gateway.is_silent = TRUE;
  while (world.now < START + 3600 * SECOND - 4 * SECOND)
    {
      assert_external (&world, "203.0.113.7:5000");
      g_assert_cmpint (step (&world), >=, 4 * SECOND);
      n++;
    }
  g_assert_cmpuint (n, >=, 6);
  g_assert_cmpuint (n, <=, 16);
  while (world.now < START + 3600 * SECOND)
    step (&world);
  assert_external (&world, NULL);
  assert_state (&world, HP_PORT_MAPPER_ASKING);
  world.gateway.is_silent = FALSE;
  step (&world);
  assert_external (&world, "203.0.113.7:5000");
  end (&world);
}

/* 3 s, doubling to 1024 s, a tenth more or less: RFC 6887, section 8.1.1 */
static void
test_repeats_pcp (void)
{
  World world;
  gint64 wanted = 3 * SECOND;

  begin (&world, TRUE, 5);
  world.gateway.is_silent = TRUE;
  exchange (&world);
  for (guint i = 0; i < 20; i++)
    {
      gint64 passed = step (&world);

      g_assert_cmpint (passed, >=, wanted * 9 / 10);
      g_assert_cmpint (passed, <=, wanted * 11 / 10);
      wanted = MIN (2 * passed, 1024 * SECOND);
    }
  assert_state (&world, HP_PORT_MAPPER_ASKING);
  end (&world);
}

/* 250 ms, doubling, nine times in all: RFC 6886, section 3.1 */
static void
test_repeats_nat_pmp (void)
{
  World world;
  guint8 request[HP_PCP_REQUEST_MAX_SIZE];
  static const guint8 unknown[] = { 0, 0x81, 0, 1, 0, 0, 0, 9 };

  begin (&world, FALSE, 5);
  g_assert_cmpuint (hp_port_mapper_pull (world.mapper, request, sizeof request,
                                         world.now),
                    ==, 60);
  g_assert_true (hp_port_mapper_receive (world.mapper, unknown, sizeof unknown,
                                         world.now));
  world.gateway.is_silent = TRUE;
  exchange (&world);
  for (guint i = 0; i < 9; i++)
    {
      assert_state (&world, HP_PORT_MAPPER_ASKING);
      g_assert_cmpint (step (&world), ==, (250 * MS) << i);
    }
  assert_state (&world, HP_PORT_MAPPER_REFUSED);
  g_assert_cmpuint (hp_port_mapper_get_result (world.mapper), ==, 0);
  /* A gateway may come */
  world.gateway.is_silent = FALSE;
  step (&world);
  assert_state (&world, HP_PORT_MAPPER_MAPPED);
  end (&world);
}

static void
test_refused (gconstpointer knows_pcp)
{
  World world;

  begin (&world, knows_pcp != NULL, 5);
  world.gateway.result = 2;
  world.gateway.lifetime = 600;
  exchange (&world);
  assert_state (&world, HP_PORT_MAPPER_REFUSED);
  assert_external (&world, NULL);
  g_assert_cmpuint (hp_port_mapper_get_result (world.mapper), ==, 2);
  world.gateway.result = 0;
  g_assert_cmpint (step (&world), ==, 600 * SECOND);
  assert_state (&world, HP_PORT_MAPPER_MAPPED);
  end (&world);
}

static gsize
make_answer (World *self, const guint8 *request, gsize length, guint8 *bytes)
{
  length = answer (self, request, length, bytes);
  g_assert_cmpuint (length, ==, 60);
  return length;
}

/* Whatever is not the answer to this very request changes nothing. */
static void
test_forged (void)
{
  /* Bytes of the answer: version, opcode, nonce, protocol, internal port */
  static const guint places[] = { 0, 1, 24, 35, 36, 40, 41 };
  guint8 request[HP_PCP_REQUEST_MAX_SIZE];
  guint8 bytes[HP_PCP_ANSWER_MAX_SIZE];
  World world;
  gsize length;

  begin (&world, TRUE, 9);
  length = hp_port_mapper_pull (world.mapper, request, sizeof request,
                                world.now);
  length = make_answer (&world, request, length, bytes);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      bytes[places[i]] ^= 4;
      g_assert_false (hp_port_mapper_receive (world.mapper, bytes, length,
                                              world.now));
      assert_state (&world, HP_PORT_MAPPER_ASKING);
      bytes[places[i]] ^= 4;
    }
  for (gsize i = 0; i < length; i++)
    g_assert_false (hp_port_mapper_receive (world.mapper, bytes, i,
                                            world.now));
  g_assert_true (hp_port_mapper_receive (world.mapper, bytes, length,
                                         world.now));
  assert_state (&world, HP_PORT_MAPPER_MAPPED);
  end (&world);
}

/* Before anything was asked */
static void
test_unasked (void)
{
  static const guint8 unknown[] = { 0, 0x81, 0, 1, 0, 0, 0, 9 };
  World world;

  begin (&world, TRUE, 9);
  g_assert_false (hp_port_mapper_receive (world.mapper, unknown, sizeof unknown,
                                          world.now));
  g_assert_cmpint (hp_port_mapper_get_version (world.mapper), ==,
                   HP_PCP_VERSION_PCP);
  end (&world);
}

/* An external address without a host or a port is none. */
static void
test_useless (void)
{
  World world;

  begin (&world, TRUE, 9);
  world.gateway.host = "0.0.0.0:0";
  exchange (&world);
  assert_state (&world, HP_PORT_MAPPER_REFUSED);
  end (&world);
  begin (&world, TRUE, 9);
  world.gateway.external_port = 0;
  exchange (&world);
  assert_state (&world, HP_PORT_MAPPER_REFUSED);
  end (&world);
}

static void
announce (World *self)
{
  guint8 bytes[24];
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  if (self->gateway.knows_pcp)
    {
      hp_writer_u32 (&writer, 0x02800000);
      hp_writer_u32 (&writer, 0);
      hp_writer_u32 (&writer, get_epoch (self));
      hp_writer_zeros (&writer, 12);
    }
  else
    {
      hp_writer_u32 (&writer, 0x00800000);
      hp_writer_u32 (&writer, get_epoch (self));
      write_host (&self->gateway, &writer, FALSE);
    }
  hp_port_mapper_receive (self->mapper, bytes, writer.offset, self->now);
}

/* A gateway that says it was restarted is asked anew within 5 s; one whose
 * clock goes on is not, though it may be a little fast or slow. */
static void
test_restart (gconstpointer knows_pcp)
{
  static const gint64 drifts[] = { -1, 0, 1 };
  World world;
  guint n_asked;

  begin (&world, knows_pcp != NULL, 11);
  exchange (&world);
  n_asked = world.gateway.n_asked;
  for (guint i = 0; i < G_N_ELEMENTS (drifts); i++)
    {
      world.now += 100 * SECOND;
      world.gateway.since -= drifts[i] * SECOND;
      announce (&world);
      world.now += 10 * SECOND;
      exchange (&world);
      g_assert_cmpuint (world.gateway.n_asked, ==, n_asked);
    }
  world.gateway.since = world.now;
  world.gateway.external_port = 6000;
  announce (&world);
  g_assert_cmpint (step (&world), <=, 5 * SECOND);
  g_assert_cmpuint (world.gateway.n_asked, ==, n_asked + 1);
  g_assert_cmpuint (world.gateway.asked_external, ==, 5000);
  assert_external (&world, "203.0.113.7:6000");
  end (&world);
}

/* Another gateway's clock may be far ahead, or hardly behind: PCP only */
static void
test_other_clock (void)
{
  static const gint64 jumps[] = { 200, -30 };

  for (guint i = 0; i < G_N_ELEMENTS (jumps); i++)
    {
      World world;

      begin (&world, TRUE, 11);
      exchange (&world);
      world.now += 100 * SECOND;
      world.gateway.since -= jumps[i] * SECOND;
      announce (&world);
      g_assert_cmpint (step (&world), <=, 5 * SECOND);
      g_assert_cmpuint (world.gateway.n_asked, ==, 2);
      end (&world);
    }
}

/* NAT-PMP: another address, without a restart */
static void
test_new_address (void)
{
  World world;

  begin (&world, FALSE, 11);
  exchange (&world);
  world.now += 100 * SECOND;
  world.gateway.host = "203.0.113.9:0";
  announce (&world);
  g_assert_cmpint (step (&world), <=, 5 * SECOND);
  assert_external (&world, "203.0.113.9:5000");
  end (&world);
}

static void
test_check (gconstpointer knows_pcp)
{
  World world;

  begin (&world, knows_pcp != NULL, 11);
  exchange (&world);
  world.gateway.external_port = 6000;
  world.now += 100 * SECOND;
  hp_port_mapper_check (world.mapper, world.now);
  g_assert_cmpint (step (&world), ==, 0);
  assert_external (&world, "203.0.113.7:6000");
  /* Not as often as anybody likes */
  hp_port_mapper_check (world.mapper, world.now);
  g_assert_cmpint (step (&world), >=, SECOND);
  end (&world);
}

static void
test_close (gconstpointer knows_pcp)
{
  World world;

  begin (&world, knows_pcp != NULL, 11);
  exchange (&world);
  g_assert_true (world.gateway.is_mapped);
  hp_port_mapper_close (world.mapper, world.now);
  assert_external (&world, NULL);
  assert_state (&world, HP_PORT_MAPPER_CLOSING);
  g_assert_cmpuint (exchange (&world), ==, 1);
  assert_state (&world, HP_PORT_MAPPER_CLOSED);
  g_assert_false (world.gateway.is_mapped);
  g_assert_cmpuint (world.gateway.asked_lifetime, ==, 0);
  g_assert_cmpuint (world.gateway.asked_external, ==, 0);
  g_assert_cmpint (hp_port_mapper_get_deadline (world.mapper), ==,
                   G_MAXINT64);
  end (&world);
}

/* It does not wait for a gateway that says nothing; nor, having asked for
 * nothing, for any. */
static void
test_close_unheard (void)
{
  World world;

  begin (&world, TRUE, 11);
  exchange (&world);
  world.gateway.is_silent = TRUE;
  hp_port_mapper_close (world.mapper, world.now);
  g_assert_cmpuint (exchange (&world), ==, 1);
  g_assert_cmpint (step (&world), ==, 100 * MS);
  g_assert_cmpint (step (&world), ==, 200 * MS);
  assert_state (&world, HP_PORT_MAPPER_CLOSED);
  end (&world);

  begin (&world, TRUE, 11);
  hp_port_mapper_close (world.mapper, world.now);
  assert_state (&world, HP_PORT_MAPPER_CLOSED);
  g_assert_cmpuint (exchange (&world), ==, 0);
  end (&world);
}

/* An answer that was still under way to an earlier request */
static void
test_close_crossing (void)
{
  guint8 request[HP_PCP_REQUEST_MAX_SIZE];
  guint8 bytes[HP_PCP_ANSWER_MAX_SIZE];
  World world;
  gsize length;

  begin (&world, TRUE, 11);
  length = hp_port_mapper_pull (world.mapper, request, sizeof request,
                                world.now);
  length = make_answer (&world, request, length, bytes);
  hp_port_mapper_close (world.mapper, world.now);
  hp_port_mapper_receive (world.mapper, bytes, length, world.now);
  assert_state (&world, HP_PORT_MAPPER_CLOSING);
  assert_external (&world, NULL);
  g_assert_cmpuint (exchange (&world), ==, 1);
  assert_state (&world, HP_PORT_MAPPER_CLOSED);
  g_assert_false (world.gateway.is_mapped);
  end (&world);
}

static void
add_both (const char *name, GTestDataFunc func)
{
  g_autofree char *pcp = g_strconcat ("/port-mapper/pcp/", name, NULL);
  g_autofree char *nat_pmp = g_strconcat ("/port-mapper/nat-pmp/", name, NULL);

  g_test_add_data_func (pcp, "pcp", func);
  g_test_add_data_func (nat_pmp, NULL, func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/port-mapper/pcp/mapped", test_pcp);
  g_test_add_func ("/port-mapper/nat-pmp/mapped", test_nat_pmp);
  add_both ("renewal", test_renewal);
  add_both ("loss", test_loss);
  g_test_add_func ("/port-mapper/pcp/repeats", test_repeats_pcp);
  g_test_add_func ("/port-mapper/nat-pmp/repeats", test_repeats_nat_pmp);
  add_both ("refused", test_refused);
  g_test_add_func ("/port-mapper/forged", test_forged);
  g_test_add_func ("/port-mapper/unasked", test_unasked);
  g_test_add_func ("/port-mapper/useless", test_useless);
  add_both ("restart", test_restart);
  g_test_add_func ("/port-mapper/pcp/other-clock", test_other_clock);
  g_test_add_func ("/port-mapper/nat-pmp/new-address", test_new_address);
  add_both ("check", test_check);
  add_both ("close", test_close);
  g_test_add_func ("/port-mapper/close/unheard", test_close_unheard);
  g_test_add_func ("/port-mapper/close/crossing", test_close_crossing);
  return g_test_run ();
}
