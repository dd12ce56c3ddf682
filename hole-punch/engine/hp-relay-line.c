/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-relay-line.h"

#include <string.h>

#include "hole-punch/engine/hp-relay-stream.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/secure/hp-crypto.h"

#define WRAPPED_SIZE (HP_TURN_INDICATION_OVERHEAD + 65536)

/* A datagram to the server that waits in the queue, its bytes following */
typedef struct
{
  guint32 length;
  gboolean is_alone;
} Queued;

struct _HpRelayLine
{
  HpRelayLineOwner owner;
  HpRelayServer *server;
  HpTurnClient *client;
  gboolean is_started;
  gboolean is_closed;
  GError *error;
  guint8 *wrapped; /* WRAPPED_SIZE; NULL: nothing was sent yet */
  /* UDP */
  GCancellable *resolving;
  HpRoute route; /* its remote is NONE until it is resolved */
  GByteArray *queue; /* of Queued */
  gsize pulled;      /* bytes of it that are done with */
  /* TCP, TLS */
  HpRelayStream *stream;
};

static void
line_clear (gpointer data)
{
  HpRelayLine *self = data;

  g_clear_pointer (&self->stream, hp_relay_stream_close);
  g_clear_object (&self->resolving);
  g_clear_object (&self->owner.database);
  hp_relay_server_free (self->server);
  hp_turn_client_free (self->client);
  g_byte_array_unref (self->queue);
  g_clear_error (&self->error);
  g_free (self->wrapped);
}

void
hp_relay_line_unref (HpRelayLine *self)
{
  g_rc_box_release_full (self, line_clear);
}

static gboolean
is_udp (const HpRelayLine *self)
{
  return self->server->transport == HP_RELAY_UDP;
}

static void
wake (HpRelayLine *self)
{
  if (self->owner.party->endpoint != NULL)
    hp_endpoint_wake (self->owner.endpoint, self->owner.party);
}

static void
fail (HpRelayLine *self, const GError *error)
{
  if (self->is_closed || self->error != NULL)
    return;
  self->error = g_error_copy (error);
  wake (self);
}

/* UDP */

/* The first one of @found that we can send to, of another family than @other */
static gboolean
choose_address (HpRelayLine *self, GList *found, guint8 other,
                HpAddress *chosen)
{
  for (GList *l = found; l != NULL; l = l->next)
    {
      g_autoptr (GSocketAddress)
          address = g_inet_socket_address_new (l->data, self->server->port);

      if (hp_address_from_socket_address (chosen, address)
          && hp_address_is_usable (chosen) && chosen->family != other
          && (chosen->family == HP_ADDRESS_IPV4
              || hp_endpoint_has_ipv6 (self->owner.endpoint)))
        return TRUE;
    }
  memset (chosen, 0, sizeof *chosen);
  return FALSE;
}

static void
take_addresses (HpRelayLine *self, GList *found, const GError *error)
{
  HpAddress *remote = &self->route.remote;
  HpAddress other;

  if (!choose_address (self, found, HP_ADDRESS_NONE, remote))
    {
      g_autoptr (GError) none
          = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                                 "it has no address for us");

      fail (self, error != NULL ? error : none);
      return;
    }
  if (self->is_started)
    hp_turn_client_start (self->client, hp_clock_now ());
  else
    hp_turn_client_inquire (self->client, hp_clock_now ());
  wake (self);
  if (choose_address (self, found, remote->family, &other))
    self->owner.found (self->owner.user_data, self, &other);
}

static void
on_resolved (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  HpRelayLine *self = user_data;
  g_autoptr (GError) error = NULL;
  GList *found = g_resolver_lookup_by_name_finish (G_RESOLVER (resolver),
                                                   result, &error);

  if (!self->is_closed)
    take_addresses (self, found, error);
  g_resolver_free_addresses (found);
  hp_relay_line_unref (self);
}

static void
resolve (HpRelayLine *self)
{
  GMainContext *context = hp_endpoint_get_context (self->owner.endpoint);
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  self->resolving = g_cancellable_new ();
  /* A context can be iterated without being anybody's default */
  g_main_context_push_thread_default (context);
  g_resolver_lookup_by_name_async (resolver, self->server->host,
                                   self->resolving, on_resolved,
                                   g_rc_box_acquire (self));
  g_main_context_pop_thread_default (context);
}

