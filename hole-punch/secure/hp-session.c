/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Key phases of one direction. Each has its key, made from the one before by
 * REKEY; its parity travels as the phase bit (0xB4, 0xB5). A sender never goes
 * back, so all numbers of a phase are above all numbers of those before:
 *
 *       old phase      |      present phase       |     next phase
 *   ... 41  42  43  44 | 45  46  47  48  49  50   |  51  52 ...
 *                    floor   first opened   next of the window
 *
 * Bit and number alone therefore choose the one key that can open a packet
 * (RFC 9001, section 6.3), which matters twice: a packet is opened in place,
 * hence only once; and forged packets cost no more than others. All three keys
 * are there beforehand, lest the time taken tell of an update (section 9.5).
 */

#include "hole-punch/secure/hp-session.h"

#include <string.h>

#include "hole-punch/secure/hp-noise.h"
#include "hole-punch/secure/hp-replay-window.h"

/* Three times the probe timeout before a round trip was measured, which is
 * about a second (RFC 9002, section 6.2.2) */
#define DEFAULT_KEY_GRACE (3 * G_TIME_SPAN_SECOND)
/* A phase that is over by time must have been heard of: if all its packets
 * were lost, the one after it would be taken for the one before. */
#define MIN_PACKETS_PER_PHASE 64

typedef enum
{
  KEY_OLD,
  KEY_PRESENT,
  KEY_NEXT,
  KEY_NONE, /* no key can open this */
} KeyChoice;

struct _HpSessionCiphers
{
  HpAead *seal[HP_SUITE_CHACHA_POLY + 1];
  HpAead *open[HP_SUITE_CHACHA_POLY + 1];
};

struct _HpSession
{
  HpSuite suite;
  gboolean is_initiator;
  guint32 local_index;
  guint32 remote_index;

  /* The handles: its own, or (@is_sharing) those of a HpSessionCiphers, which
   * hold any key */
  HpAead *seal;
  HpAead *open;
  gboolean is_sharing;
  KeyChoice loaded; /* the receive key that an own @open holds */

  guint8 send_key[HP_KEY_SIZE];
  guint8 send_phase; /* the bit */
  gboolean update_wanted;
  guint64 next_number;
  guint64 send_phase_first; /* the first number of the phase */
  gint64 send_phase_since;

  guint8 receive_keys[KEY_NEXT + 1][HP_KEY_SIZE];
  guint8 receive_phase; /* the bit of KEY_PRESENT */
  guint64 receive_floor; /* one past the largest number of older phases */
  guint64 receive_first; /* the smallest number opened with KEY_PRESENT */
  gint64 old_key_until;  /* 0: there is no KEY_OLD */
  gint64 key_grace;
  guint64 n_forged;
  guint64 max_forged;
  HpReplayWindow *window;
};

HpSessionCiphers *
hp_session_ciphers_new (void)
{
  static const guint8 zeros[HP_KEY_SIZE];
  HpSessionCiphers *self = g_new0 (HpSessionCiphers, 1);

  for (HpSuite suite = HP_SUITE_AES_GCM; suite <= HP_SUITE_CHACHA_POLY;
       suite++)
    {
      self->seal[suite] = hp_aead_new (suite, zeros);
      self->open[suite] = hp_aead_new (suite, zeros);
    }
  return self;
}

void
hp_session_ciphers_free (HpSessionCiphers *self)
{
  if (self == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (self->seal); i++)
    {
      hp_aead_free (self->seal[i]);
      hp_aead_free (self->open[i]);
    }
  g_free (self);
}

static HpAead *
load_send_key (HpSession *self)
{
  if (self->is_sharing)
    hp_aead_set_key (self->seal, self->send_key);
  return self->seal;
}

static HpAead *
load_receive_key (HpSession *self, KeyChoice choice)
{
  if (self->is_sharing || self->loaded != choice)
    hp_aead_set_key (self->open, self->receive_keys[choice]);
  self->loaded = choice;
  return self->open;
}

static guint64
get_max_forged (HpSuite suite)
{
  switch (suite)
    {
    case HP_SUITE_AES_GCM:
      return HP_SESSION_MAX_FORGED_AES_GCM;
    case HP_SUITE_CHACHA_POLY:
      return HP_SESSION_MAX_FORGED_CHACHA_POLY;
    }
  g_assert_not_reached ();
}

