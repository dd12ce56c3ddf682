/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-nat-info-private.h"

/**
 * SECTION:hp-nat-info
 * @title: HpNatInfo
 * @short_description: What is between a peer and the Internet
 *
 * What a peer has found out about the NATs on its way to the Internet, by
 * asking its match servers, and the #HpPeer:stun-servers if there are any, as
 * what they see it: #HpPeer:nat. Both sides of a connection in the making tell
 * each other of it, and choose their way through accordingly.
 *
 * An object is a snapshot: its properties do not change any more. When more is
 * found out, or the network changes, #HpPeer:nat is another one.
 *
 * The words are those of RFC 4787. With several NATs one behind the other, it
 * is what they do together.
 */

/**
 * HpNatInfo:
 *
 * Facts about NATs.
 *
 * Since: 1.0
 */

struct _HpNatInfo
{
  GObject parent_instance;

  HpNatFacts facts;
  guint mapping_lifetime; /* s */
  GSocketAddress *public_address;
};

G_DEFINE_FINAL_TYPE (HpNatInfo, hp_nat_info, G_TYPE_OBJECT)

/* The public enums and those on the wire are one. */
G_STATIC_ASSERT ((int) HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT
                 == (int) HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT);
G_STATIC_ASSERT ((int) HP_NAT_FILTERING_ADDRESS_AND_PORT_DEPENDENT
                 == (int) HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT);
G_STATIC_ASSERT ((int) HP_NAT_ALLOCATION_RANDOM
                 == (int) HP_WIRE_ALLOCATION_RANDOM);
G_STATIC_ASSERT ((int) HP_NAT_HAIRPIN_YES == (int) HP_WIRE_HAIRPIN_YES);

typedef enum
{
  PROP_MAPPING = 1,
  PROP_FILTERING,
  PROP_ALLOCATION,
  PROP_STEP,
  PROP_DRIFT,
  PROP_FIRST_PORT,
  PROP_LAST_PORT,
  PROP_HAIRPIN,
  PROP_MAPPING_LIFETIME,
  PROP_PUBLIC_ADDRESS,
} HpNatInfoProperty;

static GParamSpec *properties[PROP_PUBLIC_ADDRESS + 1];

static void
hp_nat_info_finalize (GObject *object)
{
  HpNatInfo *self = HP_NAT_INFO (object);

  g_clear_object (&self->public_address);
  G_OBJECT_CLASS (hp_nat_info_parent_class)->finalize (object);
}

static void
hp_nat_info_get_property (GObject *object, guint property_id, GValue *value,
                          GParamSpec *pspec)
{
  HpNatInfo *self = HP_NAT_INFO (object);

  switch ((HpNatInfoProperty) property_id)
    {
    case PROP_MAPPING:
      g_value_set_enum (value, self->facts.mapping);
      break;
    case PROP_FILTERING:
      g_value_set_enum (value, self->facts.filtering);
      break;
    case PROP_ALLOCATION:
      g_value_set_enum (value, self->facts.allocation);
      break;
    case PROP_STEP:
      g_value_set_int (value, self->facts.step);
      break;
    case PROP_DRIFT:
      g_value_set_uint (value, self->facts.drift);
      break;
    case PROP_FIRST_PORT:
      g_value_set_uint (value, self->facts.first_port);
      break;
    case PROP_LAST_PORT:
      g_value_set_uint (value, self->facts.last_port);
      break;
    case PROP_HAIRPIN:
      g_value_set_enum (value, self->facts.hairpin);
      break;
    case PROP_MAPPING_LIFETIME:
      g_value_set_uint (value, self->mapping_lifetime);
      break;
    case PROP_PUBLIC_ADDRESS:
      g_value_set_object (value, self->public_address);
      break;
    }
}

