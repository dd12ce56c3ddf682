/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-turn-client.h"

#include "scripted-turn.h"

#include <string.h>

#define SECOND G_TIME_SPAN_SECOND
#define START (1000 * SECOND)

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  guint32 *state = user_data;

  for (gsize i = 0; i < length; i++)
    bytes[i] = (*state = *state * 1664525 + 1013904223) >> 24;
}

typedef struct
{
  ScriptedTurn server;
  HpTurnClient *client;
  guint32 seed;
  gint64 now;
  HpAddress peer;
  guint8 bytes[4096];
  guint n_sent;
} World;

static void
create (World *self, gboolean is_stream, const char *password)
{
  HpTurnClientConfig config = { .is_stream = is_stream,
                                .username = SCRIPT_USER,
                                .password = password,
                                .family = HP_ADDRESS_IPV4,
                                .random = { fill, &self->seed } };

  scripted_turn_init (&self->server);
  self->now = START;
  self->n_sent = 0;
  g_assert_true (hp_address_parse (&self->peer, "203.0.113.9:4000"));
  self->client = hp_turn_client_new (&config);
}

static void
begin (World *self, gboolean is_stream, const char *password)
{
  create (self, is_stream, password);
  hp_turn_client_start (self->client, self->now);
}

static HpTurnReceived
give (World *self, guint8 *bytes, gsize length)
{
  HpAddress from;
  guint8 *data;
  gsize data_length;

  return hp_turn_client_receive (self->client, bytes, length, self->now,
                                 &from, &data, &data_length);
}

static HpTurnClientState
get_state (World *self)
{
  return hp_turn_client_get_state (self->client);
}

/* All that is due goes to the server, and its answers back, at once */
static void
run (World *self)
{
  guint8 request[HP_TURN_REQUEST_MAX_SIZE];
  gboolean is_closed;
  gsize length;

  hp_turn_client_expire (self->client, self->now);
  while ((length = hp_turn_client_pull (self->client, request, sizeof request,
                                        self->now))
         > 0)
    {
      self->n_sent++;
      length = scripted_turn_answer (&self->server, request, length,
                                     self->bytes, sizeof self->bytes);
      /* What goodbye is answered by does not matter any more. */
      is_closed = get_state (self) == HP_TURN_CLIENT_CLOSED;
      if (length > 0)
        g_assert_cmpint (give (self, self->bytes, length), ==,
                         is_closed ? HP_TURN_RECEIVED_NOTHING
                                   : HP_TURN_RECEIVED_ANSWER);
    }
}

static void
run_until (World *self, gint64 until)
{
  gint64 deadline;

  while ((deadline = hp_turn_client_get_deadline (self->client)) <= until)
    {
      self->now = MAX (self->now, deadline);
      run (self);
    }
  self->now = until;
}

static void
end (World *self)
{
  hp_turn_client_free (self->client);
}

static void
test_allocate (void)
{
  World world = { 0 };

  begin (&world, FALSE, SCRIPT_PASSWORD);
  run (&world);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  g_assert_true (hp_address_equal (hp_turn_client_get_relayed (world.client),
                                   &world.server.relayed));
  g_assert_cmpuint (world.server.n_unsigned, ==, 1);
  g_assert_cmpuint (world.server.n_signed, ==, 1);
  hp_turn_client_close (world.client, world.now);
  run (&world);
  g_assert_cmpuint (world.server.n_refreshes, ==, 1);
  g_assert_cmpuint (world.server.asked_lifetime, ==, 0);
  end (&world);
}

