/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "match-crowd.h"

#include <string.h>

#define MAX_PADDING 16

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = g_rand_int (user_data);
}

static void
set_address (Crowd *crowd, Person *person)
{
  /* 256 of them in each network; find_person() reads it backwards. */
  person->address = (HpAddress){
    .family = HP_ADDRESS_IPV4,
    .port = g_rand_int_range (crowd->chance, 1024, 65536),
    .ip = { 10 + g_rand_int_range (crowd->chance, 0, 50),
            person->number >> 16, person->number >> 8, person->number },
  };
}

static Person *
find_person (Crowd *crowd, const HpAddress *address)
{
  guint number
      = address->ip[1] << 16 | address->ip[2] << 8 | address->ip[3];

  g_assert_cmpuint (number, <, crowd->n_people);
  return crowd->people + number;
}

void
crowd_set_up (Crowd *crowd, guint n_people, HpSuite suite)
{
  memset (crowd, 0, sizeof *crowd);
  crowd->now = 1000 * SECOND + 12345;
  crowd->chance = g_rand_new_with_seed (g_test_rand_int ());
  crowd->suite = suite;
  crowd->config = (HpMatchServiceConfig){
    .suites = HP_SUITE_BIT (suite),
    .random = { fill_random, crowd->chance },
    .registration_lifetime = 120 * SECOND,
    .max_peers = n_people + n_people / 4 + 100,
    .max_handshakes_per_second = 1000,
    .max_asks_per_minute = 6000,
    .max_stun_per_second = 100,
    .worker = 5,
  };
  hp_crypto_generate_key_pair (&crowd->config.local, &crowd->config.random);
  crowd->service = hp_match_service_new (&crowd->config, crowd->now);
  crowd->ciphers = hp_session_ciphers_new ();
  crowd->people = g_new0 (Person, n_people);
  crowd->n_people = n_people;
  for (guint i = 0; i < n_people; i++)
    {
      Person *person = crowd->people + i;

      person->number = i;
      hp_random_fill (&crowd->config.random, person->pair.public_key,
                      HP_KEY_SIZE);
      set_address (crowd, person);
    }
}

void
crowd_tear_down (Crowd *crowd)
{
  for (guint i = 0; i < crowd->n_people; i++)
    crowd_forget (crowd->people + i);
  hp_match_service_free (crowd->service);
  hp_session_ciphers_free (crowd->ciphers);
  g_free (crowd->people);
  g_rand_free (crowd->chance);
}

void
crowd_forget (Person *person)
{
  g_clear_pointer (&person->session, hp_session_free);
  person->id[0] = '\0';
}

/* What the service sends */

static void
answer_challenge (Crowd *crowd, Person *person, const HpFrame *challenge)
{
  HpFrame frame = { .type = HP_FRAME_PATH_RESPONSE };

  memcpy (frame.token, challenge->token, HP_TOKEN_SIZE);
  crowd->moved++;
  crowd_send (crowd, person, &frame);
}

static void
answer_introduction (Crowd *crowd, Person *person, const HpFrame *introduce)
{
  HpFrame frame = { .type = HP_FRAME_REPLY };

  crowd->introduced++;
  if ((introduce->introduction.flags & HP_INTRODUCE_NEEDS_REPLY) == 0)
    return;
  frame.reply.ticket_number = introduce->introduction.ticket.number;
  frame.reply.accept = g_rand_int_range (crowd->chance, 0, 4) > 0;
  frame.reply.suites = HP_SUITE_BIT (crowd->suite);
  crowd_send (crowd, person, &frame);
}

