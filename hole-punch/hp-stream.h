/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <gio/gio.h>

#include <hole-punch/hp-types.h>
#include <hole-punch/hp-version-macros.h>

G_BEGIN_DECLS

#define HP_TYPE_STREAM (hp_stream_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpStream, hp_stream, HP, STREAM, GIOStream)

HP_AVAILABLE_IN_ALL
HpConnection *hp_stream_get_connection (HpStream *self);
HP_AVAILABLE_IN_ALL
guint hp_stream_get_weight (HpStream *self);
HP_AVAILABLE_IN_ALL
void hp_stream_set_weight (HpStream *self, guint weight);

G_END_DECLS
