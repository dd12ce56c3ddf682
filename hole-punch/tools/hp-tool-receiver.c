/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-receiver.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-name.h"
#include "hole-punch/tools/hp-tool-records.h"
#include "hole-punch/tools/hp-tool-text.h"
#include "hole-punch/tools/hp-tool-visit.h"

/* Each has a file open, and memory for a piece of it. */
#define MAX_TRANSFERS 128
#define PIECE_SIZE (256 * 1024)

/* A file on its way in */
typedef struct
{
  HpToolVisit visit;
  HpToolReceiver *receiver;
  HpToolStoredFile *file; /* NULL: it was stored */
  char *name;
  guint8 *piece;
  gsize length; /* of the piece at hand */
  guint64 size; /* or HP_TOOL_SIZE_UNKNOWN */
  guint64 received;
  /* A file of unknown size goes on until END and the end of the stream: what
   * may be that END waits behind the piece */
  gsize n_kept;
  gboolean is_last;
} Incoming;

static void read_piece (Incoming *self);

static void
drop_file (Incoming *self)
{
  if (self->file == NULL)
    return;
  g_clear_pointer (&self->file, hp_tool_stored_file_discard);
  self->receiver->n_transfers--;
}

static void
free_incoming (Incoming *self)
{
  g_free (self->piece);
  g_free (self->name);
  g_free (self);
}

static void
end (Incoming *self)
{
  drop_file (self);
  hp_tool_visit_end (&self->visit);
  free_incoming (self);
}

/* The stream has ended too early; it may well be that the run has. */
static void
end_partial (Incoming *self)
{
  HpToolRun *run = self->visit.run;
  g_autoptr (HpConnection) connection = g_object_ref (self->visit.connection);
  g_autoptr (GError)
      error = g_error_new (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                           "“%s” did not arrive whole, and was not kept",
                           self->name);

  /* Whoever reads of it finds no trace of the file any more. */
  end (self);
  if (!run->is_ending)
    hp_tool_events_problem (run, connection, error);
}

static void
end_broken (Incoming *self, const char *what)
{
  HpToolRun *run = self->visit.run;
  g_autoptr (HpConnection) connection = g_object_ref (self->visit.connection);

  end (self);
  hp_tool_connection_break (run, connection, what);
}

static void
refuse (Incoming *self, const GError *error)
{
  drop_file (self);
  hp_tool_visit_refuse (&self->visit, error);
  free_incoming (self);
}

/* STORED */

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;
  HpToolReceiver *receiver = self->receiver;
  gboolean is_ending = self->visit.run->is_ending;

  /* The sender knows. If it was gone before, the file is there anyway. */
  g_io_stream_close_finish (G_IO_STREAM (source), result, NULL);
  end (self);
  if (!is_ending)
    receiver->done (receiver->user_data);
}

static void
on_confirmed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;

  hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL);
  g_io_stream_close_async (G_IO_STREAM (self->visit.stream),
                           G_PRIORITY_DEFAULT, self->visit.run->cancellable,
                           on_closed, self);
}

static void
tell_stored (Incoming *self, const char *path, const char *hash)
{
  HpToolRun *run = self->visit.run;
  g_autofree char *name = g_path_get_basename (path);

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("file", self->visit.connection);

      hp_tool_json_add_string (json, "name", name);
      hp_tool_json_add_string (json, "path", path);
      hp_tool_json_add_number (json, "bytes", self->received);
      hp_tool_json_add_string (json, "sha256", hash);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *sender = hp_tool_events_name (self->visit.connection);
      g_autofree char *shown = hp_tool_text_safe (path, -1);
      g_autofree char *text = hp_tool_text_size (self->received);

      hp_tool_run_print (
          run, g_strdup_printf ("%s: received %s (%s)\n", sender, shown, text));
    }
}

/* Gives the file its name */
static void
store (Incoming *self, const HpToolRecord *end_record)
{
  HpToolRecord stored = {
    .type = HP_TOOL_RECORD_STORED,
    .bytes = end_record->bytes,
    .length = end_record->length,
  };
  g_autoptr (GChecksum) checksum = g_checksum_copy (
      hp_tool_stored_file_get_checksum (self->file));
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  path = hp_tool_stored_file_finish (g_steal_pointer (&self->file), self->name,
                                     &error);
  self->receiver->n_transfers--;
  if (path == NULL)
    {
      refuse (self, error);
      return;
    }
  tell_stored (self, path, g_checksum_get_string (checksum));
  hp_tool_visit_write (&self->visit, &stored, on_confirmed, self);
}

/* END */

static gboolean
is_right_hash (const Incoming *self, const HpToolRecord *end_record)
{
  guint8 digest[HP_TOOL_DIGEST_SIZE];
  gsize size = sizeof digest;
  g_autoptr (GChecksum)
      copy = g_checksum_copy (hp_tool_stored_file_get_checksum (self->file));

  g_checksum_get_digest (copy, digest, &size);
  return memcmp (digest, end_record->bytes, sizeof digest) == 0;
}

