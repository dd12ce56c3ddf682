/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-receiver.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-name.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-text.h"

/* Each has a file open. */
#define MAX_TRANSFERS 128
#define INCOMING_KEY "hp-tool-incoming"

/* A file on its way in; data of its connection */
typedef struct
{
  HpToolReceiver *receiver; /* outlives the connections */
  HpToolStoredFile *file;   /* NULL: given up, the rest is passed over */
  GChecksum *checksum;
  char *name;
  guint32 transfer;
  guint64 size;
  guint64 received;
} Incoming;

static void
free_incoming (gpointer data)
{
  Incoming *incoming = data;

  incoming->receiver->n_transfers--;
  g_clear_pointer (&incoming->file, hp_tool_stored_file_discard);
  g_checksum_free (incoming->checksum);
  g_free (incoming->name);
  g_free (incoming);
}

static Incoming *
get_incoming (HpConnection *connection)
{
  return g_object_get_data (G_OBJECT (connection), INCOMING_KEY);
}

static void
end_incoming (HpConnection *connection)
{
  g_object_set_data (G_OBJECT (connection), INCOMING_KEY, NULL);
}

static void
tell_problem (HpToolReceiver *self, HpConnection *connection,
              const GError *error)
{
  g_autofree char *name = hp_tool_events_name (connection);
  g_autoptr (GError) prefixed = g_error_copy (error);

  g_prefix_error (&prefixed, "%s: ", name);
  hp_tool_problem_print (prefixed, self->run->options->json);
}

/* Only once: a connection that is closed brings no more messages */
static void
end_connection (HpToolReceiver *self, HpConnection *connection,
                const char *what)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                                          "broke the protocol: %s", what);

  tell_problem (self, connection, error);
  end_incoming (connection);
  hp_connection_close_async (connection, NULL, NULL, NULL);
}

/* Whoever lets answers pile up unread is not waited for. */
static void
answer (HpToolReceiver *self, HpConnection *connection,
        const HpToolMessage *message)
{
  g_autoptr (GBytes) bytes = hp_tool_message_write (message);
  g_autoptr (GError) error = NULL;

  if (!hp_connection_send_message (connection, bytes, &error)
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    end_connection (self, connection, "it does not take the answers");
}

static void
refuse (HpToolReceiver *self, HpConnection *connection, guint32 transfer,
        const GError *error)
{
  HpToolMessage failed = {
    .type = HP_TOOL_MESSAGE_FAILED,
    .transfer = transfer,
    /* Of errors here the code is enough; paths are nobody's business. */
    .bytes = (const guint8 *) hp_tool_problem_get_code (error),
  };

  failed.length = strlen ((const char *) failed.bytes);
  tell_problem (self, connection, error);
  answer (self, connection, &failed);
}

/* OFFER */

static void
on_offer (HpToolReceiver *self, HpConnection *connection,
          const HpToolMessage *offer)
{
  HpToolMessage accept = { .type = HP_TOOL_MESSAGE_ACCEPT,
                           .transfer = offer->transfer };
  HpToolStoredFile *file = NULL;
  Incoming *incoming;
  g_autoptr (GError) error = NULL;

  if (get_incoming (connection) != NULL)
    {
      end_connection (self, connection, "two transfers at once");
      return;
    }
  if (self->n_transfers < MAX_TRANSFERS)
    file = hp_tool_store_begin (self->store, &error);
  else
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_BUSY, "Too many transfers");
  if (file == NULL)
    {
      refuse (self, connection, offer->transfer, error);
      return;
    }

  incoming = g_new0 (Incoming, 1);
  incoming->receiver = self;
  incoming->file = file;
  incoming->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  incoming->name = hp_tool_name_clean (offer->bytes, offer->length);
  incoming->transfer = offer->transfer;
  incoming->size = offer->number;
  self->n_transfers++;
  g_object_set_data_full (G_OBJECT (connection), INCOMING_KEY, incoming,
                          free_incoming);
  answer (self, connection, &accept);
}

/* DATA */

static void
on_data (HpToolReceiver *self, HpConnection *connection,
         const HpToolMessage *data)
{
  Incoming *incoming = get_incoming (connection);
  g_autoptr (GError) error = NULL;

  if (incoming == NULL || data->transfer != incoming->transfer)
    {
      end_connection (self, connection, "data of no transfer");
      return;
    }
  if (data->number != incoming->received
      || data->length > incoming->size - incoming->received)
    {
      end_connection (self, connection, "data out of order");
      return;
    }
  incoming->received += data->length;
  if (incoming->file == NULL)
    return;
  g_checksum_update (incoming->checksum, data->bytes, data->length);
  if (!hp_tool_stored_file_write (incoming->file, data->bytes, data->length,
                                  &error))
    {
      g_clear_pointer (&incoming->file, hp_tool_stored_file_discard);
      refuse (self, connection, incoming->transfer, error);
    }
}

/* END */

static void
tell_stored (HpToolReceiver *self, HpConnection *connection, const char *path,
             guint64 size, const char *hash)
{
  HpToolRun *run = self->run;
  g_autofree char *name = g_path_get_basename (path);

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("file", connection);

      hp_tool_json_add_string (json, "name", name);
      hp_tool_json_add_string (json, "path", path);
      hp_tool_json_add_number (json, "bytes", size);
      hp_tool_json_add_string (json, "sha256", hash);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *sender = hp_tool_events_name (connection);
      g_autofree char *shown = hp_tool_text_safe (path, -1);
      g_autofree char *text = hp_tool_text_size (size);

      hp_tool_run_print (
          run, g_strdup_printf ("%s: received %s (%s)\n", sender, shown, text));
    }
}

