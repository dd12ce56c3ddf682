/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-turn.h"

#include <string.h>
#include <stun/stunagent.h>

/* What may be in an answer or a Data indication; anything else that must be
 * understood makes it void (RFC 8489, section 6.3). */
static const guint16 known_attributes[] = {
  STUN_ATTRIBUTE_MAPPED_ADDRESS,
  STUN_ATTRIBUTE_USERNAME,
  STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
  STUN_ATTRIBUTE_ERROR_CODE,
  STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
  STUN_ATTRIBUTE_CHANNEL_NUMBER,
  STUN_ATTRIBUTE_LIFETIME,
  STUN_ATTRIBUTE_XOR_PEER_ADDRESS,
  STUN_ATTRIBUTE_DATA,
  STUN_ATTRIBUTE_REALM,
  STUN_ATTRIBUTE_NONCE,
  STUN_ATTRIBUTE_XOR_RELAYED_ADDRESS,
  STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
  0,
};

#define TRANSPORT_UDP (17u << 24)
#define FAMILY_IPV4 (1u << 24)
#define FAMILY_IPV6 (2u << 24)
/* Of the length field, which does not count the header */
#define MAX_ATTRIBUTES 0xfffc

static void
init_agent (StunAgent *agent, gboolean checks)
{
  StunAgentUsageFlags flags = STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS;

  if (!checks)
    flags |= STUN_AGENT_USAGE_IGNORE_CREDENTIALS;
  stun_agent_init (agent, known_attributes, STUN_COMPATIBILITY_RFC5389, flags);
}

/* Not by stun_agent_init_request(), which draws random bytes of its own */
static gboolean
init_message (StunMessage *message, StunAgent *agent, StunClass class,
              guint method, const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
              guint8 *buffer, gsize capacity)
{
  StunTransactionId id;
  HpWriter writer;

  /* libnice pads an attribute that just fits without looking for room. */
  *message = (StunMessage){ .agent = agent, .buffer = buffer,
                            .buffer_len = capacity & ~(gsize) 3 };
  hp_writer_init (&writer, id, sizeof id);
  hp_writer_u32 (&writer, STUN_MAGIC_COOKIE);
  hp_writer_bytes (&writer, transaction, HP_STUN_TRANSACTION_SIZE);
  return hp_writer_ok (&writer)
         && stun_message_init (message, class, (StunMethod) method, id);
}

static gboolean
append32 (StunMessage *message, StunAttribute attribute, guint32 value)
{
  return stun_message_append32 (message, attribute, value)
         == STUN_MESSAGE_RETURN_SUCCESS;
}

static gboolean
append_text (StunMessage *message, StunAttribute attribute, const char *text)
{
  return stun_message_append_string (message, attribute, text)
         == STUN_MESSAGE_RETURN_SUCCESS;
}

static gboolean
append_peer (StunMessage *message, const HpAddress *peer)
{
  g_autoptr (GSocketAddress) address = hp_address_to_socket_address (peer);
  struct sockaddr_storage native;
  gssize size;

  if (address == NULL)
    return FALSE;
  size = g_socket_address_get_native_size (address);
  return g_socket_address_to_native (address, &native, sizeof native, NULL)
         && stun_message_append_xor_addr (message,
                                          STUN_ATTRIBUTE_XOR_PEER_ADDRESS,
                                          &native, size)
                == STUN_MESSAGE_RETURN_SUCCESS;
}

static gboolean
append_body (StunMessage *message, const HpTurnRequest *request)
{
  switch (request->method)
    {
    case HP_TURN_ALLOCATE:
      return append32 (message, STUN_ATTRIBUTE_REQUESTED_TRANSPORT,
                       TRANSPORT_UDP)
             && (request->lifetime == 0
                 || append32 (message, STUN_ATTRIBUTE_LIFETIME,
                              request->lifetime))
             /* IPv4 is what a server gives anyway, and some know no other. */
             && (request->family != HP_ADDRESS_IPV6
                 || append32 (message, STUN_ATTRIBUTE_REQUESTED_ADDRESS_TYPE,
                              FAMILY_IPV6));
    case HP_TURN_REFRESH:
      return append32 (message, STUN_ATTRIBUTE_LIFETIME, request->lifetime);
    case HP_TURN_CREATE_PERMISSION:
      return append_peer (message, &request->peer);
    case HP_TURN_CHANNEL_BIND:
      return append32 (message, STUN_ATTRIBUTE_CHANNEL_NUMBER,
                       (guint32) request->channel << 16)
             && append_peer (message, &request->peer);
    }
  return FALSE;
}

