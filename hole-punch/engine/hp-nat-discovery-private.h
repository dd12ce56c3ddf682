/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The discovery's inside, shared by its party (hp-nat-discovery.c) and the
 * steps that it takes (hp-nat-discovery-steps.c). */

#pragma once

#include "hole-punch/engine/hp-nat-discovery.h"
#include "hole-punch/engine/hp-nat-questions.h"
#include "hole-punch/engine/hp-nat-trial.h"
#include "hole-punch/nat/hp-nat-samples.h"

#define HP_NAT_NEVER G_MAXINT64
#define HP_NAT_MAX_SOCKETS HP_NAT_BLOCK_SAMPLES

typedef enum
{
  HP_NAT_STEP_IDLE,    /* nobody to ask, or none answered */
  HP_NAT_STEP_LOOK,    /* socket 0, all servers */
  HP_NAT_STEP_COMPARE, /* socket 0 at the other port, some fresh sockets */
  HP_NAT_STEP_HAIRPIN, /* two of them to each other */
  HP_NAT_STEP_MORE,    /* many fresh sockets */
  HP_NAT_STEP_DRIFT,   /* one more, later */
  HP_NAT_STEP_DONE,
} HpNatStep;

struct _HpNatDiscovery
{
  HpParty party;
  HpEndpoint *endpoint;
  HpNatBudget *budget;
  HpNatChangedFunc changed;
  HpNatKnockFunc knock; /* NULL: nobody knocks */
  gpointer user_data;
  HpNatQuestions questions;

  HpAddress servers[HP_NAT_MAX_SERVERS];
  guint n_servers;
  guint n_known;

  HpNatStep step;
  HpNatSamples samples;
  HpAddress main;   /* the first server that has answered; NONE: none yet */
  HpAddress other;  /* where else it can be asked, or NONE */
  HpAddress mapped; /* socket 0, as @main sees it */
  guint sockets[HP_NAT_MAX_SOCKETS]; /* fresh ones, open */
  guint n_sockets;
  guint fresh_left; /* still to be opened … */
  gint64 fresh_at;  /* … one at this time */
  gint64 pace;
  gint64 tell_at;    /* when it lasts too long */
  gint64 began_at;   /* of this run; 0: never */
  gint64 restart_at; /* HP_NAT_NEVER: not to be begun anew */
  gint64 sampled_at;

  gboolean wants_filtering; /* the next fresh socket is for it */
  HpNatTrial filtering;
  HpNatTrial silence; /* a socket is left in it for longer and longer */
  guint n_silences;   /* outlived */
  guint lifetime;     /* s */

  HpNatFacts facts; /* as of @facts_at */
  gint64 facts_at;
  gboolean is_known;
  gboolean has_news;
};

/* hp-nat-discovery.c */

/* A question to a server; nothing if there is no budget for the NAT entry that
 * a new one makes */
void hp_nat_discovery_ask (HpNatDiscovery *self, guint socket,
                           const HpAddress *server, gboolean is_new,
                           gint64 now);
gboolean hp_nat_discovery_may_make_entry (HpNatDiscovery *self, gint64 now);
/* A socket whose port was not used before, among @sockets, and the entry paid
 * for; 0: none to be had */
guint hp_nat_discovery_open_fresh (HpNatDiscovery *self, gint64 now);
void hp_nat_discovery_close_sockets (HpNatDiscovery *self);
/* And closes its socket */
void hp_nat_discovery_stop_trial (HpNatDiscovery *self, HpNatTrial *trial);
void hp_nat_discovery_set_hairpin (HpNatDiscovery *self,
                                   HpWireHairpin hairpin);
/* What the samples say by now */
void hp_nat_discovery_judge (HpNatDiscovery *self, gint64 now);

/* hp-nat-discovery-steps.c */

/* From the first step on, at once */
void hp_nat_discovery_begin (HpNatDiscovery *self, gint64 now);
/* Takes the next steps if this one is over */
void hp_nat_discovery_advance (HpNatDiscovery *self, gint64 now);
/* A fresh socket was opened, the last one: if one is wanted for it */
void hp_nat_discovery_begin_filtering (HpNatDiscovery *self, gint64 now);
/* What knocks have shown */
void hp_nat_discovery_advance_trials (HpNatDiscovery *self, gint64 now);
/* What an answer says of the servers themselves */
void hp_nat_discovery_take_server (HpNatDiscovery *self,
                                   const HpAddress *server,
                                   const HpAddress *mapped,
                                   const HpAddress *other);
