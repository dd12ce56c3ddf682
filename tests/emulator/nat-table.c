/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "nat-table.h"

#include "nat-ports.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000000)
#define TCP_LIFETIME (7200 * SECOND)
#define TCP_LIFETIME_ENDED (10 * SECOND)
#define ECHO_LIFETIME (30 * SECOND)
#define KNOCK_LIFETIME (30 * SECOND) /* of Linux, for what has no answer */

/* Compared as bytes: there are none between the members. */
typedef struct
{
  Endpoint near, far;
  guint16 kind;
} Key;

typedef struct
{
  Key key; /* the address alone */
  guint64 created, mappings; /* ever */
  guint64 now, peak;
  guint64 others; /* created ever for TCP and ICMP */
} Host;

typedef struct _Mapping Mapping;

struct _Mapping
{
  Key key; /* the inner endpoint, and what counts of the remote one */
  Endpoint outside;
  gint64 expires, ends;
  GPtrArray *entries;
  Mapping *next; /* of the same outer port */
};

typedef struct
{
  Key sent;     /* inner and remote endpoint */
  Key received; /* outer and remote endpoint */
  Mapping *mapping; /* %NULL for what came unasked */
  Host *host;
  gint64 expires;
} Entry;

struct _NatTable
{
  const NatRules *rules;
  Endpoint address;
  NatPorts *ports;
  GHashTable *mappings; /* Key → Mapping */
  GHashTable *outside;  /* Key without the remote end → first Mapping */
  GHashTable *sent;     /* Key → Entry */
  GHashTable *received; /* Key → Entry */
  GHashTable *hosts;    /* Key → Host */
  gint64 next_purge;
};

/* What the rules say for one kind of packet. */
typedef struct
{
  Dependence mapping, filtering;
  PortChoice ports;
  gint64 lifetime, absolute;
} Policy;

/* ---- keys ---- */

static guint
hash_key (gconstpointer key)
{
  const guint8 *bytes = key;
  guint32 hash = 2166136261u;

  for (gsize i = 0; i < sizeof (Key); i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Key)) == 0;
}

static Key
make_key (PacketKind kind, const Endpoint *near, const Endpoint *far)
{
  Key key;

  memset (&key, 0, sizeof key);
  key.kind = kind;
  key.near = *near;
  if (far != NULL)
    key.far = *far;
  return key;
}

/* Leaves what counts of the far end. */
static Key
reduce_key (const Key *key, Dependence dependence)
{
  Key reduced = make_key (key->kind, &key->near, &key->far);

  if (dependence < DEPENDS_ADDRESS)
    memset (&reduced.far, 0, sizeof reduced.far);
  else if (dependence == DEPENDS_ADDRESS)
    reduced.far.port = 0;
  return reduced;
}

/* ---- policies ---- */

/* IPv6 is never translated (RFC 4864): its filter is a firewall's.  TCP and
 * ICMP are treated simply and alike by every NAT. */
static Policy
get_policy (NatTable *self, const Headers *packet)
{
  const NatRules *rules = self->rules;
  Policy policy = {
    .mapping = rules->mapping,
    .filtering = rules->filtering,
    .ports = rules->ports,
    .lifetime = rules->lifetime,
    .absolute = rules->absolute_lifetime,
  };

  if (packet->kind != PACKET_UDP || packet->ipv6)
    {
      policy.mapping = MIN (policy.mapping, DEPENDS_ENDPOINT_INDEPENDENT);
      policy.ports = PORTS_PRESERVED;
      if (policy.filtering != DEPENDS_NONE)
        policy.filtering = DEPENDS_ADDRESS_AND_PORT;
    }
  if (packet->ipv6)
    policy.mapping = DEPENDS_NONE;
  if (packet->kind == PACKET_TCP)
    policy.lifetime = headers_end_connection (packet) ? TCP_LIFETIME_ENDED
                                                      : TCP_LIFETIME;
  else if (packet->kind == PACKET_ECHO)
    policy.lifetime = ECHO_LIFETIME;
  return policy;
}

