/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The router that packets to the Internet are given to first. By IPv4 only:
 * nothing maps ports by IPv6. */

#pragma once

#include "hole-punch/base/hp-address.h"

/* Of the default route of the smallest metric; its port is 0. FALSE: none */
gboolean hp_gateway_find (HpAddress *gateway);
/* The same, from a text in the form of /proc/net/route */
gboolean hp_gateway_parse (HpAddress *gateway, const char *routes);
