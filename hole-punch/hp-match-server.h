/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-authorization.h>
#include <hole-punch/hp-enums.h>
#include <hole-punch/hp-identity.h>
#include <hole-punch/hp-registration.h>
#include <hole-punch/hp-registry.h>
#include <hole-punch/hp-server-statistics.h>

G_BEGIN_DECLS

#define HP_TYPE_MATCH_SERVER (hp_match_server_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (HpMatchServer, hp_match_server, HP, MATCH_SERVER,
                          GObject)

/**
 * HpMatchServerClass:
 * @parent_class: the parent class
 * @peer_registered: default handler of #HpMatchServer::peer-registered
 * @peer_expired: default handler of #HpMatchServer::peer-expired
 * @introduced: default handler of #HpMatchServer::introduced
 *
 * The class of #HpMatchServer.
 *
 * Since: 1.0
 */
struct _HpMatchServerClass
{
  GObjectClass parent_class;

  void (*peer_registered) (HpMatchServer *self, HpRegistration *registration);
  void (*peer_expired) (HpMatchServer *self, HpRegistration *registration);
  void (*introduced) (HpMatchServer *self, HpRegistration *caller,
                      HpRegistration *callee);

  /*< private >*/
  gpointer padding[9];
};

HP_AVAILABLE_IN_ALL
HpMatchServer *hp_match_server_new (guint port);

HP_AVAILABLE_IN_ALL
const char *hp_match_server_get_listen_address (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_listen_address (HpMatchServer *self,
                                         const char *listen_address);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_port (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_port (HpMatchServer *self, guint port);
HP_AVAILABLE_IN_ALL
HpIdentity *hp_match_server_get_identity (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_identity (HpMatchServer *self, HpIdentity *identity);
HP_AVAILABLE_IN_ALL
HpRegistry *hp_match_server_get_registry (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_registry (HpMatchServer *self, HpRegistry *registry);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_workers (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_workers (HpMatchServer *self, guint workers);
HP_AVAILABLE_IN_ALL
int hp_match_server_get_second_port (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_second_port (HpMatchServer *self, int second_port);
HP_AVAILABLE_IN_ALL
const char *hp_match_server_get_second_address (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_second_address (HpMatchServer *self,
                                         const char *second_address);
HP_AVAILABLE_IN_ALL
const char *const *hp_match_server_get_turn_servers (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_turn_servers (HpMatchServer *self,
                                       const char *const *turn_servers);
HP_AVAILABLE_IN_ALL
const char *hp_match_server_get_turn_secret (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_turn_secret (HpMatchServer *self,
                                      const char *turn_secret);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_turn_lifetime (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_turn_lifetime (HpMatchServer *self, guint seconds);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_registration_lifetime (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_registration_lifetime (HpMatchServer *self,
                                                guint seconds);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_max_peers (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_max_peers (HpMatchServer *self, guint max_peers);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_max_handshakes_per_second (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_max_handshakes_per_second (HpMatchServer *self,
                                                    guint max_handshakes);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_max_asks_per_minute (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_max_asks_per_minute (HpMatchServer *self,
                                              guint max_asks);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_max_total_handshakes_per_second (
    HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_max_total_handshakes_per_second (
    HpMatchServer *self, guint max_handshakes);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_max_registrations_per_network (
    HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_max_registrations_per_network (
    HpMatchServer *self, guint max_registrations);
HP_AVAILABLE_IN_ALL
guint hp_match_server_get_max_stun_per_second (
    HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_set_max_stun_per_second (
    HpMatchServer *self, guint max_answers);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_match_server_get_local_address (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
HpServerStatistics *hp_match_server_get_statistics (HpMatchServer *self);

HP_AVAILABLE_IN_ALL
gboolean hp_match_server_start (HpMatchServer *self, GError **error);
HP_AVAILABLE_IN_ALL
void hp_match_server_stop (HpMatchServer *self);
HP_AVAILABLE_IN_ALL
void hp_match_server_review_registrations (HpMatchServer *self);

G_END_DECLS
