/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpMemoryRegistry's file, with invented clocks */

#include "hole-punch/hp-memory-registry-lines-private.h"
#include "hole-punch/hp-memory-registry-private.h"
#include "hole-punch/hp-punch-error.h"

#include "objects-test.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR (60 * 60)
#define DAY (24 * HOUR)
#define MONTH (30 * DAY)
#define N_KEYS 4

static gint64 now;
static char *told; /* by the log */
static guint n_told;

static gint64
get_now (void)
{
  return now;
}

static gint64
get_wall_now (void)
{
  return now + G_GINT64_CONSTANT (1800000000000000);
}

typedef struct
{
  char *directory;
  char *filename;
  HpMemoryRegistry *registry;
  guint8 keys[N_KEYS][HP_KEY_SIZE];
} Fixture;

static void
forward (gint64 seconds)
{
  now += seconds * G_USEC_PER_SEC;
}

static void
open_registry (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->registry = hp_memory_registry_open_with_clocks (
      fixture->filename, get_now, get_wall_now, &error);
  g_assert_no_error (error);
}

static void
reopen (Fixture *fixture)
{
  g_assert_finalize_object (fixture->registry);
  open_registry (fixture);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  now = G_USEC_PER_SEC;
  fixture->directory = g_dir_make_tmp ("hp-registry-XXXXXX", NULL);
  fixture->filename = g_build_filename (fixture->directory, "ids", NULL);
  for (guint i = 0; i < N_KEYS; i++)
    fixture->keys[i][0] = fixture->keys[i][31] = i + 1;
  open_registry (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *new_filename = g_strconcat (fixture->filename, ".new", NULL);

  if (fixture->registry != NULL)
    g_assert_finalize_object (fixture->registry);
  g_assert_cmpuint (n_told, ==, 0);
  g_assert_false (g_file_test (new_filename, G_FILE_TEST_EXISTS));
  g_unlink (fixture->filename);
  g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
  g_free (fixture->filename);
  g_free (fixture->directory);
}

static int
number_of (Fixture *fixture, const guint8 *holder)
{
  for (guint i = 0; i < N_KEYS; i++)
    if (memcmp (fixture->keys[i], holder, HP_KEY_SIZE) == 0)
      return i;
  g_assert_not_reached ();
}

/* The number of the holder then */
static int
claim_for (Fixture *fixture, const char *id, guint key, gint64 lifetime,
           gboolean ephemeral)
{
  guint8 holder[HP_KEY_SIZE];

  g_assert_cmpuint (hp_memory_registry_claim_now (
                        fixture->registry, id, fixture->keys[key], lifetime,
                        ephemeral, holder),
                    ==, 0);
  return number_of (fixture, holder);
}

static int
claim (Fixture *fixture, const char *id, guint key)
{
  return claim_for (fixture, id, key, MONTH, FALSE);
}

/* -1: nobody */
static int
lookup (Fixture *fixture, const char *id)
{
  guint8 holder[HP_KEY_SIZE];

  return hp_memory_registry_lookup_now (fixture->registry, id, holder)
             ? number_of (fixture, holder)
             : -1;
}

static void
release (Fixture *fixture, const char *id, guint key)
{
  hp_memory_registry_release_now (fixture->registry, id, fixture->keys[key]);
}

static void
settle (Fixture *fixture)
{
  HpRegistryFile *file = hp_memory_registry_get_file (fixture->registry);

  await (hp_registry_file_is_idle (file));
}

static char *
read_file (Fixture *fixture, gsize *length)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (fixture->filename, &text, length, &error);
  g_assert_no_error (error);
  return text;
}

static void
write_file (Fixture *fixture, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (fixture->filename, text, length, &error);
  g_assert_no_error (error);
}

static GLogWriterOutput
keep_message (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
              gpointer data)
{
  if ((level & G_LOG_LEVEL_MASK) != G_LOG_LEVEL_MESSAGE)
    return g_log_writer_default (level, fields, n_fields, data);
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0)
      {
        g_free (told);
        told = g_strdup (fields[i].value);
        n_told++;
      }
  return G_LOG_WRITER_HANDLED;
}