#define FACT (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_kinds (void)
{
  /**
   * HpNatInfo:mapping:
   *
   * As what the NAT shows the peer to others.
   *
   * Since: 1.0
   */
  properties[PROP_MAPPING] = g_param_spec_enum (
      "mapping", "Mapping", "As what the NAT shows the peer",
      HP_TYPE_NAT_MAPPING, HP_NAT_MAPPING_UNKNOWN, FACT);
  /**
   * HpNatInfo:filtering:
   *
   * What the NAT, or a firewall, lets in. A match server tries it out; without
   * a second address it cannot tell %HP_NAT_FILTERING_ENDPOINT_INDEPENDENT from
   * %HP_NAT_FILTERING_ADDRESS_DEPENDENT, and the latter is told. Without a
   * second port it is not known.
   *
   * Since: 1.0
   */
  properties[PROP_FILTERING] = g_param_spec_enum (
      "filtering", "Filtering", "What the NAT lets in", HP_TYPE_NAT_FILTERING,
      HP_NAT_FILTERING_UNKNOWN, FACT);
  /**
   * HpNatInfo:allocation:
   *
   * Which port the NAT gives to something new.
   *
   * Since: 1.0
   */
  properties[PROP_ALLOCATION] = g_param_spec_enum (
      "allocation", "Allocation", "Which port the NAT gives",
      HP_TYPE_NAT_ALLOCATION, HP_NAT_ALLOCATION_UNKNOWN, FACT);
  /**
   * HpNatInfo:hairpin:
   *
   * Whether peers behind the same NAT reach each other by their public
   * addresses.
   *
   * Since: 1.0
   */
  properties[PROP_HAIRPIN] = g_param_spec_enum (
      "hairpin", "Hairpin", "Whether the NAT turns datagrams round",
      HP_TYPE_NAT_HAIRPIN, HP_NAT_HAIRPIN_UNKNOWN, FACT);
}

static void
install_numbers (void)
{
  /**
   * HpNatInfo:step:
   *
   * With %HP_NAT_ALLOCATION_SEQUENTIAL, from one port to the next; it may be
   * negative. Else 0.
   *
   * Since: 1.0
   */
  properties[PROP_STEP] = g_param_spec_int (
      "step", "Step", "From one port to the next", G_MININT16, G_MAXINT16, 0,
      FACT);
  /**
   * HpNatInfo:drift:
   *
   * With %HP_NAT_ALLOCATION_SEQUENTIAL, how many ports a second the NAT gives
   * to others. Else 0.
   *
   * Since: 1.0
   */
  properties[PROP_DRIFT] = g_param_spec_uint (
      "drift", "Drift", "Ports given to others in a second", 0, G_MAXUINT16, 0,
      FACT);
  /**
   * HpNatInfo:first-port:
   *
   * With %HP_NAT_ALLOCATION_BLOCK, where the block seems to begin; else the
   * lowest port that was seen; 0: none was.
   *
   * Since: 1.0
   */
  properties[PROP_FIRST_PORT] = g_param_spec_uint (
      "first-port", "First port", "The lowest port", 0, G_MAXUINT16, 0, FACT);
  /**
   * HpNatInfo:last-port:
   *
   * With %HP_NAT_ALLOCATION_BLOCK, where the block seems to end; else the
   * highest port that was seen; 0: none was.
   *
   * Since: 1.0
   */
  properties[PROP_LAST_PORT] = g_param_spec_uint (
      "last-port", "Last port", "The highest port", 0, G_MAXUINT16, 0, FACT);
  /**
   * HpNatInfo:mapping-lifetime:
   *
   * The seconds of silence that a mapping has outlived, at least: a match
   * server with a second port tries it out, which takes minutes. 0: not known.
   *
   * Since: 1.0
   */
  properties[PROP_MAPPING_LIFETIME] = g_param_spec_uint (
      "mapping-lifetime", "Mapping lifetime",
      "Seconds of silence that a mapping outlives", 0, G_MAXUINT, 0, FACT);
  /**
   * HpNatInfo:public-address:
   *
   * Address and port as which the server that was asked sees the peer.
   *
   * Since: 1.0
   */
  properties[PROP_PUBLIC_ADDRESS] = g_param_spec_object (
      "public-address", "Public address", "As what a server sees the peer",
      G_TYPE_SOCKET_ADDRESS, FACT);
}

