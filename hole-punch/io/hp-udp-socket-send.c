/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sending. Many datagrams of one size go through the kernel as one (udp(7),
 * UDP_SEGMENT). Where that fails, they go in one call nevertheless
 * (sendmmsg(2)), as do those to many places; and what fails there goes alone,
 * so that it fails alone.
 *
 * The batches are the system's own calls, not GSocket's, which make an object
 * of each address and each control message. An echo of 45 bytes takes 3.3 µs of
 * the processor by recvmmsg(2) and sendmmsg(2), 3.8 µs by
 * g_socket_receive_messages() and g_socket_send_messages(), though the latter
 * send no control messages there, and 4.3 µs with a call for each
 * (tests/benchmark/match.py).
 */

#include "hole-punch/io/hp-udp-socket-private.h"

#include <errno.h>
#include <netinet/udp.h>

/* Segmentation that failed so often in a row to one host, while the same
 * datagrams went one by one, is tried there only now and then: a device
 * without checksum offload does not learn it, but the route may change. */
#define MAX_SEGMENT_FAILURES 4
#define RETRY_AFTER 4096
/* Sendings in a row with a mark until the socket has it by itself */
#define BECOMES_USUAL 16

gboolean
hp_udp_socket_probe_segments (HpUdpSocket *self)
{
  int size;

  /* Since Linux 4.18 */
  return g_socket_get_option (self->socket, IPPROTO_UDP, UDP_SEGMENT, &size,
                              NULL);
}

/* What goes with a datagram */

static gboolean
set_usual_ecn (HpUdpSocket *self, HpEcn ecn)
{
  /* Of IPv4 datagrams also on a socket of both */
  return g_socket_set_option (self->socket, IPPROTO_IP, IP_TOS, ecn, NULL)
         && (!self->is_ipv6
             || g_socket_set_option (self->socket, IPPROTO_IPV6, IPV6_TCLASS,
                                     ecn, NULL));
}

/* With one more of this mark */
static gboolean
becomes_usual (const HpUdpSocket *self, HpEcn ecn)
{
  return ecn != self->usual_ecn && (self->n_unusual + 1) % BECOMES_USUAL == 0;
}

/* A control message with each datagram costs more than all else that composes
 * it, and most connections use one mark for good. The socket may have another
 * one afterwards. */
static gboolean
needs_ecn_info (HpUdpSocket *self, HpEcn ecn)
{
  gboolean becomes = becomes_usual (self, ecn);

  if (ecn == self->usual_ecn)
    {
      self->n_unusual = 0;
      return FALSE;
    }
  self->n_unusual++;
  if (!becomes)
    return TRUE;
  if (!set_usual_ecn (self, ecn))
    {
      set_usual_ecn (self, self->usual_ecn);
      return TRUE;
    }
  self->usual_ecn = ecn;
  return FALSE;
}

/* A pair of families that this socket can send between; and an unspecified
 * address is none to leave from. */
static gboolean
can_leave_from (HpUdpSocket *self, const HpRoute *route)
{
  return route->local.family == route->remote.family
         && (self->is_ipv6 || route->local.family == HP_ADDRESS_IPV4)
         && hp_address_get_scope (&route->local) != HP_SCOPE_INVALID;
}

static gboolean
can_send_to (HpUdpSocket *self, const HpAddress *remote)
{
  return remote->family == HP_ADDRESS_IPV4
         || (remote->family == HP_ADDRESS_IPV6 && self->is_ipv6);
}

/* What each of them needs that goes the same way: where to, and whence */
typedef struct
{
  struct sockaddr_in6 remote; /* has room for IPv4's */
  struct msghdr message;
  HpPacketInfo info; /* last: struct cmsghdr ends with what follows it */
} Envelope;

static void
address_envelope (HpUdpSocket *self, Envelope *envelope,
                  const HpOutgoing *outgoing, gboolean with_local)
{
  const HpRoute *route = &outgoing->route;
  struct msghdr *message = &envelope->message;

  *message = (struct msghdr){
    .msg_name = &envelope->remote,
    .msg_namelen = hp_address_to_native (&route->remote, &envelope->remote),
  };
  hp_packet_info_begin (&envelope->info, message);
  if (with_local)
    hp_packet_info_add_source (message, &route->local);
  if (needs_ecn_info (self, (HpEcn) outgoing->ecn))
    hp_packet_info_add_ecn (message, (HpEcn) outgoing->ecn,
                            (HpAddressFamily) route->remote.family);
}

