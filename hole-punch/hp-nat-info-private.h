/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/hp-nat-info.h"
#include "hole-punch/wire/hp-nat-facts.h"

/* @lifetime: s; @mapped may be NULL */
HpNatInfo *hp_nat_info_new (const HpNatFacts *facts, guint lifetime,
                            const HpAddress *mapped);
/* Nobody who looks at both could tell them apart */
gboolean hp_nat_info_equal (HpNatInfo *a, HpNatInfo *b);