static void
enqueue (HpRelayLine *self, const guint8 *bytes, gsize length,
         gboolean is_alone)
{
  Queued queued = { length, is_alone };

  if (self->queue->len - self->pulled + length > HP_RELAY_QUEUE_SIZE)
    return;
  /* Under a load that never ends there may always be one left in it. */
  if (self->pulled >= HP_RELAY_QUEUE_SIZE)
    {
      g_byte_array_remove_range (self->queue, 0, self->pulled);
      self->pulled = 0;
    }
  g_byte_array_append (self->queue, (const guint8 *) &queued, sizeof queued);
  g_byte_array_append (self->queue, bytes, length);
}

static gboolean
dequeue (HpRelayLine *self, HpOutgoing *outgoing)
{
  Queued queued;

  if (self->pulled == self->queue->len)
    {
      g_byte_array_set_size (self->queue, 0);
      self->pulled = 0;
      return FALSE;
    }
  memcpy (&queued, self->queue->data + self->pulled, sizeof queued);
  self->pulled += sizeof queued;
  outgoing->route = self->route;
  outgoing->ttl = 0;
  outgoing->is_alone = queued.is_alone;
  outgoing->ecn = HP_ECN_NOT_ECT;
  /* One that has grown too large by the header is dropped, as it would be by
   * the network. */
  outgoing->length = queued.length <= outgoing->capacity ? queued.length : 0;
  memcpy (outgoing->bytes, self->queue->data + self->pulled, outgoing->length);
  self->pulled += queued.length;
  return TRUE;
}

/* A stream */

/* What comes goes to the owner, who may let go of the line. */
static gboolean
take (HpRelayLine *self, guint8 *bytes, gsize length, gint64 now)
{
  HpAddress peer;
  guint8 *data;
  gsize data_length;

  switch (hp_turn_client_receive (self->client, bytes, length, now, &peer,
                                  &data, &data_length))
    {
    case HP_TURN_RECEIVED_NOTHING:
      return FALSE;
    case HP_TURN_RECEIVED_ANSWER:
      wake (self);
      return TRUE;
    case HP_TURN_RECEIVED_DATA:
      /* An indication may have us bind a channel. */
      if (bytes[0] < HP_TURN_FIRST_CHANNEL >> 8)
        wake (self);
      self->owner.received (self->owner.user_data, self, &peer, data,
                            data_length);
      return TRUE;
    }
  return FALSE;
}

static void
on_opened (gpointer user_data)
{
  HpRelayLine *self = user_data;

  hp_turn_client_start (self->client, hp_clock_now ());
  wake (self);
}

static void
on_received (gpointer user_data, guint8 *bytes, gsize length)
{
  HpRelayLine *self = g_rc_box_acquire (user_data);

  (void) take (self, bytes, length, hp_clock_now ());
  hp_relay_line_unref (self);
}

static void
on_failed (gpointer user_data, const GError *error)
{
  fail (user_data, error);
}

static const HpRelayStreamEvents stream_events = {
  .opened = on_opened,
  .received = on_received,
  .failed = on_failed,
};

/* Life */

HpRelayLine *
hp_relay_line_new (const HpRelayServer *server, const HpRelayLineOwner *owner)
{
  HpRelayLine *self = g_rc_box_new0 (HpRelayLine);
  HpTurnClientConfig config = {
    .is_stream = server->transport != HP_RELAY_UDP,
    .username = server->username,
    .password = server->password,
    .family = HP_ADDRESS_IPV4,
    .lifetime = owner->lifetime,
    .random = hp_crypto_random,
  };

  self->owner = *owner;
  if (owner->database != NULL)
    g_object_ref (owner->database);
  self->server = hp_relay_server_copy (server);
  self->client = hp_turn_client_new (&config);
  self->queue = g_byte_array_new ();
  if (is_udp (self))
    resolve (self);
  else
    self->stream = hp_relay_stream_new (
        hp_endpoint_get_context (owner->endpoint), server, owner->database,
        &stream_events, self);
  return self;
}

void
hp_relay_line_start (HpRelayLine *self, gint64 now)
{
  self->is_started = TRUE;
  if (is_udp (self) && self->route.remote.family != HP_ADDRESS_NONE)
    hp_turn_client_start (self->client, now);
  wake (self);
}

