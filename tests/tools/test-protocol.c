/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the command says to itself: its messages, and its records on streams. */

#include <string.h>

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-records.h"

/* With as many numbers as its type has, each within its limits */
static HpToolRecord
make_record (HpToolRecordType type, const guint8 *bytes)
{
  static const guint n_numbers[] = { 0, 1, 0, 0, 0, 0, 4, 1, 2, 6, 1, 1 };
  static const gsize lengths[] = { 0, 5, 0, 32, 32, 7, 0, 0, 0, 0, 9, 9 };
  HpToolRecord record = { .type = type };

  for (guint i = 0; i < n_numbers[type]; i++)
    record.numbers[i] = 0x0102030405060708 + i;
  if (type == HP_TOOL_RECORD_TEST)
    {
      record.test.milliseconds = HP_TOOL_TEST_MILLISECONDS_MAX;
      record.test.n_streams = HP_TOOL_TEST_STREAMS_MAX;
      record.test.is_reverse = 1;
    }
  record.bytes = bytes;
  record.length = lengths[type];
  return record;
}

static void
assert_equal (const HpToolRecord *record, const HpToolRecord *expected)
{
  g_assert_cmpint (record->type, ==, expected->type);
  for (guint i = 0; i < HP_TOOL_MAX_NUMBERS; i++)
    g_assert_cmphex (record->numbers[i], ==, expected->numbers[i]);
  g_assert_cmpmem (record->bytes, record->length, expected->bytes,
                   expected->length);
}

static void
test_protocol (void)
{
  static const guint8 bytes[HP_TOOL_DIGEST_SIZE] = "digest";

  for (HpToolRecordType type = HP_TOOL_RECORD_OFFER;
       type <= HP_TOOL_RECORD_PONG; type++)
    {
      HpToolRecord record = make_record (type, bytes);
      gboolean is_message = type == HP_TOOL_RECORD_PING
                            || type == HP_TOOL_RECORD_PONG;
      g_autoptr (GBytes) written = is_message ? hp_tool_message_write (&record)
                                              : hp_tool_record_write (&record);
      const guint8 *start = g_bytes_get_data (written, NULL);
      HpToolHeader header;
      HpToolRecord parsed;

      g_assert_cmpint (hp_tool_message_parse (&parsed, written), ==,
                       is_message ? HP_TOOL_PARSE_OK : HP_TOOL_PARSE_MALFORMED);
      g_assert_true (hp_tool_header_parse (&header, start) == !is_message);
      if (!is_message)
        {
          g_assert_cmpuint (header.length, ==,
                            g_bytes_get_size (written) - HP_TOOL_HEADER_SIZE);
          g_assert_true (hp_tool_record_parse (&parsed, &header,
                                               start + HP_TOOL_HEADER_SIZE));
        }
      assert_equal (&parsed, &record);
    }
}

/* As docs/tool-protocol.md has it */
static void
test_protocol_bytes (void)
{
  static const guint8 expected_offer[] = {
    0, 'h', 'p', 't', 'o', 'o', 'l', 2,          /* */
    1, 0,   9,   0,   0,   0,   0,   0, 0, 1, 2, /* */
    'n',
  };
  static const guint8 expected_ping[] = {
    0,  'h', 'p', 't', 'o', 'o', 'l', 2, /* */
    10, 0,   0,   0,   0,   0,   0,   0, 7, 'x',
  };
  HpToolRecord offer = {
    .type = HP_TOOL_RECORD_OFFER,
    .size = 0x102,
    .bytes = (const guint8 *) "n",
    .length = 1,
  };
  HpToolRecord ping = {
    .type = HP_TOOL_RECORD_PING,
    .sequence = 7,
    .bytes = (const guint8 *) "x",
    .length = 1,
  };
  g_autoptr (GBytes) record = hp_tool_record_write (&offer);
  g_autoptr (GBytes) message = hp_tool_message_write (&ping);

  g_assert_cmpmem (g_bytes_get_data (record, NULL), g_bytes_get_size (record),
                   expected_offer, sizeof expected_offer);
  g_assert_cmpmem (g_bytes_get_data (message, NULL), g_bytes_get_size (message),
                   expected_ping, sizeof expected_ping);
}