/* Just once, since this was asked before */
static void
assert_told (const char *pattern)
{
  g_assert_cmpuint (n_told, ==, 1);
  if (!g_pattern_match_simple (pattern, told))
    g_assert_cmpstr (told, ==, pattern);
  n_told = 0;
}

static void
test_keeps (Fixture *fixture, gconstpointer data)
{
  g_autofree char *filename = NULL;
  GStatBuf status;

  g_assert_cmpint (claim (fixture, "kept", 0), ==, 0);
  g_assert_cmpint (claim (fixture, "released", 0), ==, 0);
  g_assert_cmpint (claim (fixture, "changed hands", 0), ==, 0);
  g_assert_cmpint (claim_for (fixture, "ephemeral", 1, MONTH, TRUE), ==, 1);
  g_assert_cmpint (claim (fixture, "now ephemeral", 1), ==, 1);
  g_assert_cmpint (claim_for (fixture, "now ephemeral", 1, HOUR, TRUE), ==, 1);
  release (fixture, "released", 1);
  g_assert_cmpint (lookup (fixture, "released"), ==, 0);
  release (fixture, "released", 0);
  release (fixture, "changed hands", 0);
  g_assert_cmpint (claim (fixture, "changed hands", 2), ==, 2);
  reopen (fixture);
  g_object_get (fixture->registry, "filename", &filename, NULL);
  g_assert_cmpstr (filename, ==, fixture->filename);
  g_assert_cmpint (g_stat (fixture->filename, &status), ==, 0);
  g_assert_cmphex (status.st_mode & 0777, ==, 0600);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, 2);
  g_assert_cmpint (lookup (fixture, "kept"), ==, 0);
  g_assert_cmpint (claim (fixture, "kept", 1), ==, 0);
  g_assert_cmpint (lookup (fixture, "released"), ==, -1);
  g_assert_cmpint (lookup (fixture, "changed hands"), ==, 2);
  g_assert_cmpint (lookup (fixture, "ephemeral"), ==, -1);
  g_assert_cmpint (lookup (fixture, "now ephemeral"), ==, -1);
}

/* Until its owner has been away for its lifetime, and a day at most */
static void
test_end (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (claim_for (fixture, "long", 0, MONTH, FALSE), ==, 0);
  g_assert_cmpint (claim_for (fixture, "short", 0, 2 * DAY, FALSE), ==, 0);
  for (guint i = 1; i < 30; i++)
    {
      forward (DAY);
      reopen (fixture);
      g_assert_cmpint (lookup (fixture, "long"), ==, 0);
      if (i < 2)
        g_assert_cmpint (lookup (fixture, "short"), ==, 0);
      if (i > 3)
        g_assert_cmpint (lookup (fixture, "short"), ==, -1);
    }
  forward (2 * DAY);
  g_assert_cmpint (lookup (fixture, "long"), ==, -1);
  reopen (fixture);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, 0);
}

/* What is refreshed all the time stays, by a line a day. */
static void
test_refresh (Fixture *fixture, gconstpointer data)
{
  GStatBuf before;
  GStatBuf after;

  g_assert_cmpint (claim (fixture, "id", 0), ==, 0);
  reopen (fixture);
  g_assert_cmpint (g_stat (fixture->filename, &before), ==, 0);
  for (guint i = 0; i < 60 * 24; i++)
    {
      forward (HOUR);
      g_assert_cmpint (claim (fixture, "id", 0), ==, 0);
    }
  reopen (fixture);
  g_assert_cmpint (g_stat (fixture->filename, &after), ==, 0);
  g_assert_cmpint (after.st_size - before.st_size, ==, 60 * (74 + 2));
  forward (29 * DAY);
  reopen (fixture);
  g_assert_cmpint (lookup (fixture, "id"), ==, 0);
}

