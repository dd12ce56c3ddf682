/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What both files of the class see of it */

#pragma once

#include "hole-punch/hp-redis-registry.h"
#include "hole-punch/hp-redis-store-private.h"

struct _HpRedisRegistry
{
  GObject parent_instance;

  char *uri;
  char *key_prefix;
  char *server_name;
  guint timeout;
  HpRedisStoreLimits limits;
  HpRedisStore *store; /* NULL: there is an error */
  GError *error;       /* that will not get better; NULL: none */
};
