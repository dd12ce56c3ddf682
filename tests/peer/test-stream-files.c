/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files larger than any window, through streams and as messages, without being
 * in memory; and streams between streams
 */

#include <glib/gstdio.h>

#include "stream-world.h"

#define MIB (1024 * 1024)
#define FILE_SIZE (48 * MIB + 12345)

typedef struct
{
  World world;
  char *directory;
  GFile *file; /* of FILE_SIZE */
  char *checksum;
} Fixture;

static char *
get_checksum (GFile *file)
{
  g_autofree char *path = g_file_get_path (file);
  g_autoptr (GMappedFile) mapped = NULL;
  GError *error = NULL;

  mapped = g_mapped_file_new (path, FALSE, &error);
  g_assert_no_error (error);
  return g_compute_checksum_for_data (
      G_CHECKSUM_SHA1, (guint8 *) g_mapped_file_get_contents (mapped),
      g_mapped_file_get_length (mapped));
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GBytes) bytes = test_bytes_new (FILE_SIZE, 77);
  GError *error = NULL;

  self->directory = g_dir_make_tmp ("hole-punch-XXXXXX", &error);
  g_assert_no_error (error);
  path = g_build_filename (self->directory, "file", NULL);
  g_file_set_contents (path, g_bytes_get_data (bytes, NULL), FILE_SIZE, &error);
  g_assert_no_error (error);
  self->file = g_file_new_for_path (path);
  self->checksum = get_checksum (self->file);
  world_set_up (&self->world, data);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  world_tear_down (&self->world, data);
  g_file_delete (self->file, NULL, NULL);
  g_rmdir (self->directory);
  g_object_unref (self->file);
  g_free (self->directory);
  g_free (self->checksum);
}

static GFile *
get_copy (Fixture *self)
{
  return g_file_new_build_filename (self->directory, "copy", NULL);
}

static void
check_copy (Fixture *self, GFile *copy)
{
  g_autofree char *checksum = get_checksum (copy);

  g_assert_cmpstr (checksum, ==, self->checksum);
  g_file_delete (copy, NULL, NULL);
}

static const GOutputStreamSpliceFlags CLOSE_BOTH
    = G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE
      | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET;

static void
test_splice (Fixture *self, gconstpointer data)
{
  g_autoptr (GFile) copy = get_copy (self);
  g_autoptr (GFileInputStream) input = NULL;
  g_autoptr (GFileOutputStream) output = NULL;
  g_auto (TestResult) sent = { 0 };
  g_auto (TestResult) received = { 0 };
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, &self->world);
  input = g_file_read (self->file, NULL, &error);
  g_assert_no_error (error);
  output = g_file_create (copy, G_FILE_CREATE_NONE, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_splice_async (pair.near_output, G_INPUT_STREAM (input),
                                CLOSE_BOTH, G_PRIORITY_DEFAULT, NULL,
                                test_result_take, &sent);
  g_output_stream_splice_async (G_OUTPUT_STREAM (output), pair.far_input,
                                CLOSE_BOTH, G_PRIORITY_DEFAULT, NULL,
                                test_result_take, &received);
  AWAIT (sent.result != NULL && received.result != NULL);
  g_assert_cmpint (g_output_stream_splice_finish (pair.near_output, sent.result,
                                                  &error),
                   ==, FILE_SIZE);
  g_assert_no_error (error);
  g_assert_cmpint (g_output_stream_splice_finish (G_OUTPUT_STREAM (output),
                                                  received.result, &error),
                   ==, FILE_SIZE);
  g_assert_no_error (error);
  g_assert_true (g_input_stream_is_closed (G_INPUT_STREAM (input)));
  g_assert_true (g_output_stream_is_closed (pair.near_output));
  check_copy (self, copy);
  pair_clear (&pair);
}

/* The same in two threads that block */

static void
splice_in_thread (GTask *task, gpointer output, gpointer input,
                  GCancellable *cancellable)
{
  GError *error = NULL;
  gssize n = g_output_stream_splice (output, input, CLOSE_BOTH, cancellable,
                                     &error);

  if (n < 0)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, n);
}

static GTask *
splice_begin (gpointer output, gpointer input, TestResult *result)
{
  GTask *task = g_task_new (output, NULL, test_result_take, result);

  g_task_set_task_data (task, g_object_ref (input), g_object_unref);
  g_task_run_in_thread (task, splice_in_thread);
  return task;
}

