/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "translator.h"

#include "nat-table.h"

#include <string.h>

typedef enum
{
  DROP_TTL,
  DROP_UDP_BLOCKED,
  DROP_NO_MAPPING,
  DROP_FILTERED,
  DROP_PORT_TAKEN,
  DROP_NO_PORT,
  DROP_TABLE_FULL,
  DROP_HAIRPIN,
  DROP_NOT_OURS,
  DROP_UNRELATED,
  DROP_PROTOCOL,
  DROP_FRAGMENT,
  DROP_MALFORMED,
  N_DROPS,
} Drop;

static const char *const drop_names[N_DROPS] = {
  "ttl",       "udp-blocked", "no-mapping", "filtered", "port-taken",
  "no-port",   "table-full",  "hairpin",    "not-ours", "unrelated-error",
  "protocol",  "fragment",    "malformed",
};

typedef struct
{
  Endpoint address;
  guint bits;
} Prefix;

struct _Translator
{
  NatRules rules;
  NatTable *table;
  GArray *inside; /* Prefix */
  guint64 sent, received, turned;
  guint64 drops[N_DROPS];
};

Translator *
translator_new (const NatRules *rules, guint32 seed)
{
  Translator *self = g_new0 (Translator, 1);

  self->rules = *rules;
  self->table = nat_table_new (&self->rules, seed);
  self->inside = g_array_new (FALSE, FALSE, sizeof (Prefix));
  return self;
}

void
translator_free (Translator *self)
{
  nat_table_free (self->table);
  g_array_unref (self->inside);
  g_free (self);
}

/* May be changed at any time; what is mapped already stays so. */
NatRules *
translator_get_rules (Translator *self)
{
  return &self->rules;
}

/* The outer address, of IPv4; FALSE if @text is none. */
gboolean
translator_set_address (Translator *self, const char *text)
{
  Endpoint address;

  if (!endpoint_parse_address (&address, text) || strchr (text, ':') != NULL)
    return FALSE;
  nat_table_set_address (self->table, &address);
  return TRUE;
}

/* What is sent from inside to addresses of @prefix ("10.1.0.0/24") does not
 * leave. */
gboolean
translator_add_inside (Translator *self, const char *prefix)
{
  g_auto (GStrv) parts = g_strsplit (prefix, "/", 2);
  guint64 bits;
  Prefix added;

  if (g_strv_length (parts) != 2
      || !endpoint_parse_address (&added.address, parts[0])
      || !g_ascii_string_to_unsigned (parts[1], 10, 0, 128, &bits, NULL))
    return FALSE;
  added.bits = strchr (parts[0], ':') != NULL ? bits : MIN (bits + 96, 128);
  g_array_append_val (self->inside, added);
  return TRUE;
}

/* All mappings are forgotten. */
void
translator_reboot (Translator *self)
{
  nat_table_clear (self->table);
}

/* ---- packets ---- */

