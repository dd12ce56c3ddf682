/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A valid sample of every packet, frame and set of parameters, each with a
 * name: what the robustness test mutilates, the fuzzers start from, and
 * docs/protocol.md shows as test vectors.
 */

#pragma once

#include "hole-punch/wire/hp-frame.h"
#include "hole-punch/wire/hp-packet.h"
#include "hole-punch/wire/hp-parameters.h"

#define HP_SAMPLE_MAX_SIZE 1500

typedef enum
{
  HP_SAMPLE_PACKET,
  HP_SAMPLE_FRAME,
  HP_SAMPLE_PARAMETERS,
} HpSampleKind;

typedef struct
{
  HpSampleKind kind;
  const char *name;
  gsize length;
  guint8 bytes[HP_SAMPLE_MAX_SIZE];
} HpSample;

typedef struct
{
  const char *name;
  HpFrame frame;
} HpFrameSample;

extern const HpFrameSample hp_frame_samples[];
extern const guint hp_n_frame_samples;

/* All of them, written by the code under test */
guint hp_samples_get_count (void);
void hp_samples_get (guint index, HpSample *sample);
