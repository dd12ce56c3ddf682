/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tasks that wait for one outcome. Each can be cancelled by itself; all others
 * are returned together, in the order of their coming, from a later turn of
 * their context: nobody's callback runs in the middle of what brought the
 * outcome about.
 */

#pragma once

#include "hole-punch/hp-connection-private.h"

typedef struct
{
  GQueue waiters;
  /* The last one was cancelled; may free the waiters */
  void (*deserted) (gpointer user_data);
  gpointer user_data;
} HpWaiters;

void hp_waiters_init (HpWaiters *self, void (*deserted) (gpointer user_data),
                      gpointer user_data);
/* Takes over @task */
void hp_waiters_add (HpWaiters *self, GTask *task);
gboolean hp_waiters_is_empty (const HpWaiters *self);
/* All of @from wait in @self now */
void hp_waiters_move (HpWaiters *self, HpWaiters *from);
/* With @error, else with @connection, else with TRUE. The messages of
 * @connection are held until all callbacks have run. */
void hp_waiters_return (HpWaiters *self, HpConnection *connection,
                        const GError *error);
