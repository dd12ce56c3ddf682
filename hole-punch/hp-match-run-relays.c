/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Credentials for TURN servers that share a secret with the match server: a
 * name that says until when it is good, and its MAC as the password. TURN
 * servers know the scheme as that of a "TURN REST API"; coturn calls it
 * use-auth-secret. */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/io/hp-clock.h"

#include <string.h>

/* How much of a fingerprint is in the name, for quotas and logs: 80 bits */
#define NAME_LENGTH 16
#define SHA1_SIZE 20

static char *
make_password (const char *secret, const char *username)
{
  g_autoptr (GHmac) hmac = g_hmac_new (
      G_CHECKSUM_SHA1, (const guint8 *) secret, strlen (secret));
  guint8 digest[SHA1_SIZE];
  gsize size = sizeof digest;

  g_hmac_update (hmac, (const guint8 *) username, strlen (username));
  g_hmac_get_digest (hmac, digest, &size);
  return g_base64_encode (digest, size);
}

/* An application that chooses whom it serves does not lend its relays to
 * others. */
static gboolean
may_have_relays (HpMatchRun *self, const HpServiceEvent *event)
{
  return event->is_known
         || !(self->hooks->wants_to_answer (self->owner,
                                            HP_MATCH_PERMISSION_REGISTRATION)
              || self->hooks->wants_to_answer (
                  self->owner, HP_MATCH_PERMISSION_INTRODUCTION));
}

typedef struct
{
  HpMatchOrder order;
  guint64 handle;
  guint64 request;
  gboolean may_have;
  guint lifetime;
  char **uris;
  char *username;
  char *password;
} Credentials;

static void
clear_credentials (HpMatchOrder *order)
{
  Credentials *credentials = (Credentials *) order;

  if (credentials->password != NULL)
    hp_crypto_wipe (credentials->password, strlen (credentials->password));
  g_free (credentials->password);
  g_free (credentials->username);
  g_strfreev (credentials->uris);
}

static void
obey_credentials (HpMatchWorker *self, HpMatchOrder *order)
{
  Credentials *credentials = (Credentials *) order;
  HpMatchRelays relays = {
    .lifetime = credentials->lifetime,
    .username = credentials->username,
    .password = credentials->password,
  };

  if (credentials->uris != NULL)
    relays.n_relays = MIN (g_strv_length (credentials->uris), HP_MAX_RELAYS);
  for (guint i = 0; i < relays.n_relays; i++)
    relays.uris[i] = credentials->uris[i];
  hp_match_service_answer_relays (self->service, credentials->handle,
                                  credentials->request,
                                  credentials->may_have ? &relays : NULL,
                                  hp_clock_now ());
  hp_match_worker_wake (self);
}

void
hp_match_run_answer_relays (HpMatchRun *self, HpMatchWorker *worker,
                            const HpServiceEvent *event)
{
  gint64 expiry = g_get_real_time () / G_USEC_PER_SEC + self->relay_lifetime;
  gboolean may_have = may_have_relays (self, event);
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  Credentials *credentials;

  /* The handlers may have stopped it. */
  if (self->is_stopped)
    return;
  credentials = hp_match_order_new (sizeof *credentials, obey_credentials);
  credentials->order.clear = clear_credentials;
  credentials->handle = event->handle;
  credentials->request = event->request;
  credentials->may_have = may_have;
  credentials->lifetime = self->relay_lifetime;
  if (self->relay_uris != NULL && self->relay_secret != NULL)
    {
      hp_fingerprint_format (fingerprint, event->public_key);
      credentials->username = g_strdup_printf (
          "%" G_GINT64_FORMAT ":%.*s", expiry, NAME_LENGTH, fingerprint);
      credentials->password
          = make_password (self->relay_secret, credentials->username);
      credentials->uris = g_strdupv (self->relay_uris);
    }
  hp_match_run_order (self, worker->number, &credentials->order);
}

void
hp_match_run_forget_relays (HpMatchRun *self)
{
  if (self->relay_secret != NULL)
    hp_crypto_wipe (self->relay_secret, strlen (self->relay_secret));
  g_clear_pointer (&self->relay_secret, g_free);
  g_clear_pointer (&self->relay_uris, g_strfreev);
}

void
hp_match_run_set_relays (HpMatchRun *self, const char *const *uris,
                         const char *secret, guint lifetime)
{
  char **copy = g_strdupv ((char **) uris);
  char *secret_copy = g_strdup (secret);

  hp_match_run_forget_relays (self);
  self->relay_uris = copy;
  self->relay_secret = secret_copy;
  self->relay_lifetime = lifetime;
}
