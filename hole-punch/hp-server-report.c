/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-server-report-private.h"

/**
 * SECTION:hp-server-report
 * @title: HpServerReport
 * @short_description: Whether a server answers
 *
 * What is known of one of the servers in an #HpNetworkReport. An object is a
 * snapshot: its properties do not change any more.
 */

/**
 * HpServerReport:
 *
 * What is known of a server.
 *
 * Since: 1.0
 */

struct _HpServerReport
{
  GObject parent_instance;

  HpServerKind kind;
  char *name;
  GSocketAddress *address;
  char *transport;
  gboolean reachable;
  gint64 round_trip_time;
  char *problem;
};

G_DEFINE_FINAL_TYPE (HpServerReport, hp_server_report, G_TYPE_OBJECT)

typedef enum
{
  PROP_KIND = 1,
  PROP_NAME,
  PROP_ADDRESS,
  PROP_TRANSPORT,
  PROP_REACHABLE,
  PROP_ROUND_TRIP_TIME,
  PROP_PROBLEM,
} HpServerReportProperty;

static GParamSpec *properties[PROP_PROBLEM + 1];

static void
hp_server_report_finalize (GObject *object)
{
  HpServerReport *self = HP_SERVER_REPORT (object);

  g_free (self->name);
  g_clear_object (&self->address);
  g_free (self->transport);
  g_free (self->problem);
  G_OBJECT_CLASS (hp_server_report_parent_class)->finalize (object);
}

static void
hp_server_report_get_property (GObject *object, guint property_id,
                               GValue *value, GParamSpec *pspec)
{
  HpServerReport *self = HP_SERVER_REPORT (object);

  switch ((HpServerReportProperty) property_id)
    {
    case PROP_KIND:
      g_value_set_enum (value, self->kind);
      break;
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_ADDRESS:
      g_value_set_object (value, self->address);
      break;
    case PROP_TRANSPORT:
      g_value_set_string (value, self->transport);
      break;
    case PROP_REACHABLE:
      g_value_set_boolean (value, self->reachable);
      break;
    case PROP_ROUND_TRIP_TIME:
      g_value_set_int64 (value, self->round_trip_time);
      break;
    case PROP_PROBLEM:
      g_value_set_string (value, self->problem);
      break;
    }
}

#define FACT (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_names (void)
{
  /**
   * HpServerReport:kind:
   *
   * What the server is there for.
   *
   * Since: 1.0
   */
  properties[PROP_KIND] = g_param_spec_enum (
      "kind", "Kind", "What the server is there for", HP_TYPE_SERVER_KIND,
      HP_SERVER_KIND_MATCH, FACT);
  /**
   * HpServerReport:name:
   *
   * The server's name and port, as it was given; a relay's is a URI, without
   * user and password.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string (
      "name", "Name", "The server's name and port", NULL, FACT);
  /**
   * HpServerReport:address:
   *
   * Where it is; %NULL: not known.
   *
   * Since: 1.0
   */
  properties[PROP_ADDRESS] = g_param_spec_object (
      "address", "Address", "Where the server is", G_TYPE_SOCKET_ADDRESS, FACT);
}

static void
install_figures (void)
{
  /**
   * HpServerReport:transport:
   *
   * How it is reached: `UDP`, `TCP`, `TLS`, or, a match server where UDP does
   * not pass, `relay`.
   *
   * Since: 1.0
   */
  properties[PROP_TRANSPORT] = g_param_spec_string (
      "transport", "Transport", "How the server is reached", NULL, FACT);
  /**
   * HpServerReport:reachable:
   *
   * Whether it answers, and does what it is there for.
   *
   * Since: 1.0
   */
  properties[PROP_REACHABLE] = g_param_spec_boolean (
      "reachable", "Reachable", "Whether the server answers", FALSE, FACT);
  /**
   * HpServerReport:round-trip-time:
   *
   * How long a question and its answer took together, in microseconds; -1: not
   * measured.
   *
   * Since: 1.0
   */
  properties[PROP_ROUND_TRIP_TIME] = g_param_spec_int64 (
      "round-trip-time", "Round-trip time", "There and back, in microseconds",
      -1, G_MAXINT64, -1, FACT);
  /**
   * HpServerReport:problem:
   *
   * What is wrong with it, in words; %NULL: nothing that is known of.
   *
   * Since: 1.0
   */
  properties[PROP_PROBLEM] = g_param_spec_string (
      "problem", "Problem", "What is wrong with the server", NULL, FACT);
}

