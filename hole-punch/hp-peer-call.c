/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-call-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/hp-peer-report-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

/* Milliseconds that an interrupted connection has, after an introduction,
 * before a new one is begun beside it: the other peer may have forgotten it */
#define RECOVERY_TIME 3000
/* A recovery that has not helped for so long is begun anew */
#define RECOVERY_AGE (10 * G_TIME_SPAN_SECOND)

static void
call_free (gpointer data)
{
  HpPeerCall *call = data;

  hp_peer_call_stop_asking (call);
  hp_peer_clear_source (&call->timeout);
  hp_peer_clear_source (&call->give_up_source);
  if (call->greeter_party.endpoint != NULL)
    hp_endpoint_remove_party (call->greeter_party.endpoint,
                              &call->greeter_party);
  g_array_unref (call->asks);
  g_clear_error (&call->refusal);
  g_clear_object (&call->connection);
  hp_peer_target_clear (&call->target);
  hp_crypto_wipe (&call->introduction, sizeof call->introduction);
  g_free (call);
}

GPtrArray *
hp_peer_calls_new (void)
{
  return g_ptr_array_new_with_free_func (call_free);
}

GPtrArray *
hp_peer_calls_list (HpPeer *peer)
{
  GPtrArray *list = g_ptr_array_new ();

  /* A copy made by g_ptr_array_copy() would free them */
  g_ptr_array_extend (list, hp_peer_get_private (peer)->calls, NULL, NULL);
  return list;
}

/* A connection in the making that nobody wants any more, unless the other side
 * called as well */
static void
drop_connection (HpPeerCall *call)
{
  g_autoptr (HpConnection) connection = g_steal_pointer (&call->connection);
  HpPeerLink *link;

  if (connection == NULL || call->recovers)
    return;
  link = hp_peer_links_find (call->peer, connection);
  if (link != NULL && !link->is_open && !link->is_visited)
    hp_connection_close_private (connection, HP_CLOSE_NORMAL, NULL);
}

static void
call_end (HpPeerCall *call, HpConnection *connection, const GError *error)
{
  if (call->connection == connection)
    g_clear_object (&call->connection);
  drop_connection (call);
  hp_waiters_return (&call->waiters, connection, error);
  g_ptr_array_remove (hp_peer_get_private (call->peer)->calls, call);
}

void
hp_peer_call_fail (HpPeerCall *call, const GError *error)
{
  g_autoptr (HpPeer) peer = g_object_ref (call->peer);

  /* So that the callbacks find it */
  hp_peer_report_failure (peer, hp_peer_call_list_attempts (call));
  call_end (call, NULL, error);
  g_object_notify (G_OBJECT (peer), "network-report");
}

static void
on_deserted (gpointer user_data)
{
  call_end (user_data, NULL, NULL);
}

static gboolean
on_timeout (gpointer user_data)
{
  HpPeerCall *call = user_data;
  g_autoptr (GError) error = hp_peer_call_describe_silence (call);

  hp_peer_clear_source (&call->timeout);
  hp_peer_call_fail (call, error);
  return G_SOURCE_REMOVE;
}

void
hp_peer_call_set_timeout (HpPeerCall *call)
{
  guint seconds = hp_peer_get_private (call->peer)->connect_timeout;

  hp_peer_clear_source (&call->timeout);
  call->timeout = hp_peer_add_timeout (call->peer, seconds * 1000,
                                       "hp-call-timeout", on_timeout, call);
}

/* Nobody waits for a recovery; whoever still needs it begins another one */
static gboolean
on_recovery_over (gpointer user_data)
{
  HpPeerCall *call = user_data;

  hp_peer_clear_source (&call->timeout);
  call_end (call, NULL, NULL);
  return G_SOURCE_REMOVE;
}

static HpPeerCall *
call_new (HpPeer *peer)
{
  HpPeerCall *call = g_new0 (HpPeerCall, 1);

  call->peer = peer;
  call->state = HP_PEER_CALL_STARTING;
  call->asks = g_array_new (FALSE, TRUE, sizeof (HpPeerAsk));
  hp_waiters_init (&call->waiters, on_deserted, call);
  g_ptr_array_add (hp_peer_get_private (peer)->calls, call);
  return call;
}

