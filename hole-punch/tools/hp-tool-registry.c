/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-registry.h"

#include <string.h>

static HpRegistry *
new_memory (const HpToolConfig *config, GError **error)
{
  if (config->registry_file == NULL)
    return HP_REGISTRY (hp_memory_registry_new ());
  return (HpRegistry *) hp_memory_registry_open (config->registry_file, error);
}

#ifdef HP_WITH_REDIS

/* With the password of the other file in it */
static HpToolSecret *
make_uri (const HpToolConfig *config, GError **error)
{
  g_autoptr (GUri) uri = NULL;

  if (config->registry_password == NULL)
    return g_strdup (config->registry);
  uri = g_uri_parse (config->registry, G_URI_FLAGS_HAS_PASSWORD, error);
  if (uri == NULL)
    return NULL;
  return g_uri_join_with_user (
      G_URI_FLAGS_NONE, g_uri_get_scheme (uri),
      g_uri_get_user (uri) != NULL ? g_uri_get_user (uri) : "",
      config->registry_password, NULL, g_uri_get_host (uri),
      g_uri_get_port (uri), g_uri_get_path (uri), g_uri_get_query (uri), NULL);
}

static HpRegistry *
new_redis (const HpToolConfig *config, GError **error)
{
  g_autoptr (HpToolSecret) uri = make_uri (config, error);

  if (uri == NULL)
    return NULL;
  return HP_REGISTRY (hp_redis_registry_new (uri));
}

#else

static HpRegistry *
new_redis (const HpToolConfig *config, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "No registry in Redis: this hole-punch was built "
                       "without hiredis");
  return NULL;
}

#endif

HpRegistry *
hp_tool_registry_new (const HpToolConfig *config, GError **error)
{
  return strcmp (config->registry, "memory") == 0
             ? new_memory (config, error)
             : new_redis (config, error);
}
