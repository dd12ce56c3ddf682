/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-turn.h"

#include "wire-check.h"

#include <string.h>

static const guint8 transaction[HP_STUN_TRANSACTION_SIZE]
    = { 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad,
        0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e };

/* An allocation is given: XOR-RELAYED-ADDRESS 192.0.2.15:50000,
 * XOR-MAPPED-ADDRESS 192.0.2.1:7000, LIFETIME 600 */
#define ALLOCATED                                                              \
  "01030020 2112a442 78ad3433c6ad72c029da412e"                                 \
  "00160008 0001e242 e112a64d 00200008 00013a4a e112a643"                      \
  "000d0004 00000258"
/* 401 with REALM "example.org" and NONCE "obMatJos2AAAA" */
#define UNAUTHORIZED                                                           \
  "0113002c 2112a442 78ad3433c6ad72c029da412e"                                 \
  "00090004 00000401 0014000b 6578616d706c652e6f726700"                        \
  "0015000d 6f624d61744a6f733241414141 000000"

static void
init (HpTurnRequest *request, HpTurnCredentials *credentials)
{
  *request = (HpTurnRequest){ .method = HP_TURN_ALLOCATE };
  memcpy (request->transaction, transaction, sizeof transaction);
  memset (credentials, 0, sizeof *credentials);
  credentials->username = "user";
  credentials->password = "pass";
}

static gboolean
consume (const HpTurnRequest *request, const HpTurnCredentials *credentials,
         const char *hex, HpTurnAnswer *answer)
{
  g_autoptr (GBytes) bytes = hp_unhex (hex);
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  return hp_turn_consume_answer (request, credentials, data, length, answer);
}

static void
test_requests (void)
{
  HpTurnCredentials credentials;
  HpTurnRequest request;
  guint8 buffer[HP_TURN_REQUEST_MAX_SIZE];
  guint8 id[HP_STUN_TRANSACTION_SIZE];
  g_autoptr (GBytes) expected
      = hp_unhex ("00030008 2112a442 78ad3433c6ad72c029da412e"
                  "00190004 11000000");
  gsize size;
  const guint8 *bytes = g_bytes_get_data (expected, &size);
  gsize length;

  init (&request, &credentials);
  length = hp_turn_create_request (&request, &credentials, buffer,
                                   sizeof buffer);
  g_assert_cmpmem (buffer, length, bytes, size);
  /* A request answers nothing. */
  g_assert_false (hp_turn_get_transaction (buffer, length, id));
  for (gsize capacity = 0; capacity < size; capacity++)
    g_assert_cmpuint (hp_turn_create_request (&request, &credentials, buffer,
                                              capacity),
                      ==, 0);
  strcpy (credentials.realm, "example.org");
  strcpy (credentials.nonce, "nonce");
  length = hp_turn_create_request (&request, &credentials, buffer,
                                   sizeof buffer);
  /* USERNAME, REALM, NONCE and MESSAGE-INTEGRITY */
  g_assert_cmpuint (length, ==, size + 8 + 16 + 12 + 24);
}

static void
test_answers (void)
{
  HpTurnCredentials credentials;
  HpTurnRequest request;
  HpTurnAnswer answer;
  HpAddress expected;

  init (&request, &credentials);
  g_assert_true (consume (&request, &credentials, UNAUTHORIZED, &answer));
  g_assert_cmpuint (answer.code, ==, HP_TURN_UNAUTHORIZED);
  g_assert_cmpstr (answer.realm, ==, "example.org");
  g_assert_cmpstr (answer.nonce, ==, "obMatJos2AAAA");
  g_assert_false (answer.is_authentic);

  g_assert_true (consume (&request, &credentials, ALLOCATED, &answer));
  g_assert_cmpuint (answer.code, ==, 0);
  g_assert_cmpuint (answer.lifetime, ==, 600);
  g_assert_true (hp_address_parse (&expected, "192.0.2.15:50000"));
  g_assert_true (hp_address_equal (&answer.relayed, &expected));
  g_assert_true (hp_address_parse (&expected, "192.0.2.1:7000"));
  g_assert_true (hp_address_equal (&answer.mapped, &expected));

  /* Of another method, of another transaction */
  request.method = HP_TURN_REFRESH;
  g_assert_false (consume (&request, &credentials, ALLOCATED, &answer));
  request.method = HP_TURN_ALLOCATE;
  request.transaction[0] ^= 1;
  g_assert_false (consume (&request, &credentials, ALLOCATED, &answer));
  request.transaction[0] ^= 1;

  /* Once there is a secret, a success must be signed with it. */
  strcpy (credentials.realm, "example.org");
  strcpy (credentials.nonce, "nonce");
  g_assert_false (consume (&request, &credentials, ALLOCATED, &answer));
  g_assert_true (consume (&request, &credentials, UNAUTHORIZED, &answer));
  g_assert_false (answer.is_authentic);
}