static gboolean
is_test_accepted (guint64 milliseconds, guint64 n_streams, guint64 is_reverse)
{
  HpToolRecord record = {
    .type = HP_TOOL_RECORD_TEST,
    .test = { 1, milliseconds, n_streams, is_reverse },
  };
  g_autoptr (GBytes) written = hp_tool_record_write (&record);
  const guint8 *start = g_bytes_get_data (written, NULL);
  HpToolHeader header;

  g_assert_true (hp_tool_header_parse (&header, start));
  return hp_tool_record_parse (&record, &header, start + HP_TOOL_HEADER_SIZE);
}

static gboolean
is_size_accepted (guint64 size)
{
  HpToolRecord record = make_record (HP_TOOL_RECORD_OFFER,
                                     (const guint8 *) "name.");
  g_autoptr (GBytes) written = NULL;
  const guint8 *start;
  HpToolHeader header;

  record.size = size;
  written = hp_tool_record_write (&record);
  start = g_bytes_get_data (written, NULL);
  g_assert_true (hp_tool_header_parse (&header, start));
  return hp_tool_record_parse (&record, &header, start + HP_TOOL_HEADER_SIZE);
}

/* What a stranger may ask of a listener */
static void
test_protocol_limits (void)
{
  g_assert_true (is_test_accepted (1, 1, 0));
  g_assert_true (is_test_accepted (60000, 64, 1));
  g_assert_false (is_test_accepted (0, 1, 0));
  g_assert_false (is_test_accepted (60001, 1, 0));
  g_assert_false (is_test_accepted (1, 0, 0));
  g_assert_false (is_test_accepted (1, 65, 0));
  g_assert_false (is_test_accepted (1, 1, 2));
  g_assert_false (is_test_accepted (G_MAXUINT64, G_MAXUINT64, G_MAXUINT64));
  g_assert_true (is_size_accepted (0));
  g_assert_true (is_size_accepted (G_MAXINT64));
  g_assert_false (is_size_accepted ((guint64) G_MAXINT64 + 1));
  g_assert_false (is_size_accepted (HP_TOOL_SIZE_UNKNOWN - 1));
  g_assert_true (is_size_accepted (HP_TOOL_SIZE_UNKNOWN));
}

/* Of their own size, so that the sanitizers see what is read behind it */
static guint8 *
make_random_bytes (gsize length)
{
  guint8 *bytes = g_malloc (length);

  for (gsize i = 0; i < length; i++)
    bytes[i] = g_test_rand_int_range (0, 256);
  if (length > 0)
    memcpy (bytes, "\0hptool\2", MIN (length, 8));
  if (length > 8)
    bytes[8] %= 13;
  return bytes;
}

static void
test_random_messages (void)
{
  guint n_good = 0;

  for (guint i = 0; i < 100000; i++)
    {
      gsize length = g_test_rand_int_range (0, 64);
      g_autoptr (GBytes)
          message = g_bytes_new_take (make_random_bytes (length), length);
      HpToolRecord parsed;

      switch (hp_tool_message_parse (&parsed, message))
        {
        case HP_TOOL_PARSE_OK:
          n_good++;
          g_assert_cmpuint (parsed.length, <=, length);
          break;
        case HP_TOOL_PARSE_PLAIN:
          g_assert_cmpuint (length, <, 8);
          break;
        case HP_TOOL_PARSE_MALFORMED:
          g_assert_cmpuint (length, >=, 8);
          break;
        }
    }
  g_assert_cmpuint (n_good, >, 1000);
}

