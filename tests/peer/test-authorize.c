/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-utils.h"

typedef enum
{
  ALLOW,
  DENY,
  DROP,
  KEEP,
} Answer;

/* How to answer, and what was asked */
typedef struct
{
  Answer answer;
  guint n;
  char *id, *fingerprint, *wanted_id;
  HpAuthorization *kept;
} Judge;

typedef struct
{
  HpMatchServer *server;
  HpPeer *callee, *caller;
  Judge judge;
  TestCounter received; /* by the callee */
} Fixture;

static void
set_text (char **to, const char *text)
{
  g_free (*to);
  *to = g_strdup (text);
}

static void
judge (HpPeer *peer, HpAuthorization *authorization, gpointer user_data)
{
  Judge *self = user_data;

  self->n++;
  set_text (&self->id, hp_authorization_get_id (authorization));
  set_text (&self->fingerprint,
            hp_authorization_get_fingerprint (authorization));
  set_text (&self->wanted_id, hp_authorization_get_wanted_id (authorization));
  switch (self->answer)
    {
    case ALLOW:
      hp_authorization_allow (authorization);
      break;
    case DENY:
      hp_authorization_deny (authorization);
      break;
    case DROP:
      break;
    case KEEP:
      g_set_object (&self->kept, authorization);
      break;
    }
}

static void
judge_clear (Judge *self)
{
  g_clear_pointer (&self->id, g_free);
  g_clear_pointer (&self->fingerprint, g_free);
  g_clear_pointer (&self->wanted_id, g_free);
  g_clear_object (&self->kept);
}

static void
set_up (Fixture *self, gconstpointer judged_by_callee)
{
  GError *error = NULL;

  test_counter_init (&self->received);
  self->server = test_server_new (NULL);
  self->callee = test_peer_new (self->server, "wq");
  self->caller = test_peer_new (self->server, "caller");
  g_signal_connect (judged_by_callee ? self->callee : self->caller,
                    "authorize-peer", G_CALLBACK (judge), &self->judge);
  g_signal_connect (self->callee, "message-received",
                    G_CALLBACK (test_counter_on_message), &self->received);
  await_start (self->callee, &error);
  g_assert_no_error (error);
  await_start (self->caller, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  judge_clear (&self->judge);
  test_peer_free (self->caller);
  test_peer_free (self->callee);
  test_server_free (self->server);
  test_counter_clear (&self->received);
}

static void
check_connects (Fixture *self, const char *target)
{
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (GBytes) message = test_bytes_new (100, 1);
  GError *error = NULL;

  connection = await_connect (self->caller, target, &error);
  g_assert_no_error (error);
  await_send (connection, message, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->received.n, ==, 1);
}

static void
check_fails (Fixture *self, HpPunchError code)
{
  GError *error = NULL;

  g_assert_null (await_connect (self->caller, "wq", &error));
  g_assert_error (error, HP_PUNCH_ERROR, code);
  g_clear_error (&error);
  g_assert_cmpuint (
      g_list_model_get_n_items (hp_peer_get_connections (self->callee)), ==, 0);
  g_assert_cmpuint (
      g_list_model_get_n_items (hp_peer_get_connections (self->caller)), ==, 0);
}

static void
test_callee_allows (Fixture *self, gconstpointer data)
{
  self->judge.answer = ALLOW;
  check_connects (self, "wq");
  g_assert_cmpuint (self->judge.n, ==, 1);
  g_assert_cmpstr (self->judge.id, ==, "caller");
  g_assert_cmpstr (self->judge.wanted_id, ==, "wq");
  g_assert_cmpstr (self->judge.fingerprint, ==,
                   test_peer_get_fingerprint (self->caller));
}

static void
test_callee_denies (Fixture *self, gconstpointer data)
{
  self->judge.answer = DENY;
  check_fails (self, HP_PUNCH_ERROR_UNKNOWN_ID);
  g_assert_cmpuint (self->judge.n, ==, 1);
  /* Whoever was turned away may try again */
  self->judge.answer = ALLOW;
  check_connects (self, "wq");
  g_assert_cmpuint (self->judge.n, ==, 2);
}

static void
test_callee_drops (Fixture *self, gconstpointer data)
{
  self->judge.answer = DROP;
  check_fails (self, HP_PUNCH_ERROR_UNKNOWN_ID);
  g_assert_cmpuint (self->judge.n, ==, 1);
}

static void
test_callee_later (Fixture *self, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  g_autoptr (HpConnection) connection = NULL;
  GError *error = NULL;

  self->judge.answer = KEEP;
  hp_peer_connect_async (self->caller, "wq", NULL, test_result_take, &result);
  AWAIT (self->judge.kept != NULL);
  /* Asks are repeated, the user is asked once */
  await_time (1500);
  g_assert_null (result.result);
  g_assert_cmpuint (self->judge.n, ==, 1);
  g_assert_cmpuint (
      g_list_model_get_n_items (hp_peer_get_connections (self->callee)), ==, 0);

  hp_authorization_allow (self->judge.kept);
  AWAIT (result.result != NULL);
  connection = hp_peer_connect_finish (self->caller, result.result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->judge.n, ==, 1);
  g_clear_object (&result.result);
}

/* By fingerprint nobody is wanted by an id; the other side's call is not asked
 * about while a connection is open */
static void
test_callee_known (Fixture *self, gconstpointer data)
{
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (HpConnection) again = NULL;
  GError *error = NULL;

  self->judge.answer = ALLOW;
  check_connects (self, test_peer_get_fingerprint (self->callee));
  g_assert_cmpuint (self->judge.n, ==, 1);
  g_assert_null (self->judge.wanted_id);
  again = await_connect (self->callee, "caller", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->judge.n, ==, 1);
}

static void
test_callee_closes (Fixture *self, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };

  self->judge.answer = KEEP;
  hp_peer_connect_async (self->caller, "wq", NULL, test_result_take, &result);
  AWAIT (self->judge.kept != NULL);
  await_close (self->callee);
  hp_authorization_allow (self->judge.kept);
  await_close (self->caller);
  AWAIT (result.result != NULL);
  g_clear_object (&result.result);
}

