/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every sample, mutilated: cut at every length, every bit flipped, mutated at
 * random. The random seed is in the TAP output; --seed repeats a run.
 */

#include "wire-check.h"
#include "wire-samples.h"

#include <string.h>

#define MUTATIONS 3000
#define RANDOM_INPUTS 50000

typedef gboolean (*Check) (const guint8 *bytes, gsize length);

static const Check checks[] = {
  [HP_SAMPLE_PACKET] = hp_check_packet,
  [HP_SAMPLE_FRAME] = hp_check_frames,
  [HP_SAMPLE_PARAMETERS] = hp_check_parameters,
};

/* In memory of just that size, so that the address sanitizer sees a read past
 * the end */
static gboolean
check_exact (HpSampleKind kind, const guint8 *bytes, gsize length)
{
  g_autofree guint8 *copy = g_malloc (MAX (length, 1));

  memcpy (copy, bytes, length);
  return checks[kind](copy, length);
}

static void
test_samples (void)
{
  for (guint i = 0; i < hp_samples_get_count (); i++)
    {
      HpSample sample;

      hp_samples_get (i, &sample);
      g_test_message ("%s", sample.name);
      g_assert_true (
          check_exact (sample.kind, sample.bytes, sample.length));
    }
}

static void
test_truncations (void)
{
  for (guint i = 0; i < hp_samples_get_count (); i++)
    {
      HpSample sample;

      hp_samples_get (i, &sample);
      g_test_message ("%s", sample.name);
      for (gsize length = 0; length < sample.length; length++)
        {
          gboolean parsed
              = check_exact (sample.kind, sample.bytes, length);

          /* Every frame tells its own end: a part of one is none. */
          if (sample.kind == HP_SAMPLE_FRAME && length > 0
              && sample.bytes[0] != HP_FRAME_PADDING)
            g_assert_false (parsed);
        }
    }
}

static void
test_bit_flips (void)
{
  for (guint i = 0; i < hp_samples_get_count (); i++)
    {
      HpSample sample;

      hp_samples_get (i, &sample);
      g_test_message ("%s", sample.name);
      for (gsize bit = 0; bit < 8 * sample.length; bit++)
        {
          sample.bytes[bit / 8] ^= 1 << bit % 8;
          (void) check_exact (sample.kind, sample.bytes, sample.length);
          sample.bytes[bit / 8] ^= 1 << bit % 8;
        }
    }
}

/* Values at the edges of things are likelier to hurt than any others. */
static guint8
random_byte (void)
{
  static const guint8 edges[]
      = { 0x00, 0x01, 0x02, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff };

  if (g_test_rand_bit ())
    return edges[g_test_rand_int_range (0, sizeof edges)];
  return g_test_rand_int_range (0, 256);
}

static void
mutate (HpSample *sample)
{
  gsize at = g_test_rand_int_range (0, MAX (sample->length, 1));

  switch (g_test_rand_int_range (0, 4))
    {
    case 0:
      sample->bytes[at] = random_byte ();
      break;
    case 1: /* put one in */
      if (sample->length < sizeof sample->bytes)
        {
          memmove (sample->bytes + at + 1, sample->bytes + at,
                   sample->length - at);
          sample->bytes[at] = random_byte ();
          sample->length++;
        }
      break;
    case 2: /* take one out */
      if (sample->length > 0)
        {
          memmove (sample->bytes + at, sample->bytes + at + 1,
                   sample->length - at - 1);
          sample->length--;
        }
      break;
    default: /* write some over */
      for (gsize count = g_test_rand_int_range (1, 9);
           count > 0 && at < sample->length; count--, at++)
        sample->bytes[at] = random_byte ();
      break;
    }
}

static void
test_mutations (void)
{
  guint parsed = 0;

  for (guint i = 0; i < hp_samples_get_count (); i++)
    for (guint round = 0; round < MUTATIONS; round++)
      {
        HpSample sample;

        hp_samples_get (i, &sample);
        for (int count = g_test_rand_int_range (1, 6); count > 0; count--)
          mutate (&sample);
        parsed += check_exact (sample.kind, sample.bytes, sample.length);
      }
  /* Else the mutations are too wild to reach anything. */
  g_test_message ("%u mutations still parsed", parsed);
  g_assert_cmpuint (parsed, >, MUTATIONS);
}

static void
test_random (void)
{
  for (guint round = 0; round < RANDOM_INPUTS; round++)
    {
      guint8 bytes[200];
      gsize length = g_test_rand_int_range (0, sizeof bytes + 1);

      for (gsize i = 0; i < length; i++)
        bytes[i] = random_byte ();
      for (guint kind = 0; kind < G_N_ELEMENTS (checks); kind++)
        (void) check_exact (kind, bytes, length);
      bytes[0] = 0xb0 | (bytes[0] & 7);
      (void) check_exact (HP_SAMPLE_PACKET, bytes, length);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/robustness/samples", test_samples);
  g_test_add_func ("/robustness/truncations", test_truncations);
  g_test_add_func ("/robustness/bit-flips", test_bit_flips);
  g_test_add_func ("/robustness/mutations", test_mutations);
  g_test_add_func ("/robustness/random", test_random);
  return g_test_run ();
}
