/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-memory-registry-table-private.h"

#include <string.h>

/* A chunk with what malloc() keeps of it is 64 KiB; it is named by the upper
 * bits of a reference, a piece in it by the lower ones, in units of 8 bytes. */
#define CHUNK_SIZE (65536 - 16)
#define UNIT 8
#define CHUNK_BITS 13
#define MAX_CHUNKS (1u << (32 - CHUNK_BITS))
/* For the heads of queues: a million lifetimes */
#define SPARE_CHUNKS 1024
#define N_SIZES                                                               \
  ((sizeof (HpIdEntry) + HP_ID_TABLE_MAX_ID_SIZE + UNIT) / UNIT + 1)
/* The buckets come by segments, and are never less than one segment. */
#define SEGMENT_BITS 12
#define SEGMENT_SIZE (1u << SEGMENT_BITS)

typedef struct
{
  guint number;
  guint size; /* of a piece, in units */
  guint n_used;
  HpIdRef free;
  GList room; /* in the list of those of this size that have free pieces */
} Chunk;

#define FIRST_UNIT ((sizeof (Chunk) + UNIT - 1) / UNIT)

typedef struct
{
  gint64 lifetime;
  gint64 due; /* when the first one expires, or earlier */
  HpIdRef head;
} Queue;

struct _HpIdTable
{
  HpSipKey key;
  guint size;

  GPtrArray *chunks; /* by number; NULL where one was freed */
  GArray *unused;    /* numbers of those */
  GQueue room[N_SIZES];

  GPtrArray *segments;
  guint n_buckets;
  guint mask; /* of a hash: to twice the power of two that is in n_buckets */

  GHashTable *queues; /* by lifetime */
  GPtrArray *heap;    /* of the queues, the first due on top */
};

/* Pieces of memory */

static inline HpIdEntry *
get_entry (HpIdTable *self, HpIdRef ref)
{
  guint64 *chunk = self->chunks->pdata[ref >> CHUNK_BITS];

  return (HpIdEntry *) (chunk + (ref & ((1u << CHUNK_BITS) - 1)));
}

static guint
count_pieces (const Chunk *chunk)
{
  return (CHUNK_SIZE / UNIT - FIRST_UNIT) / chunk->size;
}

static HpIdRef
get_piece (const Chunk *chunk, guint i)
{
  return chunk->number << CHUNK_BITS | (FIRST_UNIT + i * chunk->size);
}

static Chunk *
add_chunk (HpIdTable *self, guint size)
{
  Chunk *chunk = g_malloc0 (CHUNK_SIZE);

  chunk->size = size;
  chunk->room.data = chunk;
  if (self->unused->len > 0)
    {
      chunk->number = g_array_index (self->unused, guint,
                                     self->unused->len - 1);
      g_array_set_size (self->unused, self->unused->len - 1);
      self->chunks->pdata[chunk->number] = chunk;
    }
  else
    {
      g_assert (self->chunks->len < MAX_CHUNKS);
      chunk->number = self->chunks->len;
      g_ptr_array_add (self->chunks, chunk);
    }
  for (guint i = count_pieces (chunk); i-- > 0;)
    {
      HpIdRef ref = get_piece (chunk, i);

      get_entry (self, ref)->chain = chunk->free;
      chunk->free = ref;
    }
  g_queue_push_head_link (&self->room[size], &chunk->room);
  return chunk;
}

/* A piece as it was left */
static HpIdRef
allocate (HpIdTable *self, guint id_length)
{
  guint size
      = (G_STRUCT_OFFSET (HpIdEntry, id) + id_length + UNIT) / UNIT;
  Chunk *chunk = g_queue_peek_head (&self->room[size]);
  HpIdRef ref;

  if (chunk == NULL)
    chunk = add_chunk (self, size);
  ref = chunk->free;
  chunk->free = get_entry (self, ref)->chain;
  chunk->n_used++;
  if (chunk->free == 0)
    g_queue_unlink (&self->room[size], &chunk->room);
  return ref;
}

static void
release (HpIdTable *self, HpIdRef ref)
{
  Chunk *chunk = self->chunks->pdata[ref >> CHUNK_BITS];
  HpIdEntry *entry = get_entry (self, ref);
  GQueue *room = &self->room[chunk->size];

  entry->id_length = 0;
  entry->chain = chunk->free;
  if (chunk->free == 0)
    g_queue_push_head_link (room, &chunk->room);
  chunk->free = ref;
  chunk->n_used--;
  /* One is kept, so that few that come and go cost no chunk each time. */
  if (chunk->n_used > 0 || room->length == 1)
    return;
  g_queue_unlink (room, &chunk->room);
  self->chunks->pdata[chunk->number] = NULL;
  g_array_append_val (self->unused, chunk->number);
  g_free (chunk);
}

/* Buckets */

static HpIdRef *
get_bucket (HpIdTable *self, guint number)
{
  HpIdRef *segment = self->segments->pdata[number >> SEGMENT_BITS];

  return segment + (number & (SEGMENT_SIZE - 1));
}

