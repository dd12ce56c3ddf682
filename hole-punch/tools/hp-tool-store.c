/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "hole-punch/tools/hp-tool-name.h"

#define MAX_TRIES 100
#define MAX_NUMBER 9999

struct _HpToolStore
{
  char *path;
  int fd;
};

struct _HpToolStoredFile
{
  HpToolStore *store;
  char *temporary_name;
  int fd;
  GChecksum *checksum;
};

static void
set_error (GError **error, int saved_errno, const char *what, const char *path)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
               "Cannot %s “%s”: %s", what, name, g_strerror (saved_errno));
}

HpToolStore *
hp_tool_store_new (const char *directory, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (directory, NULL);
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  HpToolStore *self;

  if (fd == -1)
    {
      set_error (error, errno, "store files in", path);
      return NULL;
    }
  if (faccessat (fd, ".", W_OK | X_OK, AT_EACCESS) == -1)
    {
      set_error (error, errno, "store files in", path);
      close (fd);
      return NULL;
    }
  self = g_new0 (HpToolStore, 1);
  self->path = g_steal_pointer (&path);
  self->fd = fd;
  return self;
}

void
hp_tool_store_free (HpToolStore *self)
{
  close (self->fd);
  g_free (self->path);
  g_free (self);
}

HpToolStoredFile *
hp_tool_store_begin (HpToolStore *self, GError **error)
{
  for (guint i = 0; i < MAX_TRIES; i++)
    {
      g_autofree char *name = g_strdup_printf (
          ".hole-punch-%08x%08x.part", g_random_int (), g_random_int ());
      int fd = openat (self->fd, name,
                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                       0666);

      if (fd != -1)
        {
          HpToolStoredFile *file = g_new0 (HpToolStoredFile, 1);

          file->store = self;
          file->temporary_name = g_steal_pointer (&name);
          file->fd = fd;
          file->checksum = g_checksum_new (G_CHECKSUM_SHA256);
          return file;
        }
      if (errno != EEXIST)
        break;
    }
  set_error (error, errno, "make a file in", self->path);
  return NULL;
}

gboolean
hp_tool_stored_file_write (HpToolStoredFile *self, const guint8 *bytes,
                           gsize length, GError **error)
{
  g_checksum_update (self->checksum, bytes, length);
  while (length > 0)
    {
      gssize written = write (self->fd, bytes, length);

      if (written == -1 && errno == EINTR)
        continue;
      if (written == -1)
        {
          set_error (error, errno, "write to a file in", self->store->path);
          return FALSE;
        }
      bytes += written;
      length -= written;
    }
  return TRUE;
}

typedef struct
{
  HpToolStoredFile *file;
  const guint8 *bytes;
  gsize length;
} Writing;

static void
write_in_thread (GTask *task, gpointer source_object, gpointer task_data,
                 GCancellable *cancellable)
{
  Writing *writing = task_data;
  GError *error = NULL;

  if (hp_tool_stored_file_write (writing->file, writing->bytes, writing->length,
                                 &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
hp_tool_stored_file_write_async (HpToolStoredFile *self, const guint8 *bytes,
                                 gsize length, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  Writing *writing = g_new (Writing, 1);

  *writing = (Writing){ .file = self, .bytes = bytes, .length = length };
  g_task_set_source_tag (task, hp_tool_stored_file_write_async);
  g_task_set_task_data (task, writing, g_free);
  g_task_run_in_thread (task, write_in_thread);
}

gboolean
hp_tool_stored_file_write_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

const GChecksum *
hp_tool_stored_file_get_checksum (HpToolStoredFile *self)
{
  return self->checksum;
}

/* With errno; fails with EEXIST rather than overwrite. Not every file system
 * knows renameat2(), nor every other one links. */
static gboolean
move_to (HpToolStoredFile *self, const char *name)
{
  int fd = self->store->fd;

  if (renameat2 (fd, self->temporary_name, fd, name, RENAME_NOREPLACE) == 0)
    return TRUE;
  if (errno != EINVAL && errno != ENOSYS)
    return FALSE;
  if (linkat (fd, self->temporary_name, fd, name, 0) == -1)
    return FALSE;
  unlinkat (fd, self->temporary_name, 0);
  return TRUE;
}

static char *
give_name (HpToolStoredFile *self, const char *name, GError **error)
{
  errno = EEXIST;
  for (guint i = 0; i <= MAX_NUMBER && errno == EEXIST; i++)
    {
      g_autofree char *candidate = hp_tool_name_number (name, i);

      if (move_to (self, candidate))
        return g_build_filename (self->store->path, candidate, NULL);
    }
  set_error (error, errno, "name a file in", self->store->path);
  return NULL;
}

static void
free_file (HpToolStoredFile *self)
{
  g_checksum_free (self->checksum);
  g_free (self->temporary_name);
  g_free (self);
}

char *
hp_tool_stored_file_finish (HpToolStoredFile *self, const char *name,
                            GError **error)
{
  g_autofree char *path = NULL;
  int fd = self->fd;

  self->fd = -1;
  /* Network file systems tell of a full disk only now. */
  if (close (fd) == -1 && errno != EINTR)
    set_error (error, errno, "write to a file in", self->store->path);
  else
    path = give_name (self, name, error);
  if (path == NULL)
    hp_tool_stored_file_discard (self);
  else
    free_file (self);
  return g_steal_pointer (&path);
}

void
hp_tool_stored_file_discard (HpToolStoredFile *self)
{
  if (self->fd != -1)
    close (self->fd);
  unlinkat (self->store->fd, self->temporary_name, 0);
  free_file (self);
}