static void
test_data (void)
{
  guint8 indication[]
      = { 0x00, 0x17, 0x00, 0x14, 0x21, 0x12, 0xa4, 0x42, 1,    2,
          3,    4,    5,    6,    7,    8,    9,    10,   11,   12,
          0x00, 0x12, 0x00, 0x08, 0x00, 0x01, 0xe2, 0x42, 0xe1, 0x12,
          0xa6, 0x4d, 0x00, 0x13, 0x00, 0x03, 'a',  'b',  'c',  0 };
  guint8 send[100];
  HpAddress peer, expected;
  guint8 *data;
  gsize length;

  g_assert_true (hp_address_parse (&expected, "192.0.2.15:50000"));
  g_assert_true (hp_turn_consume_data (indication, sizeof indication, &peer,
                                       &data, &length));
  g_assert_true (hp_address_equal (&peer, &expected));
  g_assert_cmpmem (data, length, "abc", 3);
  g_assert_true (data >= indication);
  /* A Send indication differs by its method only. */
  length = hp_turn_create_send (indication + 8, &expected, data, 3, send,
                                sizeof send);
  g_assert_cmpuint (length, ==, sizeof indication);
  g_assert_cmpuint (send[1], ==, 0x16);
  g_assert_false (hp_turn_consume_data (send, length, &peer, &data, &length));
  send[1] = 0x17;
  /* What pads it may be anything. */
  g_assert_cmpmem (send, sizeof indication - 1, indication,
                   sizeof indication - 1);
  g_assert_cmpuint (hp_turn_create_send (indication + 8, &expected, send, 3,
                                         indication, 39),
                    ==, 0);
}

static void
test_channel_data (void)
{
  guint8 buffer[16];
  guint16 channel;
  guint8 *data;
  gsize length;

  length = hp_turn_create_channel_data (0x4abc, (const guint8 *) "hello", 5,
                                        FALSE, buffer, sizeof buffer);
  g_assert_cmpmem (buffer, length, "\x4a\xbc\0\5hello", 9);
  g_assert_true (hp_turn_consume_channel_data (buffer, length, &channel,
                                               &data, &length));
  g_assert_cmpuint (channel, ==, 0x4abc);
  g_assert_cmpmem (data, length, "hello", 5);
  g_assert_false (
      hp_turn_consume_channel_data (buffer, 8, &channel, &data, &length));
  buffer[0] = 0x50;
  g_assert_false (
      hp_turn_consume_channel_data (buffer, 9, &channel, &data, &length));
  g_assert_cmpuint (hp_turn_create_channel_data (0x4abc,
                                                 (const guint8 *) "hello", 5,
                                                 TRUE, buffer, 11),
                    ==, 0);
}

static void
test_frames (void)
{
  const guint8 channel[] = { 0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0 };
  guint8 stun[28] = { 0x01, 0x03, 0, 8 };
  gsize size;

  for (gsize length = 0; length < sizeof channel; length++)
    g_assert_cmpint (hp_turn_find_frame (channel, length, &size), ==,
                     HP_TURN_FRAME_PART);
  g_assert_cmpint (hp_turn_find_frame (channel, sizeof channel, &size), ==,
                   HP_TURN_FRAME_WHOLE);
  g_assert_cmpuint (size, ==, sizeof channel);
  g_assert_cmpint (hp_turn_find_frame (stun, 27, &size), ==,
                   HP_TURN_FRAME_PART);
  g_assert_cmpint (hp_turn_find_frame (stun, 28, &size), ==,
                   HP_TURN_FRAME_WHOLE);
  g_assert_cmpuint (size, ==, 28);
  stun[3] = 7;
  g_assert_cmpint (hp_turn_find_frame (stun, 28, &size), ==,
                   HP_TURN_FRAME_BAD);
  stun[0] = 'S';
  g_assert_cmpint (hp_turn_find_frame (stun, 28, &size), ==,
                   HP_TURN_FRAME_BAD);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/turn/requests", test_requests);
  g_test_add_func ("/turn/answers", test_answers);
  g_test_add_func ("/turn/data", test_data);
  g_test_add_func ("/turn/channel-data", test_channel_data);
  g_test_add_func ("/turn/frames", test_frames);

  return g_test_run ();
}