HpSession *
hp_session_new (HpSuite suite, gboolean is_initiator,
                const guint8 first[HP_KEY_SIZE],
                const guint8 second[HP_KEY_SIZE], guint32 local_index,
                guint32 remote_index, guint replay_window, gint64 now)
{
  HpSession *self = g_new0 (HpSession, 1);
  const guint8 *receive_key = is_initiator ? second : first;

  self->suite = suite;
  self->is_initiator = is_initiator;
  self->local_index = local_index;
  self->remote_index = remote_index;

  memcpy (self->send_key, is_initiator ? first : second, HP_KEY_SIZE);
  self->send_phase_since = now;
  self->seal = hp_aead_new (suite, self->send_key);

  memcpy (self->receive_keys[KEY_PRESENT], receive_key, HP_KEY_SIZE);
  self->open = hp_aead_new (suite, receive_key);
  self->loaded = KEY_PRESENT;
  hp_noise_rekey (self->open, self->receive_keys[KEY_NEXT]);
  self->receive_first = G_MAXUINT64;
  self->key_grace = DEFAULT_KEY_GRACE;
  self->max_forged = get_max_forged (suite);
  self->window = hp_replay_window_new (replay_window);
  return self;
}

void
hp_session_free (HpSession *self)
{
  static const guint8 zeros[HP_KEY_SIZE];

  if (self == NULL)
    return;
  if (self->is_sharing)
    {
      hp_aead_set_key (self->seal, zeros);
      hp_aead_set_key (self->open, zeros);
    }
  else
    {
      hp_aead_free (self->seal);
      hp_aead_free (self->open);
    }
  hp_replay_window_free (self->window);
  hp_crypto_wipe (self, sizeof *self);
  g_free (self);
}

void
hp_session_share_ciphers (HpSession *self, HpSessionCiphers *ciphers)
{
  if (!self->is_sharing)
    {
      hp_aead_free (self->seal);
      hp_aead_free (self->open);
    }
  self->is_sharing = TRUE;
  self->seal = ciphers->seal[self->suite];
  self->open = ciphers->open[self->suite];
}

HpSuite
hp_session_get_suite (const HpSession *self)
{
  return self->suite;
}

gboolean
hp_session_is_initiator (const HpSession *self)
{
  return self->is_initiator;
}

guint32
hp_session_get_local_index (const HpSession *self)
{
  return self->local_index;
}

guint32
hp_session_get_remote_index (const HpSession *self)
{
  return self->remote_index;
}

guint64
hp_session_get_next_number (const HpSession *self)
{
  return self->next_number;
}

void
hp_session_skip_number (HpSession *self)
{
  self->next_number++;
}

void
hp_session_set_key_grace (HpSession *self, gint64 grace)
{
  self->key_grace = grace;
}

void
hp_session_update_keys (HpSession *self, gint64 now)
{
  self->update_wanted = TRUE;
}

void
hp_session_set_max_forged (HpSession *self, guint64 max_forged)
{
  self->max_forged = max_forged;
}

void
hp_session_expire (HpSession *self, gint64 now)
{
  if (self->old_key_until == 0 || now < self->old_key_until)
    return;
  hp_crypto_wipe (self->receive_keys[KEY_OLD], HP_KEY_SIZE);
  self->old_key_until = 0;
  /* The handle may hold it, too. */
  load_receive_key (self, KEY_PRESENT);
}

gint64
hp_session_get_deadline (const HpSession *self)
{
  return self->old_key_until != 0 ? self->old_key_until : G_MAXINT64;
}

static gboolean
is_update_due (const HpSession *self, gint64 now)
{
  guint64 sent = self->next_number - self->send_phase_first;

  return self->update_wanted || sent >= HP_SESSION_REKEY_PACKETS
         || (sent >= MIN_PACKETS_PER_PHASE
             && now - self->send_phase_since >= HP_SESSION_REKEY_TIME);
}

static void
update_send_key (HpSession *self, gint64 now)
{
  hp_noise_rekey (load_send_key (self), self->send_key);
  hp_aead_set_key (self->seal, self->send_key);
  self->send_phase ^= 1;
  self->send_phase_first = self->next_number;
  self->send_phase_since = now;
  self->update_wanted = FALSE;
}