static void
test_blocking_splice (Fixture *self, gconstpointer data)
{
  g_autoptr (GFile) copy = get_copy (self);
  g_autoptr (GFileInputStream) input = NULL;
  g_autoptr (GFileOutputStream) output = NULL;
  g_autoptr (GTask) sending = NULL;
  g_autoptr (GTask) receiving = NULL;
  g_auto (TestResult) sent = { 0 };
  g_auto (TestResult) received = { 0 };
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, &self->world);
  input = g_file_read (self->file, NULL, &error);
  g_assert_no_error (error);
  output = g_file_create (copy, G_FILE_CREATE_NONE, NULL, &error);
  g_assert_no_error (error);
  sending = splice_begin (pair.near_output, input, &sent);
  receiving = splice_begin (output, pair.far_input, &received);
  AWAIT (sent.result != NULL && received.result != NULL);
  g_assert_cmpint (g_task_propagate_int (sending, &error), ==, FILE_SIZE);
  g_assert_no_error (error);
  g_assert_cmpint (g_task_propagate_int (receiving, &error), ==, FILE_SIZE);
  g_assert_no_error (error);
  g_assert_true (g_output_stream_is_closed (pair.near_output));
  check_copy (self, copy);
  pair_clear (&pair);
}

/* A splice that fails half-way tells of it, and closes what it was to close */
static void
test_splice_fails (Fixture *self, gconstpointer data)
{
  g_autoptr (GFileInputStream) input = NULL;
  g_auto (TestResult) sent = { 0 };
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, &self->world);
  input = g_file_read (self->file, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_splice_async (pair.near_output, G_INPUT_STREAM (input),
                                CLOSE_BOTH, G_PRIORITY_DEFAULT, NULL,
                                test_result_take, &sent);
  await_time (30);
  g_assert_true (await_close_input (pair.far_input, &error));
  AWAIT (sent.result != NULL);
  g_assert_cmpint (g_output_stream_splice_finish (pair.near_output, sent.result,
                                                  &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_clear_error (&error);
  g_assert_true (g_input_stream_is_closed (G_INPUT_STREAM (input)));
  g_assert_true (g_output_stream_is_closed (pair.near_output));
  pair_clear (&pair);
}

static void
on_written (GObject *output, GAsyncResult *result, gpointer bytes)
{
  gsize n;
  GError *error = NULL;

  g_output_stream_write_all_finish (G_OUTPUT_STREAM (output), result, &n,
                                    &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, g_bytes_get_size (bytes));
}

static void
write_in_background (GOutputStream *output, GBytes *bytes)
{
  g_output_stream_write_all_async (
      output, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      G_PRIORITY_DEFAULT, NULL, on_written, bytes);
}

/* One stream passed on into another, both ways */
static void
test_relay (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) question = test_bytes_new (3 * MIB, 1);
  g_autoptr (GBytes) answer = test_bytes_new (4 * MIB, 2);
  TestResult spliced = { 0 }, closing = { 0 };
  GError *error = NULL;
  Pair first, second;

  pair_open (&first, &self->world);
  pair_open (&second, &self->world);
  g_io_stream_splice_async (G_IO_STREAM (first.far), G_IO_STREAM (second.near),
                            G_IO_STREAM_SPLICE_CLOSE_STREAM1
                                | G_IO_STREAM_SPLICE_CLOSE_STREAM2
                                | G_IO_STREAM_SPLICE_WAIT_FOR_BOTH,
                            G_PRIORITY_DEFAULT, NULL, test_result_take,
                            &spliced);
  write_in_background (first.near_output, question);
  await_read_exactly (second.far_input, question);
  write_in_background (second.far_output, answer);
  await_read_exactly (first.near_input, answer);

  g_io_stream_close_async (G_IO_STREAM (second.far), G_PRIORITY_DEFAULT, NULL,
                           test_result_take, &closing);
  g_assert_true (await_close_stream (first.near, &error));
  g_assert_no_error (error);
  AWAIT (spliced.result != NULL && closing.result != NULL);
  g_assert_true (g_io_stream_splice_finish (spliced.result, &error));
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (first.far)));
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (second.near)));
  test_result_clear (&spliced);
  test_result_clear (&closing);
  pair_clear (&first);
  pair_clear (&second);
}

/* Messages */

static void
test_mapped_message (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_file_get_path (self->file);
  g_autoptr (GMappedFile) mapped = NULL;
  g_autoptr (GBytes) bytes = NULL;
  TestCounter received;
  GError *error = NULL;

  test_counter_init (&received);
  g_signal_connect (self->world.callee, "message-received",
                    G_CALLBACK (test_counter_on_message), &received);
  mapped = g_mapped_file_new (path, FALSE, &error);
  g_assert_no_error (error);
  bytes = g_mapped_file_get_bytes (mapped);
  await_send (self->world.near, bytes, &error);
  g_assert_no_error (error);
  AWAIT (received.n == 1);
  g_assert_true (g_bytes_equal (received.messages->pdata[0], bytes));
  test_counter_clear (&received);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                        \
  g_test_add ("/stream-files/" path, Fixture, NULL, set_up, test, tear_down)

  ADD ("splice", test_splice);
  ADD ("blocking-splice", test_blocking_splice);
  ADD ("splice-fails", test_splice_fails);
  ADD ("relay", test_relay);
  ADD ("mapped-message", test_mapped_message);
#undef ADD
  return g_test_run ();
}
