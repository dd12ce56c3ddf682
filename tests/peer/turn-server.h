/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A real TURN server, coturn, on the loopback. */

#pragma once

#include <gio/gio.h>

/* A user of it, and what use-auth-secret is about */
#define TURN_USER "somebody"
#define TURN_PASSWORD "p@ss:word/1,2"
#define TURN_PASSWORD_ESCAPED "p%40ss%3Aword%2F1%2C2"
#define TURN_SECRET "north"

typedef struct _TurnServer TurnServer;

/* With @arguments (NULL: TURN_USER may come in) besides those that it needs to
 * run in a test */
TurnServer *turn_server_new (const char *const *arguments);
void turn_server_free (TurnServer *self);
guint turn_server_get_port (TurnServer *self);
guint turn_server_get_tls_port (TurnServer *self);
/* Killed, and there again with all forgotten */
void turn_server_stop (TurnServer *self);
void turn_server_start (TurnServer *self);
/* How often @text is in its log; waits for the log to be written until there is
 * one */
guint turn_server_count (TurnServer *self, const char *text);
