/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <gio/gio.h>

#include <hole-punch/hp-version-macros.h>

G_BEGIN_DECLS

typedef struct _HpAuthorization HpAuthorization;
typedef struct _HpConnection HpConnection;
typedef struct _HpIdentity HpIdentity;
typedef struct _HpMatchServer HpMatchServer;
typedef struct _HpMemoryRegistry HpMemoryRegistry;
typedef struct _HpNatInfo HpNatInfo;
typedef struct _HpNetworkReport HpNetworkReport;
typedef struct _HpPeer HpPeer;
typedef struct _HpRegistration HpRegistration;
typedef struct _HpRegistry HpRegistry;
typedef struct _HpRegistryRequest HpRegistryRequest;
typedef struct _HpServerReport HpServerReport;
typedef struct _HpServerStatistics HpServerStatistics;
typedef struct _HpStatistics HpStatistics;
typedef struct _HpStream HpStream;

G_END_DECLS
