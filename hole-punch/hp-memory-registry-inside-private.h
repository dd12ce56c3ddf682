/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the files of #HpMemoryRegistry share */

#pragma once

#include "hole-punch/hp-memory-registry-private.h"
#include "hole-punch/hp-memory-registry-table-private.h"

struct _HpMemoryRegistry
{
  GObject parent_instance;

  HpIdTable *table;
  guint max_size;
  guint notified_size;
  HpClockFunc clock;
  HpClockFunc wall_clock;

  HpRegistryFile *file; /* NULL: none */
  guint n_stored;       /* ids that should be in it */
  HpIdCursor cursor;    /* how far it is written anew */
};

/* At most @max of those that are over */
void hp_memory_registry_remove_expired (HpMemoryRegistry *self, guint max);
void hp_memory_registry_notify_size (HpMemoryRegistry *self);
