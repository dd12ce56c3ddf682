/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-stun.h"

#include <string.h>
#include <stun/stunagent.h>

/* RFC 5780, section 7.4; libnice does not know it */
#define ATTRIBUTE_OTHER_ADDRESS ((StunAttribute) 0x802c)

/* Attributes that a client may add without our having to act on them: no
 * credentials are asked for, so none are checked. Anything else that must be
 * understood (CHANGE-REQUEST above all, which would have us send to where
 * nobody asked from) is an error 420. */
static const guint16 known_in_requests[] = {
  STUN_ATTRIBUTE_USERNAME,
  STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
  STUN_ATTRIBUTE_REALM,
  STUN_ATTRIBUTE_NONCE,
  0,
};

/* Also those that servers of RFC 3489 add to every response */
static const guint16 known_in_responses[] = {
  STUN_ATTRIBUTE_MAPPED_ADDRESS,
  STUN_ATTRIBUTE_SOURCE_ADDRESS,
  STUN_ATTRIBUTE_CHANGED_ADDRESS,
  STUN_ATTRIBUTE_USERNAME,
  STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
  STUN_ATTRIBUTE_ERROR_CODE,
  STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
  STUN_ATTRIBUTE_REALM,
  STUN_ATTRIBUTE_NONCE,
  STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
  0,
};

static void
init_agent (StunAgent *agent, const guint16 *known_attributes)
{
  stun_agent_init (agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
}

/* Not by stun_agent_init_request(), which draws random bytes of its own */
static gsize
create_binding (StunAgent *agent, StunClass class,
                const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                guint8 *buffer, gsize capacity)
{
  StunMessage message = { .agent = agent, .buffer = buffer,
                          .buffer_len = capacity };
  StunTransactionId id;
  HpWriter writer;

  hp_writer_init (&writer, id, sizeof id);
  hp_writer_u32 (&writer, STUN_MAGIC_COOKIE);
  hp_writer_bytes (&writer, transaction, HP_STUN_TRANSACTION_SIZE);
  if (!hp_writer_ok (&writer)
      || !stun_message_init (&message, class, STUN_BINDING, id))
    return 0;
  return stun_agent_finish_message (agent, &message, NULL, 0);
}

gsize
hp_stun_create_request (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                        guint8 *buffer, gsize capacity)
{
  StunAgent agent;

  init_agent (&agent, known_in_responses);
  return create_binding (&agent, STUN_REQUEST, transaction, buffer, capacity);
}

gsize
hp_stun_create_indication (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                           guint8 *buffer, gsize capacity)
{
  StunAgent agent;

  init_agent (&agent, known_in_requests);
  return create_binding (&agent, STUN_INDICATION, transaction, buffer,
                         capacity);
}

gboolean
hp_stun_consume_indication (guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                            const guint8 *bytes, gsize length)
{
  StunAgent agent;
  StunMessage message = { 0 };
  StunTransactionId id;

  if (length < STUN_MESSAGE_HEADER_LENGTH || length > HP_STUN_MAX_SIZE)
    return FALSE;
  init_agent (&agent, known_in_requests);
  if (stun_agent_validate (&agent, &message, bytes, length, NULL, NULL)
          != STUN_VALIDATION_SUCCESS
      || stun_message_get_class (&message) != STUN_INDICATION
      || stun_message_get_method (&message) != STUN_BINDING)
    return FALSE;
  stun_message_id (&message, id);
  memcpy (transaction, id + sizeof id - HP_STUN_TRANSACTION_SIZE,
          HP_STUN_TRANSACTION_SIZE);
  return TRUE;
}

/* Not there, or of no use: NONE */
static void
find_other_address (StunMessage *message, HpAddress *other)
{
  struct sockaddr_storage native;
  socklen_t native_size = sizeof native;

  if (stun_message_find_addr (message, ATTRIBUTE_OTHER_ADDRESS, &native,
                              &native_size)
          != STUN_MESSAGE_RETURN_SUCCESS
      || !hp_address_from_native (other, &native, native_size)
      || !hp_address_is_usable (other))
    memset (other, 0, sizeof *other);
}

gboolean
hp_stun_consume_answer (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                        const guint8 *bytes, gsize length, HpAddress *mapped,
                        HpAddress *other)
{
  StunAgent agent;
  StunMessage message = { 0 };
  guint8 request[STUN_MESSAGE_HEADER_LENGTH];
  struct sockaddr_storage native;
  socklen_t native_size = sizeof native;

  memset (mapped, 0, sizeof *mapped);
  memset (other, 0, sizeof *other);
  if (length < STUN_MESSAGE_HEADER_LENGTH || length > HP_STUN_MAX_SIZE)
    return FALSE;
  init_agent (&agent, known_in_responses);
  /* An agent takes only what answers a request that it has seen go out. */
  if (create_binding (&agent, STUN_REQUEST, transaction, request,
                      sizeof request)
      == 0)
    return FALSE;
  if (stun_agent_validate (&agent, &message, bytes, length, NULL, NULL)
          != STUN_VALIDATION_SUCCESS
      || stun_message_get_class (&message) != STUN_RESPONSE
      || stun_message_get_method (&message) != STUN_BINDING)
    return FALSE;
  if (stun_message_find_xor_addr (&message,
                                  STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &native,
                                  &native_size)
          != STUN_MESSAGE_RETURN_SUCCESS
      || !hp_address_from_native (mapped, &native, native_size)
      || !hp_address_is_usable (mapped))
    return FALSE;
  find_other_address (&message, other);
  return TRUE;
}

gboolean
hp_stun_consume_response (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                          const guint8 *bytes, gsize length,
                          HpAddress *mapped)
{
  HpAddress other;

  return hp_stun_consume_answer (transaction, bytes, length, mapped, &other);
}

static socklen_t
to_native (const HpAddress *address, struct sockaddr_storage *native)
{
  memset (native, 0, sizeof *native);
  if (address->family == HP_ADDRESS_IPV4)
    {
      struct sockaddr_in *in = (struct sockaddr_in *) native;

      in->sin_family = AF_INET;
      in->sin_port = g_htons (address->port);
      memcpy (&in->sin_addr, address->ip, 4);
      return sizeof *in;
    }
  else
    {
      struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) native;

      in6->sin6_family = AF_INET6;
      in6->sin6_port = g_htons (address->port);
      memcpy (&in6->sin6_addr, address->ip, 16);
      return sizeof *in6;
    }
}