static HpIdRef *
hash_to_bucket (HpIdTable *self, const char *id, guint length)
{
  guint number = hp_siphash (&self->key, id, length) & self->mask;

  /* Not split yet: still with the one it will be split from */
  if (number >= self->n_buckets)
    number &= self->mask >> 1;
  return get_bucket (self, number);
}

static void
put_into_bucket (HpIdTable *self, HpIdRef ref)
{
  HpIdEntry *entry = get_entry (self, ref);
  HpIdRef *bucket = hash_to_bucket (self, entry->id, entry->id_length);

  entry->chain = *bucket;
  *bucket = ref;
}

/* One bucket becomes two. */
static void
split (HpIdTable *self)
{
  guint half = (self->mask >> 1) + 1;
  HpIdRef *bucket = get_bucket (self, self->n_buckets - half);
  HpIdRef ref = *bucket;

  if ((self->n_buckets & (SEGMENT_SIZE - 1)) == 0)
    g_ptr_array_add (self->segments, g_new0 (HpIdRef, SEGMENT_SIZE));
  self->n_buckets++;
  if (self->n_buckets > self->mask)
    self->mask = self->mask << 1 | 1;
  *bucket = 0;
  while (ref != 0)
    {
      HpIdRef next = get_entry (self, ref)->chain;

      put_into_bucket (self, ref);
      ref = next;
    }
}

/* The reverse of the last split */
static void
merge (HpIdTable *self)
{
  guint last = self->n_buckets - 1;
  HpIdRef ref = *get_bucket (self, last);

  self->n_buckets = last;
  if (self->n_buckets <= self->mask >> 1)
    self->mask >>= 1;
  while (ref != 0)
    {
      HpIdRef next = get_entry (self, ref)->chain;

      put_into_bucket (self, ref);
      ref = next;
    }
  if ((last & (SEGMENT_SIZE - 1)) == 0)
    g_ptr_array_remove_index (self->segments, last >> SEGMENT_BITS);
}

/* Queues */

static Queue *
get_queue (HpIdTable *self, guint place)
{
  return self->heap->pdata[place];
}

static void
swap_queues (HpIdTable *self, guint a, guint b)
{
  gpointer queue = self->heap->pdata[a];

  self->heap->pdata[a] = self->heap->pdata[b];
  self->heap->pdata[b] = queue;
}

/* From the top to where it belongs */
static void
sink_first (HpIdTable *self)
{
  guint place = 0;

  while (TRUE)
    {
      guint least = place;

      for (guint i = 2 * place + 1;
           i <= 2 * place + 2 && i < self->heap->len; i++)
        if (get_queue (self, i)->due < get_queue (self, least)->due)
          least = i;
      if (least == place)
        return;
      swap_queues (self, place, least);
      place = least;
    }
}

static Queue *
add_queue (HpIdTable *self, gint64 lifetime, gint64 due)
{
  Queue *queue = g_new0 (Queue, 1);
  HpIdEntry *head;
  guint place = self->heap->len;

  queue->lifetime = lifetime;
  queue->due = due;
  queue->head = allocate (self, 0);
  head = get_entry (self, queue->head);
  head->id_length = 0;
  head->next = head->previous = queue->head;
  g_hash_table_insert (self->queues, &queue->lifetime, queue);
  g_ptr_array_add (self->heap, queue);
  for (; place > 0 && get_queue (self, (place - 1) / 2)->due > due;
       place = (place - 1) / 2)
    swap_queues (self, place, (place - 1) / 2);
  return queue;
}

static void
remove_first_queue (HpIdTable *self)
{
  Queue *queue = get_queue (self, 0);

  g_ptr_array_remove_index_fast (self->heap, 0);
  sink_first (self);
  g_hash_table_remove (self->queues, &queue->lifetime);
  release (self, queue->head);
  g_free (queue);
}

static void
leave_queue (HpIdTable *self, HpIdEntry *entry)
{
  if (entry->next == 0)
    return;
  get_entry (self, entry->next)->previous = entry->previous;
  get_entry (self, entry->previous)->next = entry->next;
  entry->next = entry->previous = 0;
}

void
hp_id_table_set_expiry (HpIdTable *self, HpIdRef ref, gint64 expires_at,
                        gint64 lifetime)
{
  HpIdEntry *entry = get_entry (self, ref);
  Queue *queue = g_hash_table_lookup (self->queues, &lifetime);
  HpIdEntry *head;

  leave_queue (self, entry);
  if (queue == NULL)
    queue = add_queue (self, lifetime, expires_at);
  head = get_entry (self, queue->head);
  entry->expires_at = expires_at;
  entry->next = queue->head;
  entry->previous = head->previous;
  get_entry (self, head->previous)->next = ref;
  head->previous = ref;
}

HpIdRef
hp_id_table_find_expired (HpIdTable *self, gint64 now)
{
  while (self->heap->len > 0 && get_queue (self, 0)->due <= now)
    {
      Queue *queue = get_queue (self, 0);
      HpIdRef first = get_entry (self, queue->head)->next;

      if (first == queue->head)
        {
          remove_first_queue (self);
          continue;
        }
      if (get_entry (self, first)->expires_at <= now)
        return first;
      queue->due = get_entry (self, first)->expires_at;
      sink_first (self);
    }
  return 0;
}