static void
test_caller_allows (Fixture *self, gconstpointer data)
{
  self->judge.answer = ALLOW;
  check_connects (self, "wq");
  g_assert_cmpuint (self->judge.n, ==, 1);
  g_assert_cmpstr (self->judge.id, ==, "wq");
  g_assert_cmpstr (self->judge.fingerprint, ==,
                   test_peer_get_fingerprint (self->callee));
}

static void
test_caller_denies (Fixture *self, gconstpointer data)
{
  self->judge.answer = DENY;
  check_fails (self, HP_PUNCH_ERROR_DENIED);
  g_assert_cmpuint (self->judge.n, ==, 1);
}

static void
test_caller_drops (Fixture *self, gconstpointer data)
{
  self->judge.answer = DROP;
  check_fails (self, HP_PUNCH_ERROR_DENIED);
  g_assert_cmpuint (self->judge.n, ==, 1);
}

/* Longer than the callee would wait: the server is asked anew */
static void
test_caller_later (Fixture *self, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  g_autoptr (HpConnection) connection = NULL;
  GError *error = NULL;

  self->judge.answer = KEEP;
  hp_peer_set_connect_timeout (self->caller, 2);
  hp_peer_connect_async (self->caller, "wq", NULL, test_result_take, &result);
  AWAIT (self->judge.kept != NULL);
  await_time (3000);
  g_assert_null (result.result);

  hp_authorization_allow (self->judge.kept);
  AWAIT (result.result != NULL);
  connection = hp_peer_connect_finish (self->caller, result.result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->judge.n, ==, 1);
  g_clear_object (&result.result);
}

/* The fingerprint says it all */
static void
test_caller_pinned (Fixture *self, gconstpointer data)
{
  g_autofree char *target = g_strdup_printf (
      "wq@%s", test_peer_get_fingerprint (self->callee));

  self->judge.answer = DENY;
  check_connects (self, target);
  g_assert_cmpuint (self->judge.n, ==, 0);
}

