/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A test case for each seed; `--seed N` runs a single one, with a line for
 * everything that happens.
 */

#pragma once

#include <glib.h>

typedef struct
{
  const char *path; /* "/transport/…/", followed by the seed */
  guint n_seeds;
  /* Gives a trace: that of the same seed is the same again. */
  guint64 (*run) (guint64 seed, gboolean verbose);
} Seeds;

/* What main() returns */
int seeds_main (const Seeds *seeds, int argc, char **argv);