/* @segment: 0 for a single datagram */
static void
fill_envelope (HpUdpSocket *self, Envelope *envelope, struct iovec *vector,
               const HpOutgoing *outgoing, gboolean with_local, gsize segment)
{
  struct msghdr *message = &envelope->message;

  address_envelope (self, envelope, outgoing, with_local);
  *vector = (struct iovec){ outgoing->bytes, outgoing->length };
  message->msg_iov = vector;
  message->msg_iovlen = 1;
  if (outgoing->ttl != 0)
    hp_packet_info_add_ttl (message, outgoing->ttl,
                            (HpAddressFamily) outgoing->route.remote.family);
  if (segment != 0)
    hp_packet_info_add_segment (message, segment);
}

/* One datagram */

static HpSendResult
send_once (HpUdpSocket *self, const HpOutgoing *outgoing, gboolean with_local,
           gsize segment)
{
  struct iovec vector;
  Envelope envelope;

  fill_envelope (self, &envelope, &vector, outgoing, with_local, segment);
  if (sendmsg (hp_udp_socket_get_fd (self), &envelope.message, 0) >= 0)
    return HP_SEND_OK;
  return errno == EAGAIN ? HP_SEND_BLOCKED : HP_SEND_FAILED;
}

HpSendResult
hp_udp_socket_send (HpUdpSocket *self, const HpOutgoing *outgoing)
{
  gboolean with_local = can_leave_from (self, &outgoing->route);

  if (!can_send_to (self, &outgoing->route.remote))
    return HP_SEND_FAILED;
  for (guint attempt = 0; attempt < 2; attempt++)
    {
      HpSendResult result = send_once (self, outgoing, with_local, 0);

      if (result != HP_SEND_FAILED)
        return result;
      /* Once more: it may have been an error of an earlier datagram, or our
       * address went away and the system knows a better one. */
      with_local = FALSE;
    }
  return HP_SEND_FAILED;
}

gboolean
hp_udp_socket_await_writable (HpUdpSocket *self, gint64 time)
{
  /* Less than nothing would be for ever. */
  return g_socket_condition_timed_wait (self->socket, G_IO_OUT, MAX (time, 0),
                                        NULL, NULL);
}

/* Several in a call */

static void
take_sent (HpOutgoing *outgoing, gsize length)
{
  outgoing->bytes += length;
  outgoing->length -= length;
}

/* As many as the kernel takes; how many, 0 when the first one failed */
static guint
send_batch (HpUdpSocket *self, const HpOutgoing *outgoing, gsize segment)
{
  struct iovec vectors[HP_UDP_MAX_SEGMENTS];
  struct mmsghdr messages[HP_UDP_MAX_SEGMENTS];
  gsize left = outgoing->length;
  guint8 *bytes = outgoing->bytes;
  Envelope envelope;
  guint n = 0;
  int sent;

  address_envelope (self, &envelope, outgoing,
                    can_leave_from (self, &outgoing->route));
  while (left > 0 && n < HP_UDP_MAX_SEGMENTS)
    {
      vectors[n] = (struct iovec){ bytes, MIN (left, segment) };
      messages[n].msg_hdr = envelope.message;
      messages[n].msg_hdr.msg_iov = vectors + n;
      messages[n].msg_hdr.msg_iovlen = 1;
      left -= vectors[n].iov_len;
      bytes += vectors[n].iov_len;
      n++;
    }
  sent = sendmmsg (hp_udp_socket_get_fd (self), messages, n, 0);
  return MAX (sent, 0);
}

/* Datagram by datagram */
static HpSendResult
send_each (HpUdpSocket *self, HpOutgoing *outgoing, gsize segment)
{
  HpSendResult result = HP_SEND_OK;

  while (outgoing->length > 0)
    {
      HpOutgoing first = *outgoing;
      guint n = 0;

      if (outgoing->length > segment && outgoing->ttl == 0)
        n = send_batch (self, outgoing, segment);
      if (n > 0)
        {
          take_sent (outgoing, MIN (n * segment, outgoing->length));
          continue;
        }
      first.length = MIN (outgoing->length, segment);
      switch (hp_udp_socket_send (self, &first))
        {
        case HP_SEND_OK:
          break;
        case HP_SEND_FAILED:
          result = HP_SEND_FAILED;
          break;
        case HP_SEND_BLOCKED:
          return HP_SEND_BLOCKED;
        }
      take_sent (outgoing, first.length);
    }
  return result;
}

/* Several as one */

