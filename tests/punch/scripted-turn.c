/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "scripted-turn.h"

#include <stun/stunagent.h>
#include <string.h>

void
scripted_turn_init (ScriptedTurn *self)
{
  memset (self, 0, sizeof *self);
  self->nonce = "first";
  self->lifetime = 600;
  g_assert_true (hp_address_parse (&self->relayed, "198.51.100.7:50000"));
  g_assert_true (hp_address_parse (&self->alternate, "198.51.100.8:3478"));
}

static bool
validate (StunAgent *agent, StunMessage *message, uint8_t *username,
          uint16_t username_length, uint8_t **password,
          size_t *password_length, void *user_data)
{
  if (username_length != strlen (SCRIPT_USER)
      || memcmp (username, SCRIPT_USER, username_length) != 0)
    return false;
  *password = (uint8_t *) SCRIPT_PASSWORD;
  *password_length = strlen (SCRIPT_PASSWORD);
  return true;
}

static void
find_peer (const StunMessage *message, HpAddress *peer)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof native;

  if (stun_message_find_xor_addr (message, STUN_ATTRIBUTE_XOR_PEER_ADDRESS,
                                  &native, &size)
      == STUN_MESSAGE_RETURN_SUCCESS)
    g_assert_true (hp_address_from_native (peer, &native, size));
}

static void
append_address (StunMessage *message, StunAttribute attribute,
                const HpAddress *address, gboolean xors)
{
  g_autoptr (GSocketAddress) socket = hp_address_to_socket_address (address);
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (socket);

  g_assert_true (
      g_socket_address_to_native (socket, &native, sizeof native, NULL));
  if (xors)
    stun_message_append_xor_addr (message, attribute, &native, size);
  else
    stun_message_append_addr (message, attribute,
                              (struct sockaddr *) &native, size);
}

static gsize
finish (StunAgent *agent, StunMessage *message, gboolean is_signed)
{
  return stun_agent_finish_message (
      agent, message, is_signed ? (const uint8_t *) SCRIPT_PASSWORD : NULL,
      is_signed ? strlen (SCRIPT_PASSWORD) : 0);
}

static gsize
answer_error (ScriptedTurn *self, StunAgent *agent, StunMessage *request,
              guint code, gboolean is_signed, guint8 *bytes, gsize capacity)
{
  StunMessage message;

  g_assert_true (stun_agent_init_error (agent, &message, bytes, capacity,
                                        request, (StunError) code));
  stun_message_append_string (&message, STUN_ATTRIBUTE_REALM, SCRIPT_REALM);
  stun_message_append_string (&message, STUN_ATTRIBUTE_NONCE, self->nonce);
  if (code == HP_TURN_TRY_ALTERNATE)
    append_address (&message, STUN_ATTRIBUTE_ALTERNATE_SERVER,
                    &self->alternate, FALSE);
  return finish (agent, &message, is_signed);
}

static void
count (ScriptedTurn *self, const StunMessage *request)
{
  guint32 number = 0;

  switch ((HpTurnMethod) stun_message_get_method (request))
    {
    case HP_TURN_ALLOCATE:
      self->n_allocates++;
      break;
    case HP_TURN_REFRESH:
      self->n_refreshes++;
      g_assert_true (stun_message_find32 (request, STUN_ATTRIBUTE_LIFETIME,
                                          &self->asked_lifetime)
                     == STUN_MESSAGE_RETURN_SUCCESS);
      break;
    case HP_TURN_CREATE_PERMISSION:
      self->n_permissions++;
      find_peer (request, &self->peer);
      break;
    case HP_TURN_CHANNEL_BIND:
      self->n_channels++;
      find_peer (request, &self->peer);
      g_assert_true (stun_message_find32 (request,
                                          STUN_ATTRIBUTE_CHANNEL_NUMBER,
                                          &number)
                     == STUN_MESSAGE_RETURN_SUCCESS);
      self->channel = number >> 16;
      break;
    default:
      g_assert_not_reached ();
    }
}

static gboolean
has_nonce (const StunMessage *request, const char *nonce)
{
  char text[64];

  return stun_message_find_string (request, STUN_ATTRIBUTE_NONCE, text,
                                   sizeof text)
             == STUN_MESSAGE_RETURN_SUCCESS
         && g_str_equal (text, nonce);
}

static guint
choose_code (ScriptedTurn *self, const StunMessage *request)
{
  guint code = self->code != 0 ? self->code : self->every_code;

  self->code = 0;
  if (!has_nonce (request, self->nonce))
    return HP_TURN_STALE_NONCE;
  return code;
}

gsize
scripted_turn_answer (ScriptedTurn *self, const guint8 *bytes, gsize length,
                      guint8 *answer, gsize capacity)
{
  StunAgent agent;
  StunMessage request = { 0 }, message;
  StunValidationStatus status;
  guint code;

  stun_agent_init (&agent, STUN_ALL_KNOWN_ATTRIBUTES,
                   STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS);
  status = stun_agent_validate (&agent, &request, bytes, length, validate,
                                NULL);
  self->n_requests++;
  if (self->is_silent)
    return 0;
  if (status != STUN_VALIDATION_SUCCESS)
    {
      self->n_unsigned++;
      return answer_error (self, &agent, &request, HP_TURN_UNAUTHORIZED,
                           FALSE, answer, capacity);
    }
  self->n_signed++;
  code = choose_code (self, &request);
  if (code != 0)
    return answer_error (self, &agent, &request, code,
                         code != HP_TURN_STALE_NONCE, answer, capacity);
  count (self, &request);
  g_assert_true (stun_agent_init_response (&agent, &message, answer, capacity,
                                           &request));
  stun_message_append32 (&message, STUN_ATTRIBUTE_LIFETIME, self->lifetime);
  append_address (&message, STUN_ATTRIBUTE_XOR_RELAYED_ADDRESS,
                  &self->relayed, TRUE);
  return finish (&agent, &message, TRUE);
}

gsize
scripted_turn_create_data (const HpAddress *peer, const char *text,
                           guint8 *bytes, gsize capacity)
{
  StunAgent agent;
  StunMessage message;

  stun_agent_init (&agent, STUN_ALL_KNOWN_ATTRIBUTES,
                   STUN_COMPATIBILITY_RFC5389, 0);
  g_assert_true (stun_agent_init_indication (&agent, &message, bytes,
                                             capacity, STUN_IND_DATA));
  append_address (&message, STUN_ATTRIBUTE_XOR_PEER_ADDRESS, peer, TRUE);
  stun_message_append_bytes (&message, STUN_ATTRIBUTE_DATA, text,
                             strlen (text));
  return stun_agent_finish_message (&agent, &message, NULL, 0);
}

char *
scripted_turn_read_send (guint8 *bytes, gsize length, HpAddress *peer)
{
  StunAgent agent;
  StunMessage message = { 0 };
  const char *text;
  guint16 size;

  stun_agent_init (&agent, STUN_ALL_KNOWN_ATTRIBUTES,
                   STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
  if (stun_agent_validate (&agent, &message, bytes, length, NULL, NULL)
          != STUN_VALIDATION_SUCCESS
      || stun_message_get_method (&message) != STUN_IND_SEND)
    return NULL;
  find_peer (&message, peer);
  text = stun_message_find (&message, STUN_ATTRIBUTE_DATA, &size);
  return g_strndup (text, size);
}
