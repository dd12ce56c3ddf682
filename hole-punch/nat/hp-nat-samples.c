/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-nat-samples.h"

#include <stdlib.h>
#include <string.h>

/* Ports farther apart than this are not out of one block: carriers give
 * subscribers 512 to 4,096 of them, and few give more. Seven random ones of
 * 64,512 are that close once in 35,000 times; fewer must be closer, for each
 * that is missing twice as close, to be so as rarely. */
#define MAX_BLOCK 8192
#define MIN_BLOCK 64
#define MIN_BLOCK_SAMPLES 5
#define SURE_BLOCK_SAMPLES 7
/* Blocks often begin after the well-known ports. */
#define BLOCK_BASE 1024
/* Between two mappings of ours in sequence: others may make hundreds a second,
 * but a step is small. */
#define MAX_STEP 64
#define MAX_GAP 2048
#define MIN_SEQUENCE 4
/* A few ports out of a block rise or fall by chance, six of them once in 360
 * times: three gaps must be so narrow, or so many go one way. */
#define NARROW_GAP 16
#define MIN_NARROW_GAPS (MIN_SEQUENCE - 1)
#define SURE_GAPS 7
#define MANY_GAPS 10
/* Two mappings are never so near in time that others' between them would say
 * how many there are in a second. */
#define MIN_DRIFT_TIME (50 * G_TIME_SPAN_MILLISECOND)
/* Beyond it the counter may have gone round unseen. */
#define MAX_DRIFT_TIME (60 * G_TIME_SPAN_SECOND)

void
hp_nat_samples_clear (HpNatSamples *self)
{
  self->n_samples = 0;
}

void
hp_nat_samples_add (HpNatSamples *self, const HpNatSample *sample)
{
  guint i;

  for (i = 0; i < self->n_samples; i++)
    if (self->samples[i].socket == sample->socket
        && hp_address_equal (&self->samples[i].server, &sample->server))
      break;
  if (i == HP_NAT_MAX_SAMPLES)
    i = 0;
  if (i < self->n_samples)
    {
      self->n_samples--;
      memmove (&self->samples[i], &self->samples[i + 1],
               (self->n_samples - i) * sizeof (HpNatSample));
    }
  self->samples[self->n_samples++] = *sample;
}

/* Mapping */

typedef struct
{
  guint same_port, other_port; /* two ports of one host */
  guint same_host, other_host; /* two hosts */
} Comparison;

static void
compare (Comparison *counts, const HpNatSample *a, const HpNatSample *b)
{
  gboolean same = hp_address_equal (&a->mapped, &b->mapped);

  if (a->socket != b->socket)
    return;
  if (hp_address_same_host (&a->server, &b->server))
    {
      counts->same_port += same;
      counts->other_port += !same;
    }
  else
    {
      counts->same_host += same;
      counts->other_host += !same;
    }
}

static gboolean
has_no_nat (const HpNatSamples *self)
{
  for (guint i = 0; i < self->n_samples; i++)
    if (!hp_address_equal (&self->samples[i].local, &self->samples[i].mapped))
      return FALSE;
  return self->n_samples > 0;
}

/* A mapping of an endpoint-independent NAT can be lost or taken by somebody,
 * so single contradictions do not count. */
static HpWireMapping
judge_mapping (const HpNatSamples *self)
{
  Comparison counts = { 0 };
  gboolean hosts_differ;
  gboolean ports_differ;

  if (has_no_nat (self))
    return HP_WIRE_MAPPING_NONE;
  for (guint i = 0; i < self->n_samples; i++)
    for (guint k = 0; k < i; k++)
      compare (&counts, &self->samples[i], &self->samples[k]);
  ports_differ = counts.other_port > 0
                 && counts.other_port >= counts.same_port;
  hosts_differ = counts.other_host > 0
                 && counts.other_host >= counts.same_host;
  if (ports_differ)
    return HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
  if (hosts_differ)
    /* The worse, if it was not seen whether ports matter */
    return counts.same_port > 0
               ? HP_WIRE_MAPPING_ADDRESS_DEPENDENT
               : HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
  if (counts.same_host > 0)
    return HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT;
  if (counts.same_port > 0)
    return HP_WIRE_MAPPING_PORT_INDEPENDENT;
  return HP_WIRE_MAPPING_UNKNOWN;
}

/* Allocation */

/* Each mapping once: what several servers see of one is one. All on the host
 * of the newest, since ports of another have nothing to do with its. */
