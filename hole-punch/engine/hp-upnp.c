/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-upnp.h"

#ifdef HP_WITH_UPNP

#include <dlfcn.h>
#include <libgupnp-igd/gupnp-simple-igd.h>

#define LIBRARY "libgupnp-igd-1.0.so.4"
/* Seconds; GUPnP-IGD renews it */
#define LEASE 3600
/* Of old gateways: "only permanent leases" (WANIPConnection:1, AddPortMapping)
 */
#define ONLY_PERMANENT 725
#define DESCRIPTION "hole-punch"
/* How long the thread waits for a gateway to remove a mapping */
#define FAREWELL 5000 /* ms */

/* @context, @owner and @is_silent belong to the owner's thread, the rest to
 * ours, once it runs. */
struct _HpUpnp
{
  HpUpnpOwner owner;
  gboolean is_silent; /* the owner wants to hear no more of mappings … */
  gboolean is_free;   /* … nor of anything */
  HpAddress client;
  char *client_ip;
  GMainContext *inner;
  GMainLoop *loop;
  GUPnPSimpleIgd *igd; /* NULL: not loaded, or closed */
  gboolean is_permanent;
};

static GUPnPSimpleIgd *(*simple_igd_new) (void);
static void (*simple_igd_add_port) (GUPnPSimpleIgd *, const char *, guint16,
                                    const char *, guint16, guint32,
                                    const char *);

/* Loading */

/* Two versions of libsoup in one program end it. */
static gboolean
has_other_soup (void)
{
  void *program = dlopen (NULL, RTLD_LAZY);
  gboolean has = program != NULL && dlsym (program, "soup_uri_new") != NULL;

  if (program != NULL)
    dlclose (program);
  return has;
}

static gpointer
load (gpointer unused)
{
  void *library;

  if (has_other_soup ())
    return NULL;
  /* Its types can never be unregistered. */
  library = dlopen (LIBRARY, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  if (library == NULL)
    {
      g_debug ("No UPnP: %s", dlerror ());
      return NULL;
    }
  simple_igd_new = dlsym (library, "gupnp_simple_igd_new");
  simple_igd_add_port = dlsym (library, "gupnp_simple_igd_add_port");
  return simple_igd_new != NULL && simple_igd_add_port != NULL ? library
                                                               : NULL;
}

/* Telling the owner */

static void
upnp_clear (gpointer data)
{
  HpUpnp *self = data;

  g_main_context_unref (self->owner.context);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->inner);
  g_free (self->client_ip);
}

static void
upnp_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, upnp_clear);
}

typedef struct
{
  HpUpnp *upnp;
  gboolean is_end;
  HpAddress external; /* NONE: no mapping */
} News;

static void
news_free (gpointer data)
{
  News *news = data;

  upnp_unref (news->upnp);
  g_free (news);
}

static gboolean
on_news (gpointer user_data)
{
  News *news = user_data;
  HpUpnp *self = news->upnp;

  if (self->is_free)
    return G_SOURCE_REMOVE;
  if (news->is_end)
    self->owner.closed (self->owner.user_data);
  else if (!self->is_silent)
    self->owner.mapped (self->owner.user_data,
                        news->external.family != HP_ADDRESS_NONE
                            ? &news->external
                            : NULL);
  return G_SOURCE_REMOVE;
}

static void
post (GMainContext *context, GSourceFunc func, gpointer data,
      GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "hp-upnp");
  g_source_set_callback (source, func, data, destroy);
  g_source_attach (source, context);
}

static void
tell (HpUpnp *self, gboolean is_end, const HpAddress *external)
{
  News *news = g_new0 (News, 1);

  news->upnp = g_atomic_rc_box_acquire (self);
  news->is_end = is_end;
  if (external != NULL)
    news->external = *external;
  post (self->owner.context, on_news, news, news_free);
}

/* In the thread */

/* Of the machine's networks only the gateway's; TRUE: leave it out */
static gboolean
on_context_available (GObject *igd, GObject *context, gpointer user_data)
{
  HpUpnp *self = user_data;
  g_autofree char *ip = NULL;

  g_object_get (context, "host-ip", &ip, NULL);
  return g_strcmp0 (ip, self->client_ip) != 0;
}

