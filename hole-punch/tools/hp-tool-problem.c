/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-problem.h"

#include <hole-punch/hole-punch.h>

#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-text.h"

static const char *
get_nick (GType type, int code)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  const GEnumValue *value = g_enum_get_value (klass, code);

  return value != NULL ? g_intern_string (value->value_nick) : "failed";
}

const char *
hp_tool_problem_get_code (const GError *error)
{
  if (error->domain == HP_PUNCH_ERROR)
    return get_nick (HP_TYPE_PUNCH_ERROR, error->code);
  if (error->domain == G_IO_ERROR)
    return get_nick (G_TYPE_IO_ERROR_ENUM, error->code);
  if (error->domain == G_FILE_ERROR)
    return "file";
  return "failed";
}

static const char *
get_punch_hint (HpPunchError code)
{
  switch (code)
    {
    case HP_PUNCH_ERROR_UNKNOWN_ID:
      return "Is “hole-punch listen” running there, with this id and this "
             "match server? A longer --timeout waits for it.";
    case HP_PUNCH_ERROR_MATCH_SERVER:
      return "Check --match-server, and that “hole-punch serve” runs there "
             "and its UDP port is open.";
    case HP_PUNCH_ERROR_ID_TAKEN:
      return "Choose another id, or give the --identity that it was first "
             "registered with.";
    case HP_PUNCH_ERROR_UNREACHABLE:
      return "Both sides' firewalls must let UDP out, and answers in: "
             "“hole-punch check” tells, on each side.";
    case HP_PUNCH_ERROR_IDENTITY_MISMATCH:
      return "Somebody else answers in its place, or it has a new identity: "
             "ask the other side for its fingerprint.";
    case HP_PUNCH_ERROR_RATE_LIMITED:
      return "Wait a minute, then try again.";
    case HP_PUNCH_ERROR_INVALID_TARGET:
      return "“hole-punch listen” shows both, id and fingerprint.";
    case HP_PUNCH_ERROR_PROTOCOL:
      return "Update hole-punch on both sides.";
    case HP_PUNCH_ERROR_REPLACED:
      return "Does another program use the same --identity?";
    case HP_PUNCH_ERROR_DENIED:
    case HP_PUNCH_ERROR_REFUSED:
      return "Ask whoever runs it to let you in.";
    case HP_PUNCH_ERROR_INVALID_IDENTITY:
    case HP_PUNCH_ERROR_MESSAGE_TOO_LARGE:
    case HP_PUNCH_ERROR_EXPIRED:
      return NULL;
    }
  return NULL;
}

const char *
hp_tool_problem_get_hint (const GError *error)
{
  if (error->domain == HP_PUNCH_ERROR)
    return get_punch_hint (error->code);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    return "Choose another --port, or end the other program.";
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    return "Make room, or choose another --directory.";
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY))
    return "Pack it into one file first, or send what tar makes of it: "
           "tar -c FOLDER | hole-punch send ID - --name FOLDER.tar";
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE))
    return "What has no size is sent from standard input: "
           "hole-punch send ID - < FILE";
  return NULL;
}

static void
print_json (const GError *error)
{
  GString *json = hp_tool_json_new ("error");
  const char *hint = hp_tool_problem_get_hint (error);
  g_autofree char *line = NULL;

  hp_tool_json_add_string (json, "code", hp_tool_problem_get_code (error));
  hp_tool_json_add_string (json, "message", error->message);
  if (hint != NULL)
    hp_tool_json_add_string (json, "hint", hint);
  line = hp_tool_json_finish (json);
  /* What else could be done about it? */
  (void) hp_tool_output_line (line);
}

void
hp_tool_problem_print (const GError *error, gboolean json)
{
  g_autofree char *message = hp_tool_text_safe (error->message, -1);
  const char *hint = hp_tool_problem_get_hint (error);
  g_autofree char *line = NULL;

  if (json)
    {
      print_json (error);
      return;
    }
  line = g_strdup_printf ("%s: %s\n%s%s", g_get_prgname (), message,
                          hint != NULL ? hint : "", hint != NULL ? "\n" : "");
  hp_tool_output_problem (line);
}