/* ---- coming and going ---- */

static Host *
get_host (NatTable *self, const Endpoint *inside)
{
  Key key = make_key (0, inside, NULL);
  Host *host;

  key.near.port = 0;
  host = g_hash_table_lookup (self->hosts, &key);
  if (host == NULL)
    {
      host = g_new0 (Host, 1);
      host->key = key;
      g_hash_table_insert (self->hosts, &host->key, host);
    }
  return host;
}

static void
remove_entry (NatTable *self, Entry *entry)
{
  g_hash_table_remove (self->received, &entry->received);
  if (entry->mapping != NULL)
    {
      g_hash_table_remove (self->sent, &entry->sent);
      g_ptr_array_remove_fast (entry->mapping->entries, entry);
      if (entry->sent.kind == PACKET_UDP)
        entry->host->now--;
    }
  g_free (entry);
}

static void
remove_mapping (NatTable *self, Mapping *mapping)
{
  Key outside = make_key (mapping->key.kind, &mapping->outside, NULL);
  Mapping *first = g_hash_table_lookup (self->outside, &outside);

  while (mapping->entries->len > 0)
    remove_entry (self, g_ptr_array_index (mapping->entries, 0));
  if (first != mapping)
    {
      while (first->next != mapping)
        first = first->next;
      first->next = mapping->next;
    }
  else if (mapping->next != NULL)
    g_hash_table_insert (self->outside,
                         g_memdup2 (&outside, sizeof outside), mapping->next);
  else
    g_hash_table_remove (self->outside, &outside);
  g_hash_table_remove (self->mappings, &mapping->key);
  g_ptr_array_unref (mapping->entries);
  g_free (mapping);
}

static gboolean
is_mapping_over (const Mapping *mapping, gint64 now)
{
  return now >= mapping->expires || now >= mapping->ends;
}

static gboolean
is_entry_over (const Entry *entry, gint64 now)
{
  return now >= entry->expires
         || (entry->mapping != NULL && is_mapping_over (entry->mapping, now));
}

/* Of those that are still good. */
static Entry *
find_entry (GHashTable *entries, const Key *key, gint64 now)
{
  Entry *entry = g_hash_table_lookup (entries, key);

  return entry != NULL && !is_entry_over (entry, now) ? entry : NULL;
}

static GPtrArray *
get_values (GHashTable *table)
{
  GPtrArray *values = g_ptr_array_sized_new (g_hash_table_size (table));
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (values, value);
  return values;
}

/* Throws away all that is over. */
static void
purge (NatTable *self, gint64 now)
{
  g_autoptr (GPtrArray) mappings = get_values (self->mappings);
  g_autoptr (GPtrArray) entries = get_values (self->received);

  for (guint i = 0; i < entries->len; i++)
    if (is_entry_over (entries->pdata[i], now))
      remove_entry (self, entries->pdata[i]);
  for (guint i = 0; i < mappings->len; i++)
    if (is_mapping_over (mappings->pdata[i], now))
      remove_mapping (self, mappings->pdata[i]);
}

NatTable *
nat_table_new (const NatRules *rules, guint32 seed)
{
  NatTable *self = g_new0 (NatTable, 1);

  self->rules = rules;
  self->ports = nat_ports_new (rules, seed);
  self->mappings = g_hash_table_new (hash_key, equal_keys);
  self->outside = g_hash_table_new_full (hash_key, equal_keys, g_free, NULL);
  self->sent = g_hash_table_new (hash_key, equal_keys);
  self->received = g_hash_table_new (hash_key, equal_keys);
  self->hosts = g_hash_table_new_full (hash_key, equal_keys, NULL, g_free);
  return self;
}