/* Not everybody is written at midnight. */
static void
test_spread (Fixture *fixture, gconstpointer data)
{
  const guint n = 1000;
  const gsize line = 74 + 4;
  guint n_written = 0;

  for (guint hour = 0; hour <= 24; hour++)
    {
      GStatBuf before;
      GStatBuf after;
      guint n_lines;

      g_assert_cmpint (g_stat (fixture->filename, &before), ==, 0);
      for (guint i = 0; i < n; i++)
        {
          guint8 key[HP_KEY_SIZE] = { 0 };
          guint32 random = i * 2654435761u;
          char id[8];

          memcpy (key, &random, sizeof random);
          g_snprintf (id, sizeof id, "%04u", i);
          g_assert_cmpuint (hp_memory_registry_claim_now (
                                fixture->registry, id, key, MONTH, FALSE, key),
                            ==, 0);
        }
      reopen (fixture);
      g_assert_cmpint (g_stat (fixture->filename, &after), ==, 0);
      n_lines = (after.st_size - before.st_size) / line;
      if (hour == 0)
        g_assert_cmpuint (n_lines, ==, n);
      else
        g_assert_cmpuint (n_lines, <, n / 10);
      n_written += n_lines;
      forward (HOUR);
    }
  g_assert_cmpuint (n_written, ==, 2 * n);
}

/* Those of a file are over in the order of their ends, not of their lines. */
static void
test_order (Fixture *fixture, gconstpointer data)
{
  char id[8];

  for (guint i = 0; i < 20; i++)
    {
      g_snprintf (id, sizeof id, "%u", i);
      claim_for (fixture, id, 0, (i * 7 % 20 + 1) * DAY, FALSE);
    }
  reopen (fixture);
  /* And a day that it may have been refreshed */
  forward (DAY);
  for (guint left = 20; left > 0; left--)
    {
      g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                        left);
      forward (DAY);
    }
}

static void
test_strange_ids (Fixture *fixture, gconstpointer data)
{
  char longest[256];
  char too_long[257];
  guint8 holder[HP_KEY_SIZE];
  const char *ids[] = { "\n", "a\nb", "%", "%0a", "100 %", " ", "Бета", "\x7f",
                        "\x01\xff", longest };

  memset (longest, '\n', sizeof longest);
  longest[255] = '\0';
  memset (too_long, 'x', sizeof too_long);
  too_long[256] = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpint (claim (fixture, ids[i], i % N_KEYS), ==, i % N_KEYS);
  g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, "",
                                                  fixture->keys[0], 1, FALSE,
                                                  holder),
                    ==, HP_REFUSED_INVALID);
  g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, too_long,
                                                  fixture->keys[0], 1, FALSE,
                                                  holder),
                    ==, HP_REFUSED_INVALID);
  reopen (fixture);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                    G_N_ELEMENTS (ids));
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpint (lookup (fixture, ids[i]), ==, i % N_KEYS);
}

/* A file cut off anywhere, as a crash leaves it */
static void
test_torn (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize length;

  claim (fixture, "first", 1);
  claim (fixture, "second", 2);
  g_assert_finalize_object (g_steal_pointer (&fixture->registry));
  text = read_file (fixture, &length);
  for (gsize cut = 0; cut <= length; cut++)
    {
      gboolean is_whole = cut == 0 || text[cut - 1] == '\n';
      const char *end = text + cut;

      write_file (fixture, text, cut);
      open_registry (fixture);
      if (!is_whole && memchr (text, '\n', cut) != NULL)
        assert_told ("The last line*");
      g_assert_cmpint (lookup (fixture, "second"), ==,
                       end == text + length ? 2 : -1);
      g_assert_cmpint (lookup (fixture, "first"), ==,
                       end >= strstr (text, "first") + 6 ? 1 : -1);
      /* And it goes on from there. */
      claim (fixture, "third", 3);
      reopen (fixture);
      g_assert_cmpint (lookup (fixture, "third"), ==, 3);
      g_assert_finalize_object (g_steal_pointer (&fixture->registry));
    }
}

static void
test_damaged (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize start = strlen (HP_REGISTRY_LINES_HEADER);
  gsize length;

  claim (fixture, "first", 1);
  claim (fixture, "second", 2);
  g_assert_finalize_object (g_steal_pointer (&fixture->registry));
  text = read_file (fixture, &length);
  for (gsize i = start; text[i] != '\n'; i++)
    for (guint bit = 0; bit < 8; bit += 2)
      {
        text[i] ^= 1 << bit;
        write_file (fixture, text, length);
        open_registry (fixture);
        assert_told ("Damaged lines*: 1");
        g_assert_cmpint (lookup (fixture, "first"), ==, -1);
        g_assert_cmpint (lookup (fixture, "second"), ==, 2);
        g_assert_finalize_object (g_steal_pointer (&fixture->registry));
        text[i] ^= 1 << bit;
      }
}

