/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "raw-peer.h"

#include <string.h>


Raw *raws[64];
static guint n_raws;
gsize bytes_to_strangers;
guint datagrams_to_strangers;

static Raw *
find_raw (const HpAddress *address)
{
  for (guint i = 0; i < n_raws; i++)
    if (hp_address_equal (&raws[i]->address, address))
      return raws[i];
  return NULL;
}

static gboolean
on_sent (gpointer user_data, const Flying *flying)
{
  World *world = user_data;
  Raw *raw = find_raw (&flying->to);

  if (raw != NULL)
    {
      g_ptr_array_add (raw->inbox, g_memdup2 (flying, sizeof *flying));
      return FALSE;
    }
  if (flying->to_server)
    return TRUE;
  for (guint i = 0; i < world->n_clients; i++)
    if (hp_address_equal (&world->clients[i].address, &flying->to))
      return TRUE;
  bytes_to_strangers += flying->length;
  datagrams_to_strangers++;
  return FALSE;
}

void
raw_listen (World *world)
{
  world->tap = on_sent;
  world->tap_data = world;
}

void
raw_set_up (World *world, gconstpointer data)
{
  world_set_up (world, g_test_rand_int ());
  raw_listen (world);
  bytes_to_strangers = datagrams_to_strangers = 0;
}

static void
free_raw (Raw *raw)
{
  hp_handshake_free (raw->handshake);
  hp_session_free (raw->session);
  g_ptr_array_unref (raw->inbox);
  g_free (raw);
}

void
raw_forget (void)
{
  for (guint i = 0; i < n_raws; i++)
    free_raw (raws[i]);
  n_raws = 0;
}

void
raw_tear_down (World *world, gconstpointer data)
{
  raw_forget ();
  world_tear_down (world);
}

Raw *
raw_add (World *world, const char *address)
{
  Raw *raw = g_new0 (Raw, 1);

  g_assert_cmpuint (n_raws, <, G_N_ELEMENTS (raws));
  raw->world = world;
  raw->address = make_address (address);
  raw->inbox = g_ptr_array_new_with_free_func (g_free);
  hp_crypto_generate_key_pair (&raw->pair, &world->random);
  raws[n_raws++] = raw;
  return raw;
}

void
raw_inject (Raw *raw, const guint8 *bytes, gsize length)
{
  world_inject (raw->world, &raw->address, bytes, length);
}

/* The first datagram that came, NULL: none */
Flying *
raw_take (Raw *raw)
{
  return raw->inbox->len > 0 ? g_ptr_array_steal_index (raw->inbox, 0) : NULL;
}

gsize
write_hello (guint8 *bytes, gsize capacity)
{
  HpHello hello = { .version = HP_PROTOCOL_VERSION,
                    .transaction = { 1, 2, 3, 4, 5, 6, 7, 8 } };
  HpWriter writer;

  hp_writer_init (&writer, bytes, capacity);
  hp_packet_write_hello (&hello, &writer);
  return writer.offset;
}

void
raw_get_cookie (Raw *raw)
{
  guint8 bytes[HP_HELLO_MIN_SIZE];
  g_autofree Flying *answer = NULL;

  g_ptr_array_set_size (raw->inbox, 0);
  raw_inject (raw, bytes, write_hello (bytes, sizeof bytes));
  answer = raw_take (raw);
  g_assert_nonnull (answer);
  g_assert_true (hp_packet_parse_cookie (&raw->cookie, answer->bytes,
                                         answer->length));
  g_assert_true (hp_address_equal (&raw->cookie.observed, &raw->address));
}

