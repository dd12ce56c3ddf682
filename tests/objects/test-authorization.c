/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpAuthorization: answered exactly once, whatever happens to it */

#include "hole-punch/hp-authorization-private.h"

#include "objects-test.h"

typedef struct
{
  guint answers;
  gboolean allowed;
  GThread *thread;
  guint destroyed;
  HpAuthorization *drop_inside; /* dropped by the answer */
} Asked;

static const char fingerprint[]
    = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void
on_answer (gboolean allowed, gpointer user_data)
{
  Asked *asked = user_data;

  asked->answers++;
  asked->allowed = allowed;
  asked->thread = g_thread_self ();
  g_clear_object (&asked->drop_inside);
}

static void
on_destroy (gpointer user_data)
{
  ((Asked *) user_data)->destroyed++;
}

static HpAuthorization *
ask (Asked *asked, gint64 deadline)
{
  return hp_authorization_new_private ("caller", fingerprint, "callee", NULL,
                                       deadline, on_answer, asked, on_destroy);
}

static void
test_properties (void)
{
  Asked asked = { 0 };
  HpAuthorization *authorization = ask (&asked, G_TIME_SPAN_MINUTE);
  g_autofree char *id = NULL;
  g_autofree char *key = NULL;
  g_autofree char *wanted_id = NULL;

  g_object_get (authorization, "id", &id, "fingerprint", &key, "wanted-id",
                &wanted_id, NULL);
  g_assert_cmpstr (id, ==, "caller");
  g_assert_cmpstr (key, ==, fingerprint);
  g_assert_cmpstr (wanted_id, ==, "callee");
  g_assert_cmpstr (hp_authorization_get_id (authorization), ==, id);
  g_assert_cmpstr (hp_authorization_get_fingerprint (authorization), ==, key);
  g_assert_cmpstr (hp_authorization_get_wanted_id (authorization), ==,
                   wanted_id);
  hp_authorization_deny (authorization);
  g_assert_finalize_object (authorization);
}

/* 'a' allows, 'd' denies: only the first counts */
static void
test_answer (gconstpointer data)
{
  const char *answers = data;
  Asked asked = { 0 };
  HpAuthorization *authorization = ask (&asked, G_TIME_SPAN_MINUTE);

  for (const char *answer = answers; *answer != '\0'; answer++)
    if (*answer == 'a')
      hp_authorization_allow (authorization);
    else
      hp_authorization_deny (authorization);
  g_assert_cmpuint (asked.answers, ==, 1);
  g_assert_cmpuint (asked.destroyed, ==, 1);
  g_assert_cmpint (asked.allowed, ==, *answers == 'a');

  g_assert_finalize_object (authorization);
  objects_test_settle (20);
  g_assert_cmpuint (asked.answers, ==, 1);
  g_assert_cmpuint (asked.destroyed, ==, 1);
}

static void
test_drop (void)
{
  Asked asked = { 0 };

  g_assert_finalize_object (ask (&asked, G_TIME_SPAN_MINUTE));
  /* Nothing is called from inside the drop. */
  g_assert_cmpuint (asked.answers, ==, 0);
  await (asked.answers > 0);
  g_assert_false (asked.allowed);
  g_assert_cmpuint (asked.destroyed, ==, 1);
  objects_test_settle (20);
  g_assert_cmpuint (asked.answers, ==, 1);
}

static gpointer
drop_in_thread (gpointer authorization)
{
  g_object_unref (authorization);
  return NULL;
}

static void
test_drop_elsewhere (void)
{
  Asked asked = { 0 };
  HpAuthorization *authorization = ask (&asked, G_TIME_SPAN_MINUTE);

  g_thread_join (g_thread_new ("collector", drop_in_thread, authorization));
  g_assert_cmpuint (asked.answers, ==, 0);
  await (asked.answers > 0);
  g_assert_false (asked.allowed);
  g_assert_true (asked.thread == g_thread_self ());
}

static void
test_drop_inside_answer (void)
{
  Asked asked = { 0 };

  asked.drop_inside = ask (&asked, G_TIME_SPAN_MINUTE);
  g_object_add_weak_pointer (G_OBJECT (asked.drop_inside),
                             (gpointer *) &asked.drop_inside);
  hp_authorization_allow (asked.drop_inside);
  g_assert_null (asked.drop_inside);
  g_assert_true (asked.allowed);
  objects_test_settle (20);
  g_assert_cmpuint (asked.answers, ==, 1);
}

static void
test_deadline (void)
{
  Asked asked = { 0 };
  HpAuthorization *authorization
      = ask (&asked, 20 * G_TIME_SPAN_MILLISECOND);
  gint64 start = g_get_monotonic_time ();

  await (asked.answers > 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >=,
                   20 * G_TIME_SPAN_MILLISECOND);
  g_assert_false (asked.allowed);
  g_assert_cmpuint (asked.destroyed, ==, 1);
  hp_authorization_allow (authorization);
  g_assert_finalize_object (authorization);
  objects_test_settle (20);
  g_assert_cmpuint (asked.answers, ==, 1);
  g_assert_false (asked.allowed);
}

static void
test_dispose (void)
{
  Asked asked = { 0 };
  HpAuthorization *authorization = ask (&asked, G_TIME_SPAN_MINUTE);

  g_object_run_dispose (G_OBJECT (authorization));
  hp_authorization_allow (authorization);
  await (asked.answers > 0);
  g_assert_false (asked.allowed);
  g_assert_finalize_object (authorization);
}

static void
test_context_gone (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Asked asked = { 0 };
  HpAuthorization *authorization = hp_authorization_new_private (
      NULL, fingerprint, NULL, context, 0, on_answer, &asked, on_destroy);

  g_clear_pointer (&context, g_main_context_unref);
  g_assert_cmpuint (asked.destroyed, ==, 0);
  g_assert_null (hp_authorization_get_id (authorization));
  g_assert_finalize_object (authorization);
  g_assert_cmpuint (asked.answers, ==, 0);
  g_assert_cmpuint (asked.destroyed, ==, 1);
}

/* As a binding can make one */
static void
test_bare (void)
{
  HpAuthorization *authorization = g_object_new (HP_TYPE_AUTHORIZATION, NULL);

  hp_authorization_allow (authorization);
  hp_authorization_deny (authorization);
  g_assert_null (hp_authorization_get_id (authorization));
  g_assert_null (hp_authorization_get_fingerprint (authorization));
  g_assert_null (hp_authorization_get_wanted_id (authorization));
  g_assert_finalize_object (authorization);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/authorization/properties", test_properties);
  g_test_add_data_func ("/authorization/allow", "a", test_answer);
  g_test_add_data_func ("/authorization/deny", "d", test_answer);
  g_test_add_data_func ("/authorization/allow-twice", "aa", test_answer);
  g_test_add_data_func ("/authorization/allow-then-deny", "ad", test_answer);
  g_test_add_data_func ("/authorization/deny-then-allow", "da", test_answer);
  g_test_add_func ("/authorization/drop", test_drop);
  g_test_add_func ("/authorization/drop-in-thread", test_drop_elsewhere);
  g_test_add_func ("/authorization/drop-inside-answer",
                   test_drop_inside_answer);
  g_test_add_func ("/authorization/deadline", test_deadline);
  g_test_add_func ("/authorization/dispose", test_dispose);
  g_test_add_func ("/authorization/context-gone", test_context_gone);
  g_test_add_func ("/authorization/bare", test_bare);
  return g_test_run ();
}
