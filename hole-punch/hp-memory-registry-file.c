/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-memory-registry-file-private.h"

#include "hole-punch/hp-memory-registry-job-private.h"
#include "hole-punch/hp-memory-registry-lines-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long lines are collected */
#define FLUSH_DELAY 1 /* s */
#define RETRY_DELAY 60 /* s */
/* So many lines that say nothing are not worth a new file. */
#define SPARE_LINES 1000
/* So much does not wait for its second. */
#define MUCH_PENDING (256 * 1024)
/* The disk is slower than what happens: rather everything again, later */
#define MAX_PENDING (4 * 1024 * 1024)

struct _HpRegistryFile
{
  const HpRegistryFileClass *klass;
  gpointer user_data;
  GMainContext *context;
  char *name; /* as it was given */
  char *path;
  char *new_path;
  int fd;

  GString *pending;
  guint64 n_lines;     /* in the file, with those pending */
  guint64 n_new_lines; /* in the new file */
  GSource *timer;
  HpRegistryJob *job; /* that the thread works on */

  gboolean is_stale;     /* lines are missing: it has to be written anew */
  gboolean is_rewriting; /* it is being written anew, there is a job */
  gboolean has_begun;    /* there is a new file, or will be after the job */
  gboolean has_lost;     /* lines, since the job began */
  int new_fd;
  GString *told;
  gboolean is_failing;    /* and the operator knows */
  gboolean is_loss_known; /* to the operator: it is stale */
  gint64 retry_at;     /* µs; not to be written anew before */
  guint retry_delay;   /* s */
};

static void step (HpRegistryFile *self);

/* Reading */

static void
set_error (GError **error, const char *what, const char *filename)
{
  int saved_errno = errno;
  g_autofree char *name = g_filename_display_name (filename);

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved_errno),
               "Cannot %s the registry “%s”: %s", what, name,
               g_strerror (saved_errno));
}

/* Whether @fd is what @filename names: the one who had it locked may have put
 * another file in its place meanwhile. */
static gboolean
is_current (int fd, const char *filename)
{
  struct stat ours;
  struct stat theirs;

  return fstat (fd, &ours) == 0 && stat (filename, &theirs) == 0
         && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Opens it, or makes it, and locks it; -1 with @error set */
static int
open_locked (const char *filename, GError **error)
{
  while (TRUE)
    {
      int fd = open (filename,
                     O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY
                         | O_NONBLOCK,
                     0600);
      g_autofree char *name = g_filename_display_name (filename);
      struct stat status;

      if (fd == -1)
        {
          set_error (error, "open", filename);
          return -1;
        }
      if (fstat (fd, &status) == 0 && !S_ISREG (status.st_mode))
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                     "The registry “%s” is not a file", name);
      else if (flock (fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                     "The registry “%s” is in use by another match server",
                     name);
      else if (flock (fd, LOCK_EX | LOCK_NB) == -1 || fchmod (fd, 0600) == -1)
        set_error (error, "lock", filename);
      else if (is_current (fd, filename))
        return fd;
      else
        {
          close (fd);
          continue;
        }
      close (fd);
      return -1;
    }
}

/* The whole lines after the header. How many bytes of the file are good. */
static gsize
load_lines (HpRegistryFile *self, const char *text, gsize length)
{
  const char *start = text + strlen (HP_REGISTRY_LINES_HEADER);
  const char *end = text + length;
  const char *line_end;
  guint64 n_damaged = 0;

  while ((line_end = memchr (start, '\n', end - start)) != NULL)
    {
      HpRegistryLine line;

      self->n_lines++;
      if (hp_registry_line_parse (&line, start, line_end - start))
        self->klass->load (self->user_data, line.id, line.id_length, line.key,
                           line.end);
      else
        n_damaged++;
      start = line_end + 1;
    }
  if (n_damaged > 0)
    g_message ("Damaged lines of the registry “%s” are passed over: "
               "%" G_GUINT64_FORMAT,
               self->name, n_damaged);
  if (start < end)
    g_message ("The last line of the registry “%s” is not whole, and is "
               "removed",
               self->name);
  return start - text;
}

/* The header, of a file that has nothing in it yet */
static gboolean
begin_file (HpRegistryFile *self, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (self->path);

  if (ftruncate (self->fd, 0) == 0
      && hp_registry_job_write_all (self->fd, HP_REGISTRY_LINES_HEADER,
                                    strlen (HP_REGISTRY_LINES_HEADER))
      && fsync (self->fd) == 0)
    {
      hp_registry_job_sync_directory (directory);
      return TRUE;
    }
  set_error (error, "write", self->name);
  return FALSE;
}

static gboolean
load (HpRegistryFile *self, GError **error)
{
  g_autoptr (GMappedFile) mapped
      = g_mapped_file_new_from_fd (self->fd, FALSE, error);
  const char *header = HP_REGISTRY_LINES_HEADER;
  const char *text;
  gsize length;
  gsize good;

  if (mapped == NULL)
    return FALSE;
  text = g_mapped_file_get_contents (mapped);
  length = g_mapped_file_get_length (mapped);
  if (length < strlen (header) && strncmp (text != NULL ? text : "", header,
                                           length) == 0)
    return begin_file (self, error);
  if (length < strlen (header) || memcmp (text, header, strlen (header)) != 0)
    {
      gsize start_length = strlen (HP_REGISTRY_LINES_HEADER_START);

      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
          length >= start_length
                  && memcmp (text, HP_REGISTRY_LINES_HEADER_START,
                             start_length) == 0
              ? "The registry “%s” is one of a later version"
              : "The file “%s” holds no registry",
          self->name);
      return FALSE;
    }
  good = load_lines (self, text, length);
  if (good == length || ftruncate (self->fd, good) == 0)
    return TRUE;
  set_error (error, "repair", self->name);
  return FALSE;
}

