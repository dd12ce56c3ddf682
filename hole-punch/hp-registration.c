/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-registration-private.h"

/**
 * SECTION:hp-registration
 * @title: HpRegistration
 * @short_description: Who is behind an id
 *
 * What a match server knows of a peer: its id, the fingerprint of its identity,
 * and the address that its datagrams come from. The signals of #HpMatchServer
 * tell of peers by such objects, and a #HpRegistry answers with them; they do
 * not change. One that several match servers share also says at which of them
 * the peer is: #HpRegistration:server.
 */

/**
 * HpRegistration:
 *
 * A peer, as a match server knows it.
 *
 * Since: 1.0
 */

struct _HpRegistration
{
  GObject parent_instance;

  char *id;
  char *fingerprint;
  GSocketAddress *address;
  char *server;
};

G_DEFINE_FINAL_TYPE (HpRegistration, hp_registration, G_TYPE_OBJECT)

typedef enum
{
  PROP_ID = 1,
  PROP_FINGERPRINT,
  PROP_ADDRESS,
  PROP_SERVER,
} HpRegistrationProperty;

static GParamSpec *properties[PROP_SERVER + 1];

static void
hp_registration_finalize (GObject *object)
{
  HpRegistration *self = HP_REGISTRATION (object);

  g_free (self->id);
  g_free (self->fingerprint);
  g_clear_object (&self->address);
  g_free (self->server);
  G_OBJECT_CLASS (hp_registration_parent_class)->finalize (object);
}

static void
hp_registration_get_property (GObject *object, guint property_id,
                              GValue *value, GParamSpec *pspec)
{
  HpRegistration *self = HP_REGISTRATION (object);

  switch ((HpRegistrationProperty) property_id)
    {
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_ADDRESS:
      g_value_set_object (value, self->address);
      break;
    case PROP_SERVER:
      g_value_set_string (value, self->server);
      break;
    }
}

static void
hp_registration_set_property (GObject *object, guint property_id,
                              const GValue *value, GParamSpec *pspec)
{
  HpRegistration *self = HP_REGISTRATION (object);

  switch ((HpRegistrationProperty) property_id)
    {
    case PROP_ID:
      self->id = g_value_dup_string (value);
      break;
    case PROP_FINGERPRINT:
      self->fingerprint = g_value_dup_string (value);
      break;
    case PROP_ADDRESS:
      self->address = g_value_dup_object (value);
      break;
    case PROP_SERVER:
      self->server = g_value_dup_string (value);
      break;
    }
}

static void
hp_registration_class_init (HpRegistrationClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY
                            | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = hp_registration_finalize;
  object_class->get_property = hp_registration_get_property;
  object_class->set_property = hp_registration_set_property;

  /**
   * HpRegistration:id:
   *
   * The id of the peer, %NULL if it has none: one that only calls others needs
   * no id.
   *
   * Since: 1.0
   */
  properties[PROP_ID]
      = g_param_spec_string ("id", "Id", "Id of the peer", NULL, flags);
  /**
   * HpRegistration:fingerprint:
   *
   * The fingerprint of the peer's identity: see #HpIdentity:fingerprint.
   *
   * Since: 1.0
   */
  properties[PROP_FINGERPRINT]
      = g_param_spec_string ("fingerprint", "Fingerprint",
                             "Fingerprint of the peer", NULL, flags);
  /**
   * HpRegistration:address:
   *
   * The public address of the peer as the match server sees it, %NULL if it is
   * not known.
   *
   * Since: 1.0
   */
  properties[PROP_ADDRESS]
      = g_param_spec_object ("address", "Address", "Address of the peer",
                             G_TYPE_SOCKET_ADDRESS, flags);
  /**
   * HpRegistration:server:
   *
   * The name of the match server that the peer is connected to, in a registry
   * that several of them share: what hp_registry_get_server_name() gives there.
   * %NULL if the peer is at none, or nobody knows.
   *
   * Since: 1.0
   */
  properties[PROP_SERVER]
      = g_param_spec_string ("server", "Server", "Where the peer is connected",
                             NULL, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_registration_init (HpRegistration *self)
{
}

HpRegistration *
hp_registration_new_private (const char *id, const char *fingerprint,
                             const HpAddress *address)
{
  g_autoptr (GSocketAddress) socket_address
      = address != NULL ? hp_address_to_socket_address (address) : NULL;

  if (id != NULL && *id == '\0')
    id = NULL;
  return g_object_new (HP_TYPE_REGISTRATION, "id", id, "fingerprint",
                       fingerprint, "address", socket_address, NULL);
}

/**
 * hp_registration_new:
 * @id: (nullable): an id
 * @fingerprint: the fingerprint of the identity that holds it
 *
 * Makes a registration, for a #HpRegistry to answer with.
 *
 * Returns: (transfer full): a new #HpRegistration
 *
 * Since: 1.0
 */
HpRegistration *
hp_registration_new (const char *id, const char *fingerprint)
{
  return g_object_new (HP_TYPE_REGISTRATION, "id", id, "fingerprint",
                       fingerprint, NULL);
}

/**
 * hp_registration_get_id:
 * @self: a #HpRegistration
 *
 * Gets #HpRegistration:id.
 *
 * Returns: (transfer none) (nullable): an id
 *
 * Since: 1.0
 */
const char *
hp_registration_get_id (HpRegistration *self)
{
  g_return_val_if_fail (HP_IS_REGISTRATION (self), NULL);

  return self->id;
}

/**
 * hp_registration_get_fingerprint:
 * @self: a #HpRegistration
 *
 * Gets #HpRegistration:fingerprint.
 *
 * Returns: (transfer none) (nullable): a fingerprint, %NULL if it was made
 *   without one
 *
 * Since: 1.0
 */
const char *
hp_registration_get_fingerprint (HpRegistration *self)
{
  g_return_val_if_fail (HP_IS_REGISTRATION (self), NULL);

  return self->fingerprint;
}

/**
 * hp_registration_get_address:
 * @self: a #HpRegistration
 *
 * Gets #HpRegistration:address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_registration_get_address (HpRegistration *self)
{
  g_return_val_if_fail (HP_IS_REGISTRATION (self), NULL);

  return self->address;
}

/**
 * hp_registration_get_server:
 * @self: a #HpRegistration
 *
 * Gets #HpRegistration:server.
 *
 * Returns: (transfer none) (nullable): the name of a match server
 *
 * Since: 1.0
 */
const char *
hp_registration_get_server (HpRegistration *self)
{
  g_return_val_if_fail (HP_IS_REGISTRATION (self), NULL);

  return self->server;
}
