/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One run of a match server, from start to stop: the service's protocol at one
 * endpoint or, each in a thread of its own, several; its questions to the
 * registry and to the owner.
 *
 *    datagrams ──▸ HpEndpoint ──stray──▸ HpMatchService ──events──▸ HpMatchRun
 *                                              ▴                     │    │
 *                                              │ answer              ▾    ▾
 *                                              └──────── HpRegistry, hooks
 *
 * A server that starts again gets a new run: answers that come late find the
 * old one, stopped, and nothing happens.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/hp-authorization.h"
#include "hole-punch/hp-identity.h"
#include "hole-punch/hp-registry.h"
#include "hole-punch/hp-server-statistics-private.h"

typedef struct
{
  guint registration_lifetime; /* seconds */
  guint max_peers;
  guint max_handshakes_per_second;
  guint max_asks_per_minute;
  guint max_total_handshakes_per_second; /* of each worker */
  guint max_registrations_per_network;
  guint max_stun_per_second;
  guint8 review; /* see HpMatchServiceConfig */
} HpMatchLimits;

typedef struct
{
  const char *listen_address; /* NULL: any */
  guint16 port;               /* 0: any free one */
  int second_port;            /* 0: any free one, -1: none */
  const char *second_address; /* NULL: none */
  guint n_workers; /* 1: in the caller's context; 0: as many as there are
                      processors, if the system can do that */
} HpMatchListen;

typedef enum
{
  HP_MATCH_PERMISSION_REGISTRATION,
  HP_MATCH_PERMISSION_INTRODUCTION,
} HpMatchPermission;

typedef enum
{
  HP_MATCH_TIDING_REGISTERED,
  HP_MATCH_TIDING_EXPIRED,
  HP_MATCH_TIDING_INTRODUCED,
} HpMatchTiding;

/* Called from a dispatch of the context that the run was made in, with that as
 * thread-default. Each may do anything; after hp_match_run_stop() none is
 * called any more. */
typedef struct
{
  void (*registered) (gpointer owner, HpRegistration *peer);
  void (*expired) (gpointer owner, HpRegistration *peer);
  void (*introduced) (gpointer owner, HpRegistration *caller,
                      HpRegistration *callee);
  /* FALSE: nobody needs to be told */
  gboolean (*is_listening) (gpointer owner, HpMatchTiding tiding);
  /* FALSE: the answer is yes, without asking */
  gboolean (*wants_to_answer) (gpointer owner, HpMatchPermission permission);
  void (*authorize) (gpointer owner, HpMatchPermission permission,
                     HpAuthorization *authorization);
} HpMatchRunHooks;

typedef struct _HpMatchRun HpMatchRun;

/* Binds; what has to be asked and told is asked and told in the caller's
 * thread-default context */
HpMatchRun *hp_match_run_new (const HpMatchListen *listen,
                              HpIdentity *identity, HpRegistry *registry,
                              const HpMatchLimits *limits,
                              const HpMatchRunHooks *hooks, gpointer owner,
                              GError **error);
void hp_match_run_unref (HpMatchRun *self);
/* Says CLOSE to all peers; may be called from inside any hook */
void hp_match_run_stop (HpMatchRun *self);
void hp_match_run_set_limits (HpMatchRun *self, const HpMatchLimits *limits);
/* The TURN servers that peers are told of, and the secret that they share with
 * us, NULL if there are none */
void hp_match_run_set_relays (HpMatchRun *self, const char *const *uris,
                              const char *secret, guint lifetime);
/* What it is bound to */
const HpAddress *hp_match_run_get_address (HpMatchRun *self);
/* 0: none */
guint16 hp_match_run_get_second_port (HpMatchRun *self);
/* Of a stopped run, those of its end. Of one with several workers they take a
 * moment, in which this waits for them; half a second at most, if the machine
 * has no time for them, and then it makes do with what it was told before. */
void hp_match_run_get_statistics (HpMatchRun *self,
                                  HpServerStatisticsValues *values);
