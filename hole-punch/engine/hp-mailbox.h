/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What threads tell one of them, in its GMainContext. Any thread posts, without
 * a lock; the receiver takes all that there is at once.
 *
 *   post ──▸ ┐                        ┌──▸ func (mail), one after the other
 *   post ──▸ ├─▸ newest ▸ … ▸ oldest ─┤    in the order of posting
 *   post ──▸ ┘   (an atomic list)     └──  within bounds; the rest next time
 *
 * Its context is woken only by what is posted to an empty one: as long as it
 * has not looked, it will.
 */

#pragma once

#include <glib.h>

typedef struct _HpMail HpMail;
typedef struct _HpMailbox HpMailbox;

/* At the beginning of what is posted */
struct _HpMail
{
  HpMail *next; /* the mailbox's */
};

/* Several, to be posted together; zeros at first */
typedef struct
{
  HpMail *newest;
  HpMail *oldest;
  guint n;
} HpMails;

/* Takes over @mail. May do anything, close the mailbox too. */
typedef void (*HpMailFunc) (gpointer user_data, HpMail *mail);

/* Around what is given at a time; either may be NULL */
typedef struct
{
  void (*begin) (gpointer user_data);
  HpMailFunc func;
  void (*end) (gpointer user_data);
} HpMailReceiver;

/* In @context, at the GSource priority @priority; @free: what becomes of a mail
 * that nobody takes. @most: the mail that may wait, of that which may be
 * dropped. */
HpMailbox *hp_mailbox_new (GMainContext *context, int priority, guint most,
                           const HpMailReceiver *receiver, gpointer user_data,
                           GDestroyNotify free);
HpMailbox *hp_mailbox_ref (HpMailbox *self);
void hp_mailbox_unref (HpMailbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpMailbox, hp_mailbox_unref)

/* Any thread: */

/* Room for what the protocol asks for again when it is lost */
gboolean hp_mailbox_has_room (HpMailbox *self);
/* Takes over @mail; when the mailbox is closed, frees it */
void hp_mailbox_post (HpMailbox *self, HpMail *mail);
void hp_mailbox_post_all (HpMailbox *self, HpMails *mails);
void hp_mails_add (HpMails *self, HpMail *mail);

/* The receiver's thread; nothing is given any more, what waits is freed. */
void hp_mailbox_close (HpMailbox *self);
