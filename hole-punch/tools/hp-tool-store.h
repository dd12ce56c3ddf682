/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A directory that received files go to. A file is written under a name of its
 * own, and gets its real name when it is whole; nothing that is there is ever
 * overwritten, and nothing outside of the directory touched, even if it is
 * moved or replaced meanwhile: all is done relative to its descriptor.
 */

#pragma once

#include <gio/gio.h>

typedef struct _HpToolStore HpToolStore;
typedef struct _HpToolStoredFile HpToolStoredFile;

HpToolStore *hp_tool_store_new (const char *directory, GError **error);
void hp_tool_store_free (HpToolStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpToolStore, hp_tool_store_free)

/* @self outlives it */
HpToolStoredFile *hp_tool_store_begin (HpToolStore *self, GError **error);
gboolean hp_tool_stored_file_write (HpToolStoredFile *self, const guint8 *bytes,
                                    gsize length, GError **error);
/* Same, in a thread: disks can be slow, and hashing takes its time. One at a
 * time; @self and @bytes stay until it is done. */
void hp_tool_stored_file_write_async (HpToolStoredFile *self,
                                      const guint8 *bytes, gsize length,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
gboolean hp_tool_stored_file_write_finish (GAsyncResult *result,
                                           GError **error);
/* SHA-256 of what was written */
const GChecksum *hp_tool_stored_file_get_checksum (HpToolStoredFile *self);
/* The path that it got, @name or one like it; frees @self, also when it
 * fails */
char *hp_tool_stored_file_finish (HpToolStoredFile *self, const char *name,
                                  GError **error);
/* Leaves nothing behind; frees @self */
void hp_tool_stored_file_discard (HpToolStoredFile *self);
