/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-server-probe.h"

#include "hole-punch/engine/hp-nat-questions.h"
#include "hole-punch/engine/hp-relay-line.h"
#include "hole-punch/io/hp-clock.h"

/* One server */
typedef struct
{
  HpServerProbeState state;
  HpAddress address; /* of a STUN server */
  HpRelayLine *line; /* to a TURN server; NULL: it is none, or was answered */
  gint64 round_trip;
  GError *error;
} Asked;

struct _HpServerProbe
{
  HpParty party;
  HpEndpoint *endpoint;
  GTlsDatabase *database; /* NULL: the system's */
  HpNatQuestions questions;
  GPtrArray *asked;
};

static HpServerProbe *
probe_of (HpParty *party)
{
  /* Its first member */
  return (HpServerProbe *) party;
}

static void
wake (HpServerProbe *self)
{
  hp_endpoint_wake (self->endpoint, &self->party);
}

/* Has the allocation given back */
static void
drop_line (HpServerProbe *self, Asked *asked)
{
  guint8 farewell[HP_TURN_REQUEST_MAX_SIZE];
  HpOutgoing outgoing = { .bytes = farewell, .capacity = sizeof farewell };
  gint64 now = hp_clock_now ();

  if (asked->line == NULL)
    return;
  hp_relay_line_close (asked->line, now);
  while (hp_relay_line_pull (asked->line, &outgoing, now))
    hp_endpoint_send (self->endpoint, &outgoing);
  g_clear_pointer (&asked->line, hp_relay_line_unref);
}

static void
asked_free (gpointer data)
{
  Asked *asked = data;

  g_clear_error (&asked->error);
  g_free (asked);
}

/* Answers */

static gboolean
on_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  HpServerProbe *self = user_data;
  const HpNatQuestion *question;
  HpAddress mapped;
  HpAddress other;
  gboolean was_first;

  for (guint i = 0; i < self->asked->len; i++)
    {
      Asked *asked = self->asked->pdata[i];

      if (asked->line != NULL
          && hp_relay_line_receive (asked->line, datagram, now))
        {
          wake (self);
          return TRUE;
        }
    }
  question = hp_nat_questions_receive (&self->questions, datagram, &mapped,
                                       &other, &was_first);
  if (question == NULL)
    return FALSE;
  for (guint i = 0; i < self->asked->len; i++)
    {
      Asked *asked = self->asked->pdata[i];

      if (question->round != i)
        continue;
      asked->state = HP_SERVER_PROBE_ANSWERED;
      if (was_first)
        asked->round_trip = now - question->asked_at;
    }
  return TRUE;
}

static void
look_at_line (HpServerProbe *self, Asked *asked)
{
  const HpTurnClient *client = hp_relay_line_get_client (asked->line);
  const GError *error = hp_relay_line_get_error (asked->line);

  if (hp_turn_client_get_state (client) == HP_TURN_CLIENT_READY)
    {
      asked->state = HP_SERVER_PROBE_ANSWERED;
      asked->round_trip = hp_turn_client_get_round_trip (client);
    }
  else if (error != NULL)
    {
      asked->state = HP_SERVER_PROBE_FAILED;
      asked->error = g_error_copy (error);
    }
  else
    {
      return;
    }
  drop_line (self, asked);
}

static void
give_up (Asked *asked)
{
  asked->state = HP_SERVER_PROBE_FAILED;
  asked->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                                      "it does not answer");
}

/* The party */

static void
probe_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  /* UNKNOWN, which is told to everybody */
}

static gboolean
probe_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  HpServerProbe *self = probe_of (party);

  for (guint i = 0; i < self->asked->len; i++)
    {
      Asked *asked = self->asked->pdata[i];

      if (asked->line != NULL
          && hp_relay_line_pull (asked->line, outgoing, now))
        return TRUE;
    }
  return hp_nat_questions_pull (&self->questions, outgoing, now);
}

static gint64
probe_get_deadline (HpParty *party, gint64 now)
{
  HpServerProbe *self = probe_of (party);
  gint64 deadline = hp_nat_questions_get_deadline (&self->questions);

  for (guint i = 0; i < self->asked->len; i++)
    {
      Asked *asked = self->asked->pdata[i];

      if (asked->line != NULL)
        deadline = MIN (deadline, hp_relay_line_get_deadline (asked->line));
    }
  return deadline;
}

static void
probe_expire (HpParty *party, gint64 now)
{
  HpServerProbe *self = probe_of (party);

  hp_nat_questions_expire (&self->questions, now);
  for (guint i = 0; i < self->asked->len; i++)
    {
      Asked *asked = self->asked->pdata[i];

      if (asked->line != NULL)
        hp_relay_line_expire (asked->line, now);
    }
}

