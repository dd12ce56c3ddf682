/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Messages between match servers that share a registry, which carries them:
 *
 *   worker to 2 | length 1 | name of the server from | worker from 2 |
 *   the service's message (hp-match-forwarding.c)
 *
 * Worker to is 0xffff for whichever has the callee; an answer is for the worker
 * that the question was from. Whoever can write to the registry can write
 * these: it is the operator's.
 */

#include "hole-punch/hp-match-run-inside-private.h"

#include <string.h>

#define MAX_SIZE (5 + HP_MATCH_SERVER_NAME_MAX_SIZE + HP_MATCH_MESSAGE_MAX_SIZE)

static void
on_posted (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  HpMatchRun *self = user_data;
  g_autoptr (GError) error = NULL;

  hp_registry_post_finish (HP_REGISTRY (registry), result, &error);
  /* That the other server has gone is no fault of the registry's. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    g_clear_error (&error);
  hp_match_run_note_registry (self, error);
  hp_match_run_unref (self);
}

void
hp_match_run_post (HpMatchRun *self, HpMatchWorker *worker,
                   const HpServiceEvent *event)
{
  const char *own = self->server_name;
  gsize name_length = own != NULL ? strlen (own) : 0;
  g_autoptr (GBytes) message = NULL;
  guint8 bytes[MAX_SIZE];
  HpWriter writer;

  if (name_length == 0 || name_length > HP_MATCH_SERVER_NAME_MAX_SIZE)
    return;
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_writer_u16 (&writer, event->place.worker);
  hp_writer_u8 (&writer, name_length);
  hp_writer_bytes (&writer, own, name_length);
  hp_writer_u16 (&writer, worker->number);
  hp_writer_bytes (&writer, event->message, event->length);
  message = g_bytes_new (bytes, writer.offset);
  hp_registry_post_async (self->registry, event->place.server, message,
                          self->cancellable, on_posted,
                          hp_match_run_ref (self));
}

static void
receive_message (HpMatchRun *self, HpReader *reader)
{
  HpMatchPlace from = { .worker = 0 };
  guint16 to = hp_reader_u16 (reader);
  gsize name_length = hp_reader_u8 (reader);
  const guint8 *name = hp_reader_bytes (reader, name_length);
  gsize length;
  const guint8 *bytes;

  from.worker = hp_reader_u16 (reader);
  length = hp_reader_left (reader);
  bytes = hp_reader_bytes (reader, length);
  if (!hp_reader_ok (reader) || name_length == 0
      || name_length > HP_MATCH_SERVER_NAME_MAX_SIZE
      || length > HP_MATCH_MESSAGE_MAX_SIZE)
    return;
  memcpy (from.server, name, name_length);
  if (to == HP_MATCH_ANY_WORKER)
    hp_match_run_route (self, &from, bytes, length);
  else
    hp_match_run_order (self, to,
                        hp_match_order_new_message (&from, bytes, length));
}

static void
on_message (HpRegistry *registry, GBytes *message, HpMatchRun *self)
{
  gsize length;
  gconstpointer bytes = g_bytes_get_data (message, &length);
  HpReader reader;

  hp_match_run_ref (self);
  hp_reader_init (&reader, bytes, length);
  receive_message (self, &reader);
  hp_match_run_unref (self);
}

void
hp_match_run_listen_to_servers (HpMatchRun *self)
{
  self->message_handler = g_signal_connect (
      self->registry, "message-received", G_CALLBACK (on_message), self);
}
