/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-registry-request-private.h"

#include "hole-punch/hp-question-private.h"

/**
 * SECTION:hp-registry-request
 * @title: HpRegistryRequest
 * @short_description: A question to a registry
 *
 * What the functions of a #HpRegistry are given. The request is answered once,
 * by hp_registry_request_return_registration() or
 * hp_registry_request_return_error(), right away or later; keep a reference
 * until then. Whoever asked gets an error when the last reference goes without
 * an answer, and when there is none after ten seconds (%G_IO_ERROR_TIMED_OUT);
 * later answers are passed over.
 *
 * Answers may be given from any thread.
 */

/**
 * HpRegistryRequest:
 *
 * A question to a registry.
 *
 * Since: 1.0
 */

struct _HpRegistryRequest
{
  GObject parent_instance;

  char *id;
  char *fingerprint;
  gint64 lifetime;
  gboolean ephemeral;
  char *server;
  GBytes *message;
  HpQuestion *question; /* its data is the task; NULL: nobody asked */
};

G_DEFINE_FINAL_TYPE (HpRegistryRequest, hp_registry_request, G_TYPE_OBJECT)

typedef enum
{
  PROP_ID = 1,
  PROP_FINGERPRINT,
  PROP_LIFETIME,
  PROP_EPHEMERAL,
  PROP_SERVER,
  PROP_MESSAGE,
} HpRegistryRequestProperty;

static GParamSpec *properties[PROP_MESSAGE + 1];

static void
fail_by_itself (gpointer data, HpQuestionEnd why)
{
  g_autoptr (GTask) task = data;

  switch (why)
    {
    case HP_QUESTION_TIMED_OUT:
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                               "The registry did not answer in time");
      break;
    case HP_QUESTION_DROPPED:
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED,
                               "The registry dropped the request without an "
                               "answer");
      break;
    case HP_QUESTION_CANCELLED:
      g_task_return_error_if_cancelled (task);
      break;
    }
}

/* The task, to the first one who answers */
static GTask *
take_task (HpRegistryRequest *self)
{
  return self->question != NULL ? hp_question_take (self->question) : NULL;
}

static void
hp_registry_request_dispose (GObject *object)
{
  HpRegistryRequest *self = HP_REGISTRY_REQUEST (object);

  g_clear_pointer (&self->question, hp_question_drop);
  G_OBJECT_CLASS (hp_registry_request_parent_class)->dispose (object);
}

static void
hp_registry_request_finalize (GObject *object)
{
  HpRegistryRequest *self = HP_REGISTRY_REQUEST (object);

  g_free (self->id);
  g_free (self->fingerprint);
  g_free (self->server);
  g_clear_pointer (&self->message, g_bytes_unref);
  G_OBJECT_CLASS (hp_registry_request_parent_class)->finalize (object);
}

static void
hp_registry_request_get_property (GObject *object, guint property_id,
                                  GValue *value, GParamSpec *pspec)
{
  HpRegistryRequest *self = HP_REGISTRY_REQUEST (object);

  switch ((HpRegistryRequestProperty) property_id)
    {
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_LIFETIME:
      g_value_set_int64 (value, self->lifetime);
      break;
    case PROP_EPHEMERAL:
      g_value_set_boolean (value, self->ephemeral);
      break;
    case PROP_SERVER:
      g_value_set_string (value, self->server);
      break;
    case PROP_MESSAGE:
      g_value_set_boxed (value, self->message);
      break;
    }
}