static void
take_frame (Crowd *crowd, Person *person, const HpFrame *frame)
{
  switch ((guint) frame->type)
    {
    case HP_FRAME_OBSERVED:
      crowd->observed++;
      break;
    case HP_FRAME_REGISTERED:
      crowd->registered++;
      break;
    case HP_FRAME_REFUSED:
      crowd->refused++;
      break;
    case HP_FRAME_PATH_CHALLENGE:
      answer_challenge (crowd, person, frame);
      break;
    case HP_FRAME_INTRODUCE:
      answer_introduction (crowd, person, frame);
      break;
    case HP_FRAME_ANSWER:
      crowd->answered++;
      break;
    case HP_FRAME_PING:
      crowd_ping (crowd, person);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
take_data (Crowd *crowd, Person *person, guint8 *bytes, gsize length)
{
  HpReader reader;
  HpFrame frame;
  guint64 number;
  guint8 *plain;
  gsize plain_length;

  /* Else to one who is not there any more, or to its session before */
  if (person->session == NULL
      || hp_session_open (person->session, bytes, length, crowd->now, &number,
                          &plain, &plain_length)
             != HP_OPEN_OK)
    return;
  hp_reader_init (&reader, plain, plain_length);
  while (hp_reader_left (&reader) > 0)
    {
      g_assert_true (hp_frame_parse (&frame, &reader));
      take_frame (crowd, person, &frame);
    }
}

static void
take_datagram (Crowd *crowd, const HpRoute *route, guint8 *bytes,
               gsize length)
{
  HpCookiePacket cookie;

  if (hp_packet_parse_cookie (&cookie, bytes, length))
    {
      memcpy (crowd->cookie, cookie.cookie, HP_COOKIE_SIZE);
    }
  else if (bytes[0] == HP_PACKET_RESPONSE)
    {
      g_assert_cmpuint (length, <=, sizeof crowd->bytes);
      memcpy (crowd->bytes, bytes, length);
      crowd->length = length;
    }
  else if (bytes[0] != HP_PACKET_UNKNOWN)
    {
      take_data (crowd, find_person (crowd, &route->remote), bytes, length);
    }
}

/* Each id is of whoever wants it, when the registry is well; those who are
 * looked up are not there. */
static void
take_events (Crowd *crowd)
{
  HpServiceEvent *event = &crowd->event;

  while (hp_match_service_next_event (crowd->service, event))
    {
      guint mood = g_rand_int_range (crowd->chance, 0, 100);
      HpRefusedCode code
          = mood < crowd->silence_percent + crowd->failure_percent
                ? HP_REFUSED_TEMPORARY
                : 0;

      if (mood < crowd->silence_percent)
        continue;
      if (event->type == HP_SERVICE_EVENT_CLAIM)
        hp_match_service_answer_claim (crowd->service, event->handle,
                                       event->public_key, code, crowd->now);
      else if (event->type == HP_SERVICE_EVENT_LOOKUP)
        hp_match_service_answer_lookup (crowd->service, event->handle, NULL,
                                        NULL, code, crowd->now);
    }
}

static void
pump (Crowd *crowd)
{
  guint8 bytes[1500];
  HpOutgoing outgoing;

  for (;;)
    {
      take_events (crowd);
      outgoing = (HpOutgoing){ .bytes = bytes, .capacity = sizeof bytes };
      if (crowd->is_jammed
          || !hp_match_service_pull (crowd->service, &outgoing, crowd->now))
        return;
      take_datagram (crowd, &outgoing.route, bytes, outgoing.length);
    }
}

void
crowd_inject (Crowd *crowd, const HpAddress *from, guint8 *bytes,
              gsize length)
{
  HpDatagram datagram = { .route = { .remote = *from },
                          .bytes = bytes,
                          .length = length };

  hp_match_service_receive (crowd->service, &datagram, crowd->now);
  pump (crowd);
}

void
crowd_advance (Crowd *crowd, gint64 duration)
{
  gint64 end = crowd->now + duration;
  gint64 due;

  while ((due = hp_match_service_get_deadline (crowd->service)) <= end)
    {
      crowd->now = MAX (crowd->now, due);
      hp_match_service_expire (crowd->service, crowd->now);
      pump (crowd);
      g_assert_cmpint (hp_match_service_get_deadline (crowd->service), >,
                       crowd->now);
    }
  crowd->now = end;
}

/* Coming */

void
crowd_connect (Crowd *crowd, Person *person)
{
  const HpRandom *random = &crowd->config.random;
  HpMatchSessions *sessions = &crowd->service->sessions;
  HpRoute route = { .remote = person->address };
  guint32 index = hp_match_sessions_allocate_index (sessions, random);
  guint8 keys[2][HP_KEY_SIZE];
  HpKeptResponse kept = { 0 };
  HpMatchSession *added;

  g_assert_cmpuint (index & 0xff, ==, crowd->config.worker);
  if (person->session != NULL)
    crowd->replaced++;
  crowd_forget (person);
  hp_random_fill (random, keys[0], HP_KEY_SIZE);
  hp_random_fill (random, keys[1], HP_KEY_SIZE);
  hp_random_fill (random, kept.initiation_hash, HP_HASH_SIZE);
  person->session
      = hp_session_new (crowd->suite, TRUE, keys[0], keys[1],
                        1 + person->number, index, HP_REPLAY_WINDOW_SERVER,
                        crowd->now);
  hp_session_share_ciphers (person->session, crowd->ciphers);
  added = hp_match_sessions_add (
      sessions,
      hp_session_new (crowd->suite, FALSE, keys[0], keys[1], index,
                      1 + person->number, HP_REPLAY_WINDOW_SERVER,
                      crowd->now),
      person->pair.public_key, &kept, &route, crowd->now);
  added->beginning->responded_at = crowd->now;
  crowd_ping (crowd, person);
}

void
crowd_get_cookie (Crowd *crowd, const HpAddress *address)
{
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  guint8 bytes[HP_HELLO_MIN_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_hello (&hello, &writer);
  crowd_inject (crowd, address, bytes, writer.offset);
}

void
crowd_shake_hands (Crowd *crowd, Person *person)
{
  const guint8 token[HP_TOKEN_SIZE] = { 1 };
  g_autoptr (HpHandshake) handshake = NULL;
  guint8 bytes[HP_INITIATION_MAX_SIZE];
  HpHandshakeResult result;
  HpTicket ticket;
  gsize length;

  crowd_forget (person);
  hp_crypto_generate_key_pair (&person->pair, &crowd->config.random);
  crowd_get_cookie (crowd, &person->address);
  hp_ticket_init (&ticket, 0, crowd->cookie, HP_COOKIE_SIZE);
  handshake = hp_handshake_new (crowd->suite, &ticket, &person->pair,
                                crowd->config.local.public_key,
                                1 + person->number, NULL, 0,
                                &crowd->config.random);
  length = hp_handshake_write_initiation (handshake, token, bytes,
                                          sizeof bytes);
  crowd_inject (crowd, &person->address, bytes, length);
  g_assert_cmpint (hp_handshake_consume_response (
                       handshake, crowd->bytes, crowd->length,
                       HP_REPLAY_WINDOW_SERVER, crowd->now, &result,
                       &person->session),
                   ==, HP_HANDSHAKE_OK);
  hp_session_share_ciphers (person->session, crowd->ciphers);
  crowd_ping (crowd, person);
}

/* Sending */

void
crowd_send (Crowd *crowd, Person *person, const HpFrame *frame)
{
  guint8 packet[1500];
  HpWriter writer;
  gsize length;

  hp_writer_init (&writer, packet + HP_DATA_HEADER_SIZE, 1200);
  hp_frame_write (frame, &writer);
  g_assert_true (hp_writer_ok (&writer));
  if (writer.offset < MAX_PADDING)
    hp_writer_zeros (&writer, MAX_PADDING - writer.offset);
  length = hp_session_seal (person->session, packet, writer.offset,
                            crowd->now);
  crowd_inject (crowd, &person->address, packet, length);
}

void
crowd_ping (Crowd *crowd, Person *person)
{
  crowd_send (crowd, person, &(HpFrame){ .type = HP_FRAME_PING });
}

static HpBytes
to_bytes (const char *text)
{
  return (HpBytes){ (const guint8 *) text, strlen (text) };
}

void
crowd_register (Crowd *crowd, Person *person, const char *id, guint flags)
{
  HpFrame frame = { .type = HP_FRAME_REGISTER };

  g_strlcpy (person->id, id, sizeof person->id);
  frame.reg.request = ++person->request;
  frame.reg.flags = flags;
  frame.reg.suites = HP_SUITE_BIT (crowd->suite);
  frame.reg.id = to_bytes (person->id);
  crowd_send (crowd, person, &frame);
}

void
crowd_unregister (Crowd *crowd, Person *person)
{
  HpFrame frame = { .type = HP_FRAME_UNREGISTER };

  frame.reg.request = ++person->request;
  frame.reg.id = to_bytes (person->id);
  crowd_send (crowd, person, &frame);
  person->id[0] = '\0';
}

void
crowd_ask (Crowd *crowd, Person *person, const char *id)
{
  HpFrame frame = { .type = HP_FRAME_ASK };

  g_strlcpy (person->wanted, id, sizeof person->wanted);
  frame.ask.request = ++person->request;
  frame.ask.target = to_bytes (person->wanted);
  frame.ask.suites = HP_SUITE_BIT (crowd->suite);
  crowd_send (crowd, person, &frame);
}

void
crowd_roam (Crowd *crowd, Person *person)
{
  set_address (crowd, person);
  crowd_ping (crowd, person);
}

void
crowd_leave (Crowd *crowd, Person *person)
{
  HpFrame frame = { .type = HP_FRAME_CLOSE };

  frame.close.code = HP_CLOSE_GOING_AWAY;
  crowd_send (crowd, person, &frame);
  crowd_forget (person);
}
