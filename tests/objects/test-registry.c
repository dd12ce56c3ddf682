/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpRegistry: requests to registries that answer at once, late, never, with an
 * error, twice, from another thread, or not at all */

#include "hole-punch/hp-punch-error.h"
#include "hole-punch/hp-registry-request-private.h"
#include "hole-punch/hp-registry.h"

#include "objects-test.h"

static const char fingerprint[]
    = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";

/* A registry that does with a request what it is told to */

typedef enum
{
  ANSWER,
  ANSWER_NOBODY,
  ANSWER_TWICE,
  ANSWER_THEN_FAIL,
  FAIL,
  FAIL_THEN_ANSWER,
  KEEP,
  DROP,
  FROM_THREAD,
} Manner;

typedef struct
{
  GObject parent_instance;

  Manner manner;
  const char *asked; /* which function it was */
  HpRegistryRequest *kept;
} TestRegistry;

typedef struct
{
  GObjectClass parent_class;
} TestRegistryClass;

static void test_registry_iface_init (HpRegistryInterface *iface);
GType test_registry_get_type (void);

G_DEFINE_TYPE_WITH_CODE (TestRegistry, test_registry, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY,
                                                test_registry_iface_init))

static void
answer (HpRegistryRequest *request)
{
  g_autoptr (HpRegistration) holder = hp_registration_new (
      hp_registry_request_get_id (request), fingerprint);

  hp_registry_request_return_registration (request, holder);
}

static void
fail (HpRegistryRequest *request)
{
  g_autoptr (GError) error
      = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_REFUSED, "not you");

  hp_registry_request_return_error (request, error);
}

static gpointer
answer_in_thread (gpointer data)
{
  g_autoptr (HpRegistryRequest) request = data;

  answer (request);
  return NULL;
}

static void
handle (TestRegistry *self, HpRegistryRequest *request, const char *asked)
{
  self->asked = asked;
  switch (self->manner)
    {
    case ANSWER:
      answer (request);
      break;
    case ANSWER_NOBODY:
      hp_registry_request_return_registration (request, NULL);
      break;
    case ANSWER_TWICE:
      answer (request);
      answer (request);
      break;
    case ANSWER_THEN_FAIL:
      answer (request);
      fail (request);
      break;
    case FAIL:
      fail (request);
      break;
    case FAIL_THEN_ANSWER:
      fail (request);
      answer (request);
      break;
    case KEEP:
      g_set_object (&self->kept, request);
      break;
    case DROP:
      break;
    case FROM_THREAD:
      g_thread_join (
          g_thread_new ("registry", answer_in_thread, g_object_ref (request)));
      break;
    }
}

static void
claim (HpRegistry *registry, HpRegistryRequest *request)
{
  handle ((TestRegistry *) registry, request, "claim");
}

static void
lookup (HpRegistry *registry, HpRegistryRequest *request)
{
  handle ((TestRegistry *) registry, request, "lookup");
}

static void
release (HpRegistry *registry, HpRegistryRequest *request)
{
  handle ((TestRegistry *) registry, request, "release");
}

static void
test_registry_iface_init (HpRegistryInterface *iface)
{
  iface->claim = claim;
  iface->lookup = lookup;
  iface->release = release;
}

static void
test_registry_finalize (GObject *object)
{
  g_clear_object (&((TestRegistry *) object)->kept);
  G_OBJECT_CLASS (test_registry_parent_class)->finalize (object);
}

static void
test_registry_class_init (TestRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_registry_finalize;
}

static void
test_registry_init (TestRegistry *self)
{
}

/* A registry that can do nothing */

typedef TestRegistry PartialRegistry;
typedef TestRegistryClass PartialRegistryClass;

static void
partial_registry_iface_init (HpRegistryInterface *iface)
{
}

GType partial_registry_get_type (void);

G_DEFINE_TYPE_WITH_CODE (PartialRegistry, partial_registry, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY,
                                                partial_registry_iface_init))

static void
partial_registry_class_init (PartialRegistryClass *klass)
{
}

static void
partial_registry_init (PartialRegistry *self)
{
}

/* The tests */

typedef struct
{
  TestRegistry *registry;
  GAsyncResult *result;
  GCancellable *cancellable;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->registry = g_object_new (test_registry_get_type (), NULL);
  fixture->registry->manner = GPOINTER_TO_UINT (data);
  fixture->cancellable = g_cancellable_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->result);
  g_assert_finalize_object (fixture->registry);
  g_assert_finalize_object (fixture->cancellable);
}

static void
start_claim (Fixture *fixture)
{
  hp_registry_claim_async (HP_REGISTRY (fixture->registry), "wq", fingerprint,
                           150, TRUE, fixture->cancellable,
                           objects_test_keep_result, &fixture->result);
}

static HpRegistration *
finish_claim (Fixture *fixture, GError **error)
{
  await (fixture->result != NULL);
  return hp_registry_claim_finish (HP_REGISTRY (fixture->registry),
                                   fixture->result, error);
}

