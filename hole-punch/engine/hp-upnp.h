/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A port of an Internet gateway device (UPnP IGD), by GUPnP-IGD.
 *
 * That is loaded when it is first asked for, which is where the gateway answers
 * neither PCP nor NAT-PMP: all others have nothing to do with its many
 * libraries. It works in a thread of its own, since some of what it does goes
 * to whatever context is the thread's default at that moment, and some of it
 * blocks; what it finds is told in the owner's context.
 */

#pragma once

#include "hole-punch/base/hp-address.h"

typedef struct _HpUpnp HpUpnp;

typedef struct
{
  GMainContext *context;
  /* A mapping, or NULL: it is gone */
  void (*mapped) (gpointer user_data, const HpAddress *external);
  /* After hp_upnp_close(), unless it was freed: the mapping is removed */
  void (*closed) (gpointer user_data);
  gpointer user_data;
} HpUpnpOwner;

/* @client: our address in the gateway's network, and the port to be mapped.
 * NULL: not built in, or it cannot be loaded */
HpUpnp *hp_upnp_new (const HpAddress *client, const HpUpnpOwner *owner);
/* Has the mapping removed; nothing but closed() is told any more */
void hp_upnp_close (HpUpnp *self);
/* What is under way goes on, unobserved */
void hp_upnp_free (HpUpnp *self);
