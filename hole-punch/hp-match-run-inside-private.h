/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The inside of a match server's run.
 *
 *   hp-match-run.c             its life, and what all of its workers are told
 *   hp-match-run-places.c      where it is to be found
 *   hp-match-run-worker.c      a worker: an endpoint and a service
 *   hp-match-run-orders.c      what it is told
 *   hp-match-run-directory.c   which worker has whom
 *   hp-match-run-registry.c    what the registry is asked
 *   hp-match-run-servers.c     messages to and from other servers
 *   hp-match-run-hooks.c       what the application is asked and told
 *   hp-match-run-relays.c      the relays that it names
 *   hp-match-run-statistics.c
 *
 * The owner is the thread that has started the server; registry and
 * application are its business alone. With one worker everything happens in
 * it, and what owner and worker have to say to each other are plain calls.
 * With several, each has a thread, and they are mail:
 *
 *   worker 0 ◂──▸ worker 1 …     orders: where is …, carry this …
 *       ▴ │         ▴ │
 *       │ └──┐   ┌──┘ │          reports: events of the service, as they are
 *       └─┐  ▾   ▾  ┌─┘
 *         └─ owner ─┘            orders: the answers
 *
 * Mail that is under way is of no use to anybody when the run stops: it is
 * freed. Nobody waits for an answer, but the owner, when it stops and joins the
 * threads, and a moment for statistics.
 */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-mailbox.h"
#include "hole-punch/engine/hp-match-directory.h"
#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/hp-match-run-private.h"

typedef struct _HpMatchWorker HpMatchWorker;
typedef struct _HpMatchOrder HpMatchOrder;

/* At the beginning of what a worker is told; on the heap */
struct _HpMatchOrder
{
  HpMail mail;
  void (*obey) (HpMatchWorker *worker, HpMatchOrder *self);
  void (*clear) (HpMatchOrder *self); /* before it is freed; may be NULL */
};

/* What a worker tells the owner */
typedef struct
{
  HpMail mail;
  HpMatchWorker *worker;
  HpServiceEvent event;
  guint8 message[]; /* the event's */
} HpMatchReport;

/* What a worker has counted */
typedef struct
{
  HpServiceStatistics inner;
  HpEndpointStatistics outer;
} HpMatchCounts;

struct _HpMatchWorker
{
  HpParty party;
  HpMatchRun *run;
  guint number;
  HpEndpoint *endpoint;    /* NULL: stopped */
  HpMatchService *service; /* NULL: stopped */
  HpMatchCounts counts;    /* the owner's: the last that it was told */
  int n_peers;             /* atomic */
  guint64 n_dropped;       /* of its mail: a mailbox was full */

  /* With several workers only */
  GThread *thread; /* NULL: not started */
  GMainContext *context;
  HpMailbox *mailbox;
  HpMatchDirectory *directory;
  gboolean is_quitting;
  HpMails reports;                      /* not sent yet */
  HpMails orders[HP_MATCH_MAX_WORKERS]; /* likewise */
};

struct _HpMatchRun
{
  /* Do not change while it runs */
  HpMatchWorker *workers;
  guint n_workers;
  HpKeyPair local;
  guint8 cookie_seed[HP_KEY_SIZE];
  gint64 cookie_clock;
  HpSipKey directory_secret;
  HpMailbox *mailbox; /* the owner's; NULL: a single worker */

  /* The owner's */
  GMainContext *context;
  gboolean is_stopped;
  guint registration_lifetime; /* seconds */
  HpRegistry *registry;
  const char *server_name; /* among all that share it; NULL: nobody does */
  gulong message_handler;
  GCancellable *cancellable; /* of the questions to the registry */
  gboolean registry_fails;   /* or did a moment ago: said once */
  gint64 registry_failed_at;
  guint64 registry_failures;
  const HpMatchRunHooks *hooks;
  gpointer owner;
  guint listening; /* bits 1 << HpMatchTiding: there is a handler, … */
  guint asked;     /* … which was asked for in this batch */
  HpAddress address;
  guint16 second_port; /* 0: none */
  HpMatchPlaces places;
  char **relay_uris; /* NULL before they are set */
  char *relay_secret;
  guint relay_lifetime;                /* seconds */
  HpServerStatisticsValues statistics; /* when it stopped */
};

/* hp-match-run.c */

HpMatchRun *hp_match_run_ref (HpMatchRun *self);
/* Around the events of one or several workers, as many as there are at once */
void hp_match_run_begin_batch (HpMatchRun *self);
void hp_match_run_end_batch (HpMatchRun *self);
void hp_match_run_handle_event (HpMatchRun *self, HpMatchWorker *worker,
                                const HpServiceEvent *event);
/* Takes over @order; gone if the run has stopped */
void hp_match_run_order (HpMatchRun *self, guint worker, HpMatchOrder *order);

/* hp-match-run-worker.c */