static void
on_stored_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolReceiver *self = user_data;

  /* A sender that is gone before it hears of it: the file is there anyway. */
  hp_connection_send_message_finish (HP_CONNECTION (source), result, NULL);
  if (!self->run->is_ending)
    self->done (self);
}

static void
confirm (HpToolReceiver *self, HpConnection *connection,
         const HpToolMessage *end)
{
  HpToolMessage stored = {
    .type = HP_TOOL_MESSAGE_STORED,
    .transfer = end->transfer,
    .bytes = end->bytes,
    .length = end->length,
  };
  g_autoptr (GBytes) bytes = hp_tool_message_write (&stored);

  hp_connection_send_message_async (connection, bytes, NULL, on_stored_sent,
                                    self);
}

static gboolean
is_right_hash (const Incoming *incoming, const HpToolMessage *end)
{
  guint8 digest[HP_TOOL_DIGEST_SIZE];
  gsize size = sizeof digest;
  g_autoptr (GChecksum) copy = g_checksum_copy (incoming->checksum);

  g_checksum_get_digest (copy, digest, &size);
  return memcmp (digest, end->bytes, sizeof digest) == 0;
}

static void
on_end (HpToolReceiver *self, HpConnection *connection,
        const HpToolMessage *end)
{
  Incoming *incoming = get_incoming (connection);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (incoming == NULL || end->transfer != incoming->transfer
      || incoming->received != incoming->size)
    {
      end_connection (self, connection, "an end of no transfer");
      return;
    }
  if (incoming->file == NULL)
    {
      end_incoming (connection);
      return;
    }
  if (is_right_hash (incoming, end))
    path = hp_tool_stored_file_finish (g_steal_pointer (&incoming->file),
                                       incoming->name, &error);
  else
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "“%s” arrived damaged", incoming->name);
  if (path != NULL)
    {
      tell_stored (self, connection, path, incoming->size,
                   g_checksum_get_string (incoming->checksum));
      confirm (self, connection, end);
    }
  else
    {
      refuse (self, connection, end->transfer, error);
    }
  end_incoming (connection);
}

/* PING */

/* A pong for which there is no room is lost, as it is on a full line. */
static void
on_ping (HpConnection *connection, const HpToolMessage *ping)
{
  HpToolMessage pong = *ping;
  g_autoptr (GBytes) bytes = NULL;

  pong.type = HP_TOOL_MESSAGE_PONG;
  bytes = hp_tool_message_write (&pong);
  hp_connection_send_message_full (connection, bytes,
                                   HP_MESSAGE_FLAGS_UNRELIABLE, 0, NULL);
}

static void
dispatch (HpToolReceiver *self, HpConnection *connection,
          const HpToolMessage *message)
{
  switch (message->type)
    {
    case HP_TOOL_MESSAGE_OFFER:
      on_offer (self, connection, message);
      break;
    case HP_TOOL_MESSAGE_DATA:
      on_data (self, connection, message);
      break;
    case HP_TOOL_MESSAGE_END:
      on_end (self, connection, message);
      break;
    case HP_TOOL_MESSAGE_PING:
      on_ping (connection, message);
      break;
    case HP_TOOL_MESSAGE_ACCEPT:
    case HP_TOOL_MESSAGE_STORED:
    case HP_TOOL_MESSAGE_FAILED:
    case HP_TOOL_MESSAGE_PONG:
      end_connection (self, connection, "an answer to no question");
      break;
    }
}

static void
on_message (HpPeer *peer, HpConnection *connection, GBytes *bytes,
            HpToolReceiver *self)
{
  HpToolMessage message;

  if (self->run->is_ending)
    return;
  switch (hp_tool_message_parse (&message, bytes))
    {
    case HP_TOOL_PARSE_OK:
      dispatch (self, connection, &message);
      break;
    case HP_TOOL_PARSE_PLAIN:
      hp_tool_events_message (self->run, connection, bytes);
      self->done (self);
      break;
    case HP_TOOL_PARSE_MALFORMED:
      end_connection (self, connection, "a malformed message");
      break;
    }
}

static void
on_connection_closed (HpPeer *peer, HpConnection *connection,
                      HpToolReceiver *self)
{
  Incoming *incoming = get_incoming (connection);
  g_autoptr (GError) error = NULL;

  if (incoming != NULL && incoming->file != NULL)
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                         "“%s” did not arrive whole, and was not kept",
                         incoming->name);
  /* Whoever reads of it finds no trace of the file any more. */
  end_incoming (connection);
  if (error != NULL)
    tell_problem (self, connection, error);
}

void
hp_tool_receiver_init (HpToolReceiver *self, HpToolRun *run, HpToolStore *store,
                       void (*done) (HpToolReceiver *self))
{
  *self = (HpToolReceiver){ .run = run, .store = store, .done = done };
}

void
hp_tool_receiver_watch (HpToolReceiver *self)
{
  g_signal_connect (self->run->peer, "message-received",
                    G_CALLBACK (on_message), self);
  g_signal_connect (self->run->peer, "connection-closed",
                    G_CALLBACK (on_connection_closed), self);
}
