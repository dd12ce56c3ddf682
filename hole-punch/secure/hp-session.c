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
 * hence only once; and forged packets cost hardly more than others. A session
 * with ciphers of its own has the next key ready; one that shares them, of
 * which a match server has a million, makes it when it is told of. That the
 * time taken tells of an update (section 9.5) is nothing new: the phase bit is
 * there for all to see.
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

/* What only a session with ciphers of its own has */
typedef struct
{
  HpAead *seal;
  HpAead *open;
  KeyChoice loaded; /* the receive key that @open holds */
  guint8 next_key[HP_KEY_SIZE];
} OwnCiphers;

/* The phase before the present one, as long as it may be heard of */
typedef struct
{
  guint8 key[HP_KEY_SIZE];
  gint64 until;
  guint64 before; /* the smallest number opened with KEY_PRESENT */
} OldPhase;

/* The replay window follows it. */
struct _HpSession
{
  union
  {
    OwnCiphers *own;
    HpSessionCiphers *shared; /* if @is_sharing */
  };
  OldPhase *old; /* NULL: there is none */

  guint8 send_key[HP_KEY_SIZE];
  guint8 receive_key[HP_KEY_SIZE]; /* KEY_PRESENT */

  guint64 forged_left : 56; /* that may come before it is exhausted */
  guint64 suite : 2;
  guint64 is_initiator : 1;
  guint64 is_sharing : 1;
  guint64 update_wanted : 1;
  guint64 send_phase : 1;    /* the bit */
  guint64 receive_phase : 1; /* the bit of KEY_PRESENT */
  guint64 next_number;
  guint64 receive_floor; /* one past the largest number of older phases */

  guint32 local_index;
  guint32 remote_index;
  guint32 sent_in_phase;    /* numbers taken */
  guint32 send_phase_since; /* ms */
  guint32 key_grace;        /* µs */
  guint32 padding;
};

G_STATIC_ASSERT (sizeof (HpSession) % sizeof (guint64) == 0);
G_STATIC_ASSERT (HP_SESSION_MAX_FORGED_AES_GCM
                 < G_GUINT64_CONSTANT (1) << 56);

static HpReplayWindow *
get_window (const HpSession *self)
{
  return (HpReplayWindow *) (self + 1);
}

