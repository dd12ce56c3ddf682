/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-mailbox.h"

#define N_SENDERS 8
#define N_LETTERS 20000

typedef struct
{
  HpMail mail;
  guint sender;
  guint number;
} Letter;

typedef struct
{
  GMainContext *context;
  HpMailbox *mailbox;
  guint n_received;
  guint n_begun, n_ended;
  guint next[N_SENDERS]; /* number expected of each */
  guint close_at;        /* 0: never */
} Box;

/* Letters that exist; atomic */
static int n_letters;

static HpMail *
letter_new (guint sender, guint number)
{
  Letter *letter = g_new0 (Letter, 1);

  g_atomic_int_inc (&n_letters);
  letter->sender = sender;
  letter->number = number;
  return &letter->mail;
}

static void
letter_free (gpointer letter)
{
  g_atomic_int_add (&n_letters, -1);
  g_free (letter);
}

static void
begin (gpointer user_data)
{
  Box *box = user_data;

  g_assert_cmpuint (box->n_begun, ==, box->n_ended);
  box->n_begun++;
}

static void
end (gpointer user_data)
{
  ((Box *) user_data)->n_ended++;
}

static void
receive (gpointer user_data, HpMail *mail)
{
  Letter *letter = (Letter *) mail;
  Box *box = user_data;

  g_assert_cmpuint (box->n_begun, ==, box->n_ended + 1);
  g_assert_cmpuint (letter->number, ==, box->next[letter->sender]);
  box->next[letter->sender]++;
  box->n_received++;
  letter_free (letter);
  if (box->n_received == box->close_at)
    hp_mailbox_close (box->mailbox);
}

static const HpMailReceiver receiver = { begin, receive, end };

static void
open_box (Box *box, guint most)
{
  *box = (Box){ .context = g_main_context_new () };
  box->mailbox
      = hp_mailbox_new (box->context, G_PRIORITY_DEFAULT, most, &receiver,
                        box, letter_free);
}

static void
close_box (Box *box)
{
  hp_mailbox_close (box->mailbox);
  hp_mailbox_unref (box->mailbox);
  g_main_context_unref (box->context);
  g_assert_cmpint (g_atomic_int_get (&n_letters), ==, 0);
}

static void
test_order (void)
{
  HpMails mails = { 0 };
  Box box;

  open_box (&box, 1000);
  g_assert_false (g_main_context_pending (box.context));
  hp_mailbox_post_all (box.mailbox, &mails);
  g_assert_false (g_main_context_iteration (box.context, FALSE));
  hp_mailbox_post (box.mailbox, letter_new (0, 0));
  hp_mailbox_post (box.mailbox, letter_new (0, 1));
  for (guint i = 2; i < 5; i++)
    hp_mails_add (&mails, letter_new (0, i));
  hp_mailbox_post_all (box.mailbox, &mails);
  g_assert_null (mails.newest);
  hp_mailbox_post (box.mailbox, letter_new (0, 5));
  g_assert_true (g_main_context_iteration (box.context, TRUE));
  g_assert_cmpuint (box.n_received, ==, 6);
  g_assert_cmpuint (box.n_begun, ==, 1);
  g_assert_cmpuint (box.n_ended, ==, 1);
  g_assert_false (g_main_context_iteration (box.context, FALSE));
  close_box (&box);
}

static gboolean
count_turn (gpointer user_data)
{
  (*(guint *) user_data)++;
  return G_SOURCE_CONTINUE;
}

/* Others have their turn in between. */
static void
test_bounds (void)
{
  GSource *other;
  guint n_turns = 0;
  Box box;

  open_box (&box, 500);
  other = g_timeout_source_new (0);
  g_source_set_callback (other, count_turn, &n_turns, NULL);
  g_source_attach (other, box.context);
  for (guint i = 0; i < 1000; i++)
    {
      g_assert_true (hp_mailbox_has_room (box.mailbox) == (i < 500));
      hp_mailbox_post (box.mailbox, letter_new (0, i));
    }
  g_main_context_iteration (box.context, FALSE);
  g_assert_cmpuint (box.n_received, <, 500);
  while (box.n_received < 1000)
    g_main_context_iteration (box.context, FALSE);
  g_assert_true (hp_mailbox_has_room (box.mailbox));
  g_assert_cmpuint (n_turns, >, 2);
  g_source_destroy (other);
  g_source_unref (other);
  close_box (&box);
}

