/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Shared by the two halves of the frame codec only: hp-frame.c has the frames
 * that peers exchange, hp-frame-match.c those with the match server.
 *
 * A read that finds something it must refuse fails its reader, like a read
 * past the end.
 */

#pragma once

#include "hole-punch/wire/hp-frame.h"

/* One byte, 0 or 1 */
gboolean hp_frame_read_boolean (HpReader *reader);
/* A length, at most @most, and the bytes */
void hp_frame_read_bytes (HpBytes *self, HpReader *reader, gsize most);
void hp_frame_write_bytes (const HpBytes *self, HpWriter *writer);
/* An address that is not HP_ADDRESS_NONE */
void hp_frame_read_address (HpAddress *self, HpReader *reader);
void hp_frame_read_candidates (HpWireCandidates *self, HpReader *reader,
                               gboolean with_proofs);
void hp_frame_write_candidates (const HpWireCandidates *self,
                                HpWriter *writer, gboolean with_proofs);

/* The fields of the frames with the match server; @self->type is set. FALSE:
 * not one of them. */
gboolean hp_frame_read_match (HpFrame *self, HpReader *reader);
gboolean hp_frame_write_match (const HpFrame *self, HpWriter *writer);