static void
hp_nat_info_class_init (HpNatInfoClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = hp_nat_info_finalize;
  object_class->get_property = hp_nat_info_get_property;
  install_kinds ();
  install_numbers ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_nat_info_init (HpNatInfo *self)
{
}

HpNatInfo *
hp_nat_info_new (const HpNatFacts *facts, guint lifetime,
                 const HpAddress *mapped)
{
  HpNatInfo *self = g_object_new (HP_TYPE_NAT_INFO, NULL);

  self->facts = *facts;
  self->mapping_lifetime = lifetime;
  if (mapped != NULL)
    self->public_address = hp_address_to_socket_address (mapped);
  return self;
}

static gboolean
same_address (GSocketAddress *a, GSocketAddress *b)
{
  HpAddress left = { 0 };
  HpAddress right = { 0 };

  if (a != NULL)
    (void) hp_address_from_socket_address (&left, a);
  if (b != NULL)
    (void) hp_address_from_socket_address (&right, b);
  return hp_address_equal (&left, &right);
}

gboolean
hp_nat_info_equal (HpNatInfo *a, HpNatInfo *b)
{
  return hp_nat_facts_same_kind (&a->facts, &b->facts)
         && a->facts.drift == b->facts.drift
         && a->facts.first_port == b->facts.first_port
         && a->facts.last_port == b->facts.last_port
         && a->mapping_lifetime == b->mapping_lifetime
         && same_address (a->public_address, b->public_address);
}

/**
 * hp_nat_info_get_mapping:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:mapping.
 *
 * Returns: a way of mapping
 *
 * Since: 1.0
 */
HpNatMapping
hp_nat_info_get_mapping (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), HP_NAT_MAPPING_UNKNOWN);

  return self->facts.mapping;
}

/**
 * hp_nat_info_get_filtering:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:filtering.
 *
 * Returns: a way of filtering
 *
 * Since: 1.0
 */
HpNatFiltering
hp_nat_info_get_filtering (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), HP_NAT_FILTERING_UNKNOWN);

  return self->facts.filtering;
}

/**
 * hp_nat_info_get_allocation:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:allocation.
 *
 * Returns: a way of choosing ports
 *
 * Since: 1.0
 */
HpNatAllocation
hp_nat_info_get_allocation (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), HP_NAT_ALLOCATION_UNKNOWN);

  return self->facts.allocation;
}

/**
 * hp_nat_info_get_step:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:step.
 *
 * Returns: from one port to the next
 *
 * Since: 1.0
 */
int
hp_nat_info_get_step (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), 0);

  return self->facts.step;
}

/**
 * hp_nat_info_get_drift:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:drift.
 *
 * Returns: ports in a second
 *
 * Since: 1.0
 */
guint
hp_nat_info_get_drift (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), 0);

  return self->facts.drift;
}

/**
 * hp_nat_info_get_first_port:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:first-port.
 *
 * Returns: a port, or 0
 *
 * Since: 1.0
 */
guint
hp_nat_info_get_first_port (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), 0);

  return self->facts.first_port;
}

/**
 * hp_nat_info_get_last_port:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:last-port.
 *
 * Returns: a port, or 0
 *
 * Since: 1.0
 */
guint
hp_nat_info_get_last_port (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), 0);

  return self->facts.last_port;
}

/**
 * hp_nat_info_get_hairpin:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:hairpin.
 *
 * Returns: whether datagrams are turned round
 *
 * Since: 1.0
 */
HpNatHairpin
hp_nat_info_get_hairpin (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), HP_NAT_HAIRPIN_UNKNOWN);

  return self->facts.hairpin;
}

/**
 * hp_nat_info_get_mapping_lifetime:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:mapping-lifetime.
 *
 * Returns: seconds, or 0
 *
 * Since: 1.0
 */
guint
hp_nat_info_get_mapping_lifetime (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), 0);

  return self->mapping_lifetime;
}