/* What was asked before, the allocation need not ask. */
static void
test_inquire (void)
{
  World world = { 0 };

  create (&world, FALSE, SCRIPT_PASSWORD);
  hp_turn_client_inquire (world.client, world.now);
  g_assert_true (hp_turn_client_is_inquiring (world.client));
  run (&world);
  g_assert_false (hp_turn_client_is_inquiring (world.client));
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_IDLE);
  g_assert_cmpuint (world.server.n_allocates, ==, 0);
  /* Nothing is kept up. */
  g_assert_cmpint (hp_turn_client_get_deadline (world.client), ==,
                   G_MAXINT64);

  /* What has become stale since is learned by the next one, … */
  world.server.nonce = "second";
  hp_turn_client_inquire (world.client, world.now);
  run (&world);
  g_assert_cmpuint (world.n_sent, ==, 2);
  hp_turn_client_start (world.client, world.now);
  run (&world);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  g_assert_cmpuint (world.n_sent, ==, 3);
  end (&world);

  /* … or costs the allocation what it would have cost anyway. */
  create (&world, FALSE, SCRIPT_PASSWORD);
  world.server.n_allocates = 0;
  hp_turn_client_inquire (world.client, world.now);
  run (&world);
  world.server.nonce = "second";
  hp_turn_client_start (world.client, world.now);
  run (&world);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  g_assert_cmpuint (world.n_sent, ==, 3);
  end (&world);
}

/* It is waited for if it is on its way. */
static void
test_inquiry_under_way (void)
{
  World world = { 0 };
  guint8 request[HP_TURN_REQUEST_MAX_SIZE];
  gsize length;

  create (&world, FALSE, SCRIPT_PASSWORD);
  hp_turn_client_inquire (world.client, world.now);
  length = hp_turn_client_pull (world.client, request, sizeof request,
                                world.now);
  g_assert_cmpuint (length, >, 0);
  hp_turn_client_start (world.client, world.now);
  g_assert_cmpuint (hp_turn_client_pull (world.client, world.bytes,
                                         sizeof world.bytes, world.now),
                    ==, 0);
  world.now += 70 * G_TIME_SPAN_MILLISECOND;
  length = scripted_turn_answer (&world.server, request, length, world.bytes,
                                 sizeof world.bytes);
  g_assert_cmpint (give (&world, world.bytes, length), ==,
                   HP_TURN_RECEIVED_ANSWER);

  /* The round trip is known now: two of them until it says so again */
  world.server.is_silent = TRUE;
  run (&world);
  g_assert_cmpuint (world.n_sent, ==, 1);
  run_until (&world, world.now + 139 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (world.n_sent, ==, 1);
  world.server.is_silent = FALSE;
  run_until (&world, world.now + G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (world.n_sent, ==, 2);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  end (&world);

  /* Nobody answers: no harm done, and the allocation asks for itself. */
  create (&world, FALSE, SCRIPT_PASSWORD);
  world.server.is_silent = TRUE;
  hp_turn_client_inquire (world.client, world.now);
  run_until (&world, START + 100 * SECOND);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_IDLE);
  world.server.is_silent = FALSE;
  hp_turn_client_start (world.client, world.now);
  run (&world);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  end (&world);
}

/* RFC 8489, section 6.2.1 */
static void
test_silence (void)
{
  static const guint at[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
  World world = { 0 };

  begin (&world, FALSE, SCRIPT_PASSWORD);
  world.server.is_silent = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (at); i++)
    {
      run_until (&world, START + at[i] * G_TIME_SPAN_MILLISECOND - 1);
      g_assert_cmpuint (world.n_sent, ==, i);
      run_until (&world, START + at[i] * G_TIME_SPAN_MILLISECOND);
      g_assert_cmpuint (world.n_sent, ==, i + 1);
    }
  run_until (&world, START + 39500 * G_TIME_SPAN_MILLISECOND - 1);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_ALLOCATING);
  run_until (&world, START + 39500 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_FAILED);
  g_assert_cmpint (hp_turn_client_get_failure (world.client), ==,
                   HP_TURN_FAILURE_SILENCE);
  end (&world);

  /* Over a stream nothing is said twice. */
  begin (&world, TRUE, SCRIPT_PASSWORD);
  world.server.is_silent = TRUE;
  run_until (&world, START + 39 * SECOND);
  g_assert_cmpuint (world.n_sent, ==, 1);
  run_until (&world, START + 40 * SECOND);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_FAILED);
  end (&world);
}

