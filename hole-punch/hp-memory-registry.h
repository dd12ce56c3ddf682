/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-registry.h>

G_BEGIN_DECLS

#define HP_TYPE_MEMORY_REGISTRY (hp_memory_registry_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpMemoryRegistry, hp_memory_registry, HP,
                      MEMORY_REGISTRY, GObject)

HP_AVAILABLE_IN_ALL
HpMemoryRegistry *hp_memory_registry_new (void);
HP_AVAILABLE_IN_ALL
HpMemoryRegistry *hp_memory_registry_open (const char *filename,
                                           GError **error);
HP_AVAILABLE_IN_ALL
const char *hp_memory_registry_get_filename (HpMemoryRegistry *self);
HP_AVAILABLE_IN_ALL
guint hp_memory_registry_get_size (HpMemoryRegistry *self);
HP_AVAILABLE_IN_ALL
guint hp_memory_registry_get_max_size (HpMemoryRegistry *self);
HP_AVAILABLE_IN_ALL
void hp_memory_registry_set_max_size (HpMemoryRegistry *self, guint max_size);

G_END_DECLS
