/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two peers with a connection, and streams over it */

#pragma once

#include "test-utils.h"

typedef struct
{
  HpMatchServer *server;
  HpPeer *caller, *callee;
  HpConnection *near, *far; /* the caller's side and the callee's */
  GQueue opened;            /* HpStream, of the callee */
  guint descriptors;        /* before */
} World;

void world_set_up (World *self, gconstpointer data);
/* Everything must be gone */
void world_tear_down (World *self, gconstpointer data);

/* One that the caller opens, and what the callee gets of it */
typedef struct
{
  HpStream *near, *far;
  GInputStream *near_input, *far_input;    /* not owned */
  GOutputStream *near_output, *far_output; /* not owned */
} Pair;

void pair_open (Pair *self, World *world);
/* Both sides must be the last ones to hold theirs */
void pair_clear (Pair *self);

HpStream *await_open (HpConnection *connection, GError **error);
HpStream *await_opened (World *world);

/* In the main thread, by the asynchronous functions */
void await_write (GOutputStream *output, GBytes *bytes);
gboolean await_write_full (GOutputStream *output, GBytes *bytes,
                           GCancellable *cancellable, GError **error);
/* Up to @count bytes */
GBytes *await_read (GInputStream *input, gsize count, GError **error);
void await_read_exactly (GInputStream *input, GBytes *expected);
/* Up to the end */
GBytes *await_read_all (GInputStream *input, GError **error);
gssize await_splice (GOutputStream *output, GInputStream *input,
                     GOutputStreamSpliceFlags flags,
                     GCancellable *cancellable, GError **error);
gboolean await_close_output (GOutputStream *output, GError **error);
gboolean await_close_input (GInputStream *input, GError **error);
gboolean await_close_stream (HpStream *stream, GError **error);
