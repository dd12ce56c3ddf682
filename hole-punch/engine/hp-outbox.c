/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-outbox.h"

#include <string.h>

/* As much as two batches of small ones */
#define CHUNK_SIZE (16 * 1024)

typedef struct
{
  GList link;
  gsize start; /* of what was not pulled yet */
  gsize last;  /* of the newest item, which may have its length or not yet */
  gsize n;
  guint64 bytes[CHUNK_SIZE / sizeof (guint64)];
} Chunk;

void
hp_outbox_init (HpOutbox *self, guint most)
{
  *self = (HpOutbox){ .most = most };
}

void
hp_outbox_clear (HpOutbox *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->chunks)) != NULL)
    g_free (link->data);
  if (self->unused != NULL)
    g_free (self->unused->data);
  self->unused = NULL;
}

static HpOutboxItem *
get_item (Chunk *chunk, gsize at)
{
  return (HpOutboxItem *) (chunk->bytes + at / sizeof (guint64));
}

static gsize
get_end (Chunk *chunk, gsize at)
{
  gsize size
      = G_STRUCT_OFFSET (HpOutboxItem, bytes) + get_item (chunk, at)->length;

  return (at + size + sizeof (guint64) - 1) / sizeof (guint64)
         * sizeof (guint64);
}

static Chunk *
add_chunk (HpOutbox *self)
{
  GList *link = g_steal_pointer (&self->unused);
  Chunk *chunk;

  if (link != NULL)
    {
      chunk = link->data;
    }
  else
    {
      chunk = g_new (Chunk, 1);
      chunk->link = (GList){ .data = chunk };
    }
  chunk->start = chunk->last = chunk->n = 0;
  g_queue_push_tail_link (&self->chunks, &chunk->link);
  return chunk;
}

HpOutboxItem *
hp_outbox_add (HpOutbox *self, const HpRoute *route)
{
  Chunk *chunk = g_queue_peek_tail (&self->chunks);
  HpOutboxItem *item;
  gsize at = 0;

  if (self->n >= self->most)
    return NULL;
  if (chunk != NULL && chunk->n > 0)
    at = get_end (chunk, chunk->last);
  if (chunk == NULL || at + sizeof *item > CHUNK_SIZE)
    {
      chunk = add_chunk (self);
      at = 0;
    }
  item = get_item (chunk, at);
  item->route = *route;
  item->length = 0;
  chunk->last = at;
  chunk->n++;
  self->n++;
  return item;
}

gboolean
hp_outbox_is_half_full (const HpOutbox *self)
{
  return self->n >= self->most / 2;
}

/* It was emptied. */
static void
put_away (HpOutbox *self, Chunk *chunk)
{
  g_queue_unlink (&self->chunks, &chunk->link);
  if (self->unused == NULL)
    self->unused = &chunk->link;
  else
    g_free (chunk);
}

gboolean
hp_outbox_pull (HpOutbox *self, HpOutgoing *outgoing)
{
  Chunk *chunk = g_queue_peek_head (&self->chunks);
  HpOutboxItem *item;

  if (self->n == 0)
    return FALSE;
  item = get_item (chunk, chunk->start);
  g_assert (item->length <= outgoing->capacity);

  outgoing->route = item->route;
  outgoing->ttl = 0;
  outgoing->length = item->length;
  memcpy (outgoing->bytes, item->bytes, item->length);
  chunk->start = get_end (chunk, chunk->start);
  self->n--;
  if (--chunk->n == 0)
    put_away (self, chunk);
  return TRUE;
}