static void
test_close_inside (void)
{
  Box box;

  open_box (&box, 10);
  box.close_at = 3;
  for (guint i = 0; i < 10; i++)
    hp_mailbox_post (box.mailbox, letter_new (0, i));
  g_main_context_iteration (box.context, FALSE);
  g_assert_cmpuint (box.n_received, ==, 3);
  g_assert_cmpuint (box.n_ended, ==, 1);
  g_assert_cmpint (g_atomic_int_get (&n_letters), ==, 0);
  hp_mailbox_post (box.mailbox, letter_new (0, 10));
  g_assert_cmpint (g_atomic_int_get (&n_letters), ==, 0);
  close_box (&box);
}

static void
test_close_full (void)
{
  Box box;

  open_box (&box, 10);
  for (guint i = 0; i < 600; i++)
    hp_mailbox_post (box.mailbox, letter_new (0, i));
  g_main_context_iteration (box.context, FALSE);
  hp_mailbox_post (box.mailbox, letter_new (0, 600));
  close_box (&box);
}

/* Many threads */

typedef struct
{
  HpMailbox *mailbox;
  guint sender;
} Sender;

/* Alone, in batches of several sizes, and with pauses in which the receiver
 * falls asleep */
static gpointer
send_all (gpointer data)
{
  Sender *sender = data;
  guint batch = 1;
  guint i = 0;

  while (i < N_LETTERS)
    {
      HpMails mails = { 0 };

      for (guint j = 0; j < batch && i < N_LETTERS; j++)
        hp_mails_add (&mails, letter_new (sender->sender, i++));
      hp_mailbox_post_all (sender->mailbox, &mails);
      batch = batch % 17 + 1;
      if (i % 1000 < 10)
        g_usleep (200);
    }
  hp_mailbox_unref (sender->mailbox);
  return NULL;
}

static void
start_senders (Box *box, Sender *senders, GThread **threads)
{
  for (guint i = 0; i < N_SENDERS; i++)
    {
      senders[i] = (Sender){ hp_mailbox_ref (box->mailbox), i };
      threads[i] = g_thread_new ("sender", send_all, senders + i);
    }
}

/* All comes, in each one's order, and nobody sleeps while there is some: the
 * iteration below would never end. */
static void
test_threads (void)
{
  GThread *threads[N_SENDERS];
  Sender senders[N_SENDERS];
  Box box;

  open_box (&box, 10);
  start_senders (&box, senders, threads);
  while (box.n_received < N_SENDERS * N_LETTERS)
    g_main_context_iteration (box.context, TRUE);
  for (guint i = 0; i < N_SENDERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpuint (box.next[i], ==, N_LETTERS);
    }
  g_assert_true (hp_mailbox_has_room (box.mailbox));
  close_box (&box);
}

static void
test_close_in_threads (void)
{
  for (guint round = 0; round < 20; round++)
    {
      GThread *threads[N_SENDERS];
      Sender senders[N_SENDERS];
      Box box;

      open_box (&box, 10);
      box.close_at = N_LETTERS * (round % 5) / 2 + 1;
      start_senders (&box, senders, threads);
      while (box.n_received < box.close_at)
        g_main_context_iteration (box.context, TRUE);
      for (guint i = 0; i < N_SENDERS; i++)
        g_thread_join (threads[i]);
      close_box (&box);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/mailbox/order", test_order);
  g_test_add_func ("/mailbox/bounds", test_bounds);
  g_test_add_func ("/mailbox/close-inside", test_close_inside);
  g_test_add_func ("/mailbox/close-full", test_close_full);
  g_test_add_func ("/mailbox/threads", test_threads);
  g_test_add_func ("/mailbox/close-in-threads", test_close_in_threads);
  return g_test_run ();
}
