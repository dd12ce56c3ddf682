/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* libnice as one end of a pair in the matrix of NATs, for matrix.py. Reads
 * lines, writes lines:
 *
 *   ◂ candidates SDP…         all gathered; the lines of the SDP joined by |
 *   ▸ go                      the clock starts
 *   ▸ remote SDP…             those of the other side
 *   ◂ usable MS KIND          the component is ready; host, reflexive, relayed
 *   ◂ failed MS
 *   ▸ end of file             leave
 */

#include <gio/gunixinputstream.h>
#include <nice/agent.h>
#include <stdio.h>
#include <string.h>

#define COMPONENT 1

typedef struct
{
  NiceAgent *agent;
  GMainLoop *loop;
  guint stream;
  gint64 went_at;
  gboolean has_told;
} MatrixNice;

static double
get_milliseconds (const MatrixNice *self)
{
  return (g_get_monotonic_time () - self->went_at) / 1e3;
}

static void
on_gathered (NiceAgent *agent, guint stream, gpointer user_data)
{
  g_autofree char *sdp = nice_agent_generate_local_sdp (agent);

  g_strdelimit (sdp, "\n", '|');
  printf ("candidates %s\n", sdp);
  fflush (stdout);
}

static const char *
get_kind (MatrixNice *self)
{
  NiceCandidate *local, *remote;

  if (!nice_agent_get_selected_pair (self->agent, self->stream, COMPONENT,
                                     &local, &remote))
    return "unknown";
  if (local->type == NICE_CANDIDATE_TYPE_RELAYED
      || remote->type == NICE_CANDIDATE_TYPE_RELAYED)
    return "relayed";
  return local->type == NICE_CANDIDATE_TYPE_HOST
                 && remote->type == NICE_CANDIDATE_TYPE_HOST
             ? "host"
             : "reflexive";
}

/* CONNECTED: a pair has been found, and may be sent by; READY, which only
 * means that no better one will be looked for, may be seconds later */
static void
on_state (NiceAgent *agent, guint stream, guint component, guint state,
          gpointer user_data)
{
  MatrixNice *self = user_data;

  if (self->has_told)
    return;
  if (state == NICE_COMPONENT_STATE_CONNECTED
      || state == NICE_COMPONENT_STATE_READY)
    printf ("usable %.1f %s\n", get_milliseconds (self), get_kind (self));
  else if (state == NICE_COMPONENT_STATE_FAILED)
    printf ("failed %.1f\n", get_milliseconds (self));
  else
    return;
  self->has_told = TRUE;
  fflush (stdout);
}

static void
on_received (NiceAgent *agent, guint stream, guint component, guint size,
             char *bytes, gpointer user_data)
{
}

static void
on_line (GObject *object, GAsyncResult *result, gpointer user_data)
{
  MatrixNice *self = user_data;
  GDataInputStream *input = G_DATA_INPUT_STREAM (object);
  g_autofree char *line
      = g_data_input_stream_read_line_finish (input, result, NULL, NULL);

  if (line == NULL)
    {
      g_main_loop_quit (self->loop);
      return;
    }
  if (g_str_equal (line, "go"))
    {
      self->went_at = g_get_monotonic_time ();
    }
  else if (g_str_has_prefix (line, "remote "))
    {
      g_strdelimit (line, "|", '\n');
      if (nice_agent_parse_remote_sdp (self->agent, line + strlen ("remote "))
          <= 0)
        g_error ("libnice does not understand itself");
    }
  g_data_input_stream_read_line_async (input, G_PRIORITY_DEFAULT, NULL,
                                       on_line, self);
}

static void
add_address (MatrixNice *self, const char *ip)
{
  NiceAddress address;

  nice_address_init (&address);
  if (!nice_address_set_from_string (&address, ip)
      || !nice_agent_add_local_address (self->agent, &address))
    g_error ("%s is no address", ip);
}

int
main (int argc, char **argv)
{
  gboolean calls = FALSE;
  g_auto (GStrv) local = NULL;
  g_autofree char *stun = NULL, *turn = NULL;
  const GOptionEntry entries[] = {
    { "calls", 0, 0, G_OPTION_ARG_NONE, &calls, "The controlling side", NULL },
    { "local", 0, 0, G_OPTION_ARG_STRING_ARRAY, &local, "Our address", "IP" },
    { "stun", 0, 0, G_OPTION_ARG_STRING, &stun, "STUN server, 3478", "IP" },
    { "turn", 0, 0, G_OPTION_ARG_STRING, &turn,
      "TURN server, 3478, user:password", "IP" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GInputStream) lines = g_unix_input_stream_new (0, FALSE);
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (lines);
  g_autoptr (GError) error = NULL;
  MatrixNice self = { .loop = NULL };

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error))
    g_error ("%s", error->message);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.agent = nice_agent_new_full (NULL, NICE_COMPATIBILITY_RFC5245,
                                    NICE_AGENT_OPTION_ICE_TRICKLE);
  g_object_set (self.agent, "controlling-mode", calls, "upnp", FALSE,
                "ice-tcp", FALSE, NULL);
  if (stun != NULL)
    g_object_set (self.agent, "stun-server", stun, "stun-server-port", 3478,
                  NULL);
  for (guint i = 0; local != NULL && local[i] != NULL; i++)
    add_address (&self, local[i]);
  self.stream = nice_agent_add_stream (self.agent, 1);
  if (turn != NULL)
    nice_agent_set_relay_info (self.agent, self.stream, COMPONENT, turn, 3478,
                               "user", "password", NICE_RELAY_TYPE_TURN_UDP);
  g_signal_connect (self.agent, "candidate-gathering-done",
                    G_CALLBACK (on_gathered), &self);
  g_signal_connect (self.agent, "component-state-changed",
                    G_CALLBACK (on_state), &self);
  nice_agent_attach_recv (self.agent, self.stream, COMPONENT, NULL,
                          on_received, &self);
  nice_agent_gather_candidates (self.agent, self.stream);
  g_data_input_stream_read_line_async (input, G_PRIORITY_DEFAULT, NULL,
                                       on_line, &self);
  g_main_loop_run (self.loop);
  return 0;
}
