/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The registry that the configuration asks for. */

#pragma once

#include "hole-punch/tools/hp-tool-config.h"

HpRegistry *hp_tool_registry_new (const HpToolConfig *config, GError **error);