static void
hp_registry_request_class_init (HpRegistryRequestClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = hp_registry_request_dispose;
  object_class->finalize = hp_registry_request_finalize;
  object_class->get_property = hp_registry_request_get_property;

  /**
   * HpRegistryRequest:id:
   *
   * The id that the request is about, %NULL when it is about a fingerprint or
   * a match server.
   *
   * Since: 1.0
   */
  properties[PROP_ID]
      = g_param_spec_string ("id", "Id", "Id in question", NULL,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpRegistryRequest:fingerprint:
   *
   * The fingerprint of the identity that claims the id or gives it up, or that
   * is looked up by it; %NULL when an id is only looked up.
   *
   * Since: 1.0
   */
  properties[PROP_FINGERPRINT] = g_param_spec_string (
      "fingerprint", "Fingerprint", "Fingerprint of the claimer", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpRegistryRequest:lifetime:
   *
   * For how long from now the id is claimed, in seconds: after that, unless
   * claimed again, it is free. 0 when nothing is claimed.
   *
   * Since: 1.0
   */
  properties[PROP_LIFETIME] = g_param_spec_int64 (
      "lifetime", "Lifetime", "Seconds that the claim is for", 0, G_MAXINT64,
      0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpRegistryRequest:ephemeral:
   *
   * Whether the identity that claims the id is one that will not come back. Its
   * lifetime is short, and the claim need not survive a restart of the
   * registry.
   *
   * Since: 1.0
   */
  properties[PROP_EPHEMERAL] = g_param_spec_boolean (
      "ephemeral", "Ephemeral", "Whether the identity will not come back",
      FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpRegistryRequest:server:
   *
   * The name of the match server that a message is for, %NULL when none is
   * posted.
   *
   * Since: 1.0
   */
  properties[PROP_SERVER] = g_param_spec_string (
      "server", "Server", "Match server that the message is for", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpRegistryRequest:message:
   *
   * The message that is posted to another match server, %NULL when none is.
   *
   * Since: 1.0
   */
  properties[PROP_MESSAGE] = g_param_spec_boxed (
      "message", "Message", "Message for another match server", G_TYPE_BYTES,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_registry_request_init (HpRegistryRequest *self)
{
}

HpRegistryRequest *
hp_registry_request_new_private (GTask *task, const HpRegistryQuery *query,
                                 gint64 timeout)
{
  HpRegistryRequest *self = g_object_new (HP_TYPE_REGISTRY_REQUEST, NULL);

  self->id = g_strdup (query->id);
  self->fingerprint = g_strdup (query->fingerprint);
  self->lifetime = query->lifetime;
  self->ephemeral = query->ephemeral;
  self->server = g_strdup (query->server);
  if (query->message != NULL)
    self->message = g_bytes_ref (query->message);
  self->question = hp_question_new (
      "hp-registry-request", g_task_get_context (task), timeout,
      g_task_get_cancellable (task), task, fail_by_itself, g_object_unref);
  return self;
}

/**
 * hp_registry_request_get_id:
 * @self: a #HpRegistryRequest
 *
 * Gets #HpRegistryRequest:id.
 *
 * Returns: (transfer none) (nullable): an id
 *
 * Since: 1.0
 */
const char *
hp_registry_request_get_id (HpRegistryRequest *self)
{
  g_return_val_if_fail (HP_IS_REGISTRY_REQUEST (self), NULL);

  return self->id;
}

/**
 * hp_registry_request_get_fingerprint:
 * @self: a #HpRegistryRequest
 *
 * Gets #HpRegistryRequest:fingerprint.
 *
 * Returns: (transfer none) (nullable): a fingerprint
 *
 * Since: 1.0
 */
const char *
hp_registry_request_get_fingerprint (HpRegistryRequest *self)
{
  g_return_val_if_fail (HP_IS_REGISTRY_REQUEST (self), NULL);

  return self->fingerprint;
}

/**
 * hp_registry_request_get_lifetime:
 * @self: a #HpRegistryRequest
 *
 * Gets #HpRegistryRequest:lifetime.
 *
 * Returns: seconds
 *
 * Since: 1.0
 */
gint64
hp_registry_request_get_lifetime (HpRegistryRequest *self)
{
  g_return_val_if_fail (HP_IS_REGISTRY_REQUEST (self), 0);

  return self->lifetime;
}

/**
 * hp_registry_request_get_ephemeral:
 * @self: a #HpRegistryRequest
 *
 * Gets #HpRegistryRequest:ephemeral.
 *
 * Returns: whether the claimer will not come back
 *
 * Since: 1.0
 */
gboolean
hp_registry_request_get_ephemeral (HpRegistryRequest *self)
{
  g_return_val_if_fail (HP_IS_REGISTRY_REQUEST (self), FALSE);

  return self->ephemeral;
}

/**
 * hp_registry_request_get_server:
 * @self: a #HpRegistryRequest
 *
 * Gets #HpRegistryRequest:server.
 *
 * Returns: (transfer none) (nullable): the name of a match server
 *
 * Since: 1.0
 */
const char *
hp_registry_request_get_server (HpRegistryRequest *self)
{
  g_return_val_if_fail (HP_IS_REGISTRY_REQUEST (self), NULL);

  return self->server;
}

/**
 * hp_registry_request_get_message:
 * @self: a #HpRegistryRequest
 *
 * Gets #HpRegistryRequest:message.
 *
 * Returns: (transfer none) (nullable): a message
 *
 * Since: 1.0
 */
GBytes *
hp_registry_request_get_message (HpRegistryRequest *self)
{
  g_return_val_if_fail (HP_IS_REGISTRY_REQUEST (self), NULL);

  return self->message;
}

/**
 * hp_registry_request_return_registration:
 * @self: a #HpRegistryRequest
 * @registration: (nullable) (transfer none): who holds the id now, %NULL
 *   nobody
 *
 * Answers the request. Does nothing after an earlier answer, or when the time
 * to answer is over.
 *
 * Since: 1.0
 */
void
hp_registry_request_return_registration (HpRegistryRequest *self,
                                         HpRegistration *registration)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (HP_IS_REGISTRY_REQUEST (self));
  g_return_if_fail (registration == NULL || HP_IS_REGISTRATION (registration));

  task = take_task (self);
  if (task == NULL)
    return;
  if (registration != NULL)
    g_task_return_pointer (task, g_object_ref (registration), g_object_unref);
  else
    g_task_return_pointer (task, NULL, NULL);
}

/**
 * hp_registry_request_return_error:
 * @self: a #HpRegistryRequest
 * @error: (transfer none): why there is no answer
 *
 * Answers the request with an error. A match server passes on
 * %HP_PUNCH_ERROR_REFUSED, %HP_PUNCH_ERROR_ID_TAKEN and
 * %HP_PUNCH_ERROR_RATE_LIMITED; with any other one the peer tries again later.
 * Does nothing after an earlier answer, or when the time to answer is over.
 *
 * Since: 1.0
 */
void
hp_registry_request_return_error (HpRegistryRequest *self,
                                  const GError *error)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (HP_IS_REGISTRY_REQUEST (self));
  g_return_if_fail (error != NULL);

  task = take_task (self);
  if (task != NULL)
    g_task_return_error (task, g_error_copy (error));
}
