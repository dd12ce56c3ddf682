/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A piece of writing for a registry's file, done in a thread: the disk may take
 * its time. */

#pragma once

#include <gio/gio.h>

typedef struct
{
  gpointer owner; /* the asker's own */

  /* To be filled in: */
  int fd; /* lines go to its end; -1: they do not */
  GString *lines;
  /* And to the new file, if there is one, and then @told */
  gboolean begins; /* makes it */
  gboolean ends;   /* puts it in the place of the old one */
  int old_fd;      /* which is closed then */
  GString *told;   /* NULL: no new file */
  char *path;
  char *new_path;

  int new_fd; /* unless it begins; -1 afterwards if there is an error */

  /* Then: */
  int error;     /* errno; of the old file */
  int new_error; /* of the new one */

  gboolean is_done;
  GMutex mutex;
  GCond cond;
} HpRegistryJob;

HpRegistryJob *hp_registry_job_new (void);
void hp_registry_job_unref (HpRegistryJob *self);
/* Now and here */
void hp_registry_job_do (HpRegistryJob *self);
/* In a thread. Takes over the reference; @callback, in @context, finds the job
 * as the data of the GTask. */
void hp_registry_job_run (HpRegistryJob *self, GMainContext *context,
                          GAsyncReadyCallback callback);
/* Until the thread is done with it */
void hp_registry_job_wait (HpRegistryJob *self);

/* FALSE with errno set */
gboolean hp_registry_job_write_all (int fd, const char *bytes, gsize length);
/* So that the names of files in it survive a power failure; as well as it can
 * be done */
void hp_registry_job_sync_directory (const char *directory);
