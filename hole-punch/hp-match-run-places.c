/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a match server is to be found: its port, and, so that peers can see
 * what their NATs make of different destinations, a second port and perhaps a
 * second address (RFC 5780). All but the first speak STUN only.
 *
 *                    first port            second port
 *   listen address   everything            STUN
 *   second address   STUN                  STUN
 *
 * A server that listens on all addresses has the second one's sockets already,
 * and everything at its first port.
 */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/io/hp-udp-steering.h"

G_STATIC_ASSERT (HP_MATCH_MAX_WORKERS <= HP_UDP_MAX_SHARES);

/* So that the message says which port it is, and what to do */
static void
explain (const char *address, guint port, GError **error)
{
  g_autofree char *place = NULL;

  if (error == NULL || *error == NULL)
    return;
  if (address != NULL)
    place = g_strdup_printf ("address %s, UDP port %u", address, port);
  else
    place = g_strdup_printf ("UDP port %u", port);
  if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    g_prefix_error (error,
                    "Cannot listen on %s: another program, or another match "
                    "server, does: ",
                    place);
  else
    g_prefix_error (error, "Cannot listen on %s: ", place);
}

static HpEndpoint *
get_endpoint (HpMatchRun *self)
{
  return self->workers[0].endpoint;
}

/* What a worker's endpoint is made in is its context. */
static void
enter (HpMatchWorker *worker)
{
  if (worker->context != NULL)
    g_main_context_push_thread_default (worker->context);
}

static void
leave (HpMatchWorker *worker)
{
  if (worker->context != NULL)
    g_main_context_pop_thread_default (worker->context);
}

gboolean
hp_match_run_open_first (HpMatchRun *self, const HpMatchListen *listen,
                         GError **error)
{
  HpMatchWorker *worker = self->workers;

  enter (worker);
  worker->endpoint
      = hp_endpoint_new (listen->listen_address, listen->port,
                         hp_match_worker_receive_stray, worker, error);
  leave (worker);
  if (worker->endpoint == NULL)
    {
      explain (listen->listen_address, listen->port, error);
      return FALSE;
    }
  self->address = *hp_endpoint_get_address (worker->endpoint);
  return TRUE;
}

gboolean
hp_match_run_open_sharing (HpMatchRun *self, GError **error)
{
  for (guint i = 1; i < self->n_workers; i++)
    {
      HpMatchWorker *worker = self->workers + i;

      enter (worker);
      worker->endpoint = hp_endpoint_new_sharing (
          get_endpoint (self), i, self->n_workers,
          hp_match_worker_receive_stray, worker, error);
      leave (worker);
      if (worker->endpoint == NULL)
        {
          g_prefix_error (error, "Cannot listen with %u threads: ",
                          self->n_workers);
          return FALSE;
        }
    }
  return TRUE;
}

/* Its number; 0: failed */
static guint
open_socket (HpMatchRun *self, const char *address, guint16 port,
             GError **error)
{
  guint number = hp_endpoint_open_socket (get_endpoint (self), address, port,
                                          error);

  if (number == 0)
    explain (address, port, error);
  return number;
}

/* The port after the first one, which firewalls can be told of; if that is
 * taken, any */
static guint
open_any_port (HpMatchRun *self, const char *address, GError **error)
{
  guint number = 0;

  if (self->address.port < G_MAXUINT16)
    number = hp_endpoint_open_socket (get_endpoint (self), address,
                                      self->address.port + 1, NULL);
  return number != 0 ? number : open_socket (self, address, 0, error);
}

static gboolean
add_second_address (HpMatchRun *self, const char *address,
                    HpMatchPlaces *places, GError **error)
{
  gboolean is_bound
      = hp_address_get_scope (&self->address) != HP_SCOPE_INVALID;
  guint number = open_socket (self, address, is_bound ? places->ports[0] : 0,
                              error);

  if (number == 0
      || !hp_endpoint_get_socket_address (get_endpoint (self), number,
                                          &places->hosts[1]))
    return FALSE;
  if (is_bound)
    {
      places->hosts[0] = self->address;
      places->second_sockets[1]
          = open_socket (self, address, places->ports[1], error);
      return places->second_sockets[1] != 0;
    }
  /* It only showed that the address is one of ours. */
  hp_endpoint_close_socket (get_endpoint (self), number);
  return TRUE;
}

gboolean
hp_match_run_open_second (HpMatchRun *self, const HpMatchListen *listen,
                          GError **error)
{
  HpMatchPlaces places = { .ports = { self->address.port } };
  HpAddress second;
  guint number;

  if (listen->second_port < 0)
    return TRUE;
  if (listen->second_port == 0)
    number = open_any_port (self, listen->listen_address, error);
  else
    number = open_socket (self, listen->listen_address, listen->second_port,
                          error);
  if (number == 0
      || !hp_endpoint_get_socket_address (get_endpoint (self), number, &second))
    return FALSE;
  places.ports[1] = self->second_port = second.port;
  places.second_sockets[0] = places.second_sockets[1] = number;
  if (listen->second_address != NULL
      && !add_second_address (self, listen->second_address, &places, error))
    return FALSE;
  self->places = places;
  return TRUE;
}

guint16
hp_match_run_get_second_port (HpMatchRun *self)
{
  return self->second_port;
}
