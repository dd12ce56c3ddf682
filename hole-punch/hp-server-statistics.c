/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-server-statistics-private.h"

/**
 * SECTION:hp-server-statistics
 * @title: HpServerStatistics
 * @short_description: What a match server has done so far
 *
 * The numbers of #HpMatchServer:statistics, those of all its workers together.
 * An object is a snapshot of one moment: its numbers do not change any more,
 * and there is nothing to notify. Two of them, taken some time apart, give
 * rates.
 */

/**
 * HpServerStatistics:
 *
 * Numbers of a match server, since it was started.
 *
 * Since: 1.0
 */

G_DEFINE_FINAL_TYPE (HpServerStatistics, hp_server_statistics, G_TYPE_OBJECT)

#define FIELD(member, name, nick, blurb)                                      \
  { name, nick, blurb, G_STRUCT_OFFSET (HpServerStatisticsValues, member) }

/* Property 1 is the first field, and so on; behind them is the only one that is
 * not a number. */
static const struct
{
  const char *name, *nick, *blurb;
  gsize offset;
} fields[] = {
  FIELD (peers, "peers", "Peers",
         "Peers with a session now"),
  FIELD (registrations, "registrations", "Registrations",
         "Registered ids now"),
  FIELD (workers, "workers", "Workers",
         "Threads that serve"),
  FIELD (handshakes, "handshakes", "Handshakes",
         "Handshakes so far"),
  FIELD (registers, "registers", "Registers",
         "Requests to register so far"),
  FIELD (keepalives, "keepalives", "Keepalives",
         "Signs of life so far"),
  FIELD (asks, "asks", "Asks",
         "Questions for a peer so far"),
  FIELD (introductions, "introductions", "Introductions",
         "Introductions so far"),
  FIELD (forwarded, "forwarded", "Forwarded",
         "Messages to other workers and servers"),
  FIELD (refused, "refused", "Refused",
         "Requests that were refused"),
  FIELD (cookies, "cookies", "Cookies",
         "Cookies handed out so far"),
  FIELD (stun_answers, "stun-answers", "STUN answers",
         "Answers to STUN so far"),
  FIELD (datagrams_received, "datagrams-received", "Datagrams received",
         "Datagrams received"),
  FIELD (datagrams_sent, "datagrams-sent", "Datagrams sent",
         "Datagrams sent"),
  FIELD (bytes_received, "bytes-received", "Bytes received",
         "Bytes received"),
  FIELD (bytes_sent, "bytes-sent", "Bytes sent",
         "Bytes sent"),
  FIELD (send_failures, "send-failures", "Send failures",
         "Datagrams that could not be sent"),
  FIELD (datagrams_dropped, "datagrams-dropped", "Datagrams dropped",
         "Datagrams that were dropped"),
  FIELD (dropped_malformed, "dropped-malformed", "Dropped malformed",
         "Datagrams not of this protocol"),
  FIELD (dropped_ticket, "dropped-ticket", "Dropped for the cookie",
         "Datagrams with a wrong cookie"),
  FIELD (dropped_forged, "dropped-forged", "Dropped forged",
         "Datagrams that are not authentic"),
  FIELD (dropped_replayed, "dropped-replayed", "Dropped replayed",
         "Datagrams that came before"),
  FIELD (dropped_unknown, "dropped-unknown", "Dropped unknown",
         "Datagrams of no known session"),
  FIELD (dropped_rate_limited, "dropped-rate-limited", "Dropped over a limit",
         "Datagrams over a limit"),
  FIELD (dropped_full, "dropped-full", "Dropped when full",
         "Datagrams for which there was no room"),
  FIELD (registry_failures, "registry-failures", "Registry failures",
         "Questions that the registry failed"),
  FIELD (unclaimed_refreshes, "unclaimed-refreshes", "Unclaimed refreshes",
         "Registrations that went on without the registry"),
};

#define PROP_REGISTRY_HEALTHY (G_N_ELEMENTS (fields) + 1)

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

  g_assert (property_id >= 1 && property_id <= PROP_REGISTRY_HEALTHY);
  if (property_id == PROP_REGISTRY_HEALTHY)
    g_value_set_boolean (value, self->values.registry_healthy);
  else
    g_value_set_uint64 (value, get_field (self, property_id - 1));
}

static void
install_numbers (GObjectClass *object_class)
{
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
   * HpServerStatistics:workers:
   *
   * Threads that serve, each with its own share of the peers; 0 before the
   * server was started for the first time.
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
   * HpServerStatistics:registers:
   *
   * Times that a peer asked for an id to be registered, or its registration to
   * be refreshed; repeats of a request do not count.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:keepalives:
   *
   * Signs of life of peers, which keep open the ways through their NATs.
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
   * HpServerStatistics:forwarded:
   *
   * Messages to another worker of this server or to another server, for a peer
   * that is there.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:refused:
   *
   * Requests that were refused; repeats of a request do not count.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:cookies:
   *
   * Cookies that were handed out: strangers prove their addresses by them
   * before the server does any work for them.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:stun-answers:
   *
   * STUN Binding requests (RFC 8489) that were answered.
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
   * HpServerStatistics:bytes-received:
   *
   * Bytes of the datagrams that came in, without the headers of UDP and IP.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:bytes-sent:
   *
   * Bytes of the datagrams that were sent, without the headers of UDP and IP.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:send-failures:
   *
   * Datagrams that the system did not take.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:datagrams-dropped:
   *
   * Datagrams that came in and were dropped for whatever reason: the sum of all
   * the reasons.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-malformed:
   *
   * Datagrams that were dropped because they are not of this protocol, or break
   * its rules.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-ticket:
   *
   * Datagrams that were dropped because the cookie in them is none of this
   * server, is too old, or was handed to another address.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-forged:
   *
   * Datagrams that were dropped because they are not authentic.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-replayed:
   *
   * Datagrams that were dropped because they had come before.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-unknown:
   *
   * Datagrams that were dropped because there is no such session, or none any
   * more.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-rate-limited:
   *
   * Datagrams that were not served because their sender, the network it is in,
   * or all together had reached a limit. Peers that have a session are told so.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:dropped-full:
   *
   * Datagrams that were dropped because there were #HpMatchServer:max-peers
   * already, or no room for another request.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:registry-failures:
   *
   * Questions that the #HpMatchServer:registry could not answer for now.
   *
   * Since: 1.0
   */
  /**
   * HpServerStatistics:unclaimed-refreshes:
   *
   * Registrations that went on although the #HpMatchServer:registry could not
   * be asked: who was registered stays so while it is away.
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
hp_server_statistics_class_init (HpServerStatisticsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = hp_server_statistics_get_property;
  install_numbers (object_class);
  /**
   * HpServerStatistics:registry-healthy:
   *
   * Whether the #HpMatchServer:registry gave an answer when it was last asked;
   * %TRUE as long as it was not asked.
   *
   * Since: 1.0
   */
  g_object_class_install_property (
      object_class, PROP_REGISTRY_HEALTHY,
      g_param_spec_boolean ("registry-healthy", "Registry healthy",
                            "Whether the registry works", TRUE,
                            G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
hp_server_statistics_init (HpServerStatistics *self)
{
  self->values.registry_healthy = TRUE;
}

HpServerStatistics *
hp_server_statistics_new_private (const HpServerStatisticsValues *values)
{
  HpServerStatistics *self = g_object_new (HP_TYPE_SERVER_STATISTICS, NULL);

  self->values = *values;
  return self;
}

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
  g_string_append_printf (text, "Registry: %s\n",
                          self->values.registry_healthy ? "works" : "fails");
  return g_string_free (text, FALSE);
}
