/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What must hold for any input whatever: it is survived, and what parses
 * writes back to something that parses equal. The tests and the fuzzers share
 * these; each gives whether the input parsed and aborts where the rule breaks.
 */

#pragma once

#include "hole-punch/wire/hp-frame.h"

gboolean hp_frames_equal (const HpFrame *a, const HpFrame *b);

gboolean hp_check_packet (const guint8 *bytes, gsize length);
/* A run of frames; whether all of it parsed */
gboolean hp_check_frames (const guint8 *bytes, gsize length);
gboolean hp_check_parameters (const guint8 *bytes, gsize length);
/* As a request and as a response */
gboolean hp_check_stun (const guint8 *bytes, gsize length);

/* "b0 01 ff" to bytes; (transfer full), aborts on anything that is not hex */
GBytes *hp_unhex (const char *text);
