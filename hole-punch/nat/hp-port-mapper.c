/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-port-mapper.h"

#include <string.h>

#define NEVER G_MAXINT64
#define SECOND G_TIME_SPAN_SECOND
#define MILLISECOND G_TIME_SPAN_MILLISECOND

/* RFC 6887, section 8.1.1 */
#define PCP_FIRST_INTERVAL (3 * SECOND)   /* IRT */
#define PCP_LAST_INTERVAL (1024 * SECOND) /* MRT */
/* RFC 6886, section 3.1 */
#define NAT_PMP_FIRST_INTERVAL (250 * MILLISECOND)
#define NAT_PMP_SENDS 9
/* RFC 6887, section 11.2.1 */
#define MIN_RENEWAL (4 * SECOND)
/* RFC 6887, section 7.4: short and long lifetimes of errors */
#define MIN_REFUSAL (30 * SECOND)
#define MAX_REFUSAL (1800 * SECOND)
/* All its clients have heard that a gateway was restarted (RFC 6887, section
 * 14.1.3; RFC 6886, section 3.7). */
#define MAX_RESTART_DELAY (5 * SECOND)
#define MIN_CHECK_INTERVAL SECOND
#define MAX_LIFETIME (24 * 3600) /* RFC 6887, section 15 */
#define FAREWELLS 2
#define FAREWELL_INTERVAL (100 * MILLISECOND)

struct _HpPortMapper
{
  HpPortMapperConfig config;
  HpPortMapperState state;
  HpPcpVersion version;
  gboolean has_host; /* NAT-PMP: @external's IP is known */
  HpPcpMap map;      /* as asked for; its external as granted last */
  HpAddress external;
  guint32 lifetime;
  gint64 expires_at; /* MAPPED: the mapping; REFUSED: that; CLOSING: we do */
  guint result;
  gboolean may_be_mapped; /* a MAP went out since the last refusal */
  /* Requests */
  gint64 send_at;
  gint64 sent_at;
  gint64 interval; /* 0: the first is to be sent */
  guint n_sent;
  /* The gateway's clock */
  gboolean has_epoch;
  guint32 epoch;
  gint64 epoch_at;
};

/* 0 to @most */
static gint64
draw (HpPortMapper *self, gint64 most)
{
  return hp_random_u64 (&self->config.random) % (guint64) (most + 1);
}

static void
send_anew (HpPortMapper *self, gint64 at)
{
  self->send_at = at;
  self->interval = 0;
  self->n_sent = 0;
}

static void
ask (HpPortMapper *self, HpPcpVersion version, gint64 now)
{
  self->state = HP_PORT_MAPPER_ASKING;
  self->version = version;
  self->has_host = FALSE;
  self->has_epoch = FALSE;
  self->expires_at = NEVER;
  send_anew (self, now);
}

HpPortMapper *
hp_port_mapper_new (const HpPortMapperConfig *config, gint64 now)
{
  HpPortMapper *self = g_new0 (HpPortMapper, 1);

  self->config = *config;
  self->map.client = config->client;
  self->map.external.port = config->client.port;
  self->map.lifetime = HP_PORT_MAPPER_LIFETIME;
  hp_random_fill (&config->random, self->map.nonce, sizeof self->map.nonce);
  ask (self, HP_PCP_VERSION_PCP, now);
  return self;
}

void
hp_port_mapper_free (HpPortMapper *self)
{
  g_free (self);
}

/* The gateway's clock */

/* Has it lost its state since the last answer? */
static gboolean
has_restarted (const HpPortMapper *self, guint32 epoch, gint64 now)
{
  gint64 client = (now - self->epoch_at) / SECOND;
  gint64 server = (gint64) epoch - self->epoch;

  if (!self->has_epoch)
    return FALSE;
  if (self->version == HP_PCP_VERSION_NAT_PMP)
    return server < client * 7 / 8 - 2;
  return server < -1 || client + 2 < server - server / 16
         || server + 2 < client - client / 16;
}

static void
note_epoch (HpPortMapper *self, guint32 epoch, gint64 now)
{
  self->has_epoch = TRUE;
  self->epoch = epoch;
  self->epoch_at = now;
}

/* Nobody has asked: it was restarted, or has another address */
static void
handle_announcement (HpPortMapper *self, const HpPcpAnswer *answer, gint64 now)
{
  gboolean is_news = has_restarted (self, answer->epoch, now);

  if (answer->opcode == HP_PCP_ADDRESS && self->has_host
      && !hp_address_same_host (&answer->external, &self->external))
    is_news = TRUE;
  note_epoch (self, answer->epoch, now);
  if (!is_news || self->state != HP_PORT_MAPPER_MAPPED)
    return;
  self->has_host = FALSE;
  send_anew (self, MIN (self->send_at, now + draw (self, MAX_RESTART_DELAY)));
}

/* Answers */