static void
take_end (Incoming *self, const HpToolRecord *end_record)
{
  g_autoptr (GError) error = NULL;

  if (is_right_hash (self, end_record))
    {
      store (self, end_record);
      return;
    }
  error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "“%s” arrived damaged", self->name);
  refuse (self, error);
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;
  HpToolRecord record;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = hp_tool_records_read_finish (
      G_INPUT_STREAM (source), result, &record, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)
      || (bytes != NULL && record.type != HP_TOOL_RECORD_END))
    end_broken (self, "a file has no end");
  else if (bytes == NULL)
    end_partial (self);
  else
    take_end (self, &record);
}

/* The stream has ended with what was kept. */
static void
take_kept_end (Incoming *self)
{
  const guint8 *kept = self->piece + self->length;
  HpToolHeader header;
  HpToolRecord record;

  if (hp_tool_header_parse (&header, kept) && header.type == HP_TOOL_RECORD_END
      && hp_tool_record_parse (&record, &header, kept + HP_TOOL_HEADER_SIZE))
    take_end (self, &record);
  else
    end_partial (self);
}

/* The file's bytes */

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!hp_tool_stored_file_write_finish (result, &error))
    {
      refuse (self, error);
      return;
    }
  self->received += self->length;
  if (self->is_last)
    take_kept_end (self);
  else
    read_piece (self);
}

static void
write_piece (Incoming *self)
{
  hp_tool_stored_file_write_async (self->file, self->piece, self->length,
                                   on_written, self);
}

static void
on_piece (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;
  gsize length = 0;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length,
                                       NULL)
      || length < self->length)
    end_partial (self);
  else
    write_piece (self);
}

static void
on_sizeless_piece (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;
  gsize length = 0;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length,
                                       NULL)
      || self->n_kept + length < HP_TOOL_END_SIZE)
    {
      end_partial (self);
      return;
    }
  self->is_last = length < PIECE_SIZE;
  self->length = self->n_kept + length - HP_TOOL_END_SIZE;
  self->n_kept = HP_TOOL_END_SIZE;
  write_piece (self);
}

static void
read_sizeless_piece (Incoming *self)
{
  memmove (self->piece, self->piece + self->length, self->n_kept);
  g_input_stream_read_all_async (hp_tool_visit_get_input (&self->visit),
                                 self->piece + self->n_kept, PIECE_SIZE,
                                 G_PRIORITY_DEFAULT,
                                 self->visit.run->cancellable,
                                 on_sizeless_piece, self);
}

static void
read_piece (Incoming *self)
{
  if (self->size == HP_TOOL_SIZE_UNKNOWN)
    {
      read_sizeless_piece (self);
      return;
    }
  self->length = MIN (self->size - self->received, PIECE_SIZE);
  if (self->length > 0)
    g_input_stream_read_all_async (hp_tool_visit_get_input (&self->visit),
                                   self->piece, self->length,
                                   G_PRIORITY_DEFAULT,
                                   self->visit.run->cancellable, on_piece,
                                   self);
  else
    hp_tool_visit_read (&self->visit, on_end, self);
}

/* OFFER */

static void
on_accepted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Incoming *self = user_data;

  if (hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL))
    read_piece (self);
  else
    end_partial (self);
}

void
hp_tool_receiver_take (HpToolReceiver *self, HpStream *stream,
                       const HpToolRecord *offer)
{
  HpToolRecord accept = { .type = HP_TOOL_RECORD_ACCEPT };
  Incoming *incoming = g_new0 (Incoming, 1);
  g_autoptr (GError) error = NULL;

  hp_tool_visit_begin (&incoming->visit, self->run, stream);
  incoming->receiver = self;
  incoming->name = hp_tool_name_clean (offer->bytes, offer->length);
  incoming->size = offer->size;
  if (self->n_transfers < MAX_TRANSFERS)
    incoming->file = hp_tool_store_begin (self->store, &error);
  else
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_BUSY, "Too many transfers");
  if (incoming->file == NULL)
    {
      refuse (incoming, error);
      return;
    }
  self->n_transfers++;
  incoming->piece = g_malloc (PIECE_SIZE + HP_TOOL_END_SIZE);
  hp_tool_visit_write (&incoming->visit, &accept, on_accepted, incoming);
}

void
hp_tool_receiver_init (HpToolReceiver *self, HpToolRun *run, HpToolStore *store,
                       void (*done) (gpointer user_data), gpointer user_data)
{
  *self = (HpToolReceiver){
    .run = run,
    .store = store,
    .done = done,
    .user_data = user_data,
  };
}