typedef struct
{
  guint n;
  const HpNatSample *of[HP_NAT_MAX_SAMPLES]; /* in the order of making */
  guint16 first_port, last_port;
} Mappings;

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const HpNatSample *left = *(const HpNatSample *const *) a;
  const HpNatSample *right = *(const HpNatSample *const *) b;

  return (left->mapped_at > right->mapped_at)
         - (left->mapped_at < right->mapped_at);
}

static const HpNatSample *
find_newest (const HpNatSamples *self)
{
  const HpNatSample *newest = NULL;

  for (guint i = 0; i < self->n_samples; i++)
    if (newest == NULL || self->samples[i].mapped_at >= newest->mapped_at)
      newest = &self->samples[i];
  return newest;
}

/* The first that showed it says best when it was made */
static gboolean
is_known (const Mappings *mappings, const HpNatSample *sample)
{
  for (guint i = 0; i < mappings->n; i++)
    if (mappings->of[i]->socket == sample->socket
        && hp_address_equal (&mappings->of[i]->mapped, &sample->mapped))
      return TRUE;
  return FALSE;
}

static void
collect_mappings (const HpNatSamples *self, Mappings *mappings)
{
  const HpNatSample *ordered[HP_NAT_MAX_SAMPLES];
  const HpNatSample *newest = find_newest (self);

  mappings->n = 0;
  mappings->first_port = G_MAXUINT16;
  mappings->last_port = 0;
  for (guint i = 0; i < self->n_samples; i++)
    ordered[i] = &self->samples[i];
  qsort (ordered, self->n_samples, sizeof *ordered, compare_times);
  for (guint i = 0; i < self->n_samples; i++)
    {
      guint16 port = ordered[i]->mapped.port;

      if (!hp_address_same_host (&ordered[i]->mapped, &newest->mapped)
          || is_known (mappings, ordered[i]))
        continue;
      mappings->of[mappings->n++] = ordered[i];
      mappings->first_port = MIN (mappings->first_port, port);
      mappings->last_port = MAX (mappings->last_port, port);
    }
}

/* A port that is taken already cannot be preserved: most must be. */
static gboolean
is_preserved (const Mappings *mappings)
{
  guint n_preserved = 0;

  for (guint i = 0; i < mappings->n; i++)
    n_preserved += mappings->of[i]->mapped.port == mappings->of[i]->local.port;
  return n_preserved > 0 && 4 * n_preserved >= 3 * mappings->n;
}

/* How far the counter went from one mapping to the next: the ports of those
 * whose time is known, since a wrong order would hide it. */
typedef struct
{
  guint n; /* of the gaps: one less than the mappings */
  int gaps[HP_NAT_MAX_SAMPLES];
  int distance; /* their sum */
  gint64 time;  /* it took, and without pauses too long to know it */
} Sequence;

static void
collect_sequence (const Mappings *mappings, Sequence *sequence)
{
  const HpNatSample *last = NULL;

  memset (sequence, 0, sizeof *sequence);
  for (guint i = 0; i < mappings->n; i++)
    {
      const HpNatSample *sample = mappings->of[i];

      if (!sample->is_new)
        continue;
      if (last != NULL
          && sample->mapped_at - last->mapped_at <= MAX_DRIFT_TIME)
        {
          int gap = (int) sample->mapped.port - last->mapped.port;

          sequence->gaps[sequence->n++] = gap;
          sequence->distance += gap;
          sequence->time += sample->mapped_at - last->mapped_at;
        }
      last = sample;
    }
}

/* But for the gap where the counter begins again, which is a wide one */
static gboolean
goes_one_way (const Sequence *sequence)
{
  guint n_narrow = 0;
  guint n_near = 0;
  guint n_up = 0;

  for (guint i = 0; i < sequence->n; i++)
    {
      gboolean is_near = abs (sequence->gaps[i]) <= MAX_GAP;

      n_narrow += abs (sequence->gaps[i]) <= NARROW_GAP;
      n_near += is_near;
      n_up += is_near && sequence->gaps[i] > 0;
    }
  return n_near + 1 >= sequence->n && (n_up == n_near || n_up == 0)
         && (n_narrow >= MIN_NARROW_GAPS || n_near >= SURE_GAPS);
}

/* The largest number that four of five gaps are multiples of: a port that is
 * taken is left out, and others take their share. Of a few gaps, all: others'
 * mappings make most of them even too easily. */
static int
find_step (const Sequence *sequence)
{
  int sign = sequence->distance < 0 ? -1 : 1;

  for (int step = MAX_STEP; step > 1; step--)
    {
      guint n_multiples = 0;

      for (guint i = 0; i < sequence->n; i++)
        n_multiples += sequence->gaps[i] % step == 0;
      if (n_multiples == sequence->n
          || (sequence->n >= MANY_GAPS
              && 5 * n_multiples >= 4 * sequence->n))
        return sign * step;
    }
  return sign;
}