static void
test_errors (void)
{
  static const struct
  {
    guint code;
    HpTurnFailure failure;
  } errors[] = {
    { 300, HP_TURN_FAILURE_ALTERNATE }, { 403, HP_TURN_FAILURE_REFUSED },
    { 441, HP_TURN_FAILURE_CREDENTIALS }, { 486, HP_TURN_FAILURE_QUOTA },
    { 508, HP_TURN_FAILURE_QUOTA }, { 500, HP_TURN_FAILURE_REFUSED },
    { 437, HP_TURN_FAILURE_REFUSED }, { 438, HP_TURN_FAILURE_CREDENTIALS },
  };
  World world = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      begin (&world, FALSE, SCRIPT_PASSWORD);
      world.server.every_code = errors[i].code;
      run (&world);
      g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_FAILED);
      g_assert_cmpint (hp_turn_client_get_failure (world.client), ==,
                       errors[i].failure);
      g_assert_cmpuint (hp_turn_client_get_code (world.client), ==,
                        errors[i].code);
      end (&world);
    }
  begin (&world, FALSE, SCRIPT_PASSWORD);
  world.server.code = 300;
  run (&world);
  g_assert_true (hp_address_equal (
      hp_turn_client_get_alternate (world.client), &world.server.alternate));
  end (&world);

  begin (&world, FALSE, "wrong");
  run (&world);
  g_assert_cmpint (hp_turn_client_get_failure (world.client), ==,
                   HP_TURN_FAILURE_CREDENTIALS);
  g_assert_cmpuint (world.n_sent, ==, 2);
  end (&world);
}

/* What an earlier program left at the server is cleared away. */
static void
test_mismatch (void)
{
  World world = { 0 };

  begin (&world, FALSE, SCRIPT_PASSWORD);
  world.server.code = HP_TURN_MISMATCH;
  run (&world);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  g_assert_cmpuint (world.server.n_refreshes, ==, 1);
  g_assert_cmpuint (world.server.asked_lifetime, ==, 0);
  end (&world);
}

static void
test_refresh (void)
{
  World world = { 0 };

  begin (&world, TRUE, SCRIPT_PASSWORD);
  run (&world);
  run_until (&world, START + 539 * SECOND);
  g_assert_cmpuint (world.server.n_refreshes, ==, 0);
  world.server.nonce = "second";
  run_until (&world, START + 540 * SECOND);
  g_assert_cmpuint (world.server.n_refreshes, ==, 1);
  g_assert_cmpuint (world.server.asked_lifetime, ==, 600);
  /* The nonce had become stale: one more request, and no error. */
  g_assert_cmpuint (world.n_sent, ==, 4);
  world.server.lifetime = 20;
  run_until (&world, START + 1080 * SECOND);
  run_until (&world, START + 1089 * SECOND);
  g_assert_cmpuint (world.server.n_refreshes, ==, 2);
  run_until (&world, START + 1090 * SECOND);
  g_assert_cmpuint (world.server.n_refreshes, ==, 3);
  world.server.every_code = HP_TURN_MISMATCH;
  run_until (&world, START + 1100 * SECOND);
  g_assert_cmpint (hp_turn_client_get_failure (world.client), ==,
                   HP_TURN_FAILURE_LOST);
  end (&world);

  /* Over UDP also so that a NAT does not forget us */
  begin (&world, FALSE, SCRIPT_PASSWORD);
  run (&world);
  run_until (&world, START + 61 * SECOND);
  g_assert_cmpuint (world.server.n_refreshes, ==, 3);
  end (&world);
}

static gsize
wrap (World *self, const char *text)
{
  return hp_turn_client_wrap (self->client, &self->peer,
                              (const guint8 *) text, strlen (text),
                              self->bytes, sizeof self->bytes, self->now);
}

static void
answer_data (World *self, const char *text)
{
  gsize length = scripted_turn_create_data (&self->peer, text, self->bytes,
                                            sizeof self->bytes);
  HpAddress from;
  guint8 *data;
  gsize data_length;

  g_assert_cmpint (hp_turn_client_receive (self->client, self->bytes, length,
                                           self->now, &from, &data,
                                           &data_length),
                   ==, HP_TURN_RECEIVED_DATA);
  g_assert_true (hp_address_equal (&from, &self->peer));
  g_assert_cmpmem (data, data_length, text, strlen (text));
}

