/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The addresses of this machine's interfaces that may be told to a peer on
 * the same network: no loopback, no link-local, interfaces that are up;
 * bridges of containers last. */

#pragma once

#include "hole-punch/base/hp-address.h"

/* Fills @addresses with at most @most, each with @port; how many */
guint hp_interfaces_list (HpAddress *addresses, guint most, guint16 port,
                          gboolean with_ipv6);