static void
assert_holder (HpRegistration *holder)
{
  g_assert_nonnull (holder);
  g_assert_cmpstr (hp_registration_get_id (holder), ==, "wq");
  g_assert_cmpstr (hp_registration_get_fingerprint (holder), ==, fingerprint);
}

/* ANSWER, ANSWER_TWICE, ANSWER_THEN_FAIL, FROM_THREAD */
static void
test_claim (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpRegistration) holder = NULL;
  g_autoptr (GError) error = NULL;

  start_claim (fixture);
  /* Never from inside the call */
  g_assert_null (fixture->result);
  holder = finish_claim (fixture, &error);
  g_assert_no_error (error);
  assert_holder (holder);
  g_assert_cmpstr (fixture->registry->asked, ==, "claim");
  /* A second answer would be kept a second time, which fails. */
  objects_test_settle (20);
}

static void
test_fail (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_claim (fixture);
  g_assert_null (finish_claim (fixture, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REFUSED);
  objects_test_settle (20);
}

static void
test_claim_nobody (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_claim (fixture);
  g_assert_null (finish_claim (fixture, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  /* And without caring about the error */
  g_clear_object (&fixture->result);
  start_claim (fixture);
  g_assert_null (finish_claim (fixture, NULL));
}

static void
test_drop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_claim (fixture);
  g_assert_null (fixture->result);
  g_assert_null (finish_claim (fixture, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
test_late (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpRegistration) holder = NULL;
  g_autoptr (GError) error = NULL;
  HpRegistryRequest *request;

  start_claim (fixture);
  objects_test_settle (20);
  g_assert_null (fixture->result);

  request = g_steal_pointer (&fixture->registry->kept);
  g_assert_cmpstr (hp_registry_request_get_id (request), ==, "wq");
  g_assert_cmpstr (hp_registry_request_get_fingerprint (request), ==,
                   fingerprint);
  g_assert_cmpint (hp_registry_request_get_lifetime (request), ==, 150);
  g_assert_true (hp_registry_request_get_ephemeral (request));
  answer (request);
  holder = finish_claim (fixture, &error);
  g_assert_no_error (error);
  assert_holder (holder);
  fail (request);
  g_assert_finalize_object (request);
  objects_test_settle (20);
}

static void
test_late_drop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_claim (fixture);
  objects_test_settle (20);
  g_assert_null (fixture->result);
  g_assert_finalize_object (g_steal_pointer (&fixture->registry->kept));
  g_assert_null (fixture->result);
  g_assert_null (finish_claim (fixture, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_claim (fixture);
  objects_test_settle (20);
  g_assert_null (fixture->result);
  g_cancellable_cancel (fixture->cancellable);
  g_assert_null (fixture->result);
  g_assert_null (finish_claim (fixture, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  answer (fixture->registry->kept);
  objects_test_settle (20);
}

static void
test_cancelled_before (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (fixture->cancellable);
  start_claim (fixture);
  g_assert_null (fixture->result);
  g_assert_null (finish_claim (fixture, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_lookup (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpRegistration) holder = NULL;
  g_autoptr (GError) error = NULL;
  HpRegistry *registry = HP_REGISTRY (fixture->registry);

  hp_registry_lookup_async (registry, "wq", NULL, objects_test_keep_result,
                            &fixture->result);
  await (fixture->result != NULL);
  holder = hp_registry_lookup_finish (registry, fixture->result, &error);
  g_assert_no_error (error);
  assert_holder (holder);
  g_assert_cmpstr (fixture->registry->asked, ==, "lookup");

  g_clear_object (&fixture->result);
  fixture->registry->manner = ANSWER_NOBODY;
  hp_registry_lookup_async (registry, "wq", NULL, objects_test_keep_result,
                            &fixture->result);
  await (fixture->result != NULL);
  g_assert_null (
      hp_registry_lookup_finish (registry, fixture->result, &error));
  g_assert_no_error (error);
}

static void
test_release (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HpRegistry *registry = HP_REGISTRY (fixture->registry);

  hp_registry_release_async (registry, "wq", fingerprint, NULL,
                             objects_test_keep_result, &fixture->result);
  await (fixture->result != NULL);
  g_assert_true (
      hp_registry_release_finish (registry, fixture->result, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fixture->registry->asked, ==, "release");

  g_clear_object (&fixture->result);
  fixture->registry->manner = FAIL;
  hp_registry_release_async (registry, "wq", fingerprint, NULL,
                             objects_test_keep_result, &fixture->result);
  await (fixture->result != NULL);
  g_assert_false (
      hp_registry_release_finish (registry, fixture->result, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REFUSED);

  /* Without a callback nobody waits for the answer. */
  hp_registry_release_async (registry, "wq", fingerprint, NULL, NULL, NULL);
  objects_test_settle (20);
}

static void
test_partial (void)
{
  HpRegistry *registry = g_object_new (partial_registry_get_type (), NULL);
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;

  hp_registry_claim_async (registry, "wq", fingerprint, 1, FALSE, NULL,
                           objects_test_keep_result, &result);
  await (result != NULL);
  g_assert_null (hp_registry_claim_finish (registry, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_clear_object (&result);

  hp_registry_lookup_async (registry, "wq", NULL, objects_test_keep_result,
                            &result);
  await (result != NULL);
  g_assert_null (hp_registry_lookup_finish (registry, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_clear_object (&result);

  hp_registry_release_async (registry, "wq", fingerprint, NULL,
                             objects_test_keep_result, &result);
  await (result != NULL);
  g_assert_false (hp_registry_release_finish (registry, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_object (&result);
  g_assert_finalize_object (registry);
}

/* With a deadline that a test can wait for */
static void
test_deadline (void)
{
  GAsyncResult *result = NULL;
  GTask *task = g_task_new (NULL, NULL, objects_test_keep_result, &result);
  const HpRegistryQuery query = { .id = "wq", .lifetime = 1 };
  HpRegistryRequest *request = hp_registry_request_new_private (
      task, &query, 20 * G_TIME_SPAN_MILLISECOND);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  await (result != NULL);
  g_assert_cmpint (g_get_monotonic_time () - start, >=,
                   20 * G_TIME_SPAN_MILLISECOND);
  g_assert_null (g_task_propagate_pointer (G_TASK (result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_object_unref (result);

  answer (request);
  fail (request);
  g_assert_finalize_object (request);
  objects_test_settle (20);
}

static void
test_request_properties (void)
{
  GAsyncResult *result = NULL;
  GTask *task = g_task_new (NULL, NULL, objects_test_keep_result, &result);
  g_autoptr (GBytes) message = g_bytes_new_static ("hello", 5);
  const HpRegistryQuery query = {
    .id = "wq",
    .fingerprint = fingerprint,
    .lifetime = 86400,
    .ephemeral = TRUE,
    .server = "north",
    .message = message,
  };
  HpRegistryRequest *request = hp_registry_request_new_private (
      task, &query, G_TIME_SPAN_SECOND);
  g_autofree char *id = NULL;
  g_autofree char *key = NULL;
  g_autofree char *server = NULL;
  g_autoptr (GBytes) same = NULL;
  gint64 lifetime = 0;
  gboolean ephemeral = FALSE;

  g_object_get (request, "id", &id, "fingerprint", &key, "lifetime",
                &lifetime, "ephemeral", &ephemeral, "server", &server,
                "message", &same, NULL);
  g_assert_cmpstr (server, ==, "north");
  g_assert_true (same == message);
  g_assert_cmpstr (id, ==, "wq");
  g_assert_cmpstr (key, ==, fingerprint);
  g_assert_cmpint (lifetime, ==, 86400);
  g_assert_true (ephemeral);
  answer (request);
  await (result != NULL);
  g_object_unref (result);
  g_assert_finalize_object (request);
}

/* As a binding can make one */
static void
test_bare (void)
{
  HpRegistryRequest *request = g_object_new (HP_TYPE_REGISTRY_REQUEST, NULL);

  answer (request);
  fail (request);
  g_assert_null (hp_registry_request_get_id (request));
  g_assert_null (hp_registry_request_get_fingerprint (request));
  g_assert_cmpint (hp_registry_request_get_lifetime (request), ==, 0);
  g_assert_false (hp_registry_request_get_ephemeral (request));
  g_assert_finalize_object (request);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, manner, func)                                               \
  g_test_add ("/registry/" name, Fixture, GUINT_TO_POINTER (manner), set_up,  \
              func, tear_down)

  ADD ("claim", ANSWER, test_claim);
  ADD ("claim-nobody", ANSWER_NOBODY, test_claim_nobody);
  ADD ("answer-twice", ANSWER_TWICE, test_claim);
  ADD ("answer-then-fail", ANSWER_THEN_FAIL, test_claim);
  ADD ("from-thread", FROM_THREAD, test_claim);
  ADD ("fail", FAIL, test_fail);
  ADD ("fail-then-answer", FAIL_THEN_ANSWER, test_fail);
  ADD ("drop", DROP, test_drop);
  ADD ("late", KEEP, test_late);
  ADD ("late-drop", KEEP, test_late_drop);
  ADD ("cancel", KEEP, test_cancel);
  ADD ("cancelled-before", ANSWER, test_cancelled_before);
  ADD ("lookup", ANSWER, test_lookup);
  ADD ("release", ANSWER, test_release);
  g_test_add_func ("/registry/partial", test_partial);
  g_test_add_func ("/registry/deadline", test_deadline);
  g_test_add_func ("/registry/request/properties", test_request_properties);
  g_test_add_func ("/registry/request/bare", test_bare);
  return g_test_run ();
}
