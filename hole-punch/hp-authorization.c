/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-authorization-private.h"

#include "hole-punch/hp-question-private.h"

/**
 * SECTION:hp-authorization
 * @title: HpAuthorization
 * @short_description: A question that can be answered later
 *
 * May this peer come in? The signals #HpPeer::authorize-peer,
 * #HpMatchServer::authorize-registration and
 * #HpMatchServer::authorize-introduction ask with an object instead of a return
 * value, so that the answer may take its time: it can be looked up elsewhere,
 * or asked of the user. Keep a reference, then call hp_authorization_allow() or
 * hp_authorization_deny().
 *
 * Whoever is not allowed is not let in: when the last reference goes without an
 * answer, or the time to answer is over, the answer is no. Only the first
 * answer counts. It is to be given in the thread that the signal came in; the
 * object may be dropped in any thread.
 */

/**
 * HpAuthorization:
 *
 * A question whether somebody is to be let in.
 *
 * Since: 1.0
 */

struct _HpAuthorization
{
  GObject parent_instance;

  char *id;
  char *fingerprint;
  char *wanted_id;
  HpQuestion *question; /* NULL: nobody waits for an answer */
};

/* Who waits for the answer */
typedef struct
{
  HpAuthorizationFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} Asker;

G_DEFINE_FINAL_TYPE (HpAuthorization, hp_authorization, G_TYPE_OBJECT)

typedef enum
{
  PROP_ID = 1,
  PROP_FINGERPRINT,
  PROP_WANTED_ID,
} HpAuthorizationProperty;

static GParamSpec *properties[PROP_WANTED_ID + 1];

static void
asker_free (gpointer data)
{
  Asker *asker = data;

  if (asker->destroy != NULL)
    asker->destroy (asker->user_data);
  g_free (asker);
}

static void
asker_answer (Asker *asker, gboolean allowed)
{
  asker->func (allowed, asker->user_data);
  asker_free (asker);
}

static void
deny_by_itself (gpointer data, HpQuestionEnd why)
{
  asker_answer (data, FALSE);
}

static void
answer (HpAuthorization *self, gboolean allowed)
{
  Asker *asker
      = self->question != NULL ? hp_question_take (self->question) : NULL;

  if (asker != NULL)
    asker_answer (asker, allowed);
}

static void
hp_authorization_dispose (GObject *object)
{
  HpAuthorization *self = HP_AUTHORIZATION (object);

  g_clear_pointer (&self->question, hp_question_drop);
  G_OBJECT_CLASS (hp_authorization_parent_class)->dispose (object);
}

static void
hp_authorization_finalize (GObject *object)
{
  HpAuthorization *self = HP_AUTHORIZATION (object);

  g_free (self->id);
  g_free (self->fingerprint);
  g_free (self->wanted_id);
  G_OBJECT_CLASS (hp_authorization_parent_class)->finalize (object);
}

static void
hp_authorization_get_property (GObject *object, guint property_id,
                               GValue *value, GParamSpec *pspec)
{
  HpAuthorization *self = HP_AUTHORIZATION (object);

  switch ((HpAuthorizationProperty) property_id)
    {
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_WANTED_ID:
      g_value_set_string (value, self->wanted_id);
      break;
    }
}

static void
hp_authorization_class_init (HpAuthorizationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = hp_authorization_dispose;
  object_class->finalize = hp_authorization_finalize;
  object_class->get_property = hp_authorization_get_property;

  /**
   * HpAuthorization:id:
   *
   * The id of whoever asks, %NULL if it has none. In
   * #HpMatchServer::authorize-registration it is the id that is to be
   * registered. An id is what a match server says; to be sure who somebody is,
   * compare #HpAuthorization:fingerprint.
   *
   * Since: 1.0
   */
  properties[PROP_ID]
      = g_param_spec_string ("id", "Id", "Id of whoever asks", NULL,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpAuthorization:fingerprint:
   *
   * The fingerprint of whoever asks: see #HpIdentity:fingerprint.
   *
   * Since: 1.0
   */
  properties[PROP_FINGERPRINT] = g_param_spec_string (
      "fingerprint", "Fingerprint", "Fingerprint of whoever asks", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpAuthorization:wanted-id:
   *
   * The id that was asked for; %NULL if a fingerprint was, or nobody.
   *
   * Since: 1.0
   */
  properties[PROP_WANTED_ID] = g_param_spec_string (
      "wanted-id", "Wanted id", "Id that was asked for", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_authorization_init (HpAuthorization *self)
{
}

HpAuthorization *
hp_authorization_new_private (const char *id, const char *fingerprint,
                              const char *wanted_id, GMainContext *context,
                              gint64 deadline, HpAuthorizationFunc func,
                              gpointer user_data, GDestroyNotify destroy)
{
  HpAuthorization *self = g_object_new (HP_TYPE_AUTHORIZATION, NULL);
  Asker *asker = g_new (Asker, 1);

  asker->func = func;
  asker->user_data = user_data;
  asker->destroy = destroy;
  self->id = g_strdup (id);
  self->fingerprint = g_strdup (fingerprint);
  self->wanted_id = g_strdup (wanted_id);
  self->question = hp_question_new ("hp-authorization", context, deadline,
                                    NULL, asker, deny_by_itself, asker_free);
  return self;
}

/**
 * hp_authorization_get_id:
 * @self: a #HpAuthorization
 *
 * Gets #HpAuthorization:id.
 *
 * Returns: (transfer none) (nullable): an id
 *
 * Since: 1.0
 */
const char *
hp_authorization_get_id (HpAuthorization *self)
{
  g_return_val_if_fail (HP_IS_AUTHORIZATION (self), NULL);

  return self->id;
}

/**
 * hp_authorization_get_fingerprint:
 * @self: a #HpAuthorization
 *
 * Gets #HpAuthorization:fingerprint.
 *
 * Returns: (transfer none) (nullable): a fingerprint; %NULL only of an object
 *   that no signal has handed out
 *
 * Since: 1.0
 */
const char *
hp_authorization_get_fingerprint (HpAuthorization *self)
{
  g_return_val_if_fail (HP_IS_AUTHORIZATION (self), NULL);

  return self->fingerprint;
}

/**
 * hp_authorization_get_wanted_id:
 * @self: a #HpAuthorization
 *
 * Gets #HpAuthorization:wanted-id.
 *
 * Returns: (transfer none) (nullable): an id
 *
 * Since: 1.0
 */
const char *
hp_authorization_get_wanted_id (HpAuthorization *self)
{
  g_return_val_if_fail (HP_IS_AUTHORIZATION (self), NULL);

  return self->wanted_id;
}

/**
 * hp_authorization_allow:
 * @self: a #HpAuthorization
 *
 * Lets in whoever asks. Does nothing after an earlier answer, or when the time
 * to answer is over.
 *
 * Since: 1.0
 */
void
hp_authorization_allow (HpAuthorization *self)
{
  g_return_if_fail (HP_IS_AUTHORIZATION (self));

  answer (self, TRUE);
}

/**
 * hp_authorization_deny:
 * @self: a #HpAuthorization
 *
 * Does not let in whoever asks. Does nothing after an earlier answer, or when
 * the time to answer is over.
 *
 * Since: 1.0
 */
void
hp_authorization_deny (HpAuthorization *self)
{
  g_return_if_fail (HP_IS_AUTHORIZATION (self));

  answer (self, FALSE);
}
