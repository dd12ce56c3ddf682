/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-events.h"

#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-text.h"

/* Of a message in words; --json has all of it */
#define SHOWN_LENGTH 4000

/* What was last told of a connection */
typedef struct
{
  HpToolRun *run; /* outlives the peer, and so this */
  GSocketAddress *local_address;
  GSocketAddress *remote_address;
  HpPathKind path;
  gboolean is_interrupted;
} Watched;

static void
free_watched (gpointer data)
{
  Watched *watched = data;

  g_clear_object (&watched->local_address);
  g_clear_object (&watched->remote_address);
  g_free (watched);
}

char *
hp_tool_events_name (HpConnection *connection)
{
  const char *id = hp_connection_get_remote_id (connection);
  const char *fingerprint = hp_connection_get_fingerprint (connection);

  if (id == NULL || *id == '\0')
    id = fingerprint != NULL ? fingerprint : "somebody";
  return hp_tool_text_safe (id, -1);
}

static const char *
get_path_nick (HpPathKind path)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (HP_TYPE_PATH_KIND);
  const GEnumValue *value = g_enum_get_value (klass, path);

  return value != NULL ? g_intern_string (value->value_nick) : "unknown";
}

GString *
hp_tool_events_json (const char *event, HpConnection *connection)
{
  GString *json = hp_tool_json_new (event);

  hp_tool_json_add_string (json, "remote-id",
                           hp_connection_get_remote_id (connection));
  hp_tool_json_add_string (json, "fingerprint",
                           hp_connection_get_fingerprint (connection));
  return json;
}

/* Registration */

static void
tell_registered (HpToolRun *run)
{
  const char *id = hp_peer_get_id (run->peer);
  HpIdentity *identity = hp_peer_get_identity (run->peer);
  const char *fingerprint = hp_identity_get_fingerprint (identity);
  g_autofree char *address = hp_tool_text_address (
      hp_peer_get_public_address (run->peer));

  if (run->options->json)
    {
      GString *json = hp_tool_json_new ("registered");

      hp_tool_json_add_string (json, "id", id);
      hp_tool_json_add_string (json, "public-address", address);
      hp_tool_json_add_string (json, "fingerprint", fingerprint);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *safe = hp_tool_text_safe (id, -1);

      hp_tool_run_print (
          run, g_strdup_printf ("Registered as “%s” from %s\n"
                                "Fingerprint: %s\n",
                                safe, address != NULL ? address : "somewhere",
                                fingerprint));
    }
}

static void
tell_unregistered (HpToolRun *run)
{
  if (run->options->json)
    {
      GString *json = hp_tool_json_new ("unregistered");

      hp_tool_json_add_string (json, "id", hp_peer_get_id (run->peer));
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      hp_tool_run_print (run, g_strdup ("The match server does not answer any "
                                        "more; looking for it again\n"));
    }
}

static void
on_notify_registered (HpPeer *peer, GParamSpec *pspec, HpToolRun *run)
{
  const char *id = hp_peer_get_id (peer);

  if (run->is_ending || id == NULL || *id == '\0')
    return;
  if (hp_peer_get_registered (peer))
    tell_registered (run);
  else
    tell_unregistered (run);
}

/* Paths */

static void
tell_path (HpToolRun *run, HpConnection *connection, const char *event)
{
  g_autofree char *name = hp_tool_events_name (connection);
  g_autofree char *local = hp_tool_text_address (
      hp_connection_get_local_address (connection));
  g_autofree char *remote = hp_tool_text_address (
      hp_connection_get_remote_address (connection));
  const char *path = get_path_nick (hp_connection_get_path (connection));
  gint64 setup_time = hp_connection_get_setup_time (connection);
  gboolean is_resolved = g_str_equal (event, "resolved");

  if (run->options->json)
    {
      GString *json = hp_tool_events_json (event, connection);

      hp_tool_json_add_string (json, "local-address", local);
      hp_tool_json_add_string (json, "address", remote);
      hp_tool_json_add_string (json, "path", path);
      if (is_resolved)
        hp_tool_json_add_milliseconds (json, "milliseconds", setup_time);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *duration = hp_tool_text_duration (MAX (setup_time, 0));

      hp_tool_run_print (
          run, g_strdup_printf ("%s: %s %s → %s (%s)%s%s\n", name,
                                is_resolved ? "connected" : "goes on by", local,
                                remote, path, is_resolved ? " after " : "",
                                is_resolved ? duration : ""));
    }
}

static void
tell_interrupted (HpToolRun *run, HpConnection *connection)
{
  g_autofree char *name = NULL;

  if (run->options->json)
    {
      hp_tool_run_print (run, hp_tool_json_finish (hp_tool_events_json (
                                  "interrupted", connection)));
      return;
    }
  name = hp_tool_events_name (connection);
  hp_tool_run_print (
      run, g_strdup_printf ("%s: silent; looking for another path\n", name));
}

static void
note_path (Watched *watched, HpConnection *connection)
{
  g_set_object (&watched->local_address,
                hp_connection_get_local_address (connection));
  g_set_object (&watched->remote_address,
                hp_connection_get_remote_address (connection));
  watched->path = hp_connection_get_path (connection);
  watched->is_interrupted = FALSE;
}

static gboolean
is_as_noted (const Watched *watched, HpConnection *connection)
{
  return watched->local_address == hp_connection_get_local_address (connection)
         && watched->remote_address
                == hp_connection_get_remote_address (connection)
         && watched->path == hp_connection_get_path (connection);
}

