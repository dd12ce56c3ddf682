/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* CUBIC (RFC 9438), without its Reno-friendly region and fast convergence: what
 * most of the internet's traffic does, to be fair to
 */

#pragma once

#include "hole-punch/transport/hp-congestion.h"

extern const HpCongestionClass congestion_cubic;
