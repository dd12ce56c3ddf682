/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-memory-registry-job-private.h"

#include "hole-punch/hp-memory-registry-lines-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

HpRegistryJob *
hp_registry_job_new (void)
{
  HpRegistryJob *self = g_atomic_rc_box_new0 (HpRegistryJob);

  self->fd = -1;
  self->old_fd = -1;
  self->new_fd = -1;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  return self;
}

static void
clear_job (gpointer data)
{
  HpRegistryJob *self = data;

  if (self->lines != NULL)
    g_string_free (self->lines, TRUE);
  if (self->told != NULL)
    g_string_free (self->told, TRUE);
  g_free (self->path);
  g_free (self->new_path);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
}

void
hp_registry_job_unref (HpRegistryJob *self)
{
  g_atomic_rc_box_release_full (self, clear_job);
}

gboolean
hp_registry_job_write_all (int fd, const char *bytes, gsize length)
{
  while (length > 0)
    {
      gssize written = write (fd, bytes, length);

      if (written == -1 && errno != EINTR)
        return FALSE;
      if (written > 0)
        {
          bytes += written;
          length -= written;
        }
    }
  return TRUE;
}

void
hp_registry_job_sync_directory (const char *directory)
{
  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd == -1)
    return;
  (void) fsync (fd);
  close (fd);
}

/* errno, or 0. Half a line is taken back: others will follow. */
static int
write_lines (int fd, const GString *lines)
{
  struct stat status;
  int saved_errno;

  if (lines->len == 0)
    return 0;
  if (fstat (fd, &status) == 0
      && hp_registry_job_write_all (fd, lines->str, lines->len))
    return fdatasync (fd) == 0 ? 0 : errno;
  saved_errno = errno;
  (void) !ftruncate (fd, status.st_size);
  return saved_errno;
}

static gboolean
begin_new_file (HpRegistryJob *self)
{
  self->new_fd = open (self->new_path,
                       O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC
                           | O_NOFOLLOW,
                       0600);
  /* It has to be locked before it has the old one's name. */
  return self->new_fd != -1 && fchmod (self->new_fd, 0600) == 0
         && flock (self->new_fd, LOCK_EX | LOCK_NB) == 0
         && hp_registry_job_write_all (self->new_fd, HP_REGISTRY_LINES_HEADER,
                                       strlen (HP_REGISTRY_LINES_HEADER));
}

static gboolean
end_new_file (HpRegistryJob *self)
{
  g_autofree char *directory = g_path_get_dirname (self->path);

  if (fsync (self->new_fd) == -1
      || g_rename (self->new_path, self->path) == -1)
    return FALSE;
  hp_registry_job_sync_directory (directory);
  /* The last one to close it has to wait until its memory is free. */
  close (self->old_fd);
  return TRUE;
}

static void
drop_new_file (HpRegistryJob *self)
{
  if (self->new_fd == -1)
    return;
  close (self->new_fd);
  g_unlink (self->new_path);
  self->new_fd = -1;
}

static gboolean
write_new_file (HpRegistryJob *self)
{
  /* What was told is as it was after the lines. */
  return (!self->begins || begin_new_file (self))
         && hp_registry_job_write_all (self->new_fd, self->lines->str,
                                       self->lines->len)
         && hp_registry_job_write_all (self->new_fd, self->told->str,
                                       self->told->len)
         && (!self->ends || end_new_file (self));
}

void
hp_registry_job_do (HpRegistryJob *self)
{
  if (self->fd != -1)
    self->error = write_lines (self->fd, self->lines);
  if (self->error == 0 && self->told != NULL && !write_new_file (self))
    self->new_error = errno;
  if (self->error != 0 || self->new_error != 0)
    drop_new_file (self);
}

static void
run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  HpRegistryJob *self = data;

  hp_registry_job_do (self);
  g_mutex_lock (&self->mutex);
  self->is_done = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_task_return_boolean (task, TRUE);
}

void
hp_registry_job_run (HpRegistryJob *self, GMainContext *context,
                     GAsyncReadyCallback callback)
{
  g_autoptr (GTask) task = NULL;

  g_main_context_push_thread_default (context);
  task = g_task_new (NULL, NULL, callback, NULL);
  g_main_context_pop_thread_default (context);
  g_task_set_source_tag (task, hp_registry_job_run);
  g_task_set_task_data (task, self, (GDestroyNotify) hp_registry_job_unref);
  g_task_run_in_thread (task, run);
}

void
hp_registry_job_wait (HpRegistryJob *self)
{
  g_mutex_lock (&self->mutex);
  while (!self->is_done)
    g_cond_wait (&self->cond, &self->mutex);
  g_mutex_unlock (&self->mutex);
}
