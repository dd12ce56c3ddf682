/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-buffer.h"

#include <string.h>
#include <sys/mman.h>

#define MAX_UNUSED 32
#define HUGE_PAGE (2 * 1024 * 1024)
/* Of one that is taken for a smaller size: what may be wasted */
#define MAX_WASTE(size) ((size) / 4)

/* Before the bytes */
typedef struct
{
  gsize size;
  gsize padding; /* the bytes are aligned as malloc()'s are */
} Header;

static GMutex mutex;
static guint users;
static Header *unused[MAX_UNUSED]; /* the one freed last at the end */
static guint n_unused;
static gsize unused_size;

static Header *
get_header (guint8 *buffer)
{
  return (gpointer) (buffer - sizeof (Header));
}

static guint8 *
get_bytes (Header *header)
{
  return (guint8 *) (header + 1);
}

void
hp_buffer_ref_unused (void)
{
  g_mutex_lock (&mutex);
  users++;
  g_mutex_unlock (&mutex);
}

void
hp_buffer_unref_unused (void)
{
  g_mutex_lock (&mutex);
  g_assert (users > 0);
  users--;
  while (users == 0 && n_unused > 0)
    {
      n_unused--;
      unused_size -= unused[n_unused]->size;
      g_free (unused[n_unused]);
    }
  g_mutex_unlock (&mutex);
}

gsize
hp_buffer_get_unused (void)
{
  gsize size;

  g_mutex_lock (&mutex);
  size = unused_size;
  g_mutex_unlock (&mutex);
  return size;
}

static gboolean
is_kept_size (gsize size)
{
  return size >= HP_BUFFER_MIN_KEPT && size <= HP_BUFFER_MAX_KEPT;
}

/* The one freed last, of which the cache may have something */
static Header *
take_unused (gsize size)
{
  Header *found = NULL;

  if (!is_kept_size (size))
    return NULL;
  g_mutex_lock (&mutex);
  for (guint i = n_unused; i > 0 && found == NULL; i--)
    {
      gsize there = unused[i - 1]->size;

      if (there < size || there - size > MAX_WASTE (size))
        continue;
      found = unused[i - 1];
      n_unused--;
      memmove (unused + i - 1, unused + i,
               (n_unused - (i - 1)) * sizeof *unused);
      unused_size -= there;
    }
  g_mutex_unlock (&mutex);
  return found;
}

static gboolean
keep_unused (Header *header)
{
  gboolean is_kept;

  if (!is_kept_size (header->size))
    return FALSE;
  g_mutex_lock (&mutex);
  is_kept = users > 0 && n_unused < MAX_UNUSED
            && unused_size + header->size <= HP_BUFFER_MAX_UNUSED;
  if (is_kept)
    {
      unused[n_unused++] = header;
      unused_size += header->size;
    }
  g_mutex_unlock (&mutex);
  return is_kept;
}

/* One that is too large to be kept is at least to come in large pages; only a
 * wish, which not every system knows. */
static void
want_huge_pages (Header *header)
{
#ifdef MADV_HUGEPAGE
  guintptr start = ((guintptr) header + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  guintptr end = ((guintptr) header + header->size) / HUGE_PAGE * HUGE_PAGE;

  if (header->size > HP_BUFFER_MAX_KEPT && start < end)
    madvise ((gpointer) start, end - start, MADV_HUGEPAGE);
#endif
}

guint8 *
hp_buffer_resize (guint8 *buffer, gsize used, gsize size)
{
  Header *header = take_unused (size);

  if (header != NULL)
    {
      if (buffer != NULL)
        memcpy (get_bytes (header), buffer, MIN (used, size));
      hp_buffer_free (buffer);
      return get_bytes (header);
    }
  if (size > G_MAXSIZE - sizeof (Header))
    return NULL;
  header = g_try_realloc (buffer != NULL ? get_header (buffer) : NULL,
                          sizeof (Header) + size);
  if (header == NULL)
    return NULL;
  header->size = size;
  want_huge_pages (header);
  return get_bytes (header);
}

void
hp_buffer_free (guint8 *buffer)
{
  if (buffer != NULL && !keep_unused (get_header (buffer)))
    g_free (get_header (buffer));
}

GBytes *
hp_buffer_to_bytes (guint8 *buffer, gsize length)
{
  return g_bytes_new_with_free_func (buffer, length,
                                     (GDestroyNotify) hp_buffer_free, buffer);
}