/* Writing */

static gboolean
wants_rewriting (HpRegistryFile *self)
{
  return self->is_stale
         || self->n_lines
                > 2 * (guint64) self->klass->count (self->user_data)
                      + SPARE_LINES;
}

static gboolean
on_timer (gpointer user_data)
{
  HpRegistryFile *self = user_data;

  g_clear_pointer (&self->timer, g_source_unref);
  step (self);
  return G_SOURCE_REMOVE;
}

static void
stop_timer (HpRegistryFile *self)
{
  if (self->timer == NULL)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
start_timer (HpRegistryFile *self, guint seconds)
{
  stop_timer (self);
  self->timer = g_timeout_source_new_seconds (seconds);
  g_source_set_static_name (self->timer, "hp-memory-registry");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
}

static void
schedule (HpRegistryFile *self)
{
  if (self->pending->len > 0)
    start_timer (self, FLUSH_DELAY);
  else if (wants_rewriting (self))
    start_timer (self, self->is_failing ? self->retry_delay : FLUSH_DELAY);
}

/* The file stays as it is. */
static void
give_up_rewriting (HpRegistryFile *self)
{
  if (self->new_fd != -1)
    {
      close (self->new_fd);
      unlink (self->new_path);
    }
  self->new_fd = -1;
  self->is_rewriting = FALSE;
  self->has_begun = FALSE;
  g_string_truncate (self->told, 0);
}

static void
note_failure (HpRegistryFile *self, int saved_errno)
{
  if (self->is_stale && !self->is_loss_known)
    g_message ("Cannot write the registry “%s”: %s. Ids that are new may "
               "change hands when the server is started again.",
               self->name, g_strerror (saved_errno));
  else if (!self->is_failing)
    g_message ("Cannot write the registry “%s” anew, to make it smaller: %s. "
               "Nothing is missing in it.",
               self->name, g_strerror (saved_errno));
  self->is_failing = TRUE;
  self->is_loss_known = self->is_stale;
  self->retry_at
      = g_get_monotonic_time () + self->retry_delay * G_TIME_SPAN_SECOND;
  give_up_rewriting (self);
}

static void
take_over_new_file (HpRegistryFile *self)
{
  self->fd = self->new_fd;
  self->new_fd = -1;
  self->n_lines = self->n_new_lines;
  self->is_stale = FALSE;
  self->is_rewriting = FALSE;
  self->has_begun = FALSE;
  if (self->is_failing)
    g_message ("The registry “%s” is written again", self->name);
  self->is_failing = FALSE;
  self->is_loss_known = FALSE;
}

/* The thread is done with it. */
static void
finish_job (HpRegistryFile *self, HpRegistryJob *job)
{
  self->new_fd = job->new_fd;
  if (job->error != 0 || self->has_lost)
    self->is_stale = TRUE;
  if (job->error != 0 || job->new_error != 0)
    note_failure (self, job->error != 0 ? job->error : job->new_error);
  else if (job->ends)
    take_over_new_file (self);
  if (self->has_lost)
    {
      give_up_rewriting (self);
      self->is_stale = TRUE;
    }
  self->has_lost = FALSE;
}

static void
tell_some (HpRegistryFile *self, HpRegistryJob *job)
{
  job->begins = !self->has_begun;
  if (job->begins)
    self->n_new_lines = 0;
  self->has_begun = TRUE;
  job->ends = !self->klass->tell_some (self->user_data, job->begins);
  job->told = g_steal_pointer (&self->told);
  self->told = g_string_new (NULL);
  job->old_fd = self->fd;
  job->new_fd = self->new_fd;
  job->path = g_strdup (self->path);
  job->new_path = g_strdup (self->new_path);
}

/* What there is to do now, or NULL */
static HpRegistryJob *
make_job (HpRegistryFile *self)
{
  HpRegistryJob *job;

  if (!self->is_rewriting && wants_rewriting (self)
      && g_get_monotonic_time () >= self->retry_at)
    self->is_rewriting = TRUE;
  if (self->pending->len == 0 && !self->is_rewriting)
    return NULL;
  job = hp_registry_job_new ();
  job->lines = g_steal_pointer (&self->pending);
  self->pending = g_string_new (NULL);
  if (!self->is_stale)
    job->fd = self->fd;
  if (self->is_rewriting)
    tell_some (self, job);
  return job;
}

static void
on_job_done (GObject *object, GAsyncResult *result, gpointer user_data)
{
  HpRegistryJob *job = g_task_get_task_data (G_TASK (result));
  HpRegistryFile *self = job->owner;

  /* Closed meanwhile, which has waited for it */
  if (self == NULL)
    return;
  self->job = NULL;
  finish_job (self, job);
  if (self->is_rewriting)
    step (self);
  else
    schedule (self);
}

static void
step (HpRegistryFile *self)
{
  HpRegistryJob *job;

  if (self->job != NULL)
    return;
  stop_timer (self);
  job = make_job (self);
  if (job == NULL)
    {
      schedule (self);
      return;
    }
  job->owner = self;
  self->job = job;
  hp_registry_job_run (job, self->context, on_job_done);
}

/* Public within the library */

HpRegistryFile *
hp_registry_file_open (const char *filename, const HpRegistryFileClass *klass,
                       gpointer user_data, GError **error)
{
  HpRegistryFile *self;
  int fd = open_locked (filename, error);
  char *path;

  if (fd == -1)
    return NULL;
  self = g_new0 (HpRegistryFile, 1);
  self->klass = klass;
  self->user_data = user_data;
  self->context = g_main_context_ref_thread_default ();
  self->name = g_strdup (filename);
  path = realpath (filename, NULL);
  self->path = g_strdup (path != NULL ? path : filename);
  free (path);
  self->new_path = g_strconcat (self->path, ".new", NULL);
  self->fd = fd;
  self->new_fd = -1;
  self->retry_delay = RETRY_DELAY;
  self->pending = g_string_new (NULL);
  self->told = g_string_new (NULL);
  if (!load (self, error))
    {
      hp_registry_file_close (self);
      return NULL;
    }
  schedule (self);
  return self;
}

void
hp_registry_file_close (HpRegistryFile *self)
{
  HpRegistryJob *job = g_steal_pointer (&self->job);

  stop_timer (self);
  if (job != NULL)
    {
      hp_registry_job_wait (job);
      job->owner = NULL;
      finish_job (self, job);
    }
  /* A new file is for another time, unless the old one lacks something. */
  if (!self->is_stale)
    give_up_rewriting (self);
  self->retry_at = self->is_stale ? 0 : G_MAXINT64;
  while ((job = make_job (self)) != NULL)
    {
      hp_registry_job_do (job);
      finish_job (self, job);
      hp_registry_job_unref (job);
    }
  close (self->fd);
  g_string_free (self->pending, TRUE);
  g_string_free (self->told, TRUE);
  g_main_context_unref (self->context);
  g_free (self->new_path);
  g_free (self->path);
  g_free (self->name);
  g_free (self);
}

const char *
hp_registry_file_get_name (HpRegistryFile *self)
{
  return self->name;
}

void
hp_registry_file_add (HpRegistryFile *self, const char *id, gsize length,
                      const guint8 key[HP_KEY_SIZE], gint64 end)
{
  gboolean is_first = self->pending->len == 0;

  /* Told when the file is written anew */
  if (self->is_stale && !self->is_rewriting)
    return;
  hp_registry_line_append (self->pending, id, length, key, end);
  self->n_lines++;
  self->n_new_lines++;
  if (self->job == NULL && self->pending->len > MUCH_PENDING)
    step (self);
  else if (self->job == NULL && is_first)
    start_timer (self, FLUSH_DELAY);
  else if (self->job != NULL && self->pending->len > MAX_PENDING)
    {
      g_string_truncate (self->pending, 0);
      self->has_lost = TRUE;
    }
}

void
hp_registry_file_tell (HpRegistryFile *self, const char *id, gsize length,
                       const guint8 key[HP_KEY_SIZE], gint64 end)
{
  self->n_new_lines++;
  hp_registry_line_append (self->told, id, length, key, end);
}

void
hp_registry_file_set_retry_delay (HpRegistryFile *self, guint seconds)
{
  self->retry_delay = seconds;
}

gboolean
hp_registry_file_is_idle (HpRegistryFile *self)
{
  return self->job == NULL && self->pending->len == 0 && !self->is_rewriting
         && !wants_rewriting (self);
}