void
nat_table_free (NatTable *self)
{
  nat_table_clear (self);
  nat_ports_free (self->ports);
  g_hash_table_unref (self->mappings);
  g_hash_table_unref (self->outside);
  g_hash_table_unref (self->sent);
  g_hash_table_unref (self->received);
  g_hash_table_unref (self->hosts);
  g_free (self);
}

/* What new mappings are given from now on. */
void
nat_table_set_address (NatTable *self, const Endpoint *address)
{
  self->address = *address;
}

const Endpoint *
nat_table_get_address (const NatTable *self)
{
  return &self->address;
}

/* Forgets all mappings, as a reboot does; not what was counted. */
void
nat_table_clear (NatTable *self)
{
  purge (self, G_MAXINT64);
  nat_ports_clear (self->ports);
}

/* ---- outwards ---- */

typedef struct
{
  NatTable *self;
  const Key *sent;
  gint64 now;
} Search;

static gboolean
is_port_free (gpointer user, guint16 port)
{
  Search *search = user;
  NatTable *self = search->self;
  Endpoint outside = self->address;
  const Mapping *mapping;
  Key key;

  outside.port = port;
  key = make_key (search->sent->kind, &outside, &search->sent->far);
  if (find_entry (self->received, &key, search->now) != NULL)
    return FALSE;
  if (self->rules->overload)
    return TRUE;
  key = make_key (search->sent->kind, &outside, NULL);
  for (mapping = g_hash_table_lookup (self->outside, &key); mapping != NULL;
       mapping = mapping->next)
    if (!is_mapping_over (mapping, search->now))
      return FALSE;
  return TRUE;
}

static NatAnswer
add_mapping (NatTable *self, const Policy *policy, const Key *key,
             const Key *sent, gint64 now, Mapping **added)
{
  Endpoint outside = sent->near;
  Search search = { self, sent, now };
  Mapping *mapping = g_hash_table_lookup (self->mappings, key);
  Key port;

  if (mapping != NULL)
    remove_mapping (self, mapping); /* which is over */
  if (self->rules->max_mappings > 0
      && g_hash_table_size (self->mappings) >= self->rules->max_mappings)
    return NAT_TABLE_FULL;
  if (policy->mapping != DEPENDS_NONE)
    {
      outside = self->address;
      outside.port = nat_ports_choose (self->ports, policy->ports, &sent->near,
                                       now, is_port_free, &search);
      if (outside.port == 0)
        return NAT_NO_PORT;
    }
  mapping = g_new0 (Mapping, 1);
  mapping->key = *key;
  mapping->outside = outside;
  mapping->ends = policy->absolute > 0 ? now + policy->absolute : G_MAXINT64;
  mapping->entries = g_ptr_array_new ();
  g_hash_table_insert (self->mappings, &mapping->key, mapping);
  port = make_key (key->kind, &outside, NULL);
  mapping->next = g_hash_table_lookup (self->outside, &port);
  g_hash_table_insert (self->outside, g_memdup2 (&port, sizeof port), mapping);
  *added = mapping;
  return NAT_FOUND;
}

static Mapping *
find_mapping (NatTable *self, const Key *key, gint64 now)
{
  Mapping *mapping = g_hash_table_lookup (self->mappings, key);

  return mapping != NULL && !is_mapping_over (mapping, now) ? mapping : NULL;
}

/* The mapping that @sent is to use, and @key under which it is kept.  Where
 * somebody else has its port towards the same remote endpoint, it is one of
 * its own, even if the NAT is endpoint-independent otherwise. */
static Mapping *
choose_mapping (NatTable *self, const Policy *policy, const Key *sent,
                gint64 now, Key *key)
{
  Mapping *mapping;
  Key received;

  *key = reduce_key (sent, policy->mapping);
  mapping = find_mapping (self, key, now);
  if (mapping == NULL)
    return NULL;
  received = make_key (sent->kind, &mapping->outside, &sent->far);
  if (find_entry (self->received, &received, now) == NULL)
    return mapping;
  *key = *sent;
  return find_mapping (self, key, now);
}