gsize
hp_session_seal (HpSession *self, guint8 *packet, gsize plain_length,
                 gint64 now)
{
  guint8 *plain = packet + HP_DATA_HEADER_SIZE;
  HpDataHeader header;
  HpWriter writer;

  hp_session_expire (self, now);
  if (is_update_due (self, now))
    update_send_key (self, now);

  /* At a million packets a second, in 146,000 years */
  g_assert (self->next_number < HP_VARINT_MAX);
  header = (HpDataHeader){
    .key_phase = self->send_phase,
    .receiver_index = self->remote_index,
    .number = self->next_number++,
  };
  hp_writer_init (&writer, packet, HP_DATA_HEADER_SIZE);
  hp_packet_write_data_header (&header, &writer);
  hp_aead_seal (load_send_key (self), header.number, packet,
                HP_DATA_HEADER_SIZE, plain, plain_length, plain);
  return plain_length + HP_DATA_OVERHEAD;
}

static KeyChoice
choose_receive_key (const HpSession *self, const HpDataHeader *header)
{
  /* An older phase's number in this phase: nobody honest sends it (RFC 9001,
   * section 6.4), or it is of a phase two before this one, whose key is
   * gone. */
  if (header->key_phase == self->receive_phase)
    return header->number >= self->receive_floor ? KEY_PRESENT : KEY_NONE;
  if (header->number >= hp_replay_window_get_next (self->window))
    return KEY_NEXT;
  if (self->old_key_until != 0 && header->number < self->receive_first)
    return KEY_OLD;
  return KEY_NONE;
}

static void
enter_next_phase (HpSession *self, guint64 number, gint64 now)
{
  memcpy (self->receive_keys[KEY_OLD], self->receive_keys[KEY_PRESENT],
          HP_KEY_SIZE);
  memcpy (self->receive_keys[KEY_PRESENT], self->receive_keys[KEY_NEXT],
          HP_KEY_SIZE);
  self->loaded = KEY_PRESENT;
  hp_noise_rekey (self->open, self->receive_keys[KEY_NEXT]);
  self->receive_phase ^= 1;
  self->receive_floor = hp_replay_window_get_next (self->window);
  self->receive_first = number;
  self->old_key_until = MAX (now + self->key_grace, 1);
}

static void
commit_opened (HpSession *self, KeyChoice choice, guint64 number, gint64 now)
{
  switch (choice)
    {
    case KEY_OLD:
      self->receive_floor = MAX (self->receive_floor, number + 1);
      break;
    case KEY_PRESENT:
      self->receive_first = MIN (self->receive_first, number);
      break;
    case KEY_NEXT:
      enter_next_phase (self, number, now);
      break;
    case KEY_NONE:
      g_assert_not_reached ();
    }
  hp_replay_window_add (self->window, number);
}

HpOpenVerdict
hp_session_open (HpSession *self, guint8 *packet, gsize length, gint64 now,
                 guint64 *number, guint8 **plain, gsize *plain_length)
{
  guint8 *sealed = packet + HP_DATA_HEADER_SIZE;
  HpDataHeader header;
  KeyChoice choice;

  hp_session_expire (self, now);
  if (!hp_packet_parse_data (&header, packet, length)
      || length < HP_DATA_OVERHEAD
      || header.receiver_index != self->local_index
      /* Not to be acknowledged, and near the nonce of REKEY */
      || header.number >= HP_VARINT_MAX)
    return HP_OPEN_FORGED;
  if (self->n_forged >= self->max_forged)
    return HP_OPEN_EXHAUSTED;
  if (!hp_replay_window_check (self->window, header.number))
    return HP_OPEN_REPLAYED;

  choice = choose_receive_key (self, &header);
  if (choice == KEY_NONE)
    return HP_OPEN_FORGED;
  if (!hp_aead_open (load_receive_key (self, choice), header.number, packet,
                     HP_DATA_HEADER_SIZE, sealed,
                     length - HP_DATA_HEADER_SIZE, sealed))
    {
      self->n_forged++;
      return HP_OPEN_FORGED;
    }

  commit_opened (self, choice, header.number, now);
  *number = header.number;
  *plain = sealed;
  *plain_length = length - HP_DATA_OVERHEAD;
  return HP_OPEN_OK;
}
