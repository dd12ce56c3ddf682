/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The hundreds of sockets of a birthday volley: where they come from, and that
 * all are gone in the end, whatever ends it. */

#include "test-utils.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hole-punch/hp-connection-private.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/secure/hp-crypto.h"

#define VOLLEY 501 /* 98 % of 64,512 ports */

typedef struct
{
  guint n_before;
  HpEndpoint *endpoint;
  GObject *peer;
  HpConnection *connection;
  guint n_closed;
} World;

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static gboolean
on_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  return FALSE;
}

static void
on_event (HpConnection *connection, const HpLinkEvent *event,
          gpointer user_data)
{
  World *self = user_data;

  self->n_closed += event->type == HP_LINK_EVENT_CLOSED;
}

static const HpConnectionHooks hooks = { .event = on_event };

/* We open, since the other side cannot know our ports. Its host is our own: a
 * probe comes no farther. */
static HpIntroduction
introduce (void)
{
  HpIntroduction introduction = {
    .punch = TRUE,
    .may_spray = TRUE,
    .start_at = hp_clock_now (),
    .suites = hp_crypto_get_suites (),
    .nat = { .mapping = HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT,
             .filtering = HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT },
  };
  guint8 secret[HP_TICKET_SECRET_SIZE] = { 1 };

  hp_ticket_init (&introduction.ticket, 7, secret, sizeof secret);
  g_assert_true (hp_address_parse (&introduction.observed, "127.0.0.1:9"));
  return introduction;
}

static HpLink *
create_link (guint32 index)
{
  static const HpNatFacts symmetric = {
    .mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
    .allocation = HP_WIRE_ALLOCATION_RANDOM,
    .port = 4000,
  };
  HpIntroduction introduction = introduce ();
  HpLinkConfig config = {
    .has_remote_public = TRUE,
    .index = index,
    .suites = hp_crypto_get_suites (),
    .datagram_size = HP_DATAGRAM_SIZE_DEFAULT,
    .max_datagram_size = HP_DATAGRAM_SIZE_DEFAULT,
    .max_message_size = 1024,
    .keepalive_interval = 15 * G_USEC_PER_SEC,
    .random = hp_crypto_random,
  };
  gint64 now = hp_clock_now ();
  HpLink *link;

  hp_crypto_generate_key_pair (&config.local, &hp_crypto_random);
  memset (config.remote_public, 9, sizeof config.remote_public);
  link = hp_link_new (&config, now);
  hp_link_set_nat (link, &symmetric, now);
  hp_link_introduce (link, &introduction, now);
  return link;
}

static void
set_up (World *self, gconstpointer data)
{
  GError *error = NULL;
  guint32 index;

  /* The context has its own */
  await_time (1);
  self->n_closed = 0;
  self->n_before = count_descriptors ();
  self->endpoint = hp_endpoint_new ("127.0.0.1", 0, on_stray, self, &error);
  g_assert_no_error (error);
  self->peer = g_object_new (G_TYPE_OBJECT, NULL);
  index = hp_endpoint_allocate_index (self->endpoint);
  self->connection = hp_connection_new_private (
      self->peer, self->endpoint, index, create_link (index), "other",
      hp_clock_now (), &hooks, self);
}

static void
tear_down (World *self, gconstpointer data)
{
  hp_endpoint_close (self->endpoint);
  hp_endpoint_unref (self->endpoint);
  g_assert_finalize_object (self->connection);
  g_assert_finalize_object (self->peer);
  g_assert_cmpuint (count_descriptors (), ==, self->n_before);
}

static guint
get_n_sockets (World *self)
{
  return self->connection->line->sockets->len;
}

/* Closed in the middle of it */
static void
test_closed (World *self, gconstpointer data)
{
  AWAIT (get_n_sockets (self) > 0);
  g_assert_cmpuint (get_n_sockets (self), ==, VOLLEY);
  g_assert_cmpuint (count_descriptors (), >, self->n_before + VOLLEY);
  await_time (100);
  hp_connection_close_private (self->connection, HP_CLOSE_NORMAL, NULL);
  AWAIT (self->n_closed == 1);
  g_assert_cmpuint (count_descriptors (), <, self->n_before + 10);
}

/* The endpoint goes first */
static void
test_endpoint_closed (World *self, gconstpointer data)
{
  AWAIT (get_n_sockets (self) == VOLLEY);
  hp_endpoint_close (self->endpoint);
  g_assert_cmpuint (count_descriptors (), <, self->n_before + 10);
  hp_connection_close_private (self->connection, HP_CLOSE_NORMAL, NULL);
  AWAIT (self->n_closed == 1);
}

/* It is over, and came to nothing */
static void
test_over (World *self, gconstpointer data)
{
  AWAIT (get_n_sockets (self) == VOLLEY);
  AWAIT (get_n_sockets (self) == 0);
  g_assert_cmpuint (count_descriptors (), <, self->n_before + 10);
  hp_connection_close_private (self->connection, HP_CLOSE_NORMAL, NULL);
  AWAIT (self->n_closed == 1);
}

/* The volley takes what there is, but for some that others need */
static void
test_few_descriptors (World *self, gconstpointer data)
{
  struct rlimit limit, few;
  int spare[8];

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  few = limit;
  few.rlim_cur = self->n_before + 100;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  AWAIT (get_n_sockets (self) > 0);
  g_assert_cmpuint (get_n_sockets (self), >, 50);
  g_assert_cmpuint (get_n_sockets (self), <, 100);
  for (guint i = 0; i < G_N_ELEMENTS (spare); i++)
    {
      spare[i] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
      g_assert_cmpint (spare[i], >=, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (spare); i++)
    close (spare[i]);
  await_time (100);
  hp_connection_close_private (self->connection, HP_CLOSE_NORMAL, NULL);
  AWAIT (self->n_closed == 1);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/volley/" name, World, NULL, set_up, func, tear_down)
  ADD ("closed", test_closed);
  ADD ("endpoint-closed", test_endpoint_closed);
  ADD ("over", test_over);
  ADD ("few-descriptors", test_few_descriptors);
  return g_test_run ();
}
