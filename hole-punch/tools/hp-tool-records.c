/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-records.h"

/* Reading */

typedef struct
{
  guint8 start[HP_TOOL_HEADER_SIZE];
  HpToolHeader header;
  guint8 *body;
  HpToolRecord record;
} Reading;

static void
free_reading (gpointer data)
{
  Reading *reading = data;

  g_free (reading->body);
  g_free (reading);
}

/* FALSE: @task has failed */
static gboolean
finish_part (GTask *task, GAsyncResult *result, gsize wanted)
{
  GInputStream *stream = g_task_get_source_object (task);
  Reading *reading = g_task_get_task_data (task);
  gsize length = 0;
  GError *error = NULL;

  if (!g_input_stream_read_all_finish (stream, result, &length, &error))
    g_task_return_error (task, error);
  else if (length < wanted)
    g_task_return_new_error (task, G_IO_ERROR,
                             length == 0 && reading->body == NULL
                                 ? G_IO_ERROR_CLOSED
                                 : G_IO_ERROR_PARTIAL_INPUT,
                             "The stream has ended");
  else
    return TRUE;
  return FALSE;
}

static void
return_malformed (GTask *task)
{
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "No record of hole-punch");
}

static void
finish_record (GTask *task)
{
  Reading *reading = g_task_get_task_data (task);

  if (!hp_tool_record_parse (&reading->record, &reading->header, reading->body))
    return_malformed (task);
  else
    g_task_return_pointer (
        task,
        g_bytes_new_take (g_steal_pointer (&reading->body),
                          reading->header.length),
        (GDestroyNotify) g_bytes_unref);
}

static void
on_body (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Reading *reading = g_task_get_task_data (task);

  if (finish_part (task, result, reading->header.length))
    finish_record (task);
}

static void
on_header (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Reading *reading = g_task_get_task_data (task);

  if (!finish_part (task, result, sizeof reading->start))
    return;
  if (!hp_tool_header_parse (&reading->header, reading->start))
    {
      return_malformed (task);
      return;
    }
  if (reading->header.length == 0)
    {
      finish_record (task);
      return;
    }
  reading->body = g_malloc (reading->header.length);
  g_input_stream_read_all_async (G_INPUT_STREAM (source), reading->body,
                                 reading->header.length, G_PRIORITY_DEFAULT,
                                 g_task_get_cancellable (task), on_body,
                                 g_object_ref (task));
}

void
hp_tool_records_read_async (GInputStream *stream, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);
  Reading *reading = g_new0 (Reading, 1);

  g_task_set_source_tag (task, hp_tool_records_read_async);
  g_task_set_task_data (task, reading, free_reading);
  g_input_stream_read_all_async (stream, reading->start, sizeof reading->start,
                                 G_PRIORITY_DEFAULT, cancellable, on_header,
                                 task);
}

GBytes *
hp_tool_records_read_finish (GInputStream *stream, GAsyncResult *result,
                             HpToolRecord *record, GError **error)
{
  Reading *reading = g_task_get_task_data (G_TASK (result));
  GBytes *bytes = g_task_propagate_pointer (G_TASK (result), error);

  if (bytes != NULL)
    *record = reading->record;
  return bytes;
}

/* Writing */

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL,
                                        &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
hp_tool_records_write_async (GOutputStream *stream, const HpToolRecord *record,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);
  GBytes *bytes = hp_tool_record_write (record);
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);

  g_task_set_source_tag (task, hp_tool_records_write_async);
  g_task_set_task_data (task, bytes, (GDestroyNotify) g_bytes_unref);
  g_output_stream_write_all_async (stream, data, length, G_PRIORITY_DEFAULT,
                                   cancellable, on_written, task);
}

gboolean
hp_tool_records_write_finish (GOutputStream *stream, GAsyncResult *result,
                              GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