/* Of several workers: so that all know of all before the first is started */
void hp_match_worker_open_mailbox (HpMatchWorker *self);
/* @self->endpoint is there; without a thread so far */
void hp_match_worker_init (HpMatchWorker *self, const HpMatchLimits *limits);
/* Its endpoint's */
gboolean hp_match_worker_receive_stray (gpointer worker,
                                        const HpDatagram *datagram,
                                        gint64 now);
/* Begins to be a thread's */
void hp_match_worker_start (HpMatchWorker *self);
/* Says CLOSE to all peers. In the worker's thread; or in the owner's, if there
 * is no thread */
void hp_match_worker_end (HpMatchWorker *self);
/* Tells the thread to end */
void hp_match_worker_quit (HpMatchWorker *self);
void hp_match_worker_clear (HpMatchWorker *self);
void hp_match_worker_wake (HpMatchWorker *self);
void hp_match_worker_set_limits (HpMatchWorker *self,
                                 const HpMatchLimits *limits);
void hp_match_worker_count (HpMatchWorker *self, HpMatchCounts *counts);
/* To the owner. @about: whose event it is */
void hp_match_worker_report (HpMatchWorker *self, HpMatchWorker *about,
                             const HpServiceEvent *event);
/* Takes over @order */
void hp_match_worker_order (HpMatchWorker *self, guint other,
                            HpMatchOrder *order);

/* hp-match-run-orders.c */

/* Of @size bytes, all but its beginning to be filled by the caller */
gpointer hp_match_order_new (gsize size,
                             void (*obey) (HpMatchWorker *, HpMatchOrder *));
void hp_match_order_free (gpointer order);

HpMatchOrder *hp_match_order_new_answer (guint64 handle, const guint8 *holder,
                                         HpRefusedCode code);
HpMatchOrder *hp_match_order_new_lookup_answer (guint64 handle,
                                                const guint8 *holder,
                                                const HpMatchPlace *place,
                                                HpRefusedCode code);
HpMatchOrder *hp_match_order_new_message (const HpMatchPlace *from,
                                          const guint8 *bytes, gsize length);

/* hp-match-run-directory.c */

/* An event that is the directory's, at the worker */
void hp_match_worker_note_in_directory (HpMatchWorker *self,
                                        const HpServiceEvent *event);
/* A LOOKUP: at other workers, then by the owner */
void hp_match_worker_look_up (HpMatchWorker *self,
                              const HpServiceEvent *event);
/* A FORWARD: to another worker; FALSE: to another server */
gboolean hp_match_worker_forward (HpMatchWorker *self,
                                  const HpServiceEvent *event);
/* By the owner: a message of another server for whichever worker has the
 * callee */
void hp_match_run_route (HpMatchRun *self, const HpMatchPlace *from,
                         const guint8 *bytes, gsize length);

/* hp-match-run-registry.c */

void hp_match_run_claim (HpMatchRun *self, HpMatchWorker *worker,
                         const HpServiceEvent *event);
void hp_match_run_release (HpMatchRun *self, const HpServiceEvent *event);
void hp_match_run_look_up (HpMatchRun *self, HpMatchWorker *worker,
                           const HpServiceEvent *event);
/* Tells the operator once when it begins to fail, and once when it ends */
void hp_match_run_note_registry (HpMatchRun *self, const GError *error);

/* A question of a worker that somebody thinks about */
typedef struct
{
  HpMatchRun *run;
  guint worker;
  guint64 handle;
} HpMatchRunQuestion;

HpMatchRunQuestion *hp_match_run_question_new (HpMatchRun *run,
                                               const HpMatchWorker *worker,
                                               const HpServiceEvent *event);
void hp_match_run_question_free (gpointer question);

/* hp-match-run-servers.c */

void hp_match_run_listen_to_servers (HpMatchRun *self);
void hp_match_run_post (HpMatchRun *self, HpMatchWorker *worker,
                        const HpServiceEvent *event);

/* hp-match-run-hooks.c */

void hp_match_run_authorize (HpMatchRun *self, HpMatchWorker *worker,
                             const HpServiceEvent *event,
                             HpMatchPermission permission);
void hp_match_run_tell (HpMatchRun *self, const HpServiceEvent *event);

/* hp-match-run-places.c */

/* The first worker's first socket */
gboolean hp_match_run_open_first (HpMatchRun *self,
                                  const HpMatchListen *listen, GError **error);
/* Its others, if they are wanted */
gboolean hp_match_run_open_second (HpMatchRun *self,
                                   const HpMatchListen *listen,
                                   GError **error);
/* The same for all other workers */
gboolean hp_match_run_open_sharing (HpMatchRun *self, GError **error);

/* hp-match-run-relays.c */

void hp_match_run_answer_relays (HpMatchRun *self, HpMatchWorker *worker,
                                 const HpServiceEvent *event);
void hp_match_run_forget_relays (HpMatchRun *self);

/* hp-match-run-statistics.c */

/* One worker's more; what is of the registry is the caller's to fill in */
void hp_match_run_add_statistics (HpServerStatisticsValues *values,
                                  const HpServiceStatistics *inner,
                                  const HpEndpointStatistics *outer);
