/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "nat-rules.h"
#include "packet.h"

/* A router with a NAT (for IPv6, with a firewall), without I/O and without a
 * clock: packets in, packets out.
 *
 *        inside                                      outside
 *          │   ──▸ translator_send ()    ── PASSED ──▸  │
 *          │   ◂── TURNED ──┘                           │
 *          │   ◂── PASSED ── translator_receive () ◂──  │ */
typedef struct _Translator Translator;

typedef enum
{
  TRANSLATOR_PASSED,
  TRANSLATOR_TURNED, /* goes back inside */
  TRANSLATOR_DROPPED,
} Verdict;

Translator *translator_new (const NatRules *rules, guint32 seed);
void translator_free (Translator *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Translator, translator_free)

NatRules *translator_get_rules (Translator *self);
gboolean translator_set_address (Translator *self, const char *text);
gboolean translator_add_inside (Translator *self, const char *prefix);
void translator_reboot (Translator *self);

Verdict translator_send (Translator *self, Packet *packet, gint64 now);
Verdict translator_receive (Translator *self, Packet *packet, gint64 now);

void translator_forget_statistics (Translator *self);
void translator_write_statistics (Translator *self, GString *json,
                                  gint64 now);