static void
count_entry (Host *host, const Entry *entry, gboolean is_new_mapping)
{
  if (entry->sent.kind != PACKET_UDP)
    {
      host->others++;
      return;
    }
  host->created++;
  host->mappings += is_new_mapping;
  host->now++;
  host->peak = MAX (host->peak, host->now);
}

static NatAnswer
add_entry (NatTable *self, const Policy *policy, const Key *sent, gint64 now,
           Entry **added)
{
  NatAnswer answer = NAT_FOUND;
  gboolean is_new = FALSE;
  Mapping *mapping;
  Entry *entry;
  Key key;

  entry = g_hash_table_lookup (self->sent, sent);
  if (entry != NULL)
    remove_entry (self, entry); /* which is over */
  if (self->rules->max_entries > 0
      && g_hash_table_size (self->sent) >= self->rules->max_entries)
    return NAT_TABLE_FULL;
  mapping = choose_mapping (self, policy, sent, now, &key);
  if (mapping == NULL)
    {
      is_new = TRUE;
      answer = add_mapping (self, policy, &key, sent, now, &mapping);
    }
  if (answer != NAT_FOUND)
    return answer;
  key = make_key (sent->kind, &mapping->outside, &sent->far);
  entry = g_hash_table_lookup (self->received, &key);
  if (entry != NULL)
    remove_entry (self, entry); /* which is over */
  entry = g_new0 (Entry, 1);
  entry->sent = *sent;
  entry->received = key;
  entry->mapping = mapping;
  entry->host = get_host (self, &sent->near);
  g_ptr_array_add (mapping->entries, entry);
  g_hash_table_insert (self->sent, &entry->sent, entry);
  g_hash_table_insert (self->received, &entry->received, entry);
  count_entry (entry->host, entry, is_new);
  *added = entry;
  return NAT_FOUND;
}

static void
refresh (Mapping *mapping, Entry *entry, const Policy *policy, gint64 now)
{
  mapping->expires = now + policy->lifetime;
  if (entry != NULL)
    entry->expires = mapping->expires;
}

/* What @packet, which comes from inside, is to say it comes from. */
NatAnswer
nat_table_send (NatTable *self, const Headers *packet, Endpoint *outside,
                gint64 now)
{
  Policy policy = get_policy (self, packet);
  Key sent = make_key (packet->kind, &packet->source, &packet->destination);
  NatAnswer answer = NAT_FOUND;
  Entry *entry;

  if (now >= self->next_purge)
    {
      purge (self, now);
      self->next_purge = now + SECOND;
    }
  entry = find_entry (self->sent, &sent, now);
  if (entry == NULL)
    answer = add_entry (self, &policy, &sent, now, &entry);
  if (answer != NAT_FOUND)
    return answer;
  refresh (entry->mapping, entry, &policy, now);
  *outside = entry->mapping->outside;
  return NAT_FOUND;
}

/* ---- inwards ---- */

static gboolean
is_let_in (const Mapping *mapping, Dependence filtering,
           const Endpoint *remote, gint64 now)
{
  if (filtering <= DEPENDS_ENDPOINT_INDEPENDENT)
    return TRUE;
  if (filtering == DEPENDS_ADDRESS)
    for (guint i = 0; i < mapping->entries->len; i++)
      {
        const Entry *entry = mapping->entries->pdata[i];

        if (!is_entry_over (entry, now)
            && endpoint_has_address_of (&entry->sent.far, remote))
          return TRUE;
      }
  return FALSE;
}

/* Common, though no RFC wants it: connection tracking takes note of what is
 * sent to the box itself, and then that port cannot be used towards that
 * sender. */
static void
add_knock (NatTable *self, const Key *received, gint64 now)
{
  Entry *entry = g_hash_table_lookup (self->received, received);

  if (entry != NULL)
    remove_entry (self, entry); /* which is over */
  entry = g_new0 (Entry, 1);
  entry->received = *received;
  entry->expires = now + KNOCK_LIFETIME;
  g_hash_table_insert (self->received, &entry->received, entry);
}