void
hp_relay_line_inquire (HpRelayLine *self, gint64 now)
{
  if (!is_udp (self) || self->is_started
      || self->route.remote.family == HP_ADDRESS_NONE
      || hp_turn_client_is_inquiring (self->client))
    return;
  hp_turn_client_inquire (self->client, now);
  wake (self);
}

void
hp_relay_line_close (HpRelayLine *self, gint64 now)
{
  self->is_closed = TRUE;
  if (self->resolving != NULL)
    g_cancellable_cancel (self->resolving);
  hp_turn_client_close (self->client, now);
}

/* Datagrams */

gboolean
hp_relay_line_receive (HpRelayLine *self, const HpDatagram *datagram,
                       gint64 now)
{
  gboolean is_ours;

  if (!is_udp (self) || self->is_closed || datagram->route.socket != 0
      || !hp_address_equal (&datagram->route.remote, &self->route.remote))
    return FALSE;
  g_rc_box_acquire (self);
  is_ours = take (self, datagram->bytes, datagram->length, now);
  hp_relay_line_unref (self);
  return is_ours;
}

static void
enqueue_or_send (HpRelayLine *self, const guint8 *bytes, gsize length,
                 gboolean is_alone)
{
  if (is_udp (self))
    enqueue (self, bytes, length, is_alone);
  else if (self->stream != NULL)
    (void) hp_relay_stream_send (self->stream, bytes, length);
}

static void
send_requests (HpRelayLine *self, gint64 now)
{
  guint8 request[HP_TURN_REQUEST_MAX_SIZE];
  gsize length;

  /* Over a stream a request is asked only once. */
  while ((length = hp_turn_client_pull (self->client, request, sizeof request,
                                        now)) > 0)
    enqueue_or_send (self, request, length, TRUE);
}

void
hp_relay_line_send (HpRelayLine *self, const HpOutgoing *outgoing, gint64 now)
{
  gsize length;

  if (self->wrapped == NULL)
    self->wrapped = g_malloc (WRAPPED_SIZE);
  length = hp_turn_client_wrap (self->client, &outgoing->route.remote,
                                outgoing->bytes, outgoing->length,
                                self->wrapped, WRAPPED_SIZE, now);
  /* The permission that this may need goes before it. */
  send_requests (self, now);
  if (length > 0)
    enqueue_or_send (self, self->wrapped, length, outgoing->is_alone);
  wake (self);
}

void
hp_relay_line_permit (HpRelayLine *self, const HpAddress *peer, gint64 now)
{
  hp_turn_client_permit (self->client, peer, now);
  wake (self);
}

gboolean
hp_relay_line_pull (HpRelayLine *self, HpOutgoing *outgoing, gint64 now)
{
  send_requests (self, now);
  if (is_udp (self))
    return dequeue (self, outgoing);
  hp_relay_stream_flush (self->stream);
  return FALSE;
}

gint64
hp_relay_line_get_deadline (const HpRelayLine *self)
{
  return hp_turn_client_get_deadline (self->client);
}

void
hp_relay_line_expire (HpRelayLine *self, gint64 now)
{
  hp_turn_client_expire (self->client, now);
}

/* How it stands */

const HpRelayServer *
hp_relay_line_get_server (const HpRelayLine *self)
{
  return self->server;
}

const HpTurnClient *
hp_relay_line_get_client (const HpRelayLine *self)
{
  return self->client;
}

static GError *
describe_failure (const HpTurnClient *client)
{
  guint code = hp_turn_client_get_code (client);

  switch (hp_turn_client_get_failure (client))
    {
    case HP_TURN_FAILURE_SILENCE:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                                  "it does not answer");
    case HP_TURN_FAILURE_CREDENTIALS:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                                  "it does not accept the user's name or "
                                  "password");
    case HP_TURN_FAILURE_QUOTA:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY,
                                  "it has no room for another allocation");
    case HP_TURN_FAILURE_ALTERNATE:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY,
                                  "it names another server");
    case HP_TURN_FAILURE_LOST:
      return g_error_new (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                          "it has lost the allocation (error %u)", code);
    case HP_TURN_FAILURE_NONE:
    case HP_TURN_FAILURE_REFUSED:
      break;
    }
  return g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "it refuses (error %u)",
                      code);
}

const GError *
hp_relay_line_get_error (HpRelayLine *self)
{
  if (self->error == NULL
      && hp_turn_client_get_state (self->client) == HP_TURN_CLIENT_FAILED)
    self->error = describe_failure (self->client);
  return self->error;
}
