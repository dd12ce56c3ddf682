/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-statistics-private.h"

/**
 * SECTION:hp-statistics
 * @title: HpStatistics
 * @short_description: What a connection has done so far
 *
 * The numbers of #HpConnection:statistics. An object is a snapshot of one
 * moment: its numbers do not change any more, and there is nothing to notify.
 * Two of them, taken some time apart, give rates.
 */

/**
 * HpStatistics:
 *
 * Numbers of a connection, since it began.
 *
 * Since: 1.0
 */

struct _HpStatistics
{
  GObject parent_instance;

  HpStatisticsValues values;
};

G_DEFINE_FINAL_TYPE (HpStatistics, hp_statistics, G_TYPE_OBJECT)

#define FIELD(member, name, nick, blurb)                                      \
  { name, nick, blurb, G_STRUCT_OFFSET (HpStatisticsValues, member) }

/* Property 1 is the first field, and so on */
static const struct
{
  const char *name, *nick, *blurb;
  gsize offset;
} fields[] = {
  FIELD (bytes_sent, "bytes-sent", "Bytes sent",
         "Bytes of messages sent"),
  FIELD (bytes_received, "bytes-received", "Bytes received",
         "Bytes of messages received"),
  FIELD (bytes_resent, "bytes-resent", "Bytes resent",
         "Bytes of messages sent again"),
  FIELD (messages_sent, "messages-sent", "Messages sent",
         "Messages that were delivered"),
  FIELD (messages_received, "messages-received", "Messages received",
         "Messages that came in whole"),
  FIELD (datagrams_sent, "datagrams-sent", "Datagrams sent",
         "Datagrams sent"),
  FIELD (datagrams_received, "datagrams-received", "Datagrams received",
         "Datagrams received"),
  FIELD (datagrams_lost, "datagrams-lost", "Datagrams lost",
         "Datagrams of ours that were lost"),
  FIELD (datagrams_dropped, "datagrams-dropped", "Datagrams dropped",
         "Datagrams that were dropped"),
};

static guint64
get_field (HpStatistics *self, guint i)
{
  return G_STRUCT_MEMBER (guint64, &self->values, fields[i].offset);
}

static void
hp_statistics_get_property (GObject *object, guint property_id,
                            GValue *value, GParamSpec *pspec)
{
  HpStatistics *self = HP_STATISTICS (object);

  g_assert (property_id >= 1 && property_id <= G_N_ELEMENTS (fields));
  g_value_set_uint64 (value, get_field (self, property_id - 1));
}

static void
hp_statistics_class_init (HpStatisticsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = hp_statistics_get_property;

  /**
   * HpStatistics:bytes-sent:
   *
   * Bytes of messages that were sent; what was sent again counts once.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:bytes-received:
   *
   * Bytes of messages that were received; what came twice counts once.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:bytes-resent:
   *
   * Bytes of messages that were sent again because they were lost, or seemed
   * to be.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:messages-sent:
   *
   * Messages of ours that the other side has acknowledged in full.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:messages-received:
   *
   * Messages of the other side that came in whole.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:datagrams-sent:
   *
   * Datagrams that were sent, acknowledgements and all.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:datagrams-received:
   *
   * Datagrams that came in and were authentic.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:datagrams-lost:
   *
   * Datagrams of ours that did not arrive, as far as can be told.
   *
   * Since: 1.0
   */
  /**
   * HpStatistics:datagrams-dropped:
   *
   * Datagrams that came in and were dropped: malformed, forged, or repeated. A
   * few repeats are normal; many of the others mean that somebody meddles.
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
hp_statistics_init (HpStatistics *self)
{
}

HpStatistics *
hp_statistics_new_private (const HpStatisticsValues *values)
{
  HpStatistics *self = g_object_new (HP_TYPE_STATISTICS, NULL);

  self->values = *values;
  return self;
}

#define DEFINE_GETTER(member)                                                 \
  guint64 hp_statistics_get_##member (HpStatistics *self)                     \
  {                                                                           \
    g_return_val_if_fail (HP_IS_STATISTICS (self), 0);                        \
    return self->values.member;                                               \
  }

/**
 * hp_statistics_get_bytes_sent:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:bytes-sent.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
DEFINE_GETTER (bytes_sent)

/**
 * hp_statistics_get_bytes_received:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:bytes-received.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
DEFINE_GETTER (bytes_received)

/**
 * hp_statistics_get_bytes_resent:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:bytes-resent.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
DEFINE_GETTER (bytes_resent)

/**
 * hp_statistics_get_messages_sent:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:messages-sent.
 *
 * Returns: a number of messages
 *
 * Since: 1.0
 */
DEFINE_GETTER (messages_sent)

/**
 * hp_statistics_get_messages_received:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:messages-received.
 *
 * Returns: a number of messages
 *
 * Since: 1.0
 */
DEFINE_GETTER (messages_received)

/**
 * hp_statistics_get_datagrams_sent:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:datagrams-sent.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_sent)

/**
 * hp_statistics_get_datagrams_received:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:datagrams-received.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_received)

/**
 * hp_statistics_get_datagrams_lost:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:datagrams-lost.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_lost)

/**
 * hp_statistics_get_datagrams_dropped:
 * @self: a #HpStatistics
 *
 * Gets #HpStatistics:datagrams-dropped.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_dropped)

/**
 * hp_statistics_to_string:
 * @self: a #HpStatistics
 *
 * Writes the numbers down for people: a line each, a name, a colon, the
 * number. Programs should read the properties.
 *
 * Returns: (transfer full): a text of several lines
 *
 * Since: 1.0
 */
char *
hp_statistics_to_string (HpStatistics *self)
{
  GString *text;

  g_return_val_if_fail (HP_IS_STATISTICS (self), NULL);

  text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_string_append_printf (text, "%s: %" G_GUINT64_FORMAT "\n",
                            fields[i].nick, get_field (self, i));
  return g_string_free (text, FALSE);
}