static NatAnswer
receive_unasked (NatTable *self, const Policy *policy, const Key *received,
                 Endpoint *inside, gint64 now)
{
  Key key = make_key (received->kind, &received->near, NULL);
  NatAnswer answer = NAT_NO_MAPPING;

  for (Mapping *mapping = g_hash_table_lookup (self->outside, &key);
       mapping != NULL; mapping = mapping->next)
    {
      if (is_mapping_over (mapping, now))
        continue;
      answer = NAT_FILTERED;
      if (!is_let_in (mapping, policy->filtering, &received->far, now))
        continue;
      if (self->rules->refresh_inbound)
        refresh (mapping, NULL, policy, now);
      *inside = mapping->key.near;
      return NAT_FOUND;
    }
  if (policy->mapping == DEPENDS_NONE && policy->filtering == DEPENDS_NONE)
    {
      *inside = received->near;
      return NAT_FOUND;
    }
  if (self->rules->knock_takes && policy->mapping != DEPENDS_NONE
      && received->kind == PACKET_UDP)
    add_knock (self, received, now);
  return answer;
}

/* Where inside @packet goes to; it comes from @remote. */
NatAnswer
nat_table_receive (NatTable *self, const Headers *packet,
                   const Endpoint *remote, Endpoint *inside, gint64 now)
{
  Policy policy = get_policy (self, packet);
  Key received = make_key (packet->kind, &packet->destination, remote);
  Entry *entry = find_entry (self->received, &received, now);

  if (entry == NULL)
    return receive_unasked (self, &policy, &received, inside, now);
  if (entry->mapping == NULL)
    return NAT_PORT_TAKEN;
  if (self->rules->refresh_inbound)
    refresh (entry->mapping, entry, &policy, now);
  *inside = entry->sent.near;
  return NAT_FOUND;
}

/* ---- what errors are about ---- */

gboolean
nat_table_find_outside (NatTable *self, PacketKind kind,
                        const Endpoint *inside, const Endpoint *remote,
                        Endpoint *outside, gint64 now)
{
  Key key = make_key (kind, inside, remote);
  const Entry *entry = find_entry (self->sent, &key, now);

  if (entry == NULL)
    return FALSE;
  *outside = entry->mapping->outside;
  return TRUE;
}

gboolean
nat_table_find_inside (NatTable *self, PacketKind kind,
                       const Endpoint *outside, const Endpoint *remote,
                       Endpoint *inside, gint64 now)
{
  Key key = make_key (kind, outside, remote);
  const Entry *entry = find_entry (self->received, &key, now);

  if (entry == NULL || entry->mapping == NULL)
    return FALSE;
  *inside = entry->sent.near;
  return TRUE;
}

/* ---- statistics ---- */

void
nat_table_forget_statistics (NatTable *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Host *host = value;

      host->created = host->mappings = host->others = 0;
      host->peak = host->now;
    }
}

/* As a JSON object with a member for each inner address. */
void
nat_table_write_statistics (NatTable *self, GString *json, gint64 now)
{
  GHashTableIter iter;
  gpointer value;

  purge (self, now);
  g_string_append_c (json, '{');
  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Host *host = value;
      g_autofree char *address = endpoint_write_address (&host->key.near);

      g_string_append_printf (
          json,
          "%s\"%s\": {\"created\": %" G_GUINT64_FORMAT
          ", \"now\": %" G_GUINT64_FORMAT ", \"peak\": %" G_GUINT64_FORMAT
          ", \"mappings\": %" G_GUINT64_FORMAT
          ", \"others\": %" G_GUINT64_FORMAT "}",
          g_str_has_suffix (json->str, "{") ? "" : ", ", address,
          host->created, host->now, host->peak, host->mappings, host->others);
    }
  g_string_append_c (json, '}');
}