static void
refuse (HpPortMapper *self, guint result, gint64 duration, gint64 now)
{
  self->state = HP_PORT_MAPPER_REFUSED;
  self->result = result;
  self->may_be_mapped = FALSE;
  self->send_at = NEVER;
  self->expires_at = now + CLAMP (duration, MIN_REFUSAL, MAX_REFUSAL);
}

static void
schedule_renewal (HpPortMapper *self, gint64 now)
{
  gint64 left = MAX (self->expires_at - now, 0);

  self->send_at = now + MAX (left / 2 + draw (self, left / 8), MIN_RENEWAL);
}

static void
grant (HpPortMapper *self, const HpPcpAnswer *answer, gint64 now)
{
  if (self->version == HP_PCP_VERSION_PCP)
    self->external = answer->external;
  else
    self->external.port = answer->external.port;
  if (!hp_address_is_usable (&self->external))
    {
      refuse (self, HP_PCP_SUCCESS, MAX_REFUSAL, now);
      return;
    }
  self->map.external = self->external;
  self->lifetime = MIN (answer->lifetime, MAX_LIFETIME);
  self->state = HP_PORT_MAPPER_MAPPED;
  self->expires_at = now + self->lifetime * SECOND;
  self->n_sent = 0;
  self->interval = 0;
  schedule_renewal (self, now);
}

static gboolean
is_grant (const HpPcpAnswer *answer)
{
  return answer->result == HP_PCP_SUCCESS && answer->lifetime > 0;
}

static gboolean
handle_map (HpPortMapper *self, const HpPcpAnswer *answer, gint64 now)
{
  if (!self->may_be_mapped
      || answer->internal_port != self->config.client.port
      || answer->protocol != HP_PCP_PROTOCOL_UDP
      || (self->version == HP_PCP_VERSION_PCP
          && memcmp (answer->nonce, self->map.nonce, HP_PCP_NONCE_SIZE) != 0))
    return FALSE;
  note_epoch (self, answer->epoch, now);
  switch (self->state)
    {
    case HP_PORT_MAPPER_ASKING:
    case HP_PORT_MAPPER_MAPPED:
      if (is_grant (answer))
        grant (self, answer, now);
      else
        refuse (self, answer->result, answer->lifetime * SECOND, now);
      return TRUE;
    case HP_PORT_MAPPER_CLOSING:
      /* It may answer what was asked before. */
      if (is_grant (answer))
        return FALSE;
      self->state = HP_PORT_MAPPER_CLOSED;
      return TRUE;
    case HP_PORT_MAPPER_REFUSED:
    case HP_PORT_MAPPER_CLOSED:
      return FALSE;
    }
  return FALSE;
}

static gboolean
handle_address (HpPortMapper *self, const HpPcpAnswer *answer, gint64 now)
{
  HpAddress host;

  if (answer->result != HP_PCP_SUCCESS)
    {
      if (self->state == HP_PORT_MAPPER_ASKING)
        refuse (self, answer->result, MIN_REFUSAL, now);
      return TRUE;
    }
  if (self->has_host)
    {
      handle_announcement (self, answer, now);
      return TRUE;
    }
  note_epoch (self, answer->epoch, now);
  host = answer->external;
  /* It may come while what was mapped before still holds. */
  host.port = self->config.client.port;
  if (!hp_address_is_usable (&host))
    {
      refuse (self, HP_PCP_SUCCESS, MAX_REFUSAL, now);
      return TRUE;
    }
  self->has_host = TRUE;
  self->external.family = host.family;
  memcpy (self->external.ip, host.ip, sizeof self->external.ip);
  send_anew (self, now);
  return TRUE;
}

/* The gateway does not know what we speak */
static gboolean
handle_other_version (HpPortMapper *self, const HpPcpAnswer *answer,
                      gint64 now)
{
  if (answer->result != HP_PCP_UNSUPPORTED_VERSION
      || self->state != HP_PORT_MAPPER_ASKING || self->n_sent == 0)
    return FALSE;
  self->may_be_mapped = FALSE;
  ask (self, answer->version, now);
  return TRUE;
}

gboolean
hp_port_mapper_receive (HpPortMapper *self, gconstpointer bytes, gsize length,
                        gint64 now)
{
  HpPcpAnswer answer;

  if (!hp_pcp_parse (&answer, bytes, length)
      || self->state == HP_PORT_MAPPER_CLOSED)
    return FALSE;
  if (answer.version != self->version)
    return handle_other_version (self, &answer, now);
  switch (answer.opcode)
    {
    case HP_PCP_ANNOUNCE:
      handle_announcement (self, &answer, now);
      return TRUE;
    case HP_PCP_ADDRESS:
      return self->state != HP_PORT_MAPPER_CLOSING
             && handle_address (self, &answer, now);
    case HP_PCP_MAP:
      return handle_map (self, &answer, now);
    }
  return FALSE;
}

/* Requests */

