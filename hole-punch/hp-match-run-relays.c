/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Credentials for TURN servers that share a secret with the match server: a
 * name that says until when it is good, and its MAC as the password. TURN
 * servers know the scheme as that of a "TURN REST API"; coturn calls it
 * use-auth-secret. */

#include "hole-punch/hp-match-run-inside-private.h"

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

void
hp_match_run_answer_relays (HpMatchRun *self, const HpServiceEvent *event,
                            const char *fingerprint)
{
  gint64 expiry = g_get_real_time () / G_USEC_PER_SEC + self->relay_lifetime;
  g_autofree char *username = g_strdup_printf (
      "%" G_GINT64_FORMAT ":%.*s", expiry, NAME_LENGTH, fingerprint);
  g_autofree char *password = NULL;
  HpMatchRelays relays = { .lifetime = self->relay_lifetime };
  gboolean may_have = may_have_relays (self, event);

  if (self->service == NULL)
    return;
  if (self->relay_uris != NULL && self->relay_secret != NULL)
    {
      password = make_password (self->relay_secret, username);
      relays.username = username;
      relays.password = password;
      relays.n_relays = MIN (g_strv_length (self->relay_uris), HP_MAX_RELAYS);
      for (guint i = 0; i < relays.n_relays; i++)
        relays.uris[i] = self->relay_uris[i];
    }
  hp_match_service_answer_relays (self->service, event->handle,
                                  event->request, may_have ? &relays : NULL,
                                  hp_clock_now ());
  hp_endpoint_wake (self->endpoint, &self->party);
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
