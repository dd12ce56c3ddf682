/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-registry-request.h"

/* How long a registry may think */
#define HP_REGISTRY_REQUEST_TIMEOUT (10 * G_TIME_SPAN_SECOND)

/* What is asked; NULL and 0 what the question does not have */
typedef struct
{
  const char *id;
  const char *fingerprint;
  gint64 lifetime;
  gboolean ephemeral;
  const char *server;
  GBytes *message;
} HpRegistryQuery;

/* @task: (transfer full) returns an HpRegistration (or NULL): the answer. The
 * deadline runs in the task's context, its cancellable ends the request. */
HpRegistryRequest *hp_registry_request_new_private (
    GTask *task, const HpRegistryQuery *query, gint64 timeout);