static gsize
create_request (StunAgent *agent, const HpTurnRequest *request,
                const HpTurnCredentials *credentials, guint8 *buffer,
                gsize capacity)
{
  const guint8 *password = (const guint8 *) credentials->password;
  StunMessage message;

  if (!init_message (&message, agent, STUN_REQUEST, request->method,
                     request->transaction, buffer, capacity)
      || !append_body (&message, request))
    return 0;
  if (credentials->realm[0] == '\0')
    return stun_agent_finish_message (agent, &message, NULL, 0);
  if (!append_text (&message, STUN_ATTRIBUTE_USERNAME, credentials->username)
      || !append_text (&message, STUN_ATTRIBUTE_REALM, credentials->realm)
      || !append_text (&message, STUN_ATTRIBUTE_NONCE, credentials->nonce))
    return 0;
  return stun_agent_finish_message (agent, &message, password,
                                    strlen (credentials->password));
}

gsize
hp_turn_create_request (const HpTurnRequest *request,
                        const HpTurnCredentials *credentials, guint8 *buffer,
                        gsize capacity)
{
  StunAgent agent;

  init_agent (&agent, TRUE);
  return create_request (&agent, request, credentials, buffer, capacity);
}

gboolean
hp_turn_get_transaction (const guint8 *bytes, gsize length,
                         guint8 transaction[HP_STUN_TRANSACTION_SIZE])
{
  HpReader reader;
  guint16 type;
  guint32 cookie;

  hp_reader_init (&reader, bytes, length);
  type = hp_reader_u16 (&reader);
  hp_reader_u16 (&reader);
  cookie = hp_reader_u32 (&reader);
  hp_reader_copy (&reader, transaction, HP_STUN_TRANSACTION_SIZE);
  /* RFC 8489, section 5: bit 8 of the type is set in answers only. */
  return hp_reader_ok (&reader) && cookie == STUN_MAGIC_COOKIE
         && (type & 0xc100) == 0x0100;
}

/* An agent takes only what answers a request that it has seen go out. */
static gboolean
validate (StunAgent *agent, StunMessage *message, gboolean checks,
          const HpTurnRequest *request, const HpTurnCredentials *credentials,
          const guint8 *bytes, gsize length)
{
  guint8 sent[HP_TURN_REQUEST_MAX_SIZE];

  init_agent (agent, checks);
  return create_request (agent, request, credentials, sent, sizeof sent) > 0
         && stun_agent_validate (agent, message, bytes, length, NULL, NULL)
                == STUN_VALIDATION_SUCCESS
         && stun_message_get_method (message) == (StunMethod) request->method;
}

static void
find_address (const StunMessage *message, StunAttribute attribute,
              HpAddress *address)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof native;
  StunMessageReturn result;

  if (attribute == STUN_ATTRIBUTE_ALTERNATE_SERVER)
    result = stun_message_find_addr (message, attribute, &native, &size);
  else
    result = stun_message_find_xor_addr (message, attribute, &native, &size);
  if (result != STUN_MESSAGE_RETURN_SUCCESS
      || !hp_address_from_native (address, &native, size)
      || !hp_address_is_usable (address))
    memset (address, 0, sizeof *address);
}

/* An empty, too long, or odd one is none: we would have to repeat it. */
static void
find_text (const StunMessage *message, StunAttribute attribute,
           char text[HP_TURN_TEXT_SIZE])
{
  guint16 length;
  const char *found = stun_message_find (message, attribute, &length);

  text[0] = '\0';
  if (found == NULL || length >= HP_TURN_TEXT_SIZE
      || memchr (found, '\0', length) != NULL
      || !g_utf8_validate (found, length, NULL))
    return;
  memcpy (text, found, length);
  text[length] = '\0';
}

static gboolean
may_be_unsigned (guint code)
{
  return code == HP_TURN_TRY_ALTERNATE || code == HP_TURN_BAD_REQUEST
         || code == HP_TURN_UNAUTHORIZED || code == HP_TURN_STALE_NONCE;
}

gboolean
hp_turn_consume_answer (const HpTurnRequest *request,
                        const HpTurnCredentials *credentials,
                        const guint8 *bytes, gsize length,
                        HpTurnAnswer *answer)
{
  StunAgent agent;
  StunMessage message = { 0 };
  int code = 0;

  memset (answer, 0, sizeof *answer);
  if (length < STUN_MESSAGE_HEADER_LENGTH || length > HP_TURN_ANSWER_MAX_SIZE)
    return FALSE;
  answer->is_authentic
      = validate (&agent, &message, TRUE, request, credentials, bytes, length)
        && credentials->realm[0] != '\0'
        && stun_message_has_attribute (&message,
                                       STUN_ATTRIBUTE_MESSAGE_INTEGRITY);
  if (!answer->is_authentic)
    {
      message = (StunMessage){ 0 };
      if (!validate (&agent, &message, FALSE, request, credentials, bytes,
                     length))
        return FALSE;
    }

  if (stun_message_get_class (&message) == STUN_ERROR
      && (stun_message_find_error (&message, &code)
              != STUN_MESSAGE_RETURN_SUCCESS
          || code < 300))
    return FALSE;
  answer->code = code;
  /* Where no credentials are asked for there is nothing to sign with. */
  if (!answer->is_authentic && credentials->realm[0] != '\0'
      && !may_be_unsigned (answer->code))
    return FALSE;
  (void) stun_message_find32 (&message, STUN_ATTRIBUTE_LIFETIME,
                              &answer->lifetime);
  find_address (&message, STUN_ATTRIBUTE_XOR_RELAYED_ADDRESS,
                &answer->relayed);
  find_address (&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &answer->mapped);
  find_address (&message, STUN_ATTRIBUTE_ALTERNATE_SERVER,
                &answer->alternate);
  find_text (&message, STUN_ATTRIBUTE_REALM, answer->realm);
  find_text (&message, STUN_ATTRIBUTE_NONCE, answer->nonce);
  return TRUE;
}