static void
hp_server_report_class_init (HpServerReportClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = hp_server_report_finalize;
  object_class->get_property = hp_server_report_get_property;
  install_names ();
  install_figures ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_server_report_init (HpServerReport *self)
{
  self->round_trip_time = -1;
}

HpServerReport *
hp_server_report_new (const HpServerReportValues *values)
{
  HpServerReport *self = g_object_new (HP_TYPE_SERVER_REPORT, NULL);

  self->kind = values->kind;
  self->name = g_strdup (values->name);
  self->address = hp_address_to_socket_address (&values->address);
  self->transport = g_strdup (values->transport);
  self->reachable = values->reachable;
  self->round_trip_time = values->round_trip_time;
  self->problem = g_strdup (values->problem);
  return self;
}

/**
 * hp_server_report_get_kind:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:kind.
 *
 * Returns: what the server is there for
 *
 * Since: 1.0
 */
HpServerKind
hp_server_report_get_kind (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), HP_SERVER_KIND_MATCH);

  return self->kind;
}

/**
 * hp_server_report_get_name:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:name.
 *
 * Returns: (transfer none) (nullable): a name and port
 *
 * Since: 1.0
 */
const char *
hp_server_report_get_name (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), NULL);

  return self->name;
}

/**
 * hp_server_report_get_address:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:address.
 *
 * Returns: (transfer none) (nullable): an address and port
 *
 * Since: 1.0
 */
GSocketAddress *
hp_server_report_get_address (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), NULL);

  return self->address;
}

/**
 * hp_server_report_get_transport:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:transport.
 *
 * Returns: (transfer none) (nullable): how it is reached
 *
 * Since: 1.0
 */
const char *
hp_server_report_get_transport (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), NULL);

  return self->transport;
}

/**
 * hp_server_report_get_reachable:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:reachable.
 *
 * Returns: whether it answers
 *
 * Since: 1.0
 */
gboolean
hp_server_report_get_reachable (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), FALSE);

  return self->reachable;
}

/**
 * hp_server_report_get_round_trip_time:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:round-trip-time.
 *
 * Returns: microseconds, or -1
 *
 * Since: 1.0
 */
gint64
hp_server_report_get_round_trip_time (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), -1);

  return self->round_trip_time;
}

/**
 * hp_server_report_get_problem:
 * @self: a #HpServerReport
 *
 * Gets #HpServerReport:problem.
 *
 * Returns: (transfer none) (nullable): what is wrong with it
 *
 * Since: 1.0
 */
const char *
hp_server_report_get_problem (HpServerReport *self)
{
  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), NULL);

  return self->problem;
}

static const char *
get_kind_text (HpServerKind kind)
{
  switch (kind)
    {
    case HP_SERVER_KIND_MATCH:
      return "Match server";
    case HP_SERVER_KIND_STUN:
      return "STUN server";
    case HP_SERVER_KIND_RELAY:
      return "Relay";
    }
  return "Server";
}

/**
 * hp_server_report_to_string:
 * @self: a #HpServerReport
 *
 * Writes it down for people, in a line without an end. Programs should read the
 * properties.
 *
 * Returns: (transfer full): a text
 *
 * Since: 1.0
 */
char *
hp_server_report_to_string (HpServerReport *self)
{
  GString *text;

  g_return_val_if_fail (HP_IS_SERVER_REPORT (self), NULL);

  text = g_string_new (get_kind_text (self->kind));
  g_string_append_printf (text, " %s", self->name != NULL ? self->name : "?");
  if (self->address != NULL)
    {
      g_autofree char *address = g_socket_connectable_to_string (
          G_SOCKET_CONNECTABLE (self->address));

      if (g_strcmp0 (address, self->name) != 0)
        g_string_append_printf (text, " (%s)", address);
    }
  if (self->reachable)
    {
      g_string_append (text, ": answers");
      if (self->round_trip_time >= 0)
        g_string_append_printf (text, " in %.1f ms",
                                (gdouble) self->round_trip_time
                                    / G_TIME_SPAN_MILLISECOND);
      if (self->kind == HP_SERVER_KIND_MATCH
          && g_strcmp0 (self->transport, "relay") == 0)
        g_string_append (text, ", through a relay");
    }
  else
    {
      g_string_append_printf (text, ": %s",
                              self->problem != NULL ? self->problem
                                                    : "not known");
    }
  return g_string_free (text, FALSE);
}
