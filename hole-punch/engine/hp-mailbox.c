/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-mailbox.h"

/* Given in one dispatch, so that whatever else lives in the context gets its
 * turn */
#define MAX_GIVEN 256

typedef struct
{
  GSource parent;
  HpMailbox *mailbox;
} HpMailSource;

struct _HpMailbox
{
  gatomicrefcount references;
  HpMail *newest; /* atomic; &closed: closed */
  guint n_waiting; /* atomic; posted and not given yet, about */
  guint most;
  GMainContext *context;

  /* The receiver's */
  HpMail *taken; /* oldest first */
  GSource *source; /* NULL: closed */
  const HpMailReceiver *receiver;
  gpointer user_data;
  GDestroyNotify free;
};

static HpMail closed;

static gboolean
has_mail (HpMailbox *self)
{
  return self->taken != NULL || g_atomic_pointer_get (&self->newest) != NULL;
}

/* Receiving */

static HpMail *
reverse (HpMail *newest)
{
  HpMail *oldest = NULL;

  while (newest != NULL)
    {
      HpMail *next = newest->next;

      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
  return oldest;
}

static HpMail *
take (HpMailbox *self)
{
  HpMail *mail = self->taken;

  if (mail == NULL)
    mail = reverse (g_atomic_pointer_exchange (&self->newest, NULL));
  if (mail != NULL)
    self->taken = mail->next;
  return mail;
}

static void
give (HpMailbox *self)
{
  const HpMailReceiver *receiver = self->receiver;
  guint n = 0;

  if (receiver->begin != NULL)
    receiver->begin (self->user_data);
  while (n < MAX_GIVEN && self->source != NULL)
    {
      HpMail *mail = take (self);

      if (mail == NULL)
        break;
      g_atomic_int_add (&self->n_waiting, -1);
      receiver->func (self->user_data, mail);
      n++;
    }
  if (receiver->end != NULL)
    receiver->end (self->user_data);
}

/* A sender posts first and wakes then; whoever has seen nothing here is woken
 * out of poll(). */
static gboolean
prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return has_mail (((HpMailSource *) source)->mailbox);
}

static gboolean
check (GSource *source)
{
  return has_mail (((HpMailSource *) source)->mailbox);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_autoptr (HpMailbox) self
      = hp_mailbox_ref (((HpMailSource *) source)->mailbox);

  give (self);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs
    = { prepare, check, dispatch, NULL, NULL, NULL };

/* Life */

HpMailbox *
hp_mailbox_new (GMainContext *context, int priority, guint most,
                const HpMailReceiver *receiver, gpointer user_data,
                GDestroyNotify free)
{
  HpMailbox *self = g_new0 (HpMailbox, 1);

  g_atomic_ref_count_init (&self->references);
  self->context = g_main_context_ref (context);
  self->most = most;
  self->receiver = receiver;
  self->user_data = user_data;
  self->free = free;
  self->source = g_source_new (&source_funcs, sizeof (HpMailSource));
  ((HpMailSource *) self->source)->mailbox = self;
  g_source_set_static_name (self->source, "HpMailbox");
  g_source_set_priority (self->source, priority);
  g_source_attach (self->source, context);
  return self;
}

HpMailbox *
hp_mailbox_ref (HpMailbox *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
hp_mailbox_unref (HpMailbox *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  hp_mailbox_close (self);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
free_all (HpMailbox *self, HpMail *mail)
{
  while (mail != NULL)
    {
      HpMail *next = mail->next;

      self->free (mail);
      mail = next;
    }
}

void
hp_mailbox_close (HpMailbox *self)
{
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  free_all (self, g_steal_pointer (&self->taken));
  free_all (self, g_atomic_pointer_exchange (&self->newest, &closed));
}

/* Posting */

gboolean
hp_mailbox_has_room (HpMailbox *self)
{
  return (guint) g_atomic_int_get (&self->n_waiting) < self->most;
}

void
hp_mails_add (HpMails *self, HpMail *mail)
{
  mail->next = self->newest;
  if (self->newest == NULL)
    self->oldest = mail;
  self->newest = mail;
  self->n++;
}

void
hp_mailbox_post_all (HpMailbox *self, HpMails *mails)
{
  HpMail *before;

  if (mails->newest == NULL)
    return;
  g_atomic_int_add (&self->n_waiting, mails->n);
  do
    {
      before = g_atomic_pointer_get (&self->newest);
      mails->oldest->next = before == &closed ? NULL : before;
    }
  while (before != &closed
         && !g_atomic_pointer_compare_and_exchange (&self->newest, before,
                                                    mails->newest));
  if (before == &closed)
    free_all (self, mails->newest);
  else if (before == NULL)
    g_main_context_wakeup (self->context);
  *mails = (HpMails){ 0 };
}

void
hp_mailbox_post (HpMailbox *self, HpMail *mail)
{
  HpMails mails = { 0 };

  hp_mails_add (&mails, mail);
  hp_mailbox_post_all (self, &mails);
}
