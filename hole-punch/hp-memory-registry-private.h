/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-memory-registry-file-private.h"
#include "hole-punch/hp-memory-registry.h"
#include "hole-punch/secure/hp-crypto.h"
#include "hole-punch/wire/hp-frame.h"

/* In µs; tests bring their own */
typedef gint64 (*HpClockFunc) (void);

void hp_memory_registry_set_clock (HpMemoryRegistry *self, HpClockFunc clock);
/* @clock goes on all the time, @wall_clock tells µs since 1970. */
HpMemoryRegistry *hp_memory_registry_open_with_clocks (const char *filename,
                                                       HpClockFunc clock,
                                                       HpClockFunc wall_clock,
                                                       GError **error);
/* NULL: none */
HpRegistryFile *hp_memory_registry_get_file (HpMemoryRegistry *self);

/* What the functions of HpRegistry do, without a request, a task and texts:
 * for a match server that has this registry and no other. As all of this class
 * they are for the owner's thread. */

/* 0: @holder is set to whoever holds @id now, which may be another one than
 * @key; otherwise why it could not be claimed: HP_REFUSED_RATE_LIMITED if the
 * registry is full, HP_REFUSED_INVALID if @id can be nobody's. @lifetime: s */
guint hp_memory_registry_claim_now (HpMemoryRegistry *self, const char *id,
                                    const guint8 key[HP_KEY_SIZE],
                                    gint64 lifetime, gboolean ephemeral,
                                    guint8 holder[HP_KEY_SIZE])
    G_GNUC_WARN_UNUSED_RESULT;
/* FALSE: nobody holds it */
gboolean hp_memory_registry_lookup_now (HpMemoryRegistry *self,
                                        const char *id,
                                        guint8 holder[HP_KEY_SIZE])
    G_GNUC_WARN_UNUSED_RESULT;
/* Nothing happens if another one holds it. */
void hp_memory_registry_release_now (HpMemoryRegistry *self, const char *id,
                                     const guint8 key[HP_KEY_SIZE]);
