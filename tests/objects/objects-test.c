/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "objects-test.h"

typedef struct
{
  const char *where;
  const char *condition;
} Awaited;

static gboolean
give_up (gpointer user_data)
{
  Awaited *awaited = user_data;

  g_error ("%s: waited in vain for: %s", awaited->where, awaited->condition);
  return G_SOURCE_REMOVE;
}

guint
objects_test_begin_await (const char *where, const char *condition)
{
  Awaited *awaited = g_new (Awaited, 1);

  awaited->where = where;
  awaited->condition = condition;
  return g_timeout_add_full (G_PRIORITY_HIGH, 20000, give_up, awaited, g_free);
}

static gboolean
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
  return G_SOURCE_REMOVE;
}

void
objects_test_settle (guint milliseconds)
{
  gboolean is_over = FALSE;

  g_timeout_add (milliseconds, set_flag, &is_over);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
}

static void
count_notify (GObject *object, GParamSpec *pspec, guint *count)
{
  (*count)++;
}

void
objects_test_count_notify (gpointer object, const char *property,
                           guint *count)
{
  g_autofree char *signal = g_strconcat ("notify::", property, NULL);

  g_signal_connect (object, signal, G_CALLBACK (count_notify), count);
}

void
objects_test_keep_result (GObject *object, GAsyncResult *result,
                          gpointer user_data)
{
  GAsyncResult **kept = user_data;

  g_assert_null (*kept);
  *kept = g_object_ref (result);
}
