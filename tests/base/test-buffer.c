/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-buffer.h"

#include <string.h>

#define KIB 1024
#define MIB (1024 * 1024)

static guint8 *
make (gsize size)
{
  guint8 *buffer = hp_buffer_resize (NULL, 0, size);

  g_assert_nonnull (buffer);
  g_assert_cmpuint ((gsize) buffer % (2 * sizeof (gsize)), ==, 0);
  memset (buffer, 'x', size);
  return buffer;
}

static void
test_resize (void)
{
  static const gsize sizes[]
      = { 1, 256, 512, 64 * KIB, MIB, 5 * MIB, MIB, 200 * KIB, 100, 1 };
  guint8 *buffer = NULL;
  gsize used = 0;

  hp_buffer_ref_unused ();
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      buffer = hp_buffer_resize (buffer, used, sizes[i]);
      g_assert_nonnull (buffer);
      used = MIN (used, sizes[i]);
      for (gsize k = 0; k < used; k++)
        g_assert_cmpuint (buffer[k], ==, (guint8) (k * 7));
      for (used = 0; used < sizes[i]; used++)
        buffer[used] = used * 7;
    }
  hp_buffer_free (buffer);
  hp_buffer_free (NULL);
  hp_buffer_unref_unused ();
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
}

static void
test_used_again (void)
{
  guint8 *first;
  guint8 *second;
  GBytes *bytes;

  hp_buffer_ref_unused ();
  first = make (MIB);
  bytes = hp_buffer_to_bytes (first, MIB - 5);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, MIB - 5);
  g_assert_true (g_bytes_get_data (bytes, NULL) == first);
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
  g_bytes_unref (bytes);
  g_assert_cmpuint (hp_buffer_get_unused (), ==, MIB);

  /* Neither for what does not fit nor for what would waste most of it */
  second = make (MIB + 1);
  g_assert_cmpuint (hp_buffer_get_unused (), ==, MIB);
  hp_buffer_free (second);
  second = make (MIB / 2);
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 2 * MIB + 1);
  hp_buffer_free (second);
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 2 * MIB + 1 + MIB / 2);
  second = make (MIB - 100);
  g_assert_cmpuint (hp_buffer_get_unused (), <=, MIB + 1 + MIB / 2);
  hp_buffer_free (second);
  hp_buffer_unref_unused ();
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
}

/* Also a growing one takes one, with what it has */
static void
test_growing (void)
{
  guint8 *first;
  guint8 *grown;

  hp_buffer_ref_unused ();
  first = make (MIB);
  hp_buffer_free (first);
  grown = hp_buffer_resize (NULL, 0, 64 * KIB);
  memset (grown, 'g', 64 * KIB);
  grown = hp_buffer_resize (grown, 100, MIB);
  g_assert_true (grown == first);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (grown[i], ==, 'g');
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
  hp_buffer_free (grown);
  hp_buffer_unref_unused ();
}

static void
test_bounds (void)
{
  guint8 *buffers[40];

  hp_buffer_ref_unused ();
  hp_buffer_ref_unused ();
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    buffers[i] = make (MIB + i);
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    hp_buffer_free (buffers[i]);
  g_assert_cmpuint (hp_buffer_get_unused (), >, 6 * MIB);
  g_assert_cmpuint (hp_buffer_get_unused (), <=, HP_BUFFER_MAX_UNUSED);
  hp_buffer_unref_unused ();
  g_assert_cmpuint (hp_buffer_get_unused (), >, 0);
  hp_buffer_unref_unused ();
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);

  /* Nor are small and huge ones kept, nor any when nobody uses them. */
  buffers[0] = make (MIB);
  hp_buffer_free (buffers[0]);
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
  hp_buffer_ref_unused ();
  hp_buffer_free (make (HP_BUFFER_MIN_KEPT - 1));
  hp_buffer_free (make (HP_BUFFER_MAX_KEPT + 1));
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
  hp_buffer_free (make (HP_BUFFER_MIN_KEPT));
  hp_buffer_free (make (HP_BUFFER_MAX_KEPT));
  g_assert_cmpuint (hp_buffer_get_unused (), ==,
                    HP_BUFFER_MIN_KEPT + HP_BUFFER_MAX_KEPT);
  hp_buffer_unref_unused ();
}

static void
test_too_large (void)
{
  guint8 *buffer = make (100);

  g_assert_null (hp_buffer_resize (buffer, 100, G_MAXSIZE));
  g_assert_cmpuint (buffer[99], ==, 'x');
  hp_buffer_free (buffer);
}

static gpointer
free_in_thread (gpointer queue)
{
  gpointer bytes;

  while ((bytes = g_async_queue_pop (queue)) != queue)
    g_bytes_unref (bytes);
  return NULL;
}

static void
test_threads (void)
{
  GAsyncQueue *queue = g_async_queue_new ();
  GThread *thread;

  hp_buffer_ref_unused ();
  thread = g_thread_new ("freeing", free_in_thread, queue);
  for (guint i = 0; i < 2000; i++)
    {
      gsize size = HP_BUFFER_MIN_KEPT + i % 7 * 20000;
      guint8 *buffer = hp_buffer_resize (NULL, 0, size);

      buffer[0] = buffer[size - 1] = i;
      g_async_queue_push (queue, hp_buffer_to_bytes (buffer, size));
    }
  g_async_queue_push (queue, queue);
  g_thread_join (thread);
  g_assert_cmpuint (hp_buffer_get_unused (), <=, HP_BUFFER_MAX_UNUSED);
  hp_buffer_unref_unused ();
  g_assert_cmpuint (hp_buffer_get_unused (), ==, 0);
  g_async_queue_unref (queue);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/buffer/resize", test_resize);
  g_test_add_func ("/buffer/used-again", test_used_again);
  g_test_add_func ("/buffer/growing", test_growing);
  g_test_add_func ("/buffer/bounds", test_bounds);
  g_test_add_func ("/buffer/too-large", test_too_large);
  g_test_add_func ("/buffer/threads", test_threads);
  return g_test_run ();
}
