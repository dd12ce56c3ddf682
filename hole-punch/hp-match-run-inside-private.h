/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The inside of a match server's run, shared by its course (hp-match-run.c),
 * where it is to be found (hp-match-run-places.c) and the relays that it names
 * (hp-match-run-relays.c). */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/hp-match-run-private.h"

struct _HpMatchRun
{
  HpParty party;
  HpEndpoint *endpoint;    /* NULL: stopped */
  HpMatchService *service; /* NULL: stopped */
  HpKeyPair local;
  guint registration_lifetime; /* seconds */
  HpRegistry *registry;
  GCancellable *cancellable; /* of the questions to the registry */
  gboolean registry_fails;   /* as of its last answer: said once */
  const HpMatchRunHooks *hooks;
  gpointer owner;
  HpAddress address;
  guint16 second_port; /* 0: none */
  char **relay_uris;   /* NULL before they are set */
  char *relay_secret;
  guint relay_lifetime;                /* seconds */
  HpServerStatisticsValues statistics; /* when it stopped */
};

/* hp-match-run-places.c */

/* The first socket */
HpEndpoint *hp_match_run_open_endpoint (HpMatchRun *self,
                                        const HpMatchListen *listen,
                                        HpStrayFunc stray, GError **error);
/* The others, if they are wanted */
gboolean hp_match_run_open_second (HpMatchRun *self,
                                   const HpMatchListen *listen,
                                   GError **error);

/* hp-match-run-relays.c */

void hp_match_run_answer_relays (HpMatchRun *self,
                                 const HpServiceEvent *event,
                                 const char *fingerprint);
void hp_match_run_forget_relays (HpMatchRun *self);
