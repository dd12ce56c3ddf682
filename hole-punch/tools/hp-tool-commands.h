/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The subcommands: each takes the command line from its own name on, and gives
 * the exit status.
 */

#pragma once

int hp_tool_serve (int argc, char **argv);
int hp_tool_listen (int argc, char **argv);
int hp_tool_send (int argc, char **argv);
int hp_tool_ping (int argc, char **argv);
int hp_tool_speed (int argc, char **argv);
int hp_tool_check (int argc, char **argv);
int hp_tool_identity (int argc, char **argv);
