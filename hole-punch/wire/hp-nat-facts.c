/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/*   mapping 1 | filtering 1 | allocation 1 | hairpin 1 |
 *   step 2 (two's complement) | drift 2 | port 2 | age n |
 *   first port 2 | last port 2
 */

#include "hole-punch/wire/hp-nat-facts.h"

void
hp_nat_facts_write (const HpNatFacts *self, HpWriter *writer)
{
  hp_writer_u8 (writer, self->mapping);
  hp_writer_u8 (writer, self->filtering);
  hp_writer_u8 (writer, self->allocation);
  hp_writer_u8 (writer, self->hairpin);
  hp_writer_u16 (writer, (guint16) self->step);
  hp_writer_u16 (writer, self->drift);
  hp_writer_u16 (writer, self->port);
  hp_writer_varint (writer, self->age);
  hp_writer_u16 (writer, self->first_port);
  hp_writer_u16 (writer, self->last_port);
}

static gboolean
is_sane (const HpNatFacts *self)
{
  gboolean is_sequential
      = self->allocation == HP_WIRE_ALLOCATION_SEQUENTIAL;

  return self->mapping <= HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT
         && self->filtering <= HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT
         && self->allocation <= HP_WIRE_ALLOCATION_RANDOM
         && self->hairpin <= HP_WIRE_HAIRPIN_YES
         && (self->step != 0) == is_sequential
         && (self->drift == 0 || is_sequential)
         && (self->age == 0 || self->port != 0)
         && (self->first_port == 0) == (self->last_port == 0)
         && self->first_port <= self->last_port
         && (self->allocation != HP_WIRE_ALLOCATION_BLOCK
             || self->first_port != 0);
}

void
hp_nat_facts_read (HpNatFacts *self, HpReader *reader)
{
  guint64 age;

  self->mapping = hp_reader_u8 (reader);
  self->filtering = hp_reader_u8 (reader);
  self->allocation = hp_reader_u8 (reader);
  self->hairpin = hp_reader_u8 (reader);
  self->step = (gint16) hp_reader_u16 (reader);
  self->drift = hp_reader_u16 (reader);
  self->port = hp_reader_u16 (reader);
  age = hp_reader_varint (reader);
  self->age = MIN (age, G_MAXUINT32);
  self->first_port = hp_reader_u16 (reader);
  self->last_port = hp_reader_u16 (reader);
  if (age > G_MAXUINT32 || !is_sane (self))
    reader->failed = TRUE;
}

void
hp_nat_facts_grow_older (HpNatFacts *self, gint64 elapsed)
{
  guint64 age = self->age;

  if (self->port == 0 || elapsed <= 0)
    return;
  age += (guint64) elapsed / G_TIME_SPAN_MILLISECOND;
  self->age = MIN (age, G_MAXUINT32);
}

gboolean
hp_nat_facts_same_kind (const HpNatFacts *a, const HpNatFacts *b)
{
  return a->mapping == b->mapping && a->filtering == b->filtering
         && a->allocation == b->allocation && a->hairpin == b->hairpin
         && a->step == b->step
         && (a->allocation != HP_WIRE_ALLOCATION_BLOCK
             || (a->first_port == b->first_port
                 && a->last_port == b->last_port));
}

gboolean
hp_nat_facts_is_dependent (const HpNatFacts *self)
{
  return self->mapping == HP_WIRE_MAPPING_ADDRESS_DEPENDENT
         || self->mapping == HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
}