static void
test_data (void)
{
  World world = { 0 };
  g_autofree char *text = NULL;
  HpAddress to;
  gsize length;

  begin (&world, FALSE, SCRIPT_PASSWORD);
  g_assert_cmpuint (wrap (&world, "too early"), ==, 0);
  run (&world);
  length = wrap (&world, "hello");
  text = scripted_turn_read_send (world.bytes, length, &to);
  g_assert_cmpstr (text, ==, "hello");
  g_assert_true (hp_address_equal (&to, &world.peer));
  run (&world);
  g_assert_cmpuint (world.server.n_permissions, ==, 1);
  g_assert_cmpuint (world.server.n_channels, ==, 0);

  /* The peer answers: a channel. */
  answer_data (&world, "hello, too");
  run (&world);
  g_assert_cmpuint (world.server.n_channels, ==, 1);
  g_assert_cmpuint (world.server.channel, ==, HP_TURN_FIRST_CHANNEL);
  g_assert_true (hp_address_equal (&world.server.peer, &world.peer));
  length = wrap (&world, "hello");
  g_assert_cmpmem (world.bytes, length, "\x40\0\0\5hello", 9);
  answer_data (&world, "by an indication all the same");
  g_assert_cmpint (give (&world, (guint8[]){ 0x40, 0, 0, 1, 'x' }, 5), ==,
                   HP_TURN_RECEIVED_DATA);
  g_assert_cmpint (give (&world, (guint8[]){ 0x40, 1, 0, 1, 'x' }, 5), ==,
                   HP_TURN_RECEIVED_NOTHING);
  end (&world);

  begin (&world, TRUE, SCRIPT_PASSWORD);
  run (&world);
  (void) wrap (&world, "hello");
  answer_data (&world, "hello, too");
  run (&world);
  length = wrap (&world, "hello");
  g_assert_cmpmem (world.bytes, length, "\x40\0\0\5hello\0\0\0", 12);
  end (&world);
}

/* Permissions for five minutes, channels for ten: as long as they are used */
static void
test_renewal (void)
{
  World world = { 0 };

  begin (&world, TRUE, SCRIPT_PASSWORD);
  run (&world);
  (void) wrap (&world, "hello");
  run (&world);
  answer_data (&world, "hello, too");
  run (&world);
  for (guint i = 1; i <= 130; i++)
    {
      run_until (&world, START + i * 10 * SECOND);
      g_assert_cmpuint (wrap (&world, "x"), ==, 8);
      answer_data (&world, "y");
    }
  /* At 240, 480 … 1200 s, and at 540 and 1080 s */
  g_assert_cmpuint (world.server.n_permissions, ==, 6);
  g_assert_cmpuint (world.server.n_channels, ==, 3);
  run_until (&world, START + 3600 * SECOND);
  g_assert_cmpuint (world.server.n_permissions, <=, 8);
  g_assert_cmpuint (world.server.n_channels, <=, 4);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  /* … and there again when they are needed */
  g_assert_cmpuint (wrap (&world, "x"), >, 36);
  end (&world);
}

/* Many who were let in and never came do not keep others out */
static void
test_crowd (void)
{
  World world = { 0 };
  HpAddress stranger;

  begin (&world, FALSE, SCRIPT_PASSWORD);
  run (&world);
  (void) wrap (&world, "hello");
  stranger = world.peer;
  for (guint i = 1; i < 200; i++)
    {
      stranger.ip[2] = 100;
      stranger.ip[3] = i;
      hp_turn_client_permit (world.client, &stranger, world.now);
    }
  run (&world);
  g_assert_cmpuint (world.server.n_permissions, ==, HP_TURN_MAX_PERMISSIONS);
  for (guint i = 1; i <= 3; i++)
    {
      run_until (&world, START + i * 5 * SECOND);
      g_assert_cmpuint (wrap (&world, "hello"), >, 0);
    }
  stranger.ip[2] = 200;
  hp_turn_client_permit (world.client, &stranger, world.now);
  run (&world);
  g_assert_cmpuint (world.server.n_permissions, ==,
                    HP_TURN_MAX_PERMISSIONS + 1);
  g_assert_true (hp_address_same_host (&world.server.peer, &stranger));
  end (&world);
}