typedef struct
{
  gint64 expires_at;
  HpIdRef ref;
} Deadline;

static int
compare_deadlines (gconstpointer a, gconstpointer b)
{
  gint64 left = ((const Deadline *) a)->expires_at;
  gint64 right = ((const Deadline *) b)->expires_at;

  return (left > right) - (left < right);
}

void
hp_id_table_sort_rest (HpIdTable *self, gint64 lifetime)
{
  g_autoptr (GArray) deadlines
      = g_array_sized_new (FALSE, FALSE, sizeof (Deadline), self->size);
  HpIdCursor cursor = { 0, 0 };
  guint n_pieces = G_MAXUINT;
  Deadline deadline;

  while ((deadline.ref = hp_id_table_next (self, &cursor, &n_pieces)) != 0)
    {
      HpIdEntry *entry = get_entry (self, deadline.ref);

      deadline.expires_at = entry->expires_at;
      if (entry->next == 0)
        g_array_append_val (deadlines, deadline);
      n_pieces = G_MAXUINT;
    }
  g_array_sort (deadlines, compare_deadlines);
  for (guint i = 0; i < deadlines->len; i++)
    {
      deadline = g_array_index (deadlines, Deadline, i);
      hp_id_table_set_expiry (self, deadline.ref, deadline.expires_at,
                              lifetime);
    }
}

/* All together */

HpIdTable *
hp_id_table_new (const HpSipKey *key)
{
  HpIdTable *self = g_new0 (HpIdTable, 1);

  self->key = *key;
  self->chunks = g_ptr_array_new_with_free_func (g_free);
  self->unused = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < N_SIZES; i++)
    g_queue_init (&self->room[i]);
  self->segments = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->segments, g_new0 (HpIdRef, SEGMENT_SIZE));
  self->n_buckets = SEGMENT_SIZE;
  self->mask = 2 * SEGMENT_SIZE - 1;
  self->queues = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->heap = g_ptr_array_new ();
  return self;
}

void
hp_id_table_free (HpIdTable *self)
{
  g_hash_table_unref (self->queues);
  g_ptr_array_set_free_func (self->heap, g_free);
  g_ptr_array_unref (self->heap);
  g_ptr_array_unref (self->segments);
  g_array_unref (self->unused);
  g_ptr_array_unref (self->chunks);
  g_free (self);
}

guint
hp_id_table_get_size (HpIdTable *self)
{
  return self->size;
}

HpIdEntry *
hp_id_table_get (HpIdTable *self, HpIdRef ref)
{
  return get_entry (self, ref);
}

HpIdRef
hp_id_table_find (HpIdTable *self, const char *id, guint length)
{
  HpIdRef ref = *hash_to_bucket (self, id, length);

  while (ref != 0)
    {
      HpIdEntry *entry = get_entry (self, ref);

      if (entry->id_length == length && memcmp (entry->id, id, length) == 0)
        return ref;
      ref = entry->chain;
    }
  return 0;
}

HpIdRef
hp_id_table_add (HpIdTable *self, const char *id, guint length)
{
  HpIdRef ref;
  HpIdEntry *entry;

  g_assert (length >= 1 && length <= HP_ID_TABLE_MAX_ID_SIZE);
  if (self->chunks->len > MAX_CHUNKS - SPARE_CHUNKS)
    return 0;
  ref = allocate (self, length);
  entry = get_entry (self, ref);
  memset (entry, 0, sizeof *entry);
  entry->id_length = length;
  memcpy (entry->id, id, length);
  entry->id[length] = '\0';
  put_into_bucket (self, ref);
  self->size++;
  if (self->size > self->n_buckets)
    split (self);
  return ref;
}

void
hp_id_table_remove (HpIdTable *self, HpIdRef ref)
{
  HpIdEntry *entry = get_entry (self, ref);
  HpIdRef *place = hash_to_bucket (self, entry->id, entry->id_length);

  while (*place != ref)
    place = &get_entry (self, *place)->chain;
  *place = entry->chain;
  leave_queue (self, entry);
  release (self, ref);
  self->size--;
  /* Two for each that goes: half as many stay while half of them go. */
  for (guint i = 0; i < 2; i++)
    if (self->n_buckets > SEGMENT_SIZE && self->size < self->n_buckets / 2)
      merge (self);
}

HpIdRef
hp_id_table_next (HpIdTable *self, HpIdCursor *cursor, guint *n_pieces)
{
  while (*n_pieces > 0 && cursor->chunk < self->chunks->len)
    {
      Chunk *chunk = self->chunks->pdata[cursor->chunk];
      HpIdRef ref;

      (*n_pieces)--;
      if (chunk == NULL || cursor->piece >= count_pieces (chunk))
        {
          cursor->chunk++;
          cursor->piece = 0;
          continue;
        }
      ref = get_piece (chunk, cursor->piece++);
      if (get_entry (self, ref)->id_length > 0)
        return ref;
    }
  return 0;
}
