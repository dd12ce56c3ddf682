/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#define HP_INSIDE

#include <hole-punch/hp-authorization.h>
#include <hole-punch/hp-connection.h>
#include <hole-punch/hp-enums.h>
#include <hole-punch/hp-identity.h>
#include <hole-punch/hp-match-server.h>
#include <hole-punch/hp-memory-registry.h>
#include <hole-punch/hp-nat-info.h>
#include <hole-punch/hp-network-report.h>
#include <hole-punch/hp-peer.h>
#include <hole-punch/hp-punch-error.h>
#include <hole-punch/hp-redis-registry.h>
#include <hole-punch/hp-registration.h>
#include <hole-punch/hp-registry-request.h>
#include <hole-punch/hp-registry.h>
#include <hole-punch/hp-server-report.h>
#include <hole-punch/hp-server-statistics.h>
#include <hole-punch/hp-statistics.h>
#include <hole-punch/hp-stream.h>
#include <hole-punch/hp-types.h>
#include <hole-punch/hp-version-macros.h>
#include <hole-punch/hp-version.h>

#undef HP_INSIDE