/* Lines of a shape that nobody has written, with a right check */
static void
test_malformed (void)
{
  const guint8 key[HP_KEY_SIZE] = { 1 };
  g_autoptr (GString) text = g_string_new (NULL);
  HpRegistryLine line;

  hp_registry_line_append (text, "wq", 2, key, 1800000000);
  g_assert_cmpuint (text->len, ==, 74 + 2);
  g_assert_true (hp_registry_line_parse (&line, text->str, text->len - 1));
  g_assert_cmpint (line.end, ==, 1800000000);
  g_assert_cmpstr (line.id, ==, "wq");
  g_assert_cmpmem (line.key, HP_KEY_SIZE, key, HP_KEY_SIZE);
  for (gsize length = 0; length < text->len - 1; length++)
    g_assert_false (hp_registry_line_parse (&line, text->str, length));
  g_string_truncate (text, 0);
  hp_registry_line_append (text, "", 0, key, 1800000000);
  g_assert_false (hp_registry_line_parse (&line, text->str, text->len - 1));
  g_string_truncate (text, 0);
  hp_registry_line_append (text, "wq", 2, key, G_MAXINT64);
  g_assert_false (hp_registry_line_parse (&line, text->str, text->len - 1));
  g_string_truncate (text, 0);
  hp_registry_line_append (text, "wq", 2, key, -1);
  g_assert_false (hp_registry_line_parse (&line, text->str, text->len - 1));
}

static void
assert_open_fails (Fixture *fixture, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (hp_memory_registry_open (fixture->filename, &error));
  g_assert_error (error, domain, code);
}

static void
assert_open_says (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (hp_memory_registry_open (fixture->filename, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, text));
}

