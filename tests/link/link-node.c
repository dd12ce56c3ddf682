/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One of the two: its link, what it sends and what happens to it. */

#include "link-pair.h"

#include <string.h>

/* Messages: a number, then bytes that follow from it */

static GBytes *
create_message (guint64 number, gsize length)
{
  guint8 *data = g_malloc (MAX (length, sizeof number));
  gsize i;

  memcpy (data, &number, sizeof number);
  for (i = sizeof number; i < length; i++)
    data[i] = (number * 31 + i * 7 + (i >> 8)) & 0xff;
  return g_bytes_new_take (data, MAX (length, sizeof number));
}

static guint64
check_message (GBytes *message)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);
  guint64 number;
  g_autoptr (GBytes) expected = NULL;

  g_assert_cmpuint (length, >=, sizeof number);
  memcpy (&number, data, sizeof number);
  expected = create_message (number, length);
  g_assert_true (g_bytes_equal (message, expected));
  return number;
}

void
node_send (Node *self, HpStreamKind kind, gsize length)
{
  guint64 number = ++self->pair->next_message;
  g_autoptr (GBytes) bytes = create_message (number, length);
  guint64 *stream = g_new (guint64, 1);

  *stream = hp_link_send_message (self->link, kind, bytes, 0,
                                  self->pair->world->now);
  g_hash_table_insert (self->expected, stream, GSIZE_TO_POINTER (number));
  self->n_sent++;
}

static void
take_message (Node *self, GBytes *message)
{
  guint64 number = check_message (message);
  gpointer times = g_hash_table_lookup (self->received,
                                        GSIZE_TO_POINTER (number));

  /* Exactly once */
  g_assert_null (times);
  g_hash_table_insert (self->received, GSIZE_TO_POINTER (number),
                       GUINT_TO_POINTER (1));
  self->n_received++;
}

void
node_assert_received_all (Node *self)
{
  Node *other = pair_get_other (self->pair, self);

  g_assert_cmpuint (self->n_received, ==, other->n_sent);
  g_assert_cmpuint (other->n_delivered, ==, other->n_sent);
  g_assert_cmpuint (other->n_failed, ==, 0);
}

/* Events */

static void
say (Node *self, const char *what)
{
  if (self->pair->world->verbose)
    g_test_message ("%9.3f %s %s", self->pair->world->now / 1000.0,
                    self->name, what);
}

/* As its owner would: the question travels to the match server first. The other
 * side hears of it first, so that two who ask at once hear in different orders.
 */
static void
recover (Node *self)
{
  gint64 delay = self->pair->world->quality.delay;
  Script script = { .late_a = delay, .late_b = delay, .lead = delay + 10 * MS };

  if (self == &self->pair->a)
    script.late_a += 4 * MS;
  else
    script.late_b += 4 * MS;
  if (self->pair->recovers)
    pair_introduce (self->pair, self, &script);
}

static void
take_event (Node *self, const HpLinkEvent *event)
{
  gint64 now = self->pair->world->now;

  /* Nothing comes after the end */
  g_assert_cmpuint (self->n_closed, ==, 0);
  switch (event->type)
    {
    case HP_LINK_EVENT_IDENTIFIED:
      self->n_identified++;
      break;
    case HP_LINK_EVENT_CONFIRMED:
      say (self, "confirmed");
      self->confirmed_at = now;
      self->n_confirmed++;
      break;
    case HP_LINK_EVENT_READY:
      say (self, "ready");
      hp_link_set_interface_size (self->link, self->interface_size, now);
      g_assert_cmpuint (self->n_confirmed, ==, 1);
      self->ready_at = now;
      self->n_ready++;
      break;
    case HP_LINK_EVENT_PATH:
      say (self, "path");
      hp_link_set_interface_size (self->link, self->interface_size, now);
      self->path_at = now;
      self->n_path++;
      break;
    case HP_LINK_EVENT_SILENT:
      say (self, "silent");
      if (self->silent_at == 0)
        self->silent_at = now;
      self->n_silent++;
      recover (self);
      break;
    case HP_LINK_EVENT_FAILING:
      say (self, "failing");
      self->n_failing++;
      recover (self);
      break;
    case HP_LINK_EVENT_RELAYED:
      say (self, "relayed");
      self->n_relayed++;
      recover (self);
      break;
    case HP_LINK_EVENT_MESSAGE:
      g_assert_cmpuint (self->n_confirmed, ==, 1);
      take_message (self, event->transport.message);
      g_bytes_unref (event->transport.message);
      break;
    case HP_LINK_EVENT_DELIVERED:
      g_assert_true (g_hash_table_remove (self->expected,
                                          &event->transport.stream));
      self->n_delivered++;
      break;
    case HP_LINK_EVENT_FAILED:
      g_assert_true (g_hash_table_remove (self->expected,
                                          &event->transport.stream));
      self->n_failed++;
      break;
    case HP_LINK_EVENT_STREAM:
      if (self->on_stream != NULL)
        self->on_stream (self, &event->transport);
      break;
    case HP_LINK_EVENT_CLOSED:
      say (self, "closed");
      self->n_closed++;
      self->closed_at = now;
      self->closed_by = event->closed_by;
      self->close_code = event->close_code;
      break;
    }
}

