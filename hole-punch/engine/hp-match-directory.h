/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* At which worker an id, or a key, is: one worker's part of the directory that
 * all keep together.
 *
 * Each name has a home, which follows from its hash under a secret that the
 * workers share; that worker alone knows where it is. 8 bytes a name, in tables
 * between 7/16 and 7/8 full: 56 bits of the hash and the worker. The hash is
 * all of the name that is kept: of a million names, one in 10^11 is taken for
 * another, and then is not there where it is looked for.
 *
 * There are many small tables rather than a large one, so that what is copied
 * when one of them grows is little.
 */

#pragma once

#include "hole-punch/base/hp-siphash.h"

#define HP_MATCH_DIRECTORY_TABLES 256
/* The worker's number takes 8 bits; HP_UDP_MAX_SHARES is less */
#define HP_MATCH_NOWHERE G_MAXUINT

typedef struct
{
  guint64 *slots; /* 0: free */
  guint n_slots;  /* a power of two, or 0 */
  guint n_used;
} HpMatchDirectoryTable;

typedef struct
{
  HpMatchDirectoryTable tables[HP_MATCH_DIRECTORY_TABLES];
  gsize n_names;
} HpMatchDirectory;

HpMatchDirectory *hp_match_directory_new (void);
void hp_match_directory_free (HpMatchDirectory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpMatchDirectory, hp_match_directory_free)

/* Ids and keys are different names, though their bytes be the same. */
guint64 hp_match_directory_hash_id (const HpSipKey *secret, const char *id);
guint64 hp_match_directory_hash_key (const HpSipKey *secret,
                                     const guint8 *public_key);
guint hp_match_directory_get_home (guint64 hash, guint n_workers);

/* Where it was before, HP_MATCH_NOWHERE if it was not there */
guint hp_match_directory_set (HpMatchDirectory *self, guint64 hash,
                              guint worker);
/* Unless it is at another worker by now */
void hp_match_directory_unset (HpMatchDirectory *self, guint64 hash,
                               guint worker);
guint hp_match_directory_find (const HpMatchDirectory *self, guint64 hash);
/* Bytes */
gsize hp_match_directory_get_size (const HpMatchDirectory *self);