/**
 * hp_nat_info_get_public_address:
 * @self: a #HpNatInfo
 *
 * Gets #HpNatInfo:public-address.
 *
 * Returns: (transfer none) (nullable): an address and port
 *
 * Since: 1.0
 */
GSocketAddress *
hp_nat_info_get_public_address (HpNatInfo *self)
{
  g_return_val_if_fail (HP_IS_NAT_INFO (self), NULL);

  return self->public_address;
}

static const char *const mapping_texts[] = {
  [HP_NAT_MAPPING_UNKNOWN] = "not known",
  [HP_NAT_MAPPING_NONE] = "none, there is no NAT",
  [HP_NAT_MAPPING_PORT_INDEPENDENT] = "the same for all ports of a host",
  [HP_NAT_MAPPING_ENDPOINT_INDEPENDENT] = "the same for everybody",
  [HP_NAT_MAPPING_ADDRESS_DEPENDENT] = "another port for each host",
  [HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT]
  = "another port for each host and port (symmetric)",
};

static const char *const filtering_texts[] = {
  [HP_NAT_FILTERING_UNKNOWN] = "not known",
  [HP_NAT_FILTERING_ENDPOINT_INDEPENDENT] = "everybody may send",
  [HP_NAT_FILTERING_ADDRESS_DEPENDENT] = "hosts that were sent to may send",
  [HP_NAT_FILTERING_ADDRESS_AND_PORT_DEPENDENT]
  = "hosts and ports that were sent to may send",
};

static const char *const hairpin_texts[] = {
  [HP_NAT_HAIRPIN_UNKNOWN] = "not known",
  [HP_NAT_HAIRPIN_NO] = "no",
  [HP_NAT_HAIRPIN_YES] = "yes",
};

static void
append_allocation (HpNatInfo *self, GString *text)
{
  g_string_append (text, "Ports: ");
  switch ((HpNatAllocation) self->facts.allocation)
    {
    case HP_NAT_ALLOCATION_UNKNOWN:
      g_string_append (text, "not known");
      break;
    case HP_NAT_ALLOCATION_PRESERVED:
      g_string_append (text, "preserved");
      break;
    case HP_NAT_ALLOCATION_SEQUENTIAL:
      g_string_append_printf (text,
                              "in sequence, by %d, %u a second for others",
                              self->facts.step, self->facts.drift);
      break;
    case HP_NAT_ALLOCATION_BLOCK:
      g_string_append_printf (text, "any from %u to %u", self->facts.first_port,
                              self->facts.last_port);
      break;
    case HP_NAT_ALLOCATION_RANDOM:
      g_string_append (text, "random");
      break;
    }
  g_string_append_c (text, '\n');
}

/**
 * hp_nat_info_to_string:
 * @self: a #HpNatInfo
 *
 * Writes the facts down for people: a line each, a name, a colon, the fact.
 * Programs should read the properties.
 *
 * Returns: (transfer full): a text of several lines
 *
 * Since: 1.0
 */
char *
hp_nat_info_to_string (HpNatInfo *self)
{
  GString *text;

  g_return_val_if_fail (HP_IS_NAT_INFO (self), NULL);

  text = g_string_new (NULL);
  g_string_append_printf (text, "Mapping: %s\n",
                          mapping_texts[self->facts.mapping]);
  g_string_append_printf (text, "Filtering: %s\n",
                          filtering_texts[self->facts.filtering]);
  append_allocation (self, text);
  g_string_append_printf (text, "Hairpin: %s\n",
                          hairpin_texts[self->facts.hairpin]);
  if (self->mapping_lifetime > 0)
    g_string_append_printf (text, "Mapping lifetime: %u s at least\n",
                            self->mapping_lifetime);
  if (self->public_address != NULL)
    {
      g_autofree char *address = g_socket_connectable_to_string (
          G_SOCKET_CONNECTABLE (self->public_address));

      g_string_append_printf (text, "Public address: %s\n", address);
    }
  return g_string_free (text, FALSE);
}