static gsize
get_base_size (const Node *self)
{
  return self->datagram_size != 0 ? self->datagram_size
                                  : HP_DATAGRAM_SIZE_DEFAULT;
}

/* TRUE: some were opened, so that there may be more to be sent */
static gboolean
serve_sockets (Node *self)
{
  guint wanted;
  guint *numbers;
  guint number;
  guint i;

  while (hp_link_next_surplus_socket (self->link, &number))
    sim_host_close_socket (self->host, number);
  wanted = hp_link_get_wanted_sockets (self->link);
  if (wanted == 0)
    return FALSE;
  numbers = g_new (guint, wanted);
  for (i = 0; i < wanted; i++)
    numbers[i] = sim_host_open_socket (self->host,
                                       hp_link_get_wanted_port (self->link));
  hp_link_add_sockets (self->link, numbers, wanted, self->pair->world->now);
  g_free (numbers);
  return TRUE;
}

void
node_pump (Node *self)
{
  gint64 now = self->pair->world->now;
  guint8 buffer[HP_DATAGRAM_SIZE_MAX];
  HpOutgoing outgoing = { .bytes = buffer, .capacity = sizeof buffer };
  HpLinkEvent event;
  guint n = 0;

  do
    {
      while (hp_link_pull (self->link, &outgoing, now))
        {
          g_assert_cmpuint (outgoing.length, <=,
                            MAX (self->max_datagram_size,
                                 get_base_size (self)));
          g_assert_cmpuint (++n, <, 20000);
          self->n_pulled++;
          sim_host_send (self->host, &outgoing);
          if (outgoing.is_last)
            g_assert_false (hp_link_pull (self->link, &outgoing, now));
        }
      while (hp_link_next_event (self->link, &event))
        take_event (self, &event);
    }
  while (serve_sockets (self)
         || (hp_link_pull (self->link, &outgoing, now)
             && (sim_host_send (self->host, &outgoing), TRUE)));
}

static void
on_receive (gpointer user_data, const HpDatagram *datagram)
{
  Node *self = user_data;

  hp_link_receive (self->link, datagram, self->pair->world->now);
  node_pump (self);
}

void
node_assert_route (Node *self, const char *remote)
{
  const HpRoute *route = hp_link_get_route (self->link);
  g_autofree char *text = NULL;

  g_assert_nonnull (route);
  text = hp_address_to_string (&route->remote);
  g_assert_cmpstr (text, ==, remote);
}

/* Life */

void
node_renew (Node *self, const guint8 *remote_public)
{
  SimWorld *world = self->pair->world;
  HpLinkConfig config = {
    .local = self->keys,
    .has_remote_public = remote_public != NULL,
    .suites = hp_crypto_get_suites (),
    .datagram_size = get_base_size (self),
    .max_datagram_size = self->max_datagram_size,
    .max_message_size = HP_MAX_MESSAGE_SIZE_DEFAULT,
    .keepalive_interval = 15 * SECOND,
    .budget = self->budget,
    .relay_only = self->relay_only,
    .random = world->random,
  };

  if (remote_public != NULL)
    memcpy (config.remote_public, remote_public, HP_KEY_SIZE);
  hp_random_fill (&world->random, &config.index, sizeof config.index);
  config.index &= ~1u;
  g_clear_pointer (&self->link, hp_link_free);
  self->link = hp_link_new (&config, world->now);
}

void
node_init (Node *self, Pair *pair, const char *name)
{
  self->pair = pair;
  self->name = name;
  hp_crypto_generate_key_pair (&self->keys, &pair->world->random);
  self->expected = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                          NULL);
  self->received = g_hash_table_new (NULL, NULL);
  self->host->receive = on_receive;
  self->host->user_data = self;
}

void
node_clear (Node *self)
{
  hp_link_free (self->link);
  g_hash_table_unref (self->expected);
  g_hash_table_unref (self->received);
}

guint
node_add_relay (Node *self, const char *relayed, gint64 delay)
{
  guint number = sim_host_add_relay (self->host, relayed, delay);

  hp_link_add_relay (self->link, number, self->pair->world->now);
  return number;
}

void
node_introduce (Node *self, const HpIntroduction *introduction)
{
  hp_link_introduce (self->link, introduction, self->pair->world->now);
  node_pump (self);
}