static void
begin (HpPeerCall *call)
{
  call->asked_at = hp_clock_now ();
  if (call->recovers)
    call->timeout = hp_peer_add_timeout (
        call->peer, RECOVERY_AGE / G_TIME_SPAN_MILLISECOND, "hp-call-recovery",
        on_recovery_over, call);
  else
    hp_peer_call_set_timeout (call);
  if (call->is_direct)
    {
      hp_peer_call_greet (call);
    }
  else
    {
      /* Beside the question: it takes two round trips, too. */
      hp_peer_relay_need (call->peer);
      hp_peer_call_ask (call);
    }
}

static gboolean
is_same (HpPeerCall *call, const HpPeerTarget *target, const HpAddress *address)
{
  if (call->recovers || call->is_direct != (address != NULL)
      || strcmp (call->target.text, target->text) != 0)
    return FALSE;
  return address == NULL || hp_address_equal (&call->address, address);
}

static void
call (HpPeer *peer, HpPeerTarget *target, const HpAddress *address, GTask *task)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPeerCall *made;

  for (guint i = 0; i < priv->calls->len; i++)
    {
      made = priv->calls->pdata[i];
      if (!is_same (made, target, address))
        continue;
      hp_peer_target_clear (target);
      hp_waiters_add (&made->waiters, task);
      return;
    }

  made = call_new (peer);
  made->target = *target;
  *target = (HpPeerTarget){ 0 };
  if (address != NULL)
    {
      made->is_direct = TRUE;
      made->address = *address;
    }
  hp_waiters_add (&made->waiters, task);
  if (priv->state == HP_PEER_STARTED)
    begin (made);
}

void
hp_peer_call_target (HpPeer *peer, HpPeerTarget *target, GTask *task)
{
  call (peer, target, NULL, task);
}

void
hp_peer_call_address (HpPeer *peer, HpPeerTarget *target,
                      const HpAddress *address, GTask *task)
{
  call (peer, target, address, task);
}

void
hp_peer_call_recover (HpPeer *peer, HpConnection *connection)
{
  GPtrArray *calls = hp_peer_get_private (peer)->calls;
  HpPeerCall *made;

  for (guint i = 0; i < calls->len; i++)
    {
      made = calls->pdata[i];
      if (!made->recovers || made->connection != connection)
        continue;
      if (hp_clock_now () - made->asked_at < RECOVERY_AGE)
        return;
      g_ptr_array_remove_index (calls, i);
      break;
    }

  made = call_new (peer);
  made->recovers = TRUE;
  made->connection = g_object_ref (connection);
  made->target.text = g_strdup (hp_connection_get_fingerprint (connection));
  made->target.has_key = TRUE;
  memcpy (made->target.key,
          hp_link_get_remote_public (hp_connection_get_link (connection)),
          HP_KEY_SIZE);
  begin (made);
}

void
hp_peer_calls_begin (HpPeer *peer)
{
  g_autoptr (GPtrArray) calls = hp_peer_calls_list (peer);

  /* A call ends no other one than itself */
  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *made = calls->pdata[i];

      if (made->state == HP_PEER_CALL_STARTING)
        begin (made);
    }
}

void
hp_peer_calls_end (HpPeer *peer, HpWaiters *waiters)
{
  GPtrArray *calls = hp_peer_get_private (peer)->calls;

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *made = calls->pdata[i];

      hp_waiters_move (waiters, &made->waiters);
    }
  g_ptr_array_set_size (calls, 0);
}

gboolean
hp_peer_calls_include (HpPeer *peer, const guint8 *key)
{
  GPtrArray *calls = hp_peer_get_private (peer)->calls;

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *made = calls->pdata[i];
      const guint8 *its = made->target.has_key ? made->target.key
                          : made->state == HP_PEER_CALL_LINKING
                              ? made->introduction.public_key
                              : NULL;

      if (!made->recovers && its != NULL && memcmp (its, key, HP_KEY_SIZE) == 0)
        return TRUE;
    }
  return FALSE;
}

/* Linking */

static gboolean
on_give_up (gpointer user_data)
{
  HpPeerCall *made = user_data;

  hp_peer_clear_source (&made->give_up_source);
  made->has_given_up = TRUE;
  hp_peer_call_link (made);
  return G_SOURCE_REMOVE;
}

/* The open connection to whom we call is the answer, or is helped to be.
 * TRUE: nothing else is to be done now; @made may be gone. */
