/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-probes.h"

#include "hole-punch/tools/hp-tool-run.h"

/* As often as a telephone call sends its packets */
#define INTERVAL (20 * G_TIME_SPAN_MILLISECOND)
/* What such a packet carries, about */
#define SIZE 64

static gboolean
on_tick (gpointer user_data)
{
  static const guint8 payload[SIZE];
  HpToolProbes *self = user_data;
  gint64 now = g_get_monotonic_time ();
  HpToolRecord ping = {
    .type = HP_TOOL_RECORD_PING,
    .sequence = self->sent_at->len,
    .bytes = payload,
    .length = sizeof payload,
  };
  g_autoptr (GBytes) bytes = hp_tool_message_write (&ping);

  hp_tool_clear_source (&self->tick);
  self->tick = hp_tool_add_timeout ("hole-punch-probe", INTERVAL, on_tick,
                                    self);
  /* Where there is no room it is lost, as it is on a full line. */
  hp_connection_send_message_full (self->connection, bytes,
                                   HP_MESSAGE_FLAGS_UNRELIABLE
                                       | HP_MESSAGE_FLAGS_UNORDERED,
                                   0, NULL);
  g_array_append_val (self->sent_at, now);
  return G_SOURCE_REMOVE;
}

void
hp_tool_probes_begin (HpToolProbes *self, HpConnection *connection)
{
  *self = (HpToolProbes){
    .connection = g_object_ref (connection),
    .sent_at = g_array_new (FALSE, FALSE, sizeof (gint64)),
  };
  self->tick = hp_tool_add_timeout ("hole-punch-probe", 0, on_tick, self);
}

void
hp_tool_probes_stop (HpToolProbes *self)
{
  hp_tool_clear_source (&self->tick);
}

void
hp_tool_probes_receive (HpToolProbes *self, const HpToolRecord *pong)
{
  gint64 *sent_at;

  if (self->sent_at == NULL || pong->sequence >= self->sent_at->len)
    return;
  sent_at = &g_array_index (self->sent_at, gint64, pong->sequence);
  if (*sent_at == -1)
    return;
  hp_tool_samples_add (&self->times, g_get_monotonic_time () - *sent_at);
  *sent_at = -1;
}

guint
hp_tool_probes_count (const HpToolProbes *self)
{
  return self->sent_at != NULL ? self->sent_at->len : 0;
}

void
hp_tool_probes_clear (HpToolProbes *self)
{
  hp_tool_clear_source (&self->tick);
  hp_tool_samples_clear (&self->times);
  g_clear_pointer (&self->sent_at, g_array_unref);
  g_clear_object (&self->connection);
}