static gboolean
has_prefix (const Endpoint *endpoint, const Prefix *prefix)
{
  for (guint bit = 0; bit < prefix->bits; bit += 8)
    {
      guint8 mask = prefix->bits - bit < 8 ? 0xff00 >> (prefix->bits - bit)
                                           : 0xff;

      if (((endpoint->address[bit / 8] ^ prefix->address.address[bit / 8])
           & mask) != 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_inside (Translator *self, const Endpoint *endpoint)
{
  for (guint i = 0; i < self->inside->len; i++)
    if (has_prefix (endpoint, &g_array_index (self->inside, Prefix, i)))
      return TRUE;
  return FALSE;
}

static Verdict
drop (Translator *self, Drop reason)
{
  self->drops[reason]++;
  return TRANSLATOR_DROPPED;
}

static Verdict
drop_unanswered (Translator *self, NatAnswer answer)
{
  switch (answer)
    {
    case NAT_FILTERED:
      return drop (self, DROP_FILTERED);
    case NAT_PORT_TAKEN:
      return drop (self, DROP_PORT_TAKEN);
    case NAT_NO_PORT:
      return drop (self, DROP_NO_PORT);
    case NAT_TABLE_FULL:
      return drop (self, DROP_TABLE_FULL);
    case NAT_NO_MAPPING:
    case NAT_FOUND:
      break;
    }
  return drop (self, DROP_NO_MAPPING);
}

static gboolean
is_translated (Translator *self, const Headers *headers)
{
  return !headers->ipv6 && self->rules.mapping != DEPENDS_NONE;
}

static gboolean
is_own_address (Translator *self, const Headers *headers)
{
  return is_translated (self, headers)
         && endpoint_has_address_of (&headers->destination,
                                     nat_table_get_address (self->table));
}

/* What is treated alike in both directions; FALSE if the packet ends here. */
static gboolean
accept_packet (Translator *self, Headers *headers, Verdict *verdict)
{
  Drop reason = N_DROPS;

  if (headers->kind == PACKET_MALFORMED)
    reason = DROP_MALFORMED;
  else if (headers->kind == PACKET_FRAGMENT)
    reason = DROP_FRAGMENT;
  else if (headers->kind == PACKET_OTHER)
    reason = DROP_PROTOCOL;
  else if (headers->kind == PACKET_UDP && !self->rules.udp)
    reason = DROP_UDP_BLOCKED;
  else if (!headers_pass_hop (headers))
    reason = DROP_TTL;
  if (reason == N_DROPS)
    return TRUE;
  *verdict = drop (self, reason);
  return FALSE;
}

/* RFC 5508, section 4.2: an error from inside is about a packet that came in,
 * and says so in the terms of the outside. */
static Verdict
send_error (Translator *self, Headers *headers, gint64 now)
{
  Headers quoted;
  Endpoint outside;

  if (!headers_parse_quoted (&quoted, headers))
    return drop (self, DROP_UNRELATED);
  if (!nat_table_find_outside (self->table, quoted.kind, &quoted.destination,
                               &quoted.source, &outside, now))
    {
      if (self->rules.filtering != DEPENDS_NONE)
        return drop (self, DROP_UNRELATED);
      self->sent++;
      return TRANSLATOR_PASSED;
    }
  if (is_translated (self, headers))
    {
      headers_set_destination (&quoted, &outside);
      headers_sum_error (headers);
      headers_set_source (headers, &outside);
    }
  self->sent++;
  return TRANSLATOR_PASSED;
}

/* The other way round.  It says something of the packet, and nothing of the
 * mapping, which stays. */
static Verdict
receive_error (Translator *self, Headers *headers, gint64 now)
{
  Headers quoted;
  Endpoint inside;

  if (!headers_parse_quoted (&quoted, headers))
    return drop (self, DROP_UNRELATED);
  if (!nat_table_find_inside (self->table, quoted.kind, &quoted.source,
                              &quoted.destination, &inside, now))
    {
      if (self->rules.filtering != DEPENDS_NONE)
        return drop (self, DROP_UNRELATED);
      self->received++;
      return TRANSLATOR_PASSED;
    }
  if (is_translated (self, headers))
    {
      headers_set_source (&quoted, &inside);
      headers_sum_error (headers);
      headers_set_destination (headers, &inside);
    }
  self->received++;
  return TRANSLATOR_PASSED;
}

/* RFC 4787, section 6: from one inner endpoint to another one's outer one, and
 * with the sender's outer one as its source. */
static Verdict
turn (Translator *self, Headers *headers, gint64 now)
{
  Endpoint outside, inside;
  NatAnswer answer;

  if (!self->rules.hairpin)
    return drop (self, DROP_HAIRPIN);
  answer = nat_table_send (self->table, headers, &outside, now);
  if (answer == NAT_FOUND)
    answer = nat_table_receive (self->table, headers, &outside, &inside, now);
  if (answer != NAT_FOUND)
    return drop_unanswered (self, answer);
  headers_set_source (headers, &outside);
  headers_set_destination (headers, &inside);
  self->turned++;
  return TRANSLATOR_TURNED;
}

/* @packet comes from inside. */
Verdict
translator_send (Translator *self, Packet *packet, gint64 now)
{
  gboolean is_summed
      = (packet->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0;
  Headers headers;
  Endpoint outside;
  NatAnswer answer;
  Verdict verdict;

  headers_parse (&headers, packet->data, packet->size, is_summed);
  if (headers.kind != PACKET_MALFORMED
      && is_inside (self, &headers.destination))
    return TRANSLATOR_TURNED;
  if (!accept_packet (self, &headers, &verdict))
    return verdict;
  if (headers.kind == PACKET_ERROR)
    return send_error (self, &headers, now);
  if (is_own_address (self, &headers))
    return turn (self, &headers, now);
  answer = nat_table_send (self->table, &headers, &outside, now);
  if (answer != NAT_FOUND)
    return drop_unanswered (self, answer);
  if (is_translated (self, &headers))
    headers_set_source (&headers, &outside);
  self->sent++;
  return TRANSLATOR_PASSED;
}

/* @packet comes from outside. */
Verdict
translator_receive (Translator *self, Packet *packet, gint64 now)
{
  gboolean is_summed
      = (packet->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0;
  Headers headers;
  Endpoint inside;
  NatAnswer answer;
  Verdict verdict;

  headers_parse (&headers, packet->data, packet->size, is_summed);
  if (!accept_packet (self, &headers, &verdict))
    return verdict;
  if (is_translated (self, &headers) && !is_own_address (self, &headers))
    return drop (self, DROP_NOT_OURS);
  if (headers.kind == PACKET_ERROR)
    return receive_error (self, &headers, now);
  answer = nat_table_receive (self->table, &headers, &headers.source, &inside,
                              now);
  if (answer != NAT_FOUND)
    return drop_unanswered (self, answer);
  if (is_translated (self, &headers))
    headers_set_destination (&headers, &inside);
  self->received++;
  return TRANSLATOR_PASSED;
}

/* ---- statistics ---- */

void
translator_forget_statistics (Translator *self)
{
  nat_table_forget_statistics (self->table);
  self->sent = self->received = self->turned = 0;
  memset (self->drops, 0, sizeof self->drops);
}

/* As the members of a JSON object. */
void
translator_write_statistics (Translator *self, GString *json, gint64 now)
{
  g_autofree char *address
      = endpoint_write_address (nat_table_get_address (self->table));

  g_string_append_printf (json, "\"address\": \"%s\", \"hosts\": ", address);
  nat_table_write_statistics (self->table, json, now);
  g_string_append_printf (json,
                          ", \"packets\": {\"sent\": %" G_GUINT64_FORMAT
                          ", \"received\": %" G_GUINT64_FORMAT
                          ", \"turned\": %" G_GUINT64_FORMAT
                          "}, \"dropped\": {",
                          self->sent, self->received, self->turned);
  for (guint i = 0; i < N_DROPS; i++)
    g_string_append_printf (json, "%s\"%s\": %" G_GUINT64_FORMAT,
                            i > 0 ? ", " : "", drop_names[i], self->drops[i]);
  g_string_append_c (json, '}');
}