static gboolean
use_open (HpPeerCall *made, HpPeerLink *open,
          const HpIntroduction *introduction)
{
  if (hp_connection_get_state (open->connection)
      != HP_CONNECTION_STATE_INTERRUPTED)
    {
      call_end (made, open->connection, NULL);
      return TRUE;
    }
  if (made->is_direct || made->has_given_up)
    return FALSE;
  hp_peer_links_introduce (open, introduction, hp_clock_now ());
  if (made->give_up_source == NULL)
    made->give_up_source = hp_peer_add_timeout (
        made->peer, RECOVERY_TIME, "hp-call-give-up", on_give_up, made);
  return TRUE;
}

static HpPeerLink *
ensure_link (HpPeerCall *made)
{
  const guint8 *key = made->introduction.public_key;
  const char *id = made->introduction.id;
  HpPeerLinkName name = { .key = key,
                          .remote_id = *id != '\0' ? id : made->target.id,
                          .asked_at = made->asked_at };
  HpPeerLink *link = NULL;

  if (made->connection != NULL)
    return hp_peer_links_find (made->peer, made->connection);
  /* A direct call's ticket is of use to itself only */
  if (!made->is_direct)
    link = hp_peer_links_find_pending (made->peer, key);
  if (link == NULL || link->is_direct)
    link = hp_peer_links_add (made->peer, &name, hp_clock_now ());
  else if (hp_connection_get_remote_id (link->connection) == NULL)
    hp_connection_set_remote_id (link->connection, name.remote_id);
  made->connection = g_object_ref (link->connection);
  return link;
}

void
hp_peer_call_link (HpPeerCall *made)
{
  HpIntroduction introduction;
  HpPeerLink *open, *link;

  hp_peer_links_convert (&introduction, &made->introduction, TRUE);
  introduction.punch = !made->is_direct;
  made->state = HP_PEER_CALL_LINKING;

  if (!made->recovers)
    {
      open = hp_peer_links_find_open (made->peer,
                                      made->introduction.public_key);
      if (open != NULL && use_open (made, open, &introduction))
        return;
    }
  link = ensure_link (made);
  if (link != NULL)
    hp_peer_links_introduce (link, &introduction, hp_clock_now ());
}

/* Whether @connection is what @made wants. @key is @connection's. */
static gboolean
is_wanted (HpPeerCall *made, HpConnection *connection, const guint8 *key)
{
  if (made->connection == connection)
    return TRUE;
  if (made->recovers)
    return FALSE;
  if (made->target.has_key)
    return memcmp (made->target.key, key, HP_KEY_SIZE) == 0;
  if (made->state == HP_PEER_CALL_LINKING)
    return memcmp (made->introduction.public_key, key, HP_KEY_SIZE) == 0;
  return FALSE;
}

void
hp_peer_calls_reached (HpPeer *peer, HpConnection *connection)
{
  g_autoptr (GPtrArray) calls = hp_peer_calls_list (peer);
  const guint8 *key = hp_link_get_remote_public (
      hp_connection_get_link (connection));

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *made = calls->pdata[i];

      if (is_wanted (made, connection, key))
        call_end (made, connection, NULL);
    }
}

static GError *
describe_loss (HpPeerCall *made, HpConnection *connection,
               const HpLinkEvent *event)
{
  if (event->closed_by == HP_LINK_CLOSED_UNREACHABLE)
    return hp_peer_call_describe_silence (made);
  return g_error_copy (hp_connection_get_close_error (connection));
}

void
hp_peer_calls_lost (HpPeer *peer, HpConnection *connection,
                    const HpLinkEvent *event)
{
  g_autoptr (GPtrArray) calls = hp_peer_calls_list (peer);

  for (guint i = 0; i < calls->len; i++)
    {
      HpPeerCall *made = calls->pdata[i];
      g_autoptr (GError) error = NULL;

      if (made->connection == connection)
        {
          error = describe_loss (made, connection, event);
          if (made->recovers)
            call_end (made, NULL, error);
          else
            hp_peer_call_fail (made, error);
        }
      else if (made->give_up_source != NULL)
        {
          /* Perhaps the interrupted one that was waited for: nothing is lost
           * by not waiting for it any more */
          hp_peer_clear_source (&made->give_up_source);
          made->has_given_up = TRUE;
          hp_peer_call_link (made);
        }
    }
}
