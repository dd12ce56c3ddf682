/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-version.h>

#ifndef HP_EXTERN
#define HP_EXTERN __attribute__ ((visibility ("default"))) extern
#endif

/* A symbol of a later version is deprecated or unavailable to a program that
 * says HP_VERSION_MAX_ALLOWED; there is one version so far. */
#define HP_AVAILABLE_IN_ALL HP_EXTERN
#define HP_AVAILABLE_IN_1_0 HP_EXTERN
