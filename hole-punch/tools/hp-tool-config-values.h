/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The values in a configuration file: what is wrong with one is said with its
 * name. */

#pragma once

#include <gio/gio.h>

/* A text that is wiped when it is freed */
typedef char HpToolSecret;

void hp_tool_secret_free (HpToolSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpToolSecret, hp_tool_secret_free)

typedef struct
{
  GKeyFile *file;
  const char *folder; /* relative file names begin there */
} HpToolConfigFile;

char *hp_tool_config_read_string (const HpToolConfigFile *self,
                                  const char *key, GError **error);
/* With “;” in between, at least one; spaces around each are taken off */
char **hp_tool_config_read_list (const HpToolConfigFile *self, const char *key,
                                 GError **error);
/* yes, no, and what GKeyFile has for them */
gboolean hp_tool_config_read_boolean (const HpToolConfigFile *self,
                                      const char *key, gboolean *value,
                                      GError **error);
/* A relative one is looked for among the credentials that the service manager
 * hands over (systemd.exec(5)), and else in the file's own folder */
char *hp_tool_config_read_filename (const HpToolConfigFile *self,
                                    const char *key, GError **error);
/* The first line of the file of that name, which only the server is to read */
HpToolSecret *hp_tool_config_read_secret (const HpToolConfigFile *self,
                                          const char *key, GError **error);

/* The property of the same name: a number in its range, a text, a list */
gboolean hp_tool_config_read_property (const HpToolConfigFile *self,
                                       const char *key, GObject *object,
                                       GError **error);
/* As it would be in a file; NULL: it has no value */
char *hp_tool_config_write_property (GObject *object, const char *name);
void hp_tool_config_copy_property (GObject *from, GObject *to,
                                   const char *name);