static guint16
compute_drift (const Sequence *sequence, int step)
{
  gint64 of_others = sequence->distance / step - (gint64) sequence->n;

  if (of_others <= 0 || sequence->time < MIN_DRIFT_TIME)
    return 0;
  return MIN ((of_others * G_USEC_PER_SEC + sequence->time / 2)
                  / sequence->time,
              G_MAXUINT16);
}

/* FALSE: not in sequence */
static gboolean
judge_sequence (const Mappings *mappings, HpNatFacts *facts)
{
  Sequence sequence;

  collect_sequence (mappings, &sequence);
  if (sequence.n + 1 < MIN_SEQUENCE || sequence.distance == 0
      || !goes_one_way (&sequence))
    return FALSE;
  /* Without the gap where it began again */
  for (guint i = 0; i < sequence.n; i++)
    if (abs (sequence.gaps[i]) > MAX_GAP)
      {
        sequence.distance -= sequence.gaps[i];
        sequence.gaps[i] = sequence.gaps[--sequence.n];
        break;
      }
  if (sequence.n == 0 || sequence.distance == 0)
    return FALSE;
  facts->allocation = HP_WIRE_ALLOCATION_SEQUENTIAL;
  facts->step = find_step (&sequence);
  facts->drift = compute_drift (&sequence, facts->step);
  return TRUE;
}

/* The block of a usual size, at a usual place, that the ports are in; FALSE:
 * none that is not much too large */
static gboolean
find_aligned_block (guint16 *first_port, guint16 *last_port, guint likely)
{
  for (guint size = MIN_BLOCK; size <= MAX_BLOCK && 2 * size <= 3 * likely;
       size *= 2)
    for (guint base = 0; base <= BLOCK_BASE; base += BLOCK_BASE)
      {
        guint block = (*first_port - base) / size;

        if (*first_port < base || block != (*last_port - base) / size
            || base + (block + 1) * size - 1 > G_MAXUINT16)
          continue;
        *first_port = MAX (base + block * size, 1);
        *last_port = base + (block + 1) * size - 1;
        return TRUE;
      }
  return FALSE;
}

/* Of n ports drawn at random, the lowest and the highest are each about a
 * n-th of their distance away from the ends. */
static void
find_block (const Mappings *mappings, HpNatFacts *facts)
{
  guint span = mappings->last_port - mappings->first_port;
  guint margin = span / (mappings->n - 1) + 1;

  facts->first_port = mappings->first_port;
  facts->last_port = mappings->last_port;
  if (find_aligned_block (&facts->first_port, &facts->last_port,
                          span + 2 * margin))
    return;
  facts->first_port = MAX ((int) mappings->first_port - (int) margin, 1);
  facts->last_port = MIN (mappings->last_port + margin, G_MAXUINT16);
}

static gboolean
is_block (const Mappings *mappings)
{
  guint n_missing
      = SURE_BLOCK_SAMPLES - MIN (mappings->n, SURE_BLOCK_SAMPLES);

  return mappings->n >= MIN_BLOCK_SAMPLES
         && mappings->last_port - mappings->first_port
                < MAX_BLOCK >> n_missing;
}

static void
judge_allocation (const Mappings *mappings, HpNatFacts *facts)
{
  facts->first_port = mappings->first_port;
  facts->last_port = mappings->last_port;
  if (is_preserved (mappings))
    {
      facts->allocation = HP_WIRE_ALLOCATION_PRESERVED;
    }
  else if (judge_sequence (mappings, facts))
    {
      return;
    }
  else if (is_block (mappings))
    {
      facts->allocation = HP_WIRE_ALLOCATION_BLOCK;
      find_block (mappings, facts);
    }
  else if (mappings->n >= MIN_SEQUENCE)
    {
      facts->allocation = HP_WIRE_ALLOCATION_RANDOM;
    }
}

void
hp_nat_samples_judge (const HpNatSamples *self, HpNatFacts *facts, gint64 now)
{
  const HpNatSample *newest = find_newest (self);
  guint8 filtering = facts->filtering;
  guint8 hairpin = facts->hairpin;
  Mappings mappings;

  memset (facts, 0, sizeof *facts);
  facts->filtering = filtering;
  facts->hairpin = hairpin;
  if (newest == NULL)
    return;
  facts->mapping = judge_mapping (self);
  collect_mappings (self, &mappings);
  judge_allocation (&mappings, facts);
  facts->port = newest->mapped.port;
  hp_nat_facts_grow_older (facts, now - newest->mapped_at);
}