static void
on_mapped (GObject *igd, const char *protocol, const char *external_ip,
           const char *replaced_ip, guint external_port, const char *local_ip,
           guint local_port, const char *description, gpointer user_data)
{
  HpUpnp *self = user_data;
  g_autofree char *text = g_strdup_printf ("%s:%u", external_ip,
                                           external_port);
  HpAddress external;

  if (hp_address_parse (&external, text) && hp_address_is_usable (&external))
    tell (self, FALSE, &external);
}

static void
add_port (HpUpnp *self)
{
  simple_igd_add_port (self->igd, "UDP", 0, self->client_ip, self->client.port,
                       self->is_permanent ? 0 : LEASE, DESCRIPTION);
}

static void
on_error (GObject *igd, const GError *error, const char *protocol,
          guint external_port, const char *local_ip, guint local_port,
          const char *description, gpointer user_data)
{
  HpUpnp *self = user_data;

  g_debug ("UPnP: %s", error->message);
  if (error->code == ONLY_PERMANENT && !self->is_permanent)
    {
      self->is_permanent = TRUE;
      add_port (self);
      return;
    }
  tell (self, FALSE, NULL);
}

static gpointer
run (gpointer data)
{
  static GOnce once = G_ONCE_INIT;
  HpUpnp *self = data;

  g_main_context_push_thread_default (self->inner);
  if (g_once (&once, load, NULL) != NULL)
    {
      self->igd = simple_igd_new ();
      g_signal_connect (self->igd, "context-available",
                        G_CALLBACK (on_context_available), self);
      g_signal_connect (self->igd, "mapped-external-port",
                        G_CALLBACK (on_mapped), self);
      g_signal_connect (self->igd, "error-mapping-port", G_CALLBACK (on_error),
                        self);
      add_port (self);
    }
  g_main_loop_run (self->loop);
  tell (self, TRUE, NULL);
  g_main_context_pop_thread_default (self->inner);
  upnp_unref (self);
  return NULL;
}

static void
on_igd_gone (gpointer user_data, GObject *igd)
{
  g_main_loop_quit (user_data);
}

static gboolean
on_farewell_over (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_close (gpointer user_data)
{
  HpUpnp *self = user_data;
  g_autoptr (GSource) farewell = NULL;

  if (self->igd == NULL)
    {
      g_main_loop_quit (self->loop);
      return G_SOURCE_REMOVE;
    }
  g_signal_handlers_disconnect_by_data (self->igd, self);
  farewell = g_timeout_source_new (FAREWELL);
  g_source_set_static_name (farewell, "hp-upnp-farewell");
  g_source_set_callback (farewell, on_farewell_over,
                         g_main_loop_ref (self->loop),
                         (GDestroyNotify) g_main_loop_unref);
  g_source_attach (farewell, self->inner);
  /* It is not gone before its mappings are. */
  g_object_weak_ref (G_OBJECT (self->igd), on_igd_gone, self->loop);
  g_clear_object (&self->igd);
  return G_SOURCE_REMOVE;
}

/* In the owner's */

HpUpnp *
hp_upnp_new (const HpAddress *client, const HpUpnpOwner *owner)
{
  HpUpnp *self = g_atomic_rc_box_new0 (HpUpnp);
  g_autoptr (GInetAddress) ip = NULL;
  GThread *thread;

  g_assert (client->family == HP_ADDRESS_IPV4);
  ip = g_inet_address_new_from_bytes (client->ip, G_SOCKET_FAMILY_IPV4);
  self->owner = *owner;
  g_main_context_ref (owner->context);
  self->client = *client;
  self->client_ip = g_inet_address_to_string (ip);
  self->inner = g_main_context_new ();
  self->loop = g_main_loop_new (self->inner, FALSE);
  thread = g_thread_try_new ("hp-upnp", run, g_atomic_rc_box_acquire (self),
                             NULL);
  if (thread == NULL)
    {
      upnp_unref (self);
      upnp_unref (self);
      return NULL;
    }
  g_thread_unref (thread);
  return self;
}

void
hp_upnp_close (HpUpnp *self)
{
  if (self->is_silent)
    return;
  self->is_silent = TRUE;
  post (self->inner, on_close, g_atomic_rc_box_acquire (self), upnp_unref);
}

void
hp_upnp_free (HpUpnp *self)
{
  hp_upnp_close (self);
  self->is_free = TRUE;
  upnp_unref (self);
}

#else

HpUpnp *
hp_upnp_new (const HpAddress *client, const HpUpnpOwner *owner)
{
  return NULL;
}

void
hp_upnp_close (HpUpnp *self)
{
}

void
hp_upnp_free (HpUpnp *self)
{
}

#endif