static void
test_refused_peer (void)
{
  World world = { 0 };

  begin (&world, FALSE, SCRIPT_PASSWORD);
  run (&world);
  world.server.code = HP_TURN_FORBIDDEN;
  g_assert_cmpuint (wrap (&world, "x"), >, 0);
  run (&world);
  g_assert_cmpuint (wrap (&world, "x"), ==, 0);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  run_until (&world, START + 61 * SECOND);
  g_assert_cmpuint (wrap (&world, "x"), >, 0);

  /* Of a family that the relay does not speak */
  g_assert_true (hp_address_parse (&world.peer, "[2001:db8::1]:4000"));
  g_assert_cmpuint (wrap (&world, "x"), ==, 0);
  end (&world);
}

/* Data goes out and nothing comes back: does the server still know us? */
static void
test_lost (void)
{
  World world = { 0 };

  begin (&world, FALSE, SCRIPT_PASSWORD);
  run (&world);
  (void) wrap (&world, "x");
  run (&world);
  world.server.every_code = HP_TURN_MISMATCH;
  (void) wrap (&world, "x");
  run_until (&world, START + 2 * SECOND - 1);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  run_until (&world, START + 2 * SECOND);
  g_assert_cmpint (hp_turn_client_get_failure (world.client), ==,
                   HP_TURN_FAILURE_LOST);
  end (&world);
}

/* Nothing that somebody else can write moves it. */
static void
test_forged (void)
{
  World world = { 0 };
  guint8 request[HP_TURN_REQUEST_MAX_SIZE];
  gsize length;

  begin (&world, FALSE, SCRIPT_PASSWORD);
  run (&world);
  run_until (&world, START + 19 * SECOND);
  world.now = START + 20 * SECOND;
  hp_turn_client_expire (world.client, world.now);
  length = hp_turn_client_pull (world.client, request, sizeof request,
                                world.now);
  g_assert_cmpuint (length, >, 0);
  world.server.code = HP_TURN_MISMATCH;
  length = scripted_turn_answer (&world.server, request, length, world.bytes,
                                 sizeof world.bytes);
  world.bytes[length - 1] ^= 1;
  g_assert_cmpint (give (&world, world.bytes, length), ==,
                   HP_TURN_RECEIVED_NOTHING);
  world.bytes[length - 1] ^= 1;
  world.bytes[8] ^= 1;
  g_assert_cmpint (give (&world, world.bytes, length), ==,
                   HP_TURN_RECEIVED_NOTHING);
  world.bytes[8] ^= 1;
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_READY);
  g_assert_cmpint (give (&world, world.bytes, length), ==,
                   HP_TURN_RECEIVED_ANSWER);
  g_assert_cmpint (get_state (&world), ==, HP_TURN_CLIENT_FAILED);
  end (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/turn-client/allocate", test_allocate);
  g_test_add_func ("/turn-client/inquire", test_inquire);
  g_test_add_func ("/turn-client/inquiry-under-way", test_inquiry_under_way);
  g_test_add_func ("/turn-client/silence", test_silence);
  g_test_add_func ("/turn-client/errors", test_errors);
  g_test_add_func ("/turn-client/mismatch", test_mismatch);
  g_test_add_func ("/turn-client/refresh", test_refresh);
  g_test_add_func ("/turn-client/data", test_data);
  g_test_add_func ("/turn-client/renewal", test_renewal);
  g_test_add_func ("/turn-client/crowd", test_crowd);
  g_test_add_func ("/turn-client/refused-peer", test_refused_peer);
  g_test_add_func ("/turn-client/lost", test_lost);
  g_test_add_func ("/turn-client/forged", test_forged);

  return g_test_run ();
}