static void
test_random_records (void)
{
  guint n_good = 0;

  for (guint i = 0; i < 100000; i++)
    {
      g_autofree guint8 *start = make_random_bytes (HP_TOOL_HEADER_SIZE);
      HpToolHeader header;
      HpToolRecord parsed;

      start[9] %= 5;
      if (i % 2 == 0)
        start[9] = 0;
      if (hp_tool_header_parse (&header, start))
        {
          g_autofree guint8 *body = make_random_bytes (header.length);

          g_assert_cmpuint (header.length, <=, 8 + HP_TOOL_NAME_MAX);
          if (hp_tool_record_parse (&parsed, &header, body))
            {
              n_good++;
              g_assert_cmpuint (parsed.length, <=, header.length);
            }
        }
    }
  g_assert_cmpuint (n_good, >, 1000);
}

/* Records on a stream */

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GBytes *
read_record (GInputStream *stream, HpToolRecord *record, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  hp_tool_records_read_async (stream, NULL, on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return hp_tool_records_read_finish (stream, result, record, error);
}

static void
write_record (GOutputStream *stream, const HpToolRecord *record)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  hp_tool_records_write_async (stream, record, NULL, on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  hp_tool_records_write_finish (stream, result, &error);
  g_assert_no_error (error);
}

static void
test_records (void)
{
  static const guint8 bytes[HP_TOOL_DIGEST_SIZE] = "digest";
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GBytes) last = NULL;
  g_autoptr (GError) error = NULL;
  HpToolRecord record;

  for (HpToolRecordType type = HP_TOOL_RECORD_OFFER;
       type <= HP_TOOL_RECORD_REPORT; type++)
    {
      record = make_record (type, bytes);
      write_record (output, &record);
    }
  input = g_memory_input_stream_new_from_data (
      g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (output)),
      g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (output)),
      NULL);
  for (HpToolRecordType type = HP_TOOL_RECORD_OFFER;
       type <= HP_TOOL_RECORD_REPORT; type++)
    {
      HpToolRecord expected = make_record (type, bytes);
      g_autoptr (GBytes) body = read_record (input, &record, &error);

      g_assert_no_error (error);
      g_assert_nonnull (body);
      assert_equal (&record, &expected);
    }
  last = read_record (input, &record, &error);
  g_assert_null (last);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
check_broken_record (const guint8 *bytes, gsize length, int code)
{
  g_autoptr (GInputStream)
      input = g_memory_input_stream_new_from_data (bytes, length, NULL);
  g_autoptr (GError) error = NULL;
  HpToolRecord record;

  g_assert_null (read_record (input, &record, &error));
  g_assert_error (error, G_IO_ERROR, code);
}

static void
test_broken_records (void)
{
  HpToolRecord offer = make_record (HP_TOOL_RECORD_OFFER,
                                    (const guint8 *) "name.");
  g_autoptr (GBytes) written = hp_tool_record_write (&offer);
  gsize length;
  const guint8 *bytes = g_bytes_get_data (written, &length);
  g_autofree guint8 *copy = g_memdup2 (bytes, length);

  check_broken_record (bytes, 0, G_IO_ERROR_CLOSED);
  for (gsize i = 1; i < length; i++)
    check_broken_record (bytes, i, G_IO_ERROR_PARTIAL_INPUT);
  for (gsize i = 0; i < 8; i++)
    {
      copy[i] ^= 1;
      check_broken_record (copy, length, G_IO_ERROR_INVALID_DATA);
      copy[i] ^= 1;
    }
  /* Longer than any of its kind: not waited for */
  copy[9] = 0xff;
  check_broken_record (copy, length, G_IO_ERROR_INVALID_DATA);
  copy[9] = 0;
  /* Shorter than any */
  copy[10] = 8;
  check_broken_record (copy, length, G_IO_ERROR_INVALID_DATA);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/protocol", test_protocol);
  g_test_add_func ("/tools/protocol/bytes", test_protocol_bytes);
  g_test_add_func ("/tools/protocol/limits", test_protocol_limits);
  g_test_add_func ("/tools/protocol/random-messages", test_random_messages);
  g_test_add_func ("/tools/protocol/random-records", test_random_records);
  g_test_add_func ("/tools/records", test_records);
  g_test_add_func ("/tools/records/broken", test_broken_records);
  return g_test_run ();
}