/* Several properties change together, and are notified of one by one. */
static void
on_notify_path (HpConnection *connection, GParamSpec *pspec, Watched *watched)
{
  switch (hp_connection_get_state (connection))
    {
    case HP_CONNECTION_STATE_CONNECTED:
      if (!watched->is_interrupted && is_as_noted (watched, connection))
        return;
      note_path (watched, connection);
      tell_path (watched->run, connection, "path");
      break;
    case HP_CONNECTION_STATE_INTERRUPTED:
      if (watched->is_interrupted)
        return;
      watched->is_interrupted = TRUE;
      tell_interrupted (watched->run, connection);
      break;
    case HP_CONNECTION_STATE_CONNECTING:
    case HP_CONNECTION_STATE_CLOSED:
      break;
    }
}

/* Ends */

static void
on_closed (HpConnection *connection, const GError *error, Watched *watched)
{
  HpToolRun *run = watched->run;
  g_autofree char *name = hp_tool_events_name (connection);

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("closed", connection);

      if (error != NULL)
        {
          hp_tool_json_add_string (json, "code",
                                   hp_tool_problem_get_code (error));
          hp_tool_json_add_string (json, "message", error->message);
        }
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else if (error != NULL)
    {
      hp_tool_run_print (
          run, g_strdup_printf ("%s: closed: %s\n", name, error->message));
    }
  else
    {
      hp_tool_run_print (run, g_strdup_printf ("%s: closed\n", name));
    }
}

static void
on_resolved (HpPeer *peer, HpConnection *connection, HpToolRun *run)
{
  Watched *watched = g_new0 (Watched, 1);

  watched->run = run;
  note_path (watched, connection);
  g_object_set_data_full (G_OBJECT (connection), "hp-tool-watched", watched,
                          free_watched);
  tell_path (run, connection, "resolved");

  g_signal_connect (connection, "notify::state", G_CALLBACK (on_notify_path),
                    watched);
  g_signal_connect (connection, "notify::path", G_CALLBACK (on_notify_path),
                    watched);
  g_signal_connect (connection, "notify::local-address",
                    G_CALLBACK (on_notify_path), watched);
  g_signal_connect (connection, "notify::remote-address",
                    G_CALLBACK (on_notify_path), watched);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), watched);
}

void
hp_tool_events_watch (HpToolRun *run)
{
  g_signal_connect (run->peer, "notify::registered",
                    G_CALLBACK (on_notify_registered), run);
  g_signal_connect (run->peer, "peer-resolved", G_CALLBACK (on_resolved), run);
}

/* Messages */

static void
print_message_json (HpToolRun *run, HpConnection *connection, GBytes *message)
{
  GString *json = hp_tool_events_json ("message", connection);
  gsize length;
  const char *bytes = g_bytes_get_data (message, &length);
  g_autofree char *text = NULL;

  hp_tool_json_add_number (json, "bytes", length);
  if (length == 0 || g_utf8_validate (bytes, length, NULL))
    {
      text = g_strndup (length > 0 ? bytes : "", length);
      hp_tool_json_add_string (json, "text", text);
    }
  else
    {
      text = g_base64_encode ((const guchar *) bytes, length);
      hp_tool_json_add_string (json, "base64", text);
    }
  hp_tool_run_print (run, hp_tool_json_finish (json));
}

static gsize
get_shown_length (const char *bytes, gsize length)
{
  gsize shown = MIN (length, SHOWN_LENGTH);

  while (shown < length && shown > 0 && (bytes[shown] & 0xc0) == 0x80)
    shown--;
  return shown;
}

/* Line by line: a message that holds a newline must not look like two. */
static char *
format_text (const char *name, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *formatted = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *safe = NULL;

      if (i > 0 && lines[i + 1] == NULL && *lines[i] == '\0')
        break;
      safe = hp_tool_text_safe (lines[i], -1);
      g_string_append_printf (formatted, "%s: %s\n", name, safe);
    }
  return g_string_free (formatted, FALSE);
}

static void
print_message_text (HpToolRun *run, HpConnection *connection, GBytes *message)
{
  gsize length;
  const char *bytes = g_bytes_get_data (message, &length);
  g_autofree char *name = hp_tool_events_name (connection);
  g_autofree char *size = hp_tool_text_size (length);

  if (length == 0)
    {
      hp_tool_run_print (run, g_strdup_printf ("%s: an empty message\n", name));
    }
  else if (!g_utf8_validate (bytes, length, NULL))
    {
      hp_tool_run_print (
          run,
          g_strdup_printf ("%s: a message that is no text, %s\n", name, size));
    }
  else
    {
      gsize shown = get_shown_length (bytes, length);
      g_autofree char *text = g_strndup (bytes, shown);

      hp_tool_run_print (run, format_text (name, text));
      if (shown < length)
        hp_tool_run_print (run,
                           g_strdup_printf ("%s: … %s in all\n", name, size));
    }
}

void
hp_tool_events_message (HpToolRun *run, HpConnection *connection,
                        GBytes *message)
{
  if (run->options->json)
    print_message_json (run, connection, message);
  else
    print_message_text (run, connection, message);
}

/* Problems */

void
hp_tool_events_problem (HpToolRun *run, HpConnection *connection,
                        const GError *error)
{
  g_autofree char *name = hp_tool_events_name (connection);
  g_autoptr (GError) prefixed = g_error_copy (error);

  g_prefix_error (&prefixed, "%s: ", name);
  hp_tool_problem_print (prefixed, run->options->json);
}
