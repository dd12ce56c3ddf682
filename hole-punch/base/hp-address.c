/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-address.h"

#include <netinet/in.h>
#include <string.h>

static gsize
ip_size (const HpAddress *self)
{
  return self->family == HP_ADDRESS_IPV4 ? 4 : 16;
}

gboolean
hp_address_equal (gconstpointer a, gconstpointer b)
{
  const HpAddress *left = a;
  const HpAddress *right = b;

  return left->family == right->family && left->port == right->port
         && left->scope_id == right->scope_id
         && memcmp (left->ip, right->ip, sizeof left->ip) == 0;
}

guint
hp_address_hash (gconstpointer address)
{
  const HpAddress *self = address;
  guint64 words[2];
  guint64 hash;

  memcpy (words, self->ip, sizeof words);
  hash = words[0] ^ (words[1] * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15))
         ^ ((guint64) self->port << 32) ^ self->family;
  hash *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  return hash >> 32;
}

gboolean
hp_address_same_host (const HpAddress *a, const HpAddress *b)
{
  return a->family == b->family && a->scope_id == b->scope_id
         && memcmp (a->ip, b->ip, sizeof a->ip) == 0;
}

static HpAddressScope
get_ipv4_scope (const guint8 *ip)
{
  if (ip[0] == 127)
    return HP_SCOPE_LOOPBACK;
  if (ip[0] == 0 || ip[0] >= 224)
    return HP_SCOPE_INVALID;
  if (ip[0] == 169 && ip[1] == 254)
    return HP_SCOPE_LINK;
  if (ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16)
      || (ip[0] == 192 && ip[1] == 168))
    return HP_SCOPE_PRIVATE;
  if (ip[0] == 100 && (ip[1] & 0xc0) == 64)
    return HP_SCOPE_CARRIER;
  return HP_SCOPE_GLOBAL;
}

static HpAddressScope
get_ipv6_scope (const guint8 *ip)
{
  static const guint8 zeros[15];

  if (memcmp (ip, zeros, 15) == 0)
    return ip[15] == 1 ? HP_SCOPE_LOOPBACK : HP_SCOPE_INVALID;
  if (ip[0] == 0xff)
    return HP_SCOPE_INVALID;
  if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
    return HP_SCOPE_LINK;
  if ((ip[0] & 0xfe) == 0xfc)
    return HP_SCOPE_PRIVATE;
  return HP_SCOPE_GLOBAL;
}

gsize
hp_address_get_prefix (const HpAddress *self,
                       guint8 prefix[HP_ADDRESS_PREFIX_SIZE])
{
  gsize size = self->family == HP_ADDRESS_IPV6 ? 6 : 3;

  prefix[0] = self->family;
  memcpy (prefix + 1, self->ip, size);
  return 1 + size;
}

HpAddressScope
hp_address_get_scope (const HpAddress *self)
{
  switch ((HpAddressFamily) self->family)
    {
    case HP_ADDRESS_IPV4:
      return get_ipv4_scope (self->ip);
    case HP_ADDRESS_IPV6:
      return get_ipv6_scope (self->ip);
    case HP_ADDRESS_NONE:
      break;
    }
  return HP_SCOPE_INVALID;
}

gboolean
hp_address_is_private (const HpAddress *self)
{
  HpAddressScope scope = hp_address_get_scope (self);

  return scope != HP_SCOPE_GLOBAL && scope != HP_SCOPE_INVALID;
}

gboolean
hp_address_is_usable (const HpAddress *self)
{
  return self->port != 0 && hp_address_get_scope (self) != HP_SCOPE_INVALID;
}

static gboolean
set_ipv6 (HpAddress *self, const guint8 *ip, guint16 port, guint32 scope_id)
{
  static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };

  memset (self, 0, sizeof *self);
  self->port = port;
  if (memcmp (ip, mapped, sizeof mapped) == 0)
    {
      self->family = HP_ADDRESS_IPV4;
      memcpy (self->ip, ip + 12, 4);
      return TRUE;
    }
  self->family = HP_ADDRESS_IPV6;
  memcpy (self->ip, ip, 16);
  if (get_ipv6_scope (ip) == HP_SCOPE_LINK)
    self->scope_id = scope_id;
  return TRUE;
}

