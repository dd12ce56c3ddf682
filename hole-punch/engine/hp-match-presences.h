/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who is present at a match server under which id. Ownership of an id is the
 * registry's business and outlives this. */

#pragma once

#include "hole-punch/wire/hp-frame.h"

typedef struct
{
  char id[HP_ID_MAX_SIZE + 1];
  guint8 public_key[HP_KEY_SIZE];
  guint flags; /* HP_REGISTER_… */
  gint64 refreshed_at;
  guint n_challengers; /* who wait whether its holder still answers */
  GList link;
} HpMatchPresence;

typedef struct
{
  GHashTable *by_id;
  GQueue queue; /* by refreshed_at: the next to expire first */
} HpMatchPresences;

void hp_match_presences_init (HpMatchPresences *self);
void hp_match_presences_clear (HpMatchPresences *self);
guint hp_match_presences_count (const HpMatchPresences *self);
HpMatchPresence *hp_match_presences_find (const HpMatchPresences *self,
                                          const char *id);
/* @id must not be there yet */
HpMatchPresence *
hp_match_presences_add (HpMatchPresences *self, const char *id,
                        const guint8 public_key[HP_KEY_SIZE], guint flags,
                        gint64 now);
void hp_match_presences_refresh (HpMatchPresences *self,
                                 HpMatchPresence *presence, guint flags,
                                 gint64 now);
void hp_match_presences_remove (HpMatchPresences *self,
                                HpMatchPresence *presence);
/* Refreshed longest ago, or NULL */
HpMatchPresence *hp_match_presences_oldest (const HpMatchPresences *self);
