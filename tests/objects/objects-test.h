/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of this folder share. */

#pragma once

#include <gio/gio.h>

/* Iterates the default context until @condition holds; fails after 20 s. */
#define await(condition)                                                      \
  G_STMT_START                                                                \
  {                                                                           \
    guint await_timeout = objects_test_begin_await (G_STRLOC, #condition);    \
                                                                              \
    while (!(condition))                                                      \
      g_main_context_iteration (NULL, TRUE);                                  \
    g_source_remove (await_timeout);                                          \
  }                                                                           \
  G_STMT_END

guint objects_test_begin_await (const char *where, const char *condition);
/* Iterates the default context for so long: to see that nothing comes */
void objects_test_settle (guint milliseconds);

/* Counts the notifications of @property; one line of a test each */
void objects_test_count_notify (gpointer object, const char *property,
                                guint *count);

/* A GAsyncReadyCallback: keeps the result in a GAsyncResult ** */
void objects_test_keep_result (GObject *object, GAsyncResult *result,
                               gpointer user_data);
