/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Objects that only hold values: enumerations, errors, HpRegistration,
 * HpStatistics, HpServerStatistics */

#include "hole-punch/hp-enums.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/hp-registration-private.h"
#include "hole-punch/hp-server-statistics-private.h"
#include "hole-punch/hp-statistics-private.h"

#include "objects-test.h"

#include <string.h>

static const char fingerprint[]
    = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";

static void
assert_nick (GType type, int value, const char *nick)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  GEnumValue *found = g_enum_get_value_by_nick (klass, nick);

  g_assert_nonnull (found);
  g_assert_cmpint (found->value, ==, value);
}

static void
test_enums (void)
{
  g_autoptr (GFlagsClass) flags = g_type_class_ref (HP_TYPE_MESSAGE_FLAGS);

  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_NONE, "none");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_LAN, "lan");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_DIRECT, "direct");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_MAPPED, "mapped");
  assert_nick (HP_TYPE_PATH_KIND, HP_PATH_KIND_RELAYED, "relayed");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CONNECTING,
               "connecting");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CONNECTED,
               "connected");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_INTERRUPTED,
               "interrupted");
  assert_nick (HP_TYPE_CONNECTION_STATE, HP_CONNECTION_STATE_CLOSED,
               "closed");
  g_assert_cmpuint (
      g_flags_get_value_by_nick (flags, "unordered")->value, ==,
      HP_MESSAGE_FLAGS_UNORDERED);
  g_assert_cmpuint (
      g_flags_get_value_by_nick (flags, "unreliable")->value, ==,
      HP_MESSAGE_FLAGS_UNRELIABLE);
  g_assert_cmpuint (flags->mask, ==, 3);
}

/* Every code from 0 on has a nick of its own. */
static void
test_errors (void)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (HP_TYPE_PUNCH_ERROR);

  g_assert_cmpstr (g_quark_to_string (HP_PUNCH_ERROR), ==,
                   "hp-punch-error-quark");
  g_assert_cmpint (klass->minimum, ==, 0);
  g_assert_cmpint (klass->maximum, ==, HP_PUNCH_ERROR_EXPIRED);
  g_assert_cmpuint (klass->n_values, ==, HP_PUNCH_ERROR_EXPIRED + 1);
  for (int code = 0; code <= HP_PUNCH_ERROR_EXPIRED; code++)
    assert_nick (HP_TYPE_PUNCH_ERROR, code,
                 g_enum_get_value (klass, code)->value_nick);
  assert_nick (HP_TYPE_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID, "unknown-id");
  assert_nick (HP_TYPE_PUNCH_ERROR, HP_PUNCH_ERROR_IDENTITY_MISMATCH,
               "identity-mismatch");
}

static void
test_registration (void)
{
  HpRegistration *registration = hp_registration_new ("wq", fingerprint);
  g_autofree char *id = NULL;
  g_autofree char *key = NULL;
  g_autoptr (GSocketAddress) address = NULL;

  g_object_get (registration, "id", &id, "fingerprint", &key, "address",
                &address, NULL);
  g_assert_cmpstr (id, ==, "wq");
  g_assert_cmpstr (key, ==, fingerprint);
  g_assert_null (address);
  g_assert_cmpstr (hp_registration_get_id (registration), ==, "wq");
  g_assert_cmpstr (hp_registration_get_fingerprint (registration), ==,
                   fingerprint);
  g_assert_null (hp_registration_get_address (registration));
  g_assert_finalize_object (registration);
}

static void
test_registration_address (void)
{
  HpAddress address;
  HpRegistration *registration;
  g_autofree char *text = NULL;

  g_assert_true (hp_address_parse (&address, "192.0.2.7:4711"));
  registration = hp_registration_new_private ("", fingerprint, &address);
  g_assert_null (hp_registration_get_id (registration));
  text = g_socket_connectable_to_string (
      G_SOCKET_CONNECTABLE (hp_registration_get_address (registration)));
  g_assert_cmpstr (text, ==, "192.0.2.7:4711");
  g_assert_finalize_object (registration);

  registration = g_object_new (HP_TYPE_REGISTRATION, NULL);
  g_assert_null (hp_registration_get_id (registration));
  g_assert_null (hp_registration_get_fingerprint (registration));
  g_assert_finalize_object (registration);
}

