/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Memory for messages. What malloc() hands back to the system when a large one
 * is freed the next one has to be given again, page by page and cleared, which
 * takes longer than to fill it: measured, 0.2 s of 1.05 that a gigabyte of
 * 1 MiB messages takes at the receiver. So some large buffers that are free are
 * kept, of the whole process, as long as there is anybody who uses them.
 *
 * Everything may be called in any thread: a user frees a message wherever it
 * likes.
 */

#pragma once

#include <glib.h>

/* Smaller ones malloc() has at hand itself; larger ones are so rare that they
 * are not kept. */
#define HP_BUFFER_MIN_KEPT (128 * 1024)
#define HP_BUFFER_MAX_KEPT (4 * 1024 * 1024)
/* Bytes that are kept, of all together */
#define HP_BUFFER_MAX_UNUSED (8 * 1024 * 1024)

/* From the first to the last of these calls free buffers are kept. */
void hp_buffer_ref_unused (void);
void hp_buffer_unref_unused (void);
/* For tests: bytes kept now */
gsize hp_buffer_get_unused (void);

/* Larger or smaller, its first @used bytes staying; @buffer may be NULL. NULL:
 * there is no memory, and @buffer is as it was. */
guint8 *hp_buffer_resize (guint8 *buffer, gsize used, gsize size)
    G_GNUC_WARN_UNUSED_RESULT;
void hp_buffer_free (guint8 *buffer);
/* Takes @buffer */
GBytes *hp_buffer_to_bytes (guint8 *buffer, gsize length);
