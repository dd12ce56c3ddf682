/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A datagram on its way out. The puller gives the buffer. */

#pragma once

#include "hole-punch/base/hp-address.h"

typedef struct
{
  HpRoute route;
  guint ttl;       /* 0: the system's */
  gboolean is_alone; /* what becomes of it shall not depend on others: it may be
                        too large for the path, or others may */
  gboolean is_last;  /* nothing would follow it now: to ask is in vain */
  guint8 ecn;      /* HpEcn */
  guint8 *bytes;   /* room of @capacity bytes, given by the caller */
  gsize capacity;  /* HP_DATAGRAM_SIZE_MAX always fits all */
  gsize length;
} HpOutgoing;
