/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For a build without libsoup */

#include "hole-punch/tools/hp-tool-exporter.h"

HpToolExporter *
hp_tool_exporter_new (const char *address, HpMatchServer *server,
                      GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "No metrics at %s: this hole-punch was built without libsoup",
               address);
  return NULL;
}

void
hp_tool_exporter_free (HpToolExporter *self)
{
}

const char *
hp_tool_exporter_get_uri (HpToolExporter *self)
{
  return NULL;
}
