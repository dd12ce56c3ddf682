/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The parts of the command that need no network. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-name.h"
#include "hole-punch/tools/hp-tool-progress.h"
#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-rate.h"
#include "hole-punch/tools/hp-tool-samples.h"
#include "hole-punch/tools/hp-tool-source.h"
#include "hole-punch/tools/hp-tool-store.h"
#include "hole-punch/tools/hp-tool-text.h"

/* Of the names that are tried */
#define MAX_LENGTH 1024

static void
test_json (void)
{
  GString *json = hp_tool_json_new ("a \"b\"");
  g_autofree char *line = NULL;

  hp_tool_json_add_string (json, "s", "\\ \" \b\f\n\r\t \x01\x1f\x7f ü 🎉 \xff");
  hp_tool_json_add_string (json, "none", NULL);
  hp_tool_json_add_number (json, "n", G_MININT64);
  hp_tool_json_add_milliseconds (json, "m", 1234567);
  hp_tool_json_add_milliseconds (json, "k", 9);
  hp_tool_json_add_milliseconds (json, "u", -1);
  hp_tool_json_add_strings (json, "l", (const char *[]){ "1", "\"", NULL });
  hp_tool_json_add_strings (json, "e", (const char *[]){ NULL });
  hp_tool_json_add_boolean (json, "t", TRUE);
  hp_tool_json_add_boolean (json, "f", FALSE);
  line = hp_tool_json_finish (json);
  g_assert_cmpstr (
      line, ==,
      "{\"event\":\"a \\\"b\\\"\","
      "\"s\":\"\\\\ \\\" \\u0008\\u000c\\n\\r\\t \\u0001\\u001f\\u007f ü 🎉 "
      "\357\277\275\",\"none\":null,\"n\":-9223372036854775808,"
      "\"m\":1234.567,\"k\":0.009,\"u\":null,\"l\":[\"1\",\"\\\"\"],\"e\":[],\"t\":true,\"f\":false}\n");
}

static void
check_name (const char *bytes, const char *expected)
{
  g_autofree char *name = hp_tool_name_clean ((const guint8 *) bytes,
                                              strlen (bytes));

  g_assert_cmpstr (name, ==, expected);
}

static void
test_names (void)
{
  g_autofree char *numbered = hp_tool_name_number ("a.tar.xz", 3);
  g_autofree char *plain = hp_tool_name_number ("name", 12);
  g_autofree char *first = hp_tool_name_number ("name.ext", 0);
  g_autofree char *with_nul = NULL;

  check_name ("report.pdf", "report.pdf");
  check_name ("../x", "x");
  check_name ("a/b/c/", "c");
  check_name ("a\\b\\\\", "b");
  check_name ("", "unnamed");
  check_name ("////", "unnamed");
  check_name (" . - . ", "unnamed");
  check_name ("\u202e", "_");
  check_name ("\u2028x", "x");
  check_name (".\u00a0.hidden", "hidden");
  check_name ("\302", "\357\277\275");
  with_nul = hp_tool_name_clean ((const guint8 *) "a\0/b", 4);
  g_assert_null (strchr (with_nul, '/'));
  g_assert_cmpstr (numbered, ==, "a (3).tar.xz");
  g_assert_cmpstr (plain, ==, "name (12)");
  g_assert_cmpstr (first, ==, "name.ext");
}

/* Whatever came in, it is one plain file name. */
static void
test_random_names (void)
{
  static const char alphabet[] = "./\\- a\n\0\xc3\xbc\xe2\x80\xae~";

  for (guint i = 0; i < 20000; i++)
    {
      guint8 bytes[MAX_LENGTH];
      gsize length = g_test_rand_int_range (0, i % 16 == 0 ? MAX_LENGTH : 12);
      g_autofree char *name = NULL;
      g_autofree char *numbered = NULL;

      for (gsize j = 0; j < length; j++)
        bytes[j] = i % 2 == 0
                       ? alphabet[g_test_rand_int_range (0, sizeof alphabet)]
                       : g_test_rand_int_range (0, 256);
      name = hp_tool_name_clean (bytes, length);
      numbered = hp_tool_name_number (name, 9999);
      g_assert_true (g_utf8_validate (name, -1, NULL));
      g_assert_cmpuint (strlen (name), >, 0);
      g_assert_cmpuint (strlen (name), <=, HP_TOOL_NAME_LENGTH);
      g_assert_cmpuint (strlen (numbered), <=, 255);
      g_assert_true (*name != '.' && *name != '-');
      g_assert_null (strpbrk (name, "/\\\n"));
      for (const char *c = name; *c != '\0'; c = g_utf8_next_char (c))
        g_assert_false (hp_tool_text_is_bad (g_utf8_get_char (c)));
    }
}

