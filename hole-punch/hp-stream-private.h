/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A stream is three objects around one pipe:
 *
 *   hp-stream.c         the GIOStream, which is the one that is held: when it
 *                       goes, both halves end
 *   hp-stream-input.c   its halves: GIO's classes on one side,
 *   hp-stream-output.c  hp-pipe on the other
 */

#pragma once

#include "hole-punch/hp-pipe-private.h"
#include "hole-punch/hp-stream.h"

HpStream *hp_stream_new_private (HpConnection *connection, HpPipe *pipe);

/* hp-stream-input.c, hp-stream-output.c */
GInputStream *hp_stream_input_new (HpPipe *pipe);
GOutputStream *hp_stream_output_new (HpPipe *pipe);

/* hp-stream-output.c. Blocks until the other side has everything, which was
 * told to be all; in the connection's thread it does not wait. */
gboolean hp_stream_wait_sent (HpPipe *pipe, GCancellable *cancellable,
                              GError **error);
/* Takes over @task, and returns it then: TRUE, or why not */
void hp_stream_return_when_sent (HpPipe *pipe, GTask *task);