/* Each property has its own number, @first, @first + 1 … in the order of the
 * text, and is in it. */
static void
assert_values (GObject *object, guint64 first, guint n_values,
               const char *text)
{
  guint n_properties;
  g_autofree GParamSpec **properties = g_object_class_list_properties (
      G_OBJECT_GET_CLASS (object), &n_properties);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpuint (n_properties, ==, n_values);
  g_assert_cmpuint (g_strv_length (lines), ==, n_values + 1);
  for (guint i = 0; i < n_values; i++)
    {
      guint64 value = 0;
      g_autofree char *line = NULL;

      g_object_get (object, properties[i]->name, &value, NULL);
      g_assert_cmpuint (value, ==, first + i);
      g_assert_cmpint (properties[i]->flags & G_PARAM_WRITABLE, ==, 0);
      line = g_strdup_printf ("%s: %" G_GUINT64_FORMAT,
                              g_param_spec_get_nick (properties[i]), value);
      g_assert_cmpstr (lines[i], ==, line);
    }
}

static void
test_statistics (void)
{
  const HpStatisticsValues values = { 101, 102, 103, 104, 105,
                                      106, 107, 108, 109 };
  HpStatistics *statistics = hp_statistics_new_private (&values);
  g_autofree char *text = hp_statistics_to_string (statistics);

  assert_values (G_OBJECT (statistics), 101, 9, text);
#define ASSERT_GETTER(member)                                                 \
  g_assert_cmpuint (hp_statistics_get_##member (statistics), ==, values.member)
  ASSERT_GETTER (bytes_sent);
  ASSERT_GETTER (bytes_received);
  ASSERT_GETTER (bytes_resent);
  ASSERT_GETTER (messages_sent);
  ASSERT_GETTER (messages_received);
  ASSERT_GETTER (datagrams_sent);
  ASSERT_GETTER (datagrams_received);
  ASSERT_GETTER (datagrams_lost);
  ASSERT_GETTER (datagrams_dropped);
#undef ASSERT_GETTER
  g_assert_finalize_object (statistics);

  statistics = g_object_new (HP_TYPE_STATISTICS, NULL);
  g_assert_cmpuint (hp_statistics_get_bytes_sent (statistics), ==, 0);
  g_assert_finalize_object (statistics);
}

static void
test_server_statistics (void)
{
  const guint64 base = G_MAXUINT64 - 20;
  const HpServerStatisticsValues values
      = { base,     base + 1, base + 2, base + 3, base + 4,
          base + 5, base + 6, base + 7, base + 8 };
  HpServerStatistics *statistics = hp_server_statistics_new_private (&values);
  g_autofree char *text = hp_server_statistics_to_string (statistics);

  assert_values (G_OBJECT (statistics), base, 9, text);
#define ASSERT_GETTER(member)                                                 \
  g_assert_cmpuint (hp_server_statistics_get_##member (statistics), ==,       \
                    values.member)
  ASSERT_GETTER (peers);
  ASSERT_GETTER (registrations);
  ASSERT_GETTER (handshakes);
  ASSERT_GETTER (asks);
  ASSERT_GETTER (introductions);
  ASSERT_GETTER (datagrams_received);
  ASSERT_GETTER (datagrams_sent);
  ASSERT_GETTER (datagrams_dropped);
  ASSERT_GETTER (rate_limited);
#undef ASSERT_GETTER
  g_assert_finalize_object (statistics);

  statistics = g_object_new (HP_TYPE_SERVER_STATISTICS, NULL);
  g_assert_cmpuint (hp_server_statistics_get_peers (statistics), ==, 0);
  g_assert_finalize_object (statistics);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/values/enums", test_enums);
  g_test_add_func ("/values/errors", test_errors);
  g_test_add_func ("/values/registration", test_registration);
  g_test_add_func ("/values/registration-address", test_registration_address);
  g_test_add_func ("/values/statistics", test_statistics);
  g_test_add_func ("/values/server-statistics", test_server_statistics);
  return g_test_run ();
}
