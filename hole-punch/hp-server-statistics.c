/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-server-statistics-private.h"

/**
 * SECTION:hp-server-statistics
 * @title: HpServerStatistics
 * @short_description: What a match server has done so far
 *
 * The numbers of #HpMatchServer:statistics. An object is a snapshot of one
 * moment: its numbers do not change any more, and there is nothing to notify.
 * Two of them, taken some time apart, give rates.
 */

/**
 * HpServerStatistics:
 *
 * Numbers of a match server, since it was started.
 *
 * Since: 1.0
 */

struct _HpServerStatistics
{
  GObject parent_instance;

  HpServerStatisticsValues values;
};

G_DEFINE_FINAL_TYPE (HpServerStatistics, hp_server_statistics, G_TYPE_OBJECT)

#define FIELD(member, name, nick, blurb)                                      \
  { name, nick, blurb, G_STRUCT_OFFSET (HpServerStatisticsValues, member) }

/* Property 1 is the first field, and so on */
static const struct
{
  const char *name, *nick, *blurb;
  gsize offset;
} fields[] = {
  FIELD (peers, "peers", "Peers",
         "Peers with a session now"),
  FIELD (registrations, "registrations", "Registrations",
         "Registered ids now"),
  FIELD (handshakes, "handshakes", "Handshakes",
         "Handshakes so far"),
  FIELD (asks, "asks", "Asks",
         "Questions for a peer so far"),
  FIELD (introductions, "introductions", "Introductions",
         "Introductions so far"),
  FIELD (datagrams_received, "datagrams-received", "Datagrams received",
         "Datagrams received"),
  FIELD (datagrams_sent, "datagrams-sent", "Datagrams sent",
         "Datagrams sent"),
  FIELD (datagrams_dropped, "datagrams-dropped", "Datagrams dropped",
         "Datagrams that were dropped"),
  FIELD (rate_limited, "rate-limited", "Rate limited",
         "Requests over a limit"),
};

static guint64
get_field (HpServerStatistics *self, guint i)
{
  return G_STRUCT_MEMBER (guint64, &self->values, fields[i].offset);
}

static void
hp_server_statistics_get_property (GObject *object, guint property_id,
                                   GValue *value, GParamSpec *pspec)
{
  HpServerStatistics *self = HP_SERVER_STATISTICS (object);

  g_assert (property_id >= 1 && property_id <= G_N_ELEMENTS (fields));
  g_value_set_uint64 (value, get_field (self, property_id - 1));
}

static void
hp_server_statistics_class_init (HpServerStatisticsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = hp_server_statistics_get_property;

  /**
   * HpServerStatistics:peers:
   *
   * Peers that have a session with the server now, registered or not.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:registrations:
   *
   * Ids whose peers are present now.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:handshakes:
   *
   * Handshakes that were completed.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:asks:
   *
   * Times that a peer asked for another one; repeats of a question do not
   * count.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:introductions:
   *
   * Times that two peers were introduced to each other.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:datagrams-received:
   *
   * Datagrams that came in, good and bad.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:datagrams-sent:
   *
   * Datagrams that were sent.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:datagrams-dropped:
   *
   * Datagrams that came in and were dropped for whatever reason: not of this
   * protocol, malformed, forged, over a limit.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:rate-limited:
   *
   * Requests and datagrams that were not served because their sender, or the
   * network it is in, had reached a limit.
   *
   * Since: 1.0
   */
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_object_class_install_property (
        object_class, i + 1,
        g_param_spec_uint64 (fields[i].name, fields[i].nick, fields[i].blurb,
                             0, G_MAXUINT64, 0,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
hp_server_statistics_init (HpServerStatistics *self)
{
}

HpServerStatistics *
hp_server_statistics_new_private (const HpServerStatisticsValues *values)
{
  HpServerStatistics *self = g_object_new (HP_TYPE_SERVER_STATISTICS, NULL);

  self->values = *values;
  return self;
}

#define DEFINE_GETTER(member)                                                 \
  guint64 hp_server_statistics_get_##member (HpServerStatistics *self)        \
  {                                                                           \
    g_return_val_if_fail (HP_IS_SERVER_STATISTICS (self), 0);                 \
    return self->values.member;                                               \
  }

/**
 * hp_server_statistics_get_peers:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:peers.
 *
 * Returns: a number of peers
 *
 * Since: 1.0
 */
DEFINE_GETTER (peers)

/**
 * hp_server_statistics_get_registrations:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:registrations.
 *
 * Returns: a number of registrations
 *
 * Since: 1.0
 */
DEFINE_GETTER (registrations)

/**
 * hp_server_statistics_get_handshakes:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:handshakes.
 *
 * Returns: a number of handshakes
 *
 * Since: 1.0
 */
DEFINE_GETTER (handshakes)

/**
 * hp_server_statistics_get_asks:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:asks.
 *
 * Returns: a number of asks
 *
 * Since: 1.0
 */
DEFINE_GETTER (asks)

/**
 * hp_server_statistics_get_introductions:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:introductions.
 *
 * Returns: a number of introductions
 *
 * Since: 1.0
 */
DEFINE_GETTER (introductions)

/**
 * hp_server_statistics_get_datagrams_received:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:datagrams-received.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_received)

/**
 * hp_server_statistics_get_datagrams_sent:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:datagrams-sent.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_sent)

/**
 * hp_server_statistics_get_datagrams_dropped:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:datagrams-dropped.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_dropped)

/**
 * hp_server_statistics_get_rate_limited:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:rate-limited.
 *
 * Returns: a number of requests
 *
 * Since: 1.0
 */
DEFINE_GETTER (rate_limited)

/**
 * hp_server_statistics_to_string:
 * @self: a #HpServerStatistics
 *
 * Writes the numbers down for people: a line each, a name, a colon, the
 * number. Programs should read the properties.
 *
 * Returns: (transfer full): a text of several lines
 *
 * Since: 1.0
 */
char *
hp_server_statistics_to_string (HpServerStatistics *self)
{
  GString *text;

  g_return_val_if_fail (HP_IS_SERVER_STATISTICS (self), NULL);

  text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_string_append_printf (text, "%s: %" G_GUINT64_FORMAT "\n",
                            fields[i].nick, get_field (self, i));
  return g_string_free (text, FALSE);
}
