/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
set_error (GError **error, int saved_errno, const char *name)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
               "Cannot read “%s”: %s", name, g_strerror (saved_errno));
}

/* Takes over @fd. */
static HpToolSource *
source_from_fd (int fd, const char *name, GError **error)
{
  struct stat status;
  HpToolSource *self;

  if (fstat (fd, &status) == -1)
    {
      set_error (error, errno, name);
    }
  else if (S_ISDIR (status.st_mode))
    {
      set_error (error, EISDIR, name);
    }
  else if (!S_ISREG (status.st_mode))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                   "“%s” is not a regular file", name);
    }
  else
    {
      self = g_new0 (HpToolSource, 1);
      self->fd = fd;
      self->size = status.st_size;
      self->checksum = g_checksum_new (G_CHECKSUM_SHA256);
      return self;
    }
  close (fd);
  return NULL;
}

HpToolSource *
hp_tool_source_open (const char *filename, GError **error)
{
  g_autofree char *name = g_filename_display_name (filename);
  /* Without O_NONBLOCK a FIFO would wait for its writer. */
  int fd = open (filename, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd == -1)
    {
      set_error (error, errno, name);
      return NULL;
    }
  return source_from_fd (fd, name, error);
}

void
hp_tool_source_free (HpToolSource *self)
{
  close (self->fd);
  g_checksum_free (self->checksum);
  g_free (self);
}

gssize
hp_tool_source_read (HpToolSource *self, guint8 *buffer, gsize size,
                     GError **error)
{
  gsize wanted = MIN (size, self->size - self->offset);
  gsize length = 0;

  while (length < wanted)
    {
      gssize got = read (self->fd, buffer + length, wanted - length);

      if (got == -1 && errno == EINTR)
        continue;
      if (got == -1)
        {
          set_error (error, errno, "the file");
          return -1;
        }
      if (got == 0)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                               "The file became shorter while it was sent");
          return -1;
        }
      length += got;
    }
  g_checksum_update (self->checksum, buffer, length);
  self->offset += length;
  return length;
}