static void
schedule_repeat (HpPortMapper *self, gint64 now)
{
  if (self->version == HP_PCP_VERSION_NAT_PMP)
    {
      self->interval = self->interval == 0 ? NAT_PMP_FIRST_INTERVAL
                                           : 2 * self->interval;
      self->send_at = now + self->interval;
      return;
    }
  self->interval = self->interval == 0
                       ? PCP_FIRST_INTERVAL
                       : MIN (2 * self->interval, PCP_LAST_INTERVAL);
  /* A tenth more or less (RAND) */
  self->interval += draw (self, self->interval / 5) - self->interval / 10;
  self->send_at = now + self->interval;
}

static void
schedule_next (HpPortMapper *self, gint64 now)
{
  self->n_sent++;
  self->sent_at = now;
  switch (self->state)
    {
    case HP_PORT_MAPPER_ASKING:
      schedule_repeat (self, now);
      break;
    case HP_PORT_MAPPER_MAPPED:
      /* NAT-PMP's first half of it is for the address. */
      schedule_renewal (self, now);
      break;
    case HP_PORT_MAPPER_CLOSING:
      self->send_at = self->n_sent < FAREWELLS ? now + FAREWELL_INTERVAL
                                               : NEVER;
      break;
    case HP_PORT_MAPPER_REFUSED:
    case HP_PORT_MAPPER_CLOSED:
      self->send_at = NEVER;
      break;
    }
}

gsize
hp_port_mapper_pull (HpPortMapper *self, gpointer bytes, gsize capacity,
                     gint64 now)
{
  gsize length;

  if (self->state == HP_PORT_MAPPER_CLOSED || self->send_at > now)
    return 0;
  if (self->version == HP_PCP_VERSION_NAT_PMP && !self->has_host
      && self->state != HP_PORT_MAPPER_CLOSING)
    {
      length = hp_nat_pmp_write_address (bytes, capacity);
    }
  else
    {
      length = self->version == HP_PCP_VERSION_NAT_PMP
                   ? hp_nat_pmp_write_map (&self->map, bytes, capacity)
                   : hp_pcp_write_map (&self->map, bytes, capacity);
      self->may_be_mapped = TRUE;
    }
  schedule_next (self, now);
  return length;
}

gint64
hp_port_mapper_get_deadline (const HpPortMapper *self)
{
  return self->state == HP_PORT_MAPPER_CLOSED
             ? NEVER
             : MIN (self->send_at, self->expires_at);
}

void
hp_port_mapper_expire (HpPortMapper *self, gint64 now)
{
  if (self->state == HP_PORT_MAPPER_ASKING
      && self->version == HP_PCP_VERSION_NAT_PMP
      && self->n_sent >= NAT_PMP_SENDS && self->send_at <= now)
    refuse (self, HP_PCP_SUCCESS, MAX_REFUSAL, now);
  if (self->expires_at > now)
    return;
  switch (self->state)
    {
    case HP_PORT_MAPPER_MAPPED:
    case HP_PORT_MAPPER_REFUSED:
      ask (self, HP_PCP_VERSION_PCP, now);
      break;
    case HP_PORT_MAPPER_CLOSING:
      self->state = HP_PORT_MAPPER_CLOSED;
      break;
    case HP_PORT_MAPPER_ASKING:
    case HP_PORT_MAPPER_CLOSED:
      break;
    }
}

void
hp_port_mapper_check (HpPortMapper *self, gint64 now)
{
  switch (self->state)
    {
    case HP_PORT_MAPPER_ASKING:
    case HP_PORT_MAPPER_MAPPED:
      self->has_host = FALSE;
      send_anew (self, MIN (self->send_at,
                            MAX (now, self->sent_at + MIN_CHECK_INTERVAL)));
      break;
    case HP_PORT_MAPPER_REFUSED:
      ask (self, HP_PCP_VERSION_PCP, now);
      break;
    case HP_PORT_MAPPER_CLOSING:
    case HP_PORT_MAPPER_CLOSED:
      break;
    }
}

void
hp_port_mapper_close (HpPortMapper *self, gint64 now)
{
  if (self->state == HP_PORT_MAPPER_CLOSING)
    return;
  if (!self->may_be_mapped)
    {
      self->state = HP_PORT_MAPPER_CLOSED;
      return;
    }
  self->state = HP_PORT_MAPPER_CLOSING;
  self->expires_at = now + HP_PORT_MAPPER_FAREWELL;
  /* NAT-PMP wants no external port then (RFC 6886, section 3.4). */
  self->map.lifetime = 0;
  memset (&self->map.external, 0, sizeof self->map.external);
  send_anew (self, now);
}

/* How it stands */

HpPortMapperState
hp_port_mapper_get_state (const HpPortMapper *self)
{
  return self->state;
}

HpPcpVersion
hp_port_mapper_get_version (const HpPortMapper *self)
{
  return self->version;
}

const HpAddress *
hp_port_mapper_get_external (const HpPortMapper *self)
{
  return self->state == HP_PORT_MAPPER_MAPPED ? &self->external : NULL;
}

guint32
hp_port_mapper_get_lifetime (const HpPortMapper *self)
{
  return self->lifetime;
}

guint
hp_port_mapper_get_result (const HpPortMapper *self)
{
  return self->result;
}