/* Data */

gsize
hp_turn_create_send (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                     const HpAddress *peer, const guint8 *data,
                     gsize data_length, guint8 *buffer, gsize capacity)
{
  StunAgent agent;
  StunMessage message;

  if (data_length > MAX_ATTRIBUTES - HP_TURN_INDICATION_OVERHEAD)
    return 0;
  init_agent (&agent, FALSE);
  if (!init_message (&message, &agent, STUN_INDICATION, STUN_IND_SEND,
                     transaction, buffer, capacity)
      || !append_peer (&message, peer)
      || stun_message_append_bytes (&message, STUN_ATTRIBUTE_DATA, data,
                                    data_length)
             != STUN_MESSAGE_RETURN_SUCCESS)
    return 0;
  return stun_agent_finish_message (&agent, &message, NULL, 0);
}

gboolean
hp_turn_consume_data (guint8 *bytes, gsize length, HpAddress *peer,
                      guint8 **data, gsize *data_length)
{
  StunAgent agent;
  StunMessage message = { 0 };
  const guint8 *found;
  guint16 size;

  if (length < STUN_MESSAGE_HEADER_LENGTH)
    return FALSE;
  init_agent (&agent, FALSE);
  if (stun_agent_validate (&agent, &message, bytes, length, NULL, NULL)
          != STUN_VALIDATION_SUCCESS
      || stun_message_get_class (&message) != STUN_INDICATION
      || stun_message_get_method (&message) != STUN_IND_DATA)
    return FALSE;
  find_address (&message, STUN_ATTRIBUTE_XOR_PEER_ADDRESS, peer);
  found = stun_message_find (&message, STUN_ATTRIBUTE_DATA, &size);
  if (peer->family == HP_ADDRESS_NONE || found == NULL)
    return FALSE;
  *data = bytes + (found - bytes);
  *data_length = size;
  return TRUE;
}

static gsize
pad (gsize length)
{
  return (length + 3) & ~(gsize) 3;
}

gsize
hp_turn_create_channel_data (guint16 channel, const guint8 *data,
                             gsize data_length, gboolean pads, guint8 *buffer,
                             gsize capacity)
{
  HpWriter writer;

  if (data_length > G_MAXUINT16)
    return 0;
  hp_writer_init (&writer, buffer, capacity);
  hp_writer_u16 (&writer, channel);
  hp_writer_u16 (&writer, data_length);
  hp_writer_bytes (&writer, data, data_length);
  if (pads)
    hp_writer_zeros (&writer, pad (data_length) - data_length);
  return hp_writer_ok (&writer) ? writer.offset : 0;
}

gboolean
hp_turn_consume_channel_data (guint8 *bytes, gsize length, guint16 *channel,
                              guint8 **data, gsize *data_length)
{
  const guint8 *found;
  HpReader reader;

  hp_reader_init (&reader, bytes, length);
  *channel = hp_reader_u16 (&reader);
  *data_length = hp_reader_u16 (&reader);
  found = hp_reader_bytes (&reader, *data_length);
  if (!hp_reader_ok (&reader) || *channel < HP_TURN_FIRST_CHANNEL
      || *channel > HP_TURN_LAST_CHANNEL)
    return FALSE;
  *data = bytes + (found - bytes);
  return TRUE;
}

HpTurnFrame
hp_turn_find_frame (const guint8 *bytes, gsize length, gsize *frame_length)
{
  HpReader reader;
  guint16 type;
  gsize size;

  hp_reader_init (&reader, bytes, length);
  type = hp_reader_u16 (&reader);
  size = hp_reader_u16 (&reader);
  if (!hp_reader_ok (&reader))
    return HP_TURN_FRAME_PART;
  if (type < HP_TURN_FIRST_CHANNEL)
    {
      /* RFC 8489, section 5: the length is a multiple of 4. */
      if (size % 4 != 0)
        return HP_TURN_FRAME_BAD;
      *frame_length = STUN_MESSAGE_HEADER_LENGTH + size;
    }
  else if (type <= HP_TURN_LAST_CHANNEL)
    {
      *frame_length = HP_TURN_CHANNEL_HEADER_SIZE + pad (size);
    }
  else
    {
      return HP_TURN_FRAME_BAD;
    }
  return *frame_length <= length ? HP_TURN_FRAME_WHOLE : HP_TURN_FRAME_PART;
}