static void
test_open (Fixture *fixture, gconstpointer data)
{
  g_autofree char *filename = g_steal_pointer (&fixture->filename);

  fixture->filename = g_strdup (filename);
  assert_open_fails (fixture, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_finalize_object (g_steal_pointer (&fixture->registry));
  write_file (fixture, "hole-punch identity 1\n", 22);
  assert_open_says (fixture, "holds no registry");
  write_file (fixture, "x\n", 2);
  assert_open_says (fixture, "holds no registry");
  write_file (fixture, "hole-punch registry 2\n", 22);
  assert_open_says (fixture, "later version");
  g_unlink (filename);
  g_assert_cmpint (mkfifo (filename, 0600), ==, 0);
  assert_open_fails (fixture, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
  g_unlink (filename);
  g_free (fixture->filename);
  fixture->filename = g_strconcat (filename, "/nowhere", NULL);
  assert_open_fails (fixture, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_free (fixture->filename);
  fixture->filename = g_strdup (fixture->directory);
  assert_open_fails (fixture, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
  g_free (fixture->filename);
  fixture->filename = g_steal_pointer (&filename);
  /* What others might read is not left so. */
  write_file (fixture, "", 0);
  g_assert_cmpint (g_chmod (fixture->filename, 0644), ==, 0);
  open_registry (fixture);
  test_keeps (fixture, NULL);
}

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (size, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* The disk is full, in the middle of a line; and then it is not any more. */
static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
  HpRegistryFile *file = hp_memory_registry_get_file (fixture->registry);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize length_before;
  gsize length_after;

  hp_registry_file_set_retry_delay (file, 1);
  claim (fixture, "first", 0);
  settle (fixture);
  before = read_file (fixture, &length_before);
  limit_files (length_before + 100);
  claim (fixture, "second", 1);
  claim (fixture, "third", 2);
  objects_test_settle (3500);
  assert_told ("Cannot write the registry*");
  claim (fixture, "fourth", 3);
  release (fixture, "first", 0);
  after = read_file (fixture, &length_after);
  g_assert_cmpmem (before, length_before, after, length_after);
  limit_files (RLIM_INFINITY);
  settle (fixture);
  assert_told ("*is written again");
  reopen (fixture);
  g_assert_cmpint (lookup (fixture, "first"), ==, -1);
  g_assert_cmpint (lookup (fixture, "second"), ==, 1);
  g_assert_cmpint (lookup (fixture, "third"), ==, 2);
  g_assert_cmpint (lookup (fixture, "fourth"), ==, 3);
}

/* It cannot be made smaller, but nothing is missing in it. */
static void
test_not_anew (Fixture *fixture, gconstpointer data)
{
  HpRegistryFile *file = hp_memory_registry_get_file (fixture->registry);
  g_autofree char *new_name = g_strconcat (fixture->filename, ".new", NULL);

  hp_registry_file_set_retry_delay (file, 1);
  g_assert_cmpint (g_mkdir (new_name, 0700), ==, 0);
  for (guint i = 0; i < 600; i++)
    {
      claim (fixture, "id", 0);
      release (fixture, "id", 0);
    }
  claim (fixture, "id", 1);
  objects_test_settle (3500);
  assert_told ("*anew, to make it smaller*Nothing is missing*");
  /* Now something is. */
  limit_files (100);
  claim (fixture, "second", 2);
  objects_test_settle (1500);
  assert_told ("Cannot write the registry*may change hands*");
  limit_files (RLIM_INFINITY);
  g_assert_cmpint (g_rmdir (new_name), ==, 0);
  settle (fixture);
  assert_told ("*is written again");
  reopen (fixture);
  g_assert_cmpint (lookup (fixture, "id"), ==, 1);
  g_assert_cmpint (lookup (fixture, "second"), ==, 2);
}

/* Ended while the disk is full: what is there stays. */
static void
test_ended_with_full_disk (Fixture *fixture, gconstpointer data)
{
  claim (fixture, "first", 0);
  settle (fixture);
  limit_files (60);
  claim (fixture, "second", 1);
  g_assert_finalize_object (g_steal_pointer (&fixture->registry));
  assert_told ("Cannot write the registry*");
  limit_files (RLIM_INFINITY);
  open_registry (fixture);
  g_assert_cmpint (lookup (fixture, "first"), ==, 0);
  g_assert_cmpint (lookup (fixture, "second"), ==, -1);
}

/* Much happens, the file is written anew again and again in the middle of it,
 * and after each opening everything is as it was. */
#define MODEL_IDS 6000

static void
check_model (Fixture *fixture, const int *model)
{
  guint size = 0;

  for (guint i = 0; i < MODEL_IDS; i++)
    {
      g_autofree char *id = g_strdup_printf ("id %u", i);

      g_assert_cmpint (lookup (fixture, id), ==, model[i]);
      size += model[i] != -1;
    }
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                    size);
}

static void
change_model (Fixture *fixture, int *model)
{
  guint number = g_test_rand_int_range (0, MODEL_IDS);
  int key = g_test_rand_int_range (0, N_KEYS);
  g_autofree char *id = g_strdup_printf ("id %u", number);

  if (g_test_rand_int_range (0, 3) > 0)
    {
      if (model[number] == -1)
        model[number] = key;
      g_assert_cmpint (claim (fixture, id, key), ==, model[number]);
      return;
    }
  release (fixture, id, key);
  if (model[number] == key)
    model[number] = -1;
}

static void
test_model (Fixture *fixture, gconstpointer data)
{
  g_autofree int *model = g_new (int, MODEL_IDS);
  GStatBuf status;
  guint inode_changes = 0;
  guint64 inode = 0;

  memset (model, -1, MODEL_IDS * sizeof (int));
  for (guint round = 0; round < 8; round++)
    {
      /* The file only follows when the loop runs. */
      gint64 end = g_get_monotonic_time () + 1300 * G_TIME_SPAN_MILLISECOND;

      for (guint i = 0; g_get_monotonic_time () < end; i++)
        {
          change_model (fixture, model);
          g_main_context_iteration (NULL, FALSE);
          if (i % 16 == 0)
            g_usleep (100);
        }
      g_assert_cmpint (g_stat (fixture->filename, &status), ==, 0);
      inode_changes += inode != 0 && status.st_ino != inode;
      inode = status.st_ino;
      if (round % 2 == 1)
        settle (fixture);
      g_assert_cmpint (status.st_size, <, 3 * (MODEL_IDS + 1000) * 90);
      reopen (fixture);
      check_model (fixture, model);
    }
  g_assert_cmpuint (inode_changes, >, 0);
}

/* Ended while it is being written anew: the old file has everything. */
static void
test_interrupted (Fixture *fixture, gconstpointer data)
{
  g_autofree char *new_filename = g_strconcat (fixture->filename, ".new", NULL);
  const guint n = 30000;
  char id[16];

  for (guint i = 0; i < n; i++)
    {
      g_snprintf (id, sizeof id, "%u", i);
      claim (fixture, id, 0);
      if (i % 1000 == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  settle (fixture);
  for (guint i = 0; i < n + 1000; i++)
    {
      claim (fixture, "one more", 1);
      release (fixture, "one more", 1);
      if (i % 1000 == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  while (!g_file_test (new_filename, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 10; i++)
    {
      g_snprintf (id, sizeof id, "late %u", i);
      claim (fixture, id, 2);
      g_main_context_iteration (NULL, TRUE);
    }
  g_assert_true (g_file_test (new_filename, G_FILE_TEST_EXISTS));
  reopen (fixture);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                    n + 10);
  for (guint i = 0; i < 10; i++)
    {
      g_snprintf (id, sizeof id, "late %u", i);
      g_assert_cmpint (lookup (fixture, id), ==, 2);
    }
}

/* More than the disk can follow, since the loop does not run: all is written
 * at the end */
static void
test_overflow (Fixture *fixture, gconstpointer data)
{
  char id[64];

  for (guint i = 0; i < 60000; i++)
    {
      g_snprintf (id, sizeof id, "%060u", i);
      claim (fixture, id, i % N_KEYS);
    }
  claim (fixture, "last", 1);
  reopen (fixture);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                    60001);
  g_assert_cmpint (lookup (fixture, "last"), ==, 1);
  g_assert_cmpint (lookup (fixture, id), ==, 59999 % N_KEYS);
}

/* What a crash left of a new file, and a link instead of a file */
static void
test_names (Fixture *fixture, gconstpointer data)
{
  g_autofree char *new_filename = g_strconcat (fixture->filename, ".new", NULL);
  g_autofree char *link = g_strconcat (fixture->filename, ".link", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_finalize_object (fixture->registry);
  g_file_set_contents (new_filename, "half", -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (symlink ("ids", link), ==, 0);
  fixture->registry = hp_memory_registry_open_with_clocks (
      link, get_now, get_wall_now, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2000; i++)
    {
      claim (fixture, "id", 0);
      release (fixture, "id", 0);
    }
  claim (fixture, "id", 2);
  settle (fixture);
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  reopen (fixture);
  g_assert_cmpint (lookup (fixture, "id"), ==, 2);
  g_unlink (link);
}

int
main (int argc, char **argv)
{
  int status;

  /* Else the limit would end the program. */
  signal (SIGXFSZ, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (keep_message, NULL, NULL);

#define ADD(name, func)                                                       \
  g_test_add ("/memory-registry-file/" name, Fixture, NULL, set_up, func,     \
              tear_down)

  ADD ("keeps", test_keeps);
  ADD ("end", test_end);
  ADD ("refresh", test_refresh);
  ADD ("spread", test_spread);
  ADD ("order", test_order);
  ADD ("strange-ids", test_strange_ids);
  ADD ("torn", test_torn);
  ADD ("damaged", test_damaged);
  g_test_add_func ("/memory-registry-file/malformed", test_malformed);
  ADD ("open", test_open);
  ADD ("full-disk", test_full_disk);
  ADD ("not-anew", test_not_anew);
  ADD ("ended-with-full-disk", test_ended_with_full_disk);
  ADD ("model", test_model);
  ADD ("interrupted", test_interrupted);
  ADD ("overflow", test_overflow);
  ADD ("names", test_names);
  status = g_test_run ();
  g_free (told);
  return status;
}