static gsize
create_success (StunAgent *agent, const StunMessage *request,
                const HpAddress *from, const HpAddress *other,
                guint8 *buffer, gsize capacity)
{
  StunMessage response = { 0 };
  struct sockaddr_storage native;
  socklen_t size;

  if (!stun_agent_init_response (agent, &response, buffer, capacity, request))
    return 0;
  size = to_native (from, &native);
  if (stun_message_append_xor_addr (&response,
                                    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                    &native, size)
      != STUN_MESSAGE_RETURN_SUCCESS)
    return 0;
  if (other != NULL)
    {
      size = to_native (other, &native);
      if (stun_message_append_addr (&response, ATTRIBUTE_OTHER_ADDRESS,
                                    (struct sockaddr *) &native, size)
          != STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    }
  return stun_agent_finish_message (agent, &response, NULL, 0);
}

gsize
hp_stun_create_response (const guint8 *request, gsize request_length,
                         const HpAddress *from, const HpAddress *other,
                         guint8 *buffer, gsize capacity)
{
  StunAgent agent;
  StunMessage message = { 0 };
  StunMessage response = { 0 };
  StunValidationStatus status;

  g_assert (from->family != HP_ADDRESS_NONE);
  g_assert (other == NULL || other->family != HP_ADDRESS_NONE);

  if (request_length < STUN_MESSAGE_HEADER_LENGTH
      || request_length > HP_STUN_MAX_SIZE)
    return 0;
  init_agent (&agent, known_in_requests);
  status = stun_agent_validate (&agent, &message, request, request_length,
                                NULL, NULL);
  if ((status != STUN_VALIDATION_SUCCESS
       && status != STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE)
      || stun_message_get_class (&message) != STUN_REQUEST
      || stun_message_get_method (&message) != STUN_BINDING)
    return 0;
  if (status == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE)
    return stun_agent_build_unknown_attributes_error (
        &agent, &response, buffer, capacity, &message);
  return create_success (&agent, &message, from, other, buffer, capacity);
}
