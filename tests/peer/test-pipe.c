/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-pipe-inside-private.h"

#define N_BYTES 100000

/* What comes byte by byte, while nobody reads or somebody does slowly, neither
 * holds much more than itself nor changes. */
static void
test_crumbs (gconstpointer every)
{
  g_autoptr (HpPipe) pipe = hp_pipe_new (NULL);
  guint n_read = 0;
  guint8 buffer[3];
  gssize n;

  for (guint i = 0; i < N_BYTES; i++)
    {
      HpPipeNews news = { .received = G_QUEUE_INIT };
      guint8 byte = i * 7;

      g_queue_push_tail (&news.received, g_bytes_new (&byte, 1));
      hp_pipe_tell (pipe, &news);
      if (i % GPOINTER_TO_UINT (every) != 0)
        continue;
      n = hp_pipe_read (pipe, buffer, sizeof buffer, NULL);
      for (gssize k = 0; k < n; k++)
        g_assert_cmpuint (buffer[k], ==, (guint8) (n_read++ * 7));
    }
  g_assert_cmpuint (pipe->received.length, <=, N_BYTES / 512);
  while ((n = hp_pipe_read (pipe, buffer, sizeof buffer, NULL)) > 0)
    for (gssize k = 0; k < n; k++)
      g_assert_cmpuint (buffer[k], ==, (guint8) (n_read++ * 7));
  g_assert_cmpuint (n_read, ==, N_BYTES);
}

/* What was not read when the other side gave up is not kept: it has a stream
 * less, and may open another one. */
static void
test_reset (void)
{
  g_autoptr (HpPipe) pipe = hp_pipe_new (NULL);
  HpPipeNews news = { .received = G_QUEUE_INIT, .reset = TRUE };
  guint8 buffer[3];

  g_queue_push_tail (&news.received, g_bytes_new ("bytes", 5));
  hp_pipe_tell (pipe, &news);
  g_assert_cmpuint (pipe->received.length, ==, 0);
  g_assert_cmpint (hp_pipe_read (pipe, buffer, sizeof buffer, NULL), ==, -1);
}

/* The other side stops reading when there is nothing under way: nothing was
 * missed, unless somebody wants to write more. */
static void
test_stop (gconstpointer writes)
{
  g_autoptr (HpPipe) pipe = hp_pipe_new (NULL);
  HpPipeNews news = { .received = G_QUEUE_INIT, .stopped = TRUE };
  GError *error = NULL;

  /* As if it had a connection */
  g_clear_error (&pipe->output_error);
  news.output_error = g_error_new (G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "no");
  hp_pipe_tell (pipe, &news);
  if (writes != NULL)
    {
      g_assert_cmpint (hp_pipe_write (pipe, "bytes", 5, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
      g_clear_error (&error);
    }
  hp_pipe_close_output (pipe);
  g_assert_cmpint (hp_pipe_get_output_error (pipe, &error), ==,
                   writes != NULL);
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/pipe/crumbs/unread", GUINT_TO_POINTER (N_BYTES),
                        test_crumbs);
  g_test_add_data_func ("/pipe/crumbs/read-slowly", GUINT_TO_POINTER (7),
                        test_crumbs);
  g_test_add_func ("/pipe/reset", test_reset);
  g_test_add_data_func ("/pipe/stop", NULL, test_stop);
  g_test_add_data_func ("/pipe/stop-writer", "", test_stop);
  return g_test_run ();
}