HpSessionCiphers *
hp_session_ciphers_new (void)
{
  HpSessionCiphers *self = g_new0 (HpSessionCiphers, 1);

  for (HpSuite suite = HP_SUITE_AES_GCM; suite <= HP_SUITE_CHACHA_POLY;
       suite++)
    {
      self->seal[suite] = hp_aead_new_changing (suite);
      self->open[suite] = hp_aead_new_changing (suite);
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
  if (!self->is_sharing)
    return self->own->seal;
  hp_aead_set_key (self->shared->seal[self->suite], self->send_key);
  return self->shared->seal[self->suite];
}

static const guint8 *
get_receive_key (const HpSession *self, KeyChoice choice)
{
  switch (choice)
    {
    case KEY_OLD:
      return self->old->key;
    case KEY_PRESENT:
      return self->receive_key;
    case KEY_NEXT:
      return self->own->next_key;
    case KEY_NONE:
      break;
    }
  g_assert_not_reached ();
}

/* Loads the present key to make the next one */
static void
derive_next_key (HpSession *self, HpAead *open, guint8 next[HP_KEY_SIZE])
{
  hp_aead_set_key (open, self->receive_key);
  hp_noise_rekey (open, next);
}

static HpAead *
load_receive_key (HpSession *self, KeyChoice choice)
{
  guint8 next[HP_KEY_SIZE];
  HpAead *open;

  if (!self->is_sharing)
    {
      if (self->own->loaded != choice)
        hp_aead_set_key (self->own->open, get_receive_key (self, choice));
      self->own->loaded = choice;
      return self->own->open;
    }
  open = self->shared->open[self->suite];
  if (choice != KEY_NEXT)
    {
      hp_aead_set_key (open, get_receive_key (self, choice));
      return open;
    }
  derive_next_key (self, open, next);
  hp_aead_set_key (open, next);
  hp_crypto_wipe (next, sizeof next);
  return open;
}

/* Wraps in 49 days: differences are what counts. */
static guint32
to_ms (gint64 time)
{
  return time / G_TIME_SPAN_MILLISECOND;
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

gsize
hp_session_get_bytes (guint replay_window)
{
  gsize bytes = sizeof (HpSession) + hp_replay_window_get_bytes (replay_window);

  return (bytes + 7) & ~(gsize) 7;
}

static gsize
get_bytes (const HpSession *self)
{
  return sizeof *self
         + G_STRUCT_OFFSET (HpReplayWindow, blocks)
         + get_window (self)->n_blocks * sizeof (guint32);
}

HpSession *
hp_session_new (HpSuite suite, gboolean is_initiator,
                const guint8 first[HP_KEY_SIZE],
                const guint8 second[HP_KEY_SIZE], guint32 local_index,
                guint32 remote_index, guint replay_window, gint64 now)
{
  HpSession *self = g_malloc0 (hp_session_get_bytes (replay_window));

  self->suite = suite;
  self->is_initiator = is_initiator;
  self->local_index = local_index;
  self->remote_index = remote_index;
  self->key_grace = DEFAULT_KEY_GRACE;
  self->forged_left = get_max_forged (suite);
  self->send_phase_since = to_ms (now);
  memcpy (self->send_key, is_initiator ? first : second, HP_KEY_SIZE);
  memcpy (self->receive_key, is_initiator ? second : first, HP_KEY_SIZE);
  hp_replay_window_init (get_window (self), replay_window);

  self->own = g_new0 (OwnCiphers, 1);
  self->own->seal = hp_aead_new (suite, self->send_key);
  self->own->open = hp_aead_new (suite, self->receive_key);
  self->own->loaded = KEY_PRESENT;
  hp_noise_rekey (self->own->open, self->own->next_key);
  return self;
}

static void
free_own (OwnCiphers *own)
{
  hp_aead_free (own->seal);
  hp_aead_free (own->open);
  hp_crypto_wipe (own, sizeof *own);
  g_free (own);
}

static void
end_old_phase (HpSession *self)
{
  if (self->old == NULL)
    return;
  hp_crypto_wipe (self->old, sizeof *self->old);
  g_clear_pointer (&self->old, g_free);
}

void
hp_session_clear (HpSession *self)
{
  static const guint8 zeros[HP_KEY_SIZE];

  if (self->is_sharing)
    {
      hp_aead_set_key (self->shared->seal[self->suite], zeros);
      hp_aead_set_key (self->shared->open[self->suite], zeros);
    }
  else
    {
      free_own (self->own);
    }
  end_old_phase (self);
  hp_crypto_wipe (self, get_bytes (self));
}

void
hp_session_free (HpSession *self)
{
  if (self == NULL)
    return;
  hp_session_clear (self);
  g_free (self);
}

void
hp_session_share_ciphers (HpSession *self, HpSessionCiphers *ciphers)
{
  if (!self->is_sharing)
    free_own (self->own);
  self->is_sharing = TRUE;
  self->shared = ciphers;
}

void
hp_session_move (HpSession *self, gpointer to)
{
  gsize bytes = get_bytes (self);

  g_assert (self->is_sharing);

  memcpy (to, self, bytes);
  hp_crypto_wipe (self, bytes);
  g_free (self);
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
  self->sent_in_phase++;
}

void
hp_session_set_key_grace (HpSession *self, gint64 grace)
{
  self->key_grace = CLAMP (grace, 0, G_MAXUINT32);
}

void
hp_session_update_keys (HpSession *self, gint64 now)
{
  self->update_wanted = TRUE;
}

void
hp_session_set_max_forged (HpSession *self, guint64 max_forged)
{
  self->forged_left = max_forged;
}

void
hp_session_expire (HpSession *self, gint64 now)
{
  if (self->old == NULL || now < self->old->until)
    return;
  /* The handle may hold it, too. */
  load_receive_key (self, KEY_PRESENT);
  end_old_phase (self);
}

gint64
hp_session_get_deadline (const HpSession *self)
{
  return self->old != NULL ? self->old->until : G_MAXINT64;
}

static gboolean
is_update_due (const HpSession *self, gint64 now)
{
  guint32 age = to_ms (now) - self->send_phase_since;

  return self->update_wanted
         || self->sent_in_phase >= HP_SESSION_REKEY_PACKETS
         || (self->sent_in_phase >= MIN_PACKETS_PER_PHASE
             && age >= HP_SESSION_REKEY_TIME / G_TIME_SPAN_MILLISECOND);
}

static void
update_send_key (HpSession *self, gint64 now)
{
  HpAead *seal = load_send_key (self);

  hp_noise_rekey (seal, self->send_key);
  hp_aead_set_key (seal, self->send_key);
  self->send_phase ^= 1;
  self->sent_in_phase = 0;
  self->send_phase_since = to_ms (now);
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
  self->sent_in_phase++;
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
  if (header->number >= hp_replay_window_get_next (get_window (self)))
    return KEY_NEXT;
  if (self->old != NULL && header->number < self->old->before)
    return KEY_OLD;
  return KEY_NONE;
}

static void
enter_next_phase (HpSession *self, guint64 number, gint64 now)
{
  guint8 next[HP_KEY_SIZE];

  if (self->is_sharing)
    derive_next_key (self, self->shared->open[self->suite], next);
  else
    memcpy (next, self->own->next_key, HP_KEY_SIZE);
  if (self->old == NULL)
    self->old = g_new (OldPhase, 1);
  *self->old = (OldPhase){ .until = now + self->key_grace, .before = number };
  memcpy (self->old->key, self->receive_key, HP_KEY_SIZE);
  memcpy (self->receive_key, next, HP_KEY_SIZE);
  hp_crypto_wipe (next, sizeof next);
  if (!self->is_sharing)
    {
      self->own->loaded = KEY_PRESENT;
      hp_noise_rekey (self->own->open, self->own->next_key);
    }
  self->receive_phase ^= 1;
  self->receive_floor = hp_replay_window_get_next (get_window (self));
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
      if (self->old != NULL)
        self->old->before = MIN (self->old->before, number);
      break;
    case KEY_NEXT:
      enter_next_phase (self, number, now);
      break;
    case KEY_NONE:
      g_assert_not_reached ();
    }
  hp_replay_window_add (get_window (self), number);
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
  if (self->forged_left == 0)
    return HP_OPEN_EXHAUSTED;
  if (!hp_replay_window_check (get_window (self), header.number))
    return HP_OPEN_REPLAYED;

  choice = choose_receive_key (self, &header);
  if (choice == KEY_NONE)
    return HP_OPEN_FORGED;
  if (!hp_aead_open (load_receive_key (self, choice), header.number, packet,
                     HP_DATA_HEADER_SIZE, sealed,
                     length - HP_DATA_HEADER_SIZE, sealed))
    {
      self->forged_left--;
      return HP_OPEN_FORGED;
    }

  commit_opened (self, choice, header.number, now);
  *number = header.number;
  *plain = sealed;
  *plain_length = length - HP_DATA_OVERHEAD;
  return HP_OPEN_OK;
}