static HpUdpTrouble *
find_trouble (HpUdpSocket *self, const HpAddress *remote)
{
  for (guint i = 0; i < self->n_troubles; i++)
    if (hp_address_same_host (&self->troubles[i].remote, remote))
      return self->troubles + i;
  return NULL;
}

static gboolean
may_segment (HpUdpSocket *self, const HpAddress *remote)
{
  HpUdpTrouble *trouble = find_trouble (self, remote);

  if (trouble == NULL || trouble->failures < MAX_SEGMENT_FAILURES)
    return TRUE;
  if (++trouble->passed < RETRY_AFTER)
    return FALSE;
  trouble->passed = 0;
  return TRUE;
}

static void
note_success (HpUdpSocket *self, const HpAddress *remote)
{
  HpUdpTrouble *trouble = find_trouble (self, remote);

  if (trouble != NULL)
    trouble->failures = 0;
}

static void
note_failure (HpUdpSocket *self, const HpAddress *remote)
{
  HpUdpTrouble *trouble = find_trouble (self, remote);

  if (trouble == NULL)
    {
      trouble = self->troubles + self->next_trouble;
      *trouble = (HpUdpTrouble){ .remote = *remote };
      self->next_trouble = (self->next_trouble + 1) % HP_UDP_MAX_TROUBLES;
      self->n_troubles = MIN (self->n_troubles + 1, HP_UDP_MAX_TROUBLES);
    }
  trouble->failures = MIN (trouble->failures + 1, MAX_SEGMENT_FAILURES);
}

static HpSendResult
send_together (HpUdpSocket *self, const HpOutgoing *outgoing, gsize segment)
{
  gboolean with_local = can_leave_from (self, &outgoing->route);
  HpSendResult result = send_once (self, outgoing, with_local, segment);

  /* As in hp_udp_socket_send(): our address may have gone away. */
  if (result == HP_SEND_FAILED && with_local)
    result = send_once (self, outgoing, FALSE, segment);
  return result;
}

HpSendResult
hp_udp_socket_send_segments (HpUdpSocket *self, HpOutgoing *outgoing,
                             gsize segment)
{
  const HpAddress *remote = &outgoing->route.remote;
  HpSendResult result;

  g_assert (outgoing->length <= HP_UDP_MAX_SEGMENTS_SIZE
            || outgoing->length <= segment);

  if (!can_send_to (self, remote))
    return HP_SEND_FAILED;
  if (outgoing->length <= segment || !self->has_segments
      || !may_segment (self, remote))
    return send_each (self, outgoing, segment);
  switch (send_together (self, outgoing, segment))
    {
    case HP_SEND_OK:
      note_success (self, remote);
      return HP_SEND_OK;
    case HP_SEND_BLOCKED:
      return HP_SEND_BLOCKED;
    case HP_SEND_FAILED:
      break;
    }
  /* A device without checksum offload, segments larger than the path takes in
   * one piece: or nothing goes there at all. */
  result = send_each (self, outgoing, segment);
  if (result == HP_SEND_OK)
    note_failure (self, remote);
  return result;
}

/* Many ways */

static gboolean
is_usual (HpUdpSocket *self, const HpUdpRun *run)
{
  const HpAddress *remote = &run->all.route.remote;

  return can_send_to (self, remote)
         && (run->all.length <= run->segment
             || (self->has_segments && find_trouble (self, remote) == NULL));
}

guint
hp_udp_socket_send_runs (HpUdpSocket *self, const HpUdpRun *runs, guint n)
{
  struct mmsghdr messages[HP_UDP_MAX_RUNS];
  struct iovec vectors[HP_UDP_MAX_RUNS];
  Envelope envelopes[HP_UDP_MAX_RUNS];
  guint ready;
  int sent;

  for (ready = 0; ready < MIN (n, HP_UDP_MAX_RUNS); ready++)
    {
      const HpUdpRun *run = runs + ready;

      if (!is_usual (self, run))
        break;
      /* Those before it may rely on the mark that the socket has until they
       * have left. */
      if (ready > 0 && becomes_usual (self, (HpEcn) run->all.ecn))
        break;
      fill_envelope (self, envelopes + ready, vectors + ready, &run->all,
                     can_leave_from (self, &run->all.route),
                     run->all.length > run->segment ? run->segment : 0);
      messages[ready].msg_hdr = envelopes[ready].message;
    }
  if (ready == 0)
    return 0;
  sent = sendmmsg (hp_udp_socket_get_fd (self), messages, ready, 0);
  return MAX (sent, 0);
}