/* Measuring */

static void
test_samples (void)
{
  HpToolSamples samples = { 0 };

  g_assert_cmpuint (hp_tool_samples_count (&samples), ==, 0);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 50), ==, -1);
  hp_tool_samples_add (&samples, 7);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 1), ==, 7);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 100), ==, 7);
  hp_tool_samples_clear (&samples);

  /* 1000, 999, …, 1: in the order that is worst */
  for (gint64 i = 1000; i >= 1; i--)
    {
      hp_tool_samples_add (&samples, i);
      if (i == 999)
        g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 50), ==,
                         999);
    }
  g_assert_cmpuint (hp_tool_samples_count (&samples), ==, 1000);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 50), ==, 500);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 90), ==, 900);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 99), ==, 990);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 100), ==, 1000);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 1), ==, 10);
  /* 0 to 1000: what is no whole rank is rounded up. */
  hp_tool_samples_add (&samples, 0);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 50), ==, 500);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 99), ==, 990);
  g_assert_cmpint (hp_tool_samples_get_percentile (&samples, 1), ==, 10);
  hp_tool_samples_clear (&samples);
}

static void
test_rate (void)
{
  const gint64 second = G_TIME_SPAN_SECOND;
  HpToolRate rate;
  gint64 now = 1000 * second;

  hp_tool_rate_init (&rate, now);
  g_assert_cmpfloat (hp_tool_rate_get (&rate), ==, 0);
  g_assert_cmpint (hp_tool_rate_get_time_left (&rate, 1), ==, -1);
  g_assert_cmpint (hp_tool_rate_get_time_left (&rate, 0), ==, 0);

  /* 1000 bytes a second, asked for very often, or seldom */
  for (guint i = 1; i <= 10000; i++)
    hp_tool_rate_update (&rate, i, now + i * second / 1000);
  now += 10 * second;
  g_assert_cmpfloat_with_epsilon (hp_tool_rate_get (&rate), 1000, 0.01);
  g_assert_cmpint (hp_tool_rate_get_time_left (&rate, 15000), ==, 5 * second);
  hp_tool_rate_update (&rate, 20000, now + 10 * second);
  now += 10 * second;
  g_assert_cmpfloat_with_epsilon (hp_tool_rate_get (&rate), 1000, 0.01);

  /* A hundred times as fast: after a few seconds that is all that counts. */
  for (guint i = 1; i <= 20; i++)
    hp_tool_rate_update (&rate, 20000 + i * 25000, now + i * second / 4);
  now += 5 * second;
  g_assert_cmpfloat_with_epsilon (hp_tool_rate_get (&rate), 100000, 0.01);

  /* Nothing comes any more: less and less, then nothing */
  hp_tool_rate_update (&rate, 520000, now + second);
  g_assert_cmpfloat (hp_tool_rate_get (&rate), <, 100000);
  g_assert_cmpfloat (hp_tool_rate_get (&rate), >, 50000);
  for (guint i = 1; i <= 20; i++)
    hp_tool_rate_update (&rate, 520000, now + second + i * second / 4);
  g_assert_cmpfloat (hp_tool_rate_get (&rate), ==, 0);
  g_assert_cmpint (hp_tool_rate_get_time_left (&rate, 520001), ==, -1);
  g_assert_cmpint (hp_tool_rate_get_time_left (&rate, 520000), ==, 0);
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static HpToolStoredFile *
store_file (HpToolStore *store, const char *content)
{
  g_autoptr (GError) error = NULL;
  HpToolStoredFile *file = hp_tool_store_begin (store, &error);
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_no_error (error);
  hp_tool_stored_file_write (file, (const guint8 *) content, 1, &error);
  g_assert_no_error (error);
  hp_tool_stored_file_write_async (file, (const guint8 *) content + 1,
                                   strlen (content) - 1, on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  hp_tool_stored_file_write_finish (result, &error);
  g_assert_no_error (error);
  return file;
}

static guint
count_files (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_store (void)
{
  g_autofree char *directory = g_dir_make_tmp ("hole-punch-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (HpToolStore) store = hp_tool_store_new (directory, &error);
  HpToolStoredFile *files[3];

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    files[i] = store_file (store, "content");
  hp_tool_stored_file_discard (store_file (store, "nothing"));
  g_assert_cmpuint (count_files (directory), ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      static const char *const names[] = { "n.x", "n (1).x", "n (2).x" };
      g_autofree char *expected = g_build_filename (directory, names[i], NULL);
      g_autofree char *content = NULL;
      g_autoptr (GChecksum) checksum = g_checksum_copy (
          hp_tool_stored_file_get_checksum (files[i]));
      g_autofree char *path = hp_tool_stored_file_finish (files[i], "n.x",
                                                          &error);

      g_assert_cmpstr (
          g_checksum_get_string (checksum), ==,
          "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
      g_assert_no_error (error);
      g_assert_cmpstr (path, ==, expected);
      g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
      g_assert_cmpstr (content, ==, "content");
      g_assert_cmpuint (count_files (directory), ==, 3);
    }
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      static const char *const names[] = { "n.x", "n (1).x", "n (2).x" };
      g_autofree char *path = g_build_filename (directory, names[i], NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

static gssize
read_source (HpToolSource *source, guint8 *buffer, gsize size, GError **error)
{
  return g_input_stream_read (G_INPUT_STREAM (source), buffer, size, NULL,
                              error);
}

static void
test_source (void)
{
  g_autofree char *directory = g_dir_make_tmp ("hole-punch-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "file", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (HpToolSource) source = NULL;
  g_autoptr (GChecksum) checksum = NULL;
  guint8 buffer[8];

  g_assert_true (g_file_set_contents (path, "abcdefghij", -1, NULL));
  source = hp_tool_source_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hp_tool_source_get_size (source), ==, 10);
  g_assert_cmpint (read_source (source, buffer, 8, &error), ==, 8);
  g_assert_cmpmem (buffer, 8, "abcdefgh", 8);
  g_assert_cmpuint (hp_tool_source_get_offset (source), ==, 8);
  /* What is appended now does not belong to it. */
  g_assert_true (g_file_set_contents_full (
      path, "abcdefghijKLM", -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_cmpint (read_source (source, buffer, 8, &error), ==, 2);
  g_assert_cmpmem (buffer, 2, "ij", 2);
  g_assert_cmpint (read_source (source, buffer, 8, &error), ==, 0);
  g_assert_no_error (error);
  g_assert_false (hp_tool_source_has_failed (source));
  checksum = g_checksum_copy (hp_tool_source_get_checksum (source));
  g_assert_cmpstr (
      g_checksum_get_string (checksum), ==,
      "72399361da6a7754fec986dca5b7cbaf1c810a28ded4abaf56b2106d06cb78b0");

  g_assert_null (hp_tool_source_open (directory, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
  g_unlink (path);
  g_rmdir (directory);
}

static void
test_short_source (void)
{
  g_autofree char *directory = g_dir_make_tmp ("hole-punch-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "file", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (HpToolSource) source = NULL;
  guint8 buffer[8];

  g_assert_true (g_file_set_contents (path, "abcdefghij", -1, NULL));
  source = hp_tool_source_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (read_source (source, buffer, 4, &error), ==, 4);
  g_assert_cmpint (truncate (path, 6), ==, 0);
  g_assert_cmpint (read_source (source, buffer, 8, &error), ==, 2);
  g_assert_no_error (error);
  g_assert_cmpint (read_source (source, buffer, 8, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);
  g_assert_true (hp_tool_source_has_failed (source));
  g_unlink (path);
  g_rmdir (directory);
}

static void
check_bar (HpToolProgress *progress, guint64 done, guint width,
           const char *expected)
{
  g_autofree char *bar = NULL;

  hp_tool_rate_init (&progress->rate, 0);
  hp_tool_rate_update (&progress->rate, done, 2 * G_TIME_SPAN_SECOND);
  bar = hp_tool_progress_format (progress, done, width);
  g_assert_cmpstr (bar, ==, expected);
  g_assert_cmpint (g_utf8_strlen (bar, -1), <, width);
}

static void
test_progress (void)
{
  HpToolProgress progress = { .name = "näme", .size = 4000000 };
  HpToolProgress empty = { .name = "empty" };
  HpToolProgress huge = { .name = "huge", .size = G_GUINT64_CONSTANT (1) << 40 };
  HpToolProgress sizeless = { .name = "stdin", .size = HP_TOOL_SIZE_UNKNOWN };
  HpToolProgress hopeless = { .name = "slow", .size = G_MAXINT64 };

  check_bar (&progress, 0, 60,
             "näme  [------------------]    0 %    0 bytes/s    -:-- left");
  check_bar (&progress, 1000000, 60,
             "näme  [####--------------]   25 %   500.0 kB/s    0:06 left");
  check_bar (&progress, 4000000, 60,
             "näme  [##################]  100 %     2.0 MB/s    0:00 left");
  check_bar (&progress, 1000000, 20, " 25 %   500.0 kB/s ");
  check_bar (&progress, 1000000, 1, "");
  check_bar (&sizeless, 1000000, 60, "stdin     1.0 MB   500.0 kB/s");
  check_bar (&sizeless, 1000000, 10, "stdin    ");
  check_bar (&empty, 0, 60,
             "empty  [#################]  100 %    0 bytes/s    0:00 left");
  check_bar (&huge, 8000000, 60,
             "huge  [------------------]    0 %     4.0 MB/s    76 h left");
  check_bar (&hopeless, 100, 60,
             "slow  [------------------]    0 %   50 bytes/s    -:-- left");
}

static void
test_texts (void)
{
  g_autoptr (GSocketAddress)
      v4 = g_inet_socket_address_new_from_string ("192.0.2.1", 4222);
  g_autoptr (GSocketAddress)
      v6 = g_inet_socket_address_new_from_string ("2001:db8::1", 1);
  g_autofree char *v4_text = hp_tool_text_address (v4);
  g_autofree char *v6_text = hp_tool_text_address (v6);
  g_autofree char *short_time = hp_tool_text_duration (412);
  g_autofree char *longer_time = hp_tool_text_duration (41234);
  g_autofree char *long_time = hp_tool_text_duration (12345678);
  g_autofree char *size = hp_tool_text_size (12345678);
  g_autofree char *safe = hp_tool_text_safe ("a\x1b\n\xff\u202e\u00fc", -1);

  g_assert_null (hp_tool_text_address (NULL));
  g_assert_cmpstr (v4_text, ==, "192.0.2.1:4222");
  g_assert_cmpstr (v6_text, ==, "[2001:db8::1]:1");
  g_assert_cmpstr (short_time, ==, "0.412 ms");
  g_assert_cmpstr (longer_time, ==, "41.2 ms");
  g_assert_cmpstr (long_time, ==, "12.3 s");
  g_assert_cmpstr (size, ==, "12.3 MB");
  g_assert_cmpstr (safe, ==, "a\ufffd\ufffd\ufffd\ufffd\u00fc");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/json", test_json);
  g_test_add_func ("/tools/names", test_names);
  g_test_add_func ("/tools/names/random", test_random_names);
  g_test_add_func ("/tools/samples", test_samples);
  g_test_add_func ("/tools/rate", test_rate);
  g_test_add_func ("/tools/store", test_store);
  g_test_add_func ("/tools/source", test_source);
  g_test_add_func ("/tools/source/short", test_short_source);
  g_test_add_func ("/tools/progress", test_progress);
  g_test_add_func ("/tools/texts", test_texts);
  return g_test_run ();
}
