/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the fuzzers start from, written by the code that they are to break:
 *
 *   make-corpus DIRECTORY STAMP TARGET…
 *
 * makes DIRECTORY/TARGET for each target, and seeds in those that it knows.
 */

#include <glib/gstdio.h>

#include "hole-punch/wire/hp-stun.h"
#include "wire-samples.h"

static const char *directory;

static void
save (const char *target, const char *name, gconstpointer bytes,
      gsize length)
{
  g_autofree char *path = g_build_filename (directory, target, name, NULL);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (path, bytes, length, &error))
    g_error ("%s", error->message);
}

static void
save_samples (void)
{
  static const char *targets[] = {
    [HP_SAMPLE_PACKET] = "packet",
    [HP_SAMPLE_FRAME] = "frame",
    [HP_SAMPLE_PARAMETERS] = "parameters",
  };

  for (guint i = 0; i < hp_samples_get_count (); i++)
    {
      HpSample sample;

      hp_samples_get (i, &sample);
      save (targets[sample.kind], sample.name, sample.bytes, sample.length);
    }
}

static void
save_stun (void)
{
  static const guint8 transaction[HP_STUN_TRANSACTION_SIZE] = "transaction";
  static const HpAddress from
      = { .family = HP_ADDRESS_IPV4, .port = 7, .ip = { 192, 0, 2, 1 } };
  static const HpAddress other
      = { .family = HP_ADDRESS_IPV6, .port = 9, .ip = { 0x20, 0x01, 1 } };
  guint8 request[HP_STUN_MAX_SIZE];
  guint8 response[HP_STUN_MAX_SIZE];
  gsize length;
  gsize size;

  length = hp_stun_create_request (transaction, request, sizeof request);
  save ("stun", "request", request, length);
  size = hp_stun_create_indication (transaction, response, sizeof response);
  save ("stun", "indication", response, size);
  size = hp_stun_create_response (request, length, &from, &other, response,
                                  sizeof response);
  save ("stun", "response", response, size);
  size = hp_stun_create_response (request, length, &other, NULL, response,
                                  sizeof response);
  save ("stun", "response-ipv6", response, size);
}

static void
save_addresses (void)
{
  static const char *texts[] = {
    "192.0.2.1:4222",
    "[2001:db8::1]:4222",
    "[::ffff:192.0.2.1]:4222",
    "[fe80::1%1]:7",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *name = g_strdup_printf ("text-%u", i);

      save ("address", name, texts[i], strlen (texts[i]));
    }
  save ("address", "wire-ipv4", "\x04\x10\x7e\xc0\0\x02\x01", 7);
  save ("address", "wire-ipv6",
        "\x06\x10\x7e\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 19);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  g_assert (argc > 2);
  directory = argv[1];
  for (int i = 3; i < argc; i++)
    {
      g_autofree char *path = g_build_filename (directory, argv[i], NULL);

      if (g_mkdir_with_parents (path, 0777) != 0)
        g_error ("Cannot make %s", path);
    }
  save_samples ();
  save_stun ();
  save_addresses ();
  if (!g_file_set_contents (argv[2], "", 0, &error))
    g_error ("%s", error->message);
  return 0;
}
