/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who owns which id, in a file: a line for each change, added at its end, and
 * the whole written anew when half of the lines say nothing any more. Its form
 * is in docs/match-server.md.
 *
 * Nothing here waits for the disk. Lines are collected for a second, and then a
 * thread writes them; the new file is told in pieces of a few hundred ids, each
 * written by the thread before the next is told, so that neither the main loop
 * is held up nor a copy of all is made. What changes meanwhile is written to
 * both files. When a write fails, further lines are dropped and the file is
 * written anew from memory, again and again until that succeeds.
 */

#pragma once

#include "hole-punch/secure/hp-crypto.h"

typedef struct _HpRegistryFile HpRegistryFile;

/* A line: @id belongs to @key until @end, seconds since 1970; or, if @end is 0,
 * to nobody. @id is not zero-terminated, and not empty. */
typedef void (*HpRegistryFileFunc) (gpointer user_data, const char *id,
                                    gsize length, const guint8 key[HP_KEY_SIZE],
                                    gint64 end);

typedef struct
{
  /* One line of the file, when it is opened */
  HpRegistryFileFunc load;
  /* How many ids the file should have */
  guint (*count) (gpointer user_data);
  /* Tells some of them by hp_registry_file_tell(), from the first one on if
   * @restart. FALSE: these were the last. */
  gboolean (*tell_some) (gpointer user_data, gboolean restart);
} HpRegistryFileClass;

/* Reads all of it, and keeps others out. It works in the thread-default
 * context. */
HpRegistryFile *hp_registry_file_open (const char *filename,
                                       const HpRegistryFileClass *klass,
                                       gpointer user_data, GError **error);
/* Writes what there is to write, waits for that, and frees it. */
void hp_registry_file_close (HpRegistryFile *self);
const char *hp_registry_file_get_name (HpRegistryFile *self);

/* @end of 0: the id is nobody's any more */
void hp_registry_file_add (HpRegistryFile *self, const char *id, gsize length,
                           const guint8 key[HP_KEY_SIZE], gint64 end);
/* Only from within tell_some */
void hp_registry_file_tell (HpRegistryFile *self, const char *id, gsize length,
                            const guint8 key[HP_KEY_SIZE], gint64 end);

/* For tests: nothing is to be written */
gboolean hp_registry_file_is_idle (HpRegistryFile *self);
/* How long until the file is tried again, otherwise a minute */
void hp_registry_file_set_retry_delay (HpRegistryFile *self, guint seconds);
