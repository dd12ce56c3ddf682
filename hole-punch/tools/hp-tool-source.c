/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct _HpToolSource
{
  GInputStream parent_instance;

  int fd;
  guint64 size;
  GChecksum *checksum;
  GMutex mutex; /* of what follows: the reading thread changes it */
  guint64 offset;
  gboolean has_failed;
};

G_DEFINE_FINAL_TYPE (HpToolSource, hp_tool_source, G_TYPE_INPUT_STREAM)

static void
set_error (GError **error, int saved_errno, const char *name)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
               "Cannot read “%s”: %s", name, g_strerror (saved_errno));
}

static void
hp_tool_source_finalize (GObject *object)
{
  HpToolSource *self = HP_TOOL_SOURCE (object);

  if (self->fd != -1)
    close (self->fd);
  g_checksum_free (self->checksum);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (hp_tool_source_parent_class)->finalize (object);
}

/* A pipe may have nothing for hours: only this wait can be cancelled. */
static gboolean
wait_for_input (HpToolSource *self, GCancellable *cancellable, GError **error)
{
  GPollFD fds[2] = { { .fd = self->fd, .events = G_IO_IN } };
  gboolean is_watched = g_cancellable_make_pollfd (cancellable, &fds[1]);
  int n_ready;

  do
    n_ready = g_poll (fds, is_watched ? 2 : 1, -1);
  while (n_ready == -1 && errno == EINTR);
  if (n_ready == -1)
    set_error (error, errno, "the file");
  if (is_watched)
    g_cancellable_release_fd (cancellable);
  return n_ready != -1
         && !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gssize
read_some (HpToolSource *self, void *buffer, gsize wanted,
           GCancellable *cancellable, GError **error)
{
  gssize length;

  do
    {
      if (self->size == HP_TOOL_SIZE_UNKNOWN
          && !wait_for_input (self, cancellable, error))
        return -1;
      length = read (self->fd, buffer, wanted);
    }
  while (length == -1 && (errno == EINTR || errno == EAGAIN));
  if (length == -1)
    set_error (error, errno, "the file");
  return length;
}

static gssize
hp_tool_source_read (GInputStream *stream, void *buffer, gsize count,
                     GCancellable *cancellable, GError **error)
{
  HpToolSource *self = HP_TOOL_SOURCE (stream);
  gsize wanted = MIN (count, self->size - hp_tool_source_get_offset (self));
  gssize length = read_some (self, buffer, wanted, cancellable, error);

  if (length == 0 && wanted > 0 && self->size != HP_TOOL_SIZE_UNKNOWN)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                           "The file became shorter while it was sent");
      length = -1;
    }
  if (length > 0)
    g_checksum_update (self->checksum, buffer, length);

  g_mutex_lock (&self->mutex);
  self->offset += MAX (length, 0);
  self->has_failed = length == -1;
  g_mutex_unlock (&self->mutex);
  return length;
}

static void
hp_tool_source_class_init (HpToolSourceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  object_class->finalize = hp_tool_source_finalize;
  stream_class->read_fn = hp_tool_source_read;
}

static void
hp_tool_source_init (HpToolSource *self)
{
  self->fd = -1;
  self->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_mutex_init (&self->mutex);
}

/* Takes over @fd. */
static HpToolSource *
source_new (int fd, guint64 size)
{
  HpToolSource *self = g_object_new (HP_TOOL_TYPE_SOURCE, NULL);

  self->fd = fd;
  self->size = size;
  return self;
}

/* Takes over @fd. */
static HpToolSource *
source_from_fd (int fd, const char *name, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) == -1)
    set_error (error, errno, name);
  else if (S_ISDIR (status.st_mode))
    set_error (error, EISDIR, name);
  else if (!S_ISREG (status.st_mode))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                 "“%s” is not a regular file", name);
  else
    return source_new (fd, status.st_size);
  close (fd);
  return NULL;
}

static HpToolSource *
open_standard_input (GError **error)
{
  int fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

  if (fd != -1)
    return source_new (fd, HP_TOOL_SIZE_UNKNOWN);
  set_error (error, errno, "standard input");
  return NULL;
}

HpToolSource *
hp_tool_source_open (const char *filename, GError **error)
{
  g_autofree char *name = g_filename_display_name (filename);
  int fd;

  if (g_str_equal (filename, HP_TOOL_STANDARD_INPUT))
    return open_standard_input (error);
  /* Without O_NONBLOCK a FIFO would wait for its writer. */
  fd = open (filename, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd == -1)
    {
      set_error (error, errno, name);
      return NULL;
    }
  return source_from_fd (fd, name, error);
}

guint64
hp_tool_source_get_size (HpToolSource *self)
{
  return self->size;
}

guint64
hp_tool_source_get_offset (HpToolSource *self)
{
  guint64 offset;

  g_mutex_lock (&self->mutex);
  offset = self->offset;
  g_mutex_unlock (&self->mutex);
  return offset;
}

gboolean
hp_tool_source_has_failed (HpToolSource *self)
{
  gboolean has_failed;

  g_mutex_lock (&self->mutex);
  has_failed = self->has_failed;
  g_mutex_unlock (&self->mutex);
  return has_failed;
}

const GChecksum *
hp_tool_source_get_checksum (HpToolSource *self)
{
  return self->checksum;
}