void
raw_initiate (Raw *raw)
{
  static guint32 last_index = 77;
  guint8 token[HP_TOKEN_SIZE] = { 9 };
  HpTicket ticket;

  g_clear_pointer (&raw->handshake, hp_handshake_free);
  hp_ticket_init (&ticket, 0, raw->cookie.cookie, HP_COOKIE_SIZE);
  raw->handshake = hp_handshake_new (
      HP_SUITE_CHACHA_POLY, &ticket, &raw->pair,
      raw->world->config.local.public_key, ++last_index, NULL, 0,
      &raw->world->random);
  raw->initiation_length = hp_handshake_write_initiation (
      raw->handshake, token, raw->initiation, sizeof raw->initiation);
  raw_inject (raw, raw->initiation, raw->initiation_length);
}

gboolean
raw_take_response (Raw *raw)
{
  g_autofree Flying *answer = raw_take (raw);
  HpHandshakeResult result;

  if (answer == NULL)
    return FALSE;
  g_clear_pointer (&raw->session, hp_session_free);
  return hp_handshake_consume_response (
             raw->handshake, answer->bytes, answer->length, 128,
             raw->world->now, &result, &raw->session)
         == HP_HANDSHAKE_OK;
}

gsize
raw_seal (Raw *raw, guint8 *packet, const HpFrame *frame, gsize pad_to)
{
  HpWriter writer;

  hp_writer_init (&writer, packet + HP_DATA_HEADER_SIZE,
                  HP_DATAGRAM_SIZE_DEFAULT - HP_DATA_OVERHEAD);
  hp_frame_write (frame, &writer);
  g_assert_true (hp_writer_ok (&writer));
  if (writer.offset < pad_to)
    hp_writer_zeros (&writer, pad_to - writer.offset);
  return hp_session_seal (raw->session, packet, writer.offset,
                          raw->world->now);
}

void
raw_send_from (Raw *raw, const HpFrame *frame, const HpAddress *from)
{
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  gsize length = raw_seal (raw, packet, frame, 16);

  world_inject (raw->world, from, packet, length);
}

void
raw_send (Raw *raw, const HpFrame *frame)
{
  raw_send_from (raw, frame, &raw->address);
}

/* The type of the first frame that came, 0: nothing */
guint8
raw_take_frame (Raw *raw, HpFrame *frame)
{
  g_autofree Flying *answer = raw_take (raw);
  HpReader reader;
  guint64 number;
  guint8 *plain;
  gsize length;
  guint32 index;

  if (answer == NULL)
    return 0;
  g_assert_true (
      hp_packet_get_receiver (answer->bytes, answer->length, &index));
  /* The farewell of an older session */
  if (index != hp_session_get_local_index (raw->session))
    return raw_take_frame (raw, frame);
  g_assert_cmpint (hp_session_open (raw->session, answer->bytes,
                                    answer->length, raw->world->now, &number,
                                    &plain, &length), ==, HP_OPEN_OK);
  hp_reader_init (&reader, plain, length);
  g_assert_true (hp_frame_parse (frame, &reader));
  return frame->type;
}

void
raw_connect (Raw *raw)
{
  HpFrame frame = { .type = HP_FRAME_PING };

  raw_get_cookie (raw);
  raw_initiate (raw);
  g_assert_true (raw_take_response (raw));
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_OBSERVED);
}

Raw *
raw_add_connected (World *world, const char *address)
{
  Raw *raw = raw_add (world, address);

  raw_connect (raw);
  return raw;
}

HpFrame
make_register (guint64 request, const char *id, guint flags)
{
  HpFrame frame = { .type = HP_FRAME_REGISTER };

  frame.reg.request = request;
  frame.reg.flags = flags;
  frame.reg.suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY);
  frame.reg.id = (HpBytes){ (const guint8 *) id, strlen (id) };
  return frame;
}

HpFrame
make_ask (guint64 request, const char *id)
{
  HpFrame frame = { .type = HP_FRAME_ASK };

  frame.ask.request = request;
  frame.ask.target = (HpBytes){ (const guint8 *) id, strlen (id) };
  return frame;
}

void
world_fill (World *world, guint8 *bytes, gsize length)
{
  hp_random_fill (&world->random, bytes, length);
}