gboolean
hp_address_from_native (HpAddress *self, gconstpointer sockaddr, gsize length)
{
  sa_family_t family;

  memset (self, 0, sizeof *self);
  if (length < sizeof family)
    return FALSE;
  memcpy (&family, sockaddr, sizeof family);
  if (family == AF_INET && length >= sizeof (struct sockaddr_in))
    {
      struct sockaddr_in in;

      memcpy (&in, sockaddr, sizeof in);
      self->family = HP_ADDRESS_IPV4;
      self->port = g_ntohs (in.sin_port);
      memcpy (self->ip, &in.sin_addr, 4);
      return TRUE;
    }
  if (family == AF_INET6 && length >= sizeof (struct sockaddr_in6))
    {
      struct sockaddr_in6 in6;

      memcpy (&in6, sockaddr, sizeof in6);
      return set_ipv6 (self, in6.sin6_addr.s6_addr, g_ntohs (in6.sin6_port),
                       in6.sin6_scope_id);
    }
  return FALSE;
}

gsize
hp_address_to_native (const HpAddress *self, gpointer sockaddr)
{
  struct sockaddr_in in = { .sin_family = AF_INET };
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

  switch ((HpAddressFamily) self->family)
    {
    case HP_ADDRESS_IPV4:
      in.sin_port = g_htons (self->port);
      memcpy (&in.sin_addr, self->ip, 4);
      memcpy (sockaddr, &in, sizeof in);
      return sizeof in;
    case HP_ADDRESS_IPV6:
      in6.sin6_port = g_htons (self->port);
      in6.sin6_scope_id = self->scope_id;
      memcpy (&in6.sin6_addr, self->ip, 16);
      memcpy (sockaddr, &in6, sizeof in6);
      return sizeof in6;
    case HP_ADDRESS_NONE:
      break;
    }
  return 0;
}

gboolean
hp_address_from_socket_address (HpAddress *self, GSocketAddress *address)
{
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (address);

  if (size < 0 || (gsize) size > sizeof native
      || !g_socket_address_to_native (address, &native, sizeof native, NULL))
    {
      memset (self, 0, sizeof *self);
      return FALSE;
    }
  return hp_address_from_native (self, &native, size);
}

GSocketAddress *
hp_address_to_socket_address (const HpAddress *self)
{
  g_autoptr (GInetAddress) inet = NULL;

  if (self->family == HP_ADDRESS_NONE)
    return NULL;
  inet = g_inet_address_new_from_bytes (self->ip,
                                        self->family == HP_ADDRESS_IPV4
                                            ? G_SOCKET_FAMILY_IPV4
                                            : G_SOCKET_FAMILY_IPV6);
  return g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", inet, "port",
                       (guint) self->port, "scope-id", self->scope_id, NULL);
}

gboolean
hp_address_parse (HpAddress *self, const char *text)
{
  g_autofree char *host = NULL;
  g_autoptr (GSocketAddress) address = NULL;
  const char *colon = strrchr (text, ':');
  guint64 port;

  memset (self, 0, sizeof *self);
  if (colon == NULL
      || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port,
                                      NULL))
    return FALSE;
  if (text[0] == '[')
    {
      if (colon == text || colon[-1] != ']')
        return FALSE;
      host = g_strndup (text + 1, colon - text - 2);
    }
  else
    {
      host = g_strndup (text, colon - text);
      if (strchr (host, ':') != NULL)
        return FALSE;
    }
  address = g_inet_socket_address_new_from_string (host, port);
  return address != NULL && hp_address_from_socket_address (self, address);
}

char *
hp_address_to_string (const HpAddress *self)
{
  g_autoptr (GSocketAddress) address = hp_address_to_socket_address (self);

  if (address == NULL)
    return g_strdup ("none");
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

void
hp_address_write (const HpAddress *self, HpWriter *writer)
{
  hp_writer_u8 (writer, self->family);
  if (self->family == HP_ADDRESS_NONE)
    return;
  hp_writer_u16 (writer, self->port);
  hp_writer_bytes (writer, self->ip, ip_size (self));
}

void
hp_address_read (HpAddress *self, HpReader *reader)
{
  guint8 ip[16] = { 0 };
  guint16 port;

  memset (self, 0, sizeof *self);
  switch (hp_reader_u8 (reader))
    {
    case HP_ADDRESS_NONE:
      break;
    case HP_ADDRESS_IPV4:
      self->family = HP_ADDRESS_IPV4;
      self->port = hp_reader_u16 (reader);
      hp_reader_copy (reader, self->ip, 4);
      break;
    case HP_ADDRESS_IPV6:
      port = hp_reader_u16 (reader);
      hp_reader_copy (reader, ip, sizeof ip);
      set_ipv6 (self, ip, port, 0);
      if (self->family != HP_ADDRESS_IPV6)
        reader->failed = TRUE;
      break;
    default:
      reader->failed = TRUE;
      break;
    }
}

gboolean
hp_route_equal (const HpRoute *a, const HpRoute *b)
{
  return a->socket == b->socket && hp_address_equal (&a->remote, &b->remote)
         && hp_address_same_host (&a->local, &b->local);
}