static void
probe_deliver (HpParty *party, gint64 now)
{
  HpServerProbe *self = probe_of (party);

  for (guint i = 0; i < self->asked->len; i++)
    {
      Asked *asked = self->asked->pdata[i];

      if (asked->line != NULL)
        look_at_line (self, asked);
      else if (asked->state == HP_SERVER_PROBE_ASKED
               && hp_nat_questions_count_open (&self->questions, i) == 0)
        give_up (asked);
    }
}

static const HpPartyClass party_class = {
  .name = "server-probe",
  .receive = probe_receive,
  .pull = probe_pull,
  .get_deadline = probe_get_deadline,
  .expire = probe_expire,
  .deliver = probe_deliver,
};

/* Life */

HpServerProbe *
hp_server_probe_new (GTlsDatabase *database, const HpRandom *random,
                     GError **error)
{
  HpServerProbe *self = g_new0 (HpServerProbe, 1);

  self->asked = g_ptr_array_new_with_free_func (asked_free);
  self->endpoint = hp_endpoint_new (NULL, 0, on_stray, self, error);
  if (self->endpoint == NULL)
    {
      hp_server_probe_free (self);
      return NULL;
    }
  hp_nat_questions_init (&self->questions, random);
  g_set_object (&self->database, database);
  hp_endpoint_add_party (self->endpoint, &self->party, &party_class, 0);
  return self;
}

void
hp_server_probe_free (HpServerProbe *self)
{
  if (self->endpoint != NULL)
    {
      for (guint i = 0; i < self->asked->len; i++)
        drop_line (self, self->asked->pdata[i]);
      hp_endpoint_remove_party (self->endpoint, &self->party);
      hp_endpoint_close (self->endpoint);
      hp_endpoint_unref (self->endpoint);
    }
  g_ptr_array_unref (self->asked);
  g_clear_object (&self->database);
  g_free (self);
}

/* Questions */

static void
on_relayed (gpointer user_data, HpRelayLine *line, const HpAddress *peer,
            guint8 *data, gsize length)
{
  /* Nobody was told of the allocation: it can be nobody's */
}

static void
on_found (gpointer user_data, HpRelayLine *line, const HpAddress *address)
{
  /* One of the server's addresses is enough to know whether it answers */
}

static Asked *
add (HpServerProbe *self)
{
  Asked *asked;

  if (self->asked->len >= HP_SERVER_PROBE_MAX)
    return NULL;
  asked = g_new0 (Asked, 1);
  asked->round_trip = -1;
  g_ptr_array_add (self->asked, asked);
  return asked;
}

int
hp_server_probe_add_stun (HpServerProbe *self, const HpAddress *server)
{
  Asked *asked = add (self);
  guint number = self->asked->len - 1;

  if (asked == NULL)
    return -1;
  asked->address = *server;
  (void) hp_nat_questions_ask (&self->questions, HP_NAT_QUESTION_SERVER, number,
                               0, server, TRUE, hp_clock_now ());
  wake (self);
  return number;
}

int
hp_server_probe_add_relay (HpServerProbe *self, const HpRelayServer *server)
{
  HpRelayLineOwner owner = {
    .endpoint = self->endpoint,
    .party = &self->party,
    .database = self->database,
    .received = on_relayed,
    .found = on_found,
    .user_data = self,
  };
  Asked *asked = add (self);

  if (asked == NULL)
    return -1;
  asked->line = hp_relay_line_new (server, &owner);
  hp_relay_line_start (asked->line, hp_clock_now ());
  wake (self);
  return self->asked->len - 1;
}

/* Figures */

static const Asked *
get_asked (const HpServerProbe *self, int number)
{
  g_assert (number >= 0 && (guint) number < self->asked->len);
  return self->asked->pdata[number];
}

HpServerProbeState
hp_server_probe_get_state (const HpServerProbe *self, int number)
{
  return get_asked (self, number)->state;
}

gint64
hp_server_probe_get_round_trip (const HpServerProbe *self, int number)
{
  return get_asked (self, number)->round_trip;
}

const GError *
hp_server_probe_get_error (const HpServerProbe *self, int number)
{
  return get_asked (self, number)->error;
}

gboolean
hp_server_probe_is_done (const HpServerProbe *self)
{
  for (guint i = 0; i < self->asked->len; i++)
    if (get_asked (self, i)->state == HP_SERVER_PROBE_ASKED)
      return FALSE;
  return TRUE;
}