static void
test_caller_cancels (Fixture *self, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) result = { 0 };
  GError *error = NULL;

  self->judge.answer = KEEP;
  hp_peer_connect_async (self->caller, "wq", cancellable, test_result_take,
                         &result);
  AWAIT (self->judge.kept != NULL);
  g_cancellable_cancel (cancellable);
  AWAIT (result.result != NULL);
  g_assert_null (hp_peer_connect_finish (self->caller, result.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  hp_authorization_allow (self->judge.kept);
  g_clear_object (&result.result);
}

static void
test_direct (Fixture *self, gconstpointer data)
{
  g_autoptr (GSocketAddress)
      address = test_peer_get_address (self->callee, "127.0.0.1");
  const char *fingerprint = test_peer_get_fingerprint (self->callee);
  g_autoptr (HpConnection) connection = NULL;
  GError *error = NULL;

  hp_peer_set_direct_calls (self->callee, TRUE);
  hp_peer_set_connect_timeout (self->caller, 2);
  self->judge.answer = DENY;
  g_assert_null (
      await_connect_to_address (self->caller, address, fingerprint, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE);
  g_clear_error (&error);
  g_assert_cmpuint (self->judge.n, >=, 1);
  g_assert_null (self->judge.wanted_id);
  g_assert_cmpstr (self->judge.fingerprint, ==,
                   test_peer_get_fingerprint (self->caller));

  self->judge.answer = ALLOW;
  connection = await_connect_to_address (self->caller, address, fingerprint,
                                         &error);
  g_assert_no_error (error);
}

/* A handler that came after the start: the server learns of it when the
 * registration is renewed, and then tells nothing of the callee */
static void
test_late_handler (void)
{
  HpMatchServer *server = hp_match_server_new (0);
  HpPeer *callee, *caller;
  Judge late = { .answer = DENY };
  GError *error = NULL;

  hp_match_server_set_listen_address (server, "127.0.0.1");
  hp_match_server_set_registration_lifetime (server, 10);
  hp_match_server_start (server, &error);
  g_assert_no_error (error);
  callee = test_peer_new_started (server, "wq");
  caller = test_peer_new_started (server, NULL);
  hp_peer_set_connect_timeout (caller, 2);
  g_signal_connect (callee, "authorize-peer", G_CALLBACK (judge), &late);

  /* Nobody is let in at once, renewed or not */
  g_assert_null (await_connect (caller, "wq", &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE);
  g_clear_error (&error);
  g_assert_cmpuint (late.n, ==, 1);
  await_time (9000);
  g_assert_null (await_connect (caller, "wq", &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID);
  g_clear_error (&error);
  g_assert_cmpuint (late.n, ==, 2);

  judge_clear (&late);
  test_peer_free (caller);
  test_peer_free (callee);
  test_server_free (server);
}

static void
keep_all (HpPeer *peer, HpAuthorization *authorization, gpointer all)
{
  g_ptr_array_add (all, g_object_ref (authorization));
}

/* Strangers are many: the questions that are open at one time are not, and
 * whoever found no place gets one when there is one again */
static void
test_flood (void)
{
  enum
  {
    N = 70,
    MOST = 64
  };
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *callee = test_peer_new (server, "wq");
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_object_unref);
  TestResult results[N] = { { NULL, 0 } };
  HpPeer *callers[N];
  GError *error = NULL;
  guint n_connected = 0;

  hp_match_server_set_max_handshakes_per_second (server, 1000);
  g_signal_connect (callee, "authorize-peer", G_CALLBACK (keep_all), all);
  await_start (callee, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N; i++)
    {
      callers[i] = test_peer_new (server, NULL);
      hp_peer_connect_async (callers[i], "wq", NULL, test_result_take,
                             &results[i]);
    }
  AWAIT (all->len >= MOST);
  await_time (1000);
  g_assert_cmpuint (all->len, ==, MOST);

  for (guint i = 0; i < MOST; i++)
    hp_authorization_allow (all->pdata[i]);
  AWAIT (all->len == N);
  for (guint i = MOST; i < N; i++)
    hp_authorization_allow (all->pdata[i]);
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (HpConnection) connection = NULL;

      AWAIT (results[i].result != NULL);
      connection = hp_peer_connect_finish (callers[i], results[i].result,
                                           &error);
      g_assert_no_error (error);
      n_connected++;
      test_result_clear (&results[i]);
    }
  g_assert_cmpuint (n_connected, ==, N);
  for (guint i = 0; i < N; i++)
    test_peer_free (callers[i]);
  test_peer_free (callee);
  test_server_free (server);
}

int
main (int argc, char **argv)
{
  gpointer callee = GUINT_TO_POINTER (TRUE);

  g_test_init (&argc, &argv, NULL);

#define ADD(path, judge, func)                                                 \
  g_test_add (path, Fixture, judge, set_up, func, tear_down)
  ADD ("/authorize/callee/allows", callee, test_callee_allows);
  ADD ("/authorize/callee/denies", callee, test_callee_denies);
  ADD ("/authorize/callee/drops", callee, test_callee_drops);
  ADD ("/authorize/callee/later", callee, test_callee_later);
  ADD ("/authorize/callee/known", callee, test_callee_known);
  ADD ("/authorize/callee/closes", callee, test_callee_closes);
  ADD ("/authorize/caller/allows", NULL, test_caller_allows);
  ADD ("/authorize/caller/denies", NULL, test_caller_denies);
  ADD ("/authorize/caller/drops", NULL, test_caller_drops);
  ADD ("/authorize/caller/later", NULL, test_caller_later);
  ADD ("/authorize/caller/pinned", NULL, test_caller_pinned);
  ADD ("/authorize/caller/cancels", NULL, test_caller_cancels);
  ADD ("/authorize/direct", callee, test_direct);
#undef ADD
  g_test_add_func ("/authorize/late-handler", test_late_handler);
  g_test_add_func ("/authorize/flood", test_flood);
  return g_test_run ();
}
