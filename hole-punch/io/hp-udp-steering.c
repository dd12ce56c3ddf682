/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The program, in classic BPF. Offset 0 is the UDP payload, SKF_NET_OFF the IP
 * header; what lies beyond the datagram's end makes it return 0, the first
 * socket. A is the accumulator, X the index register.
 *
 *            A = payload[0]
 *            A & 0xfe == 0xb4 ? ────────── yes ──▸ A = payload[4]  (DATA's
 *                 │ no                                 │            index)
 *            A = IP's version                          │
 *            A == 4 ? ───── yes ──▸ A = source & ~0xff │
 *                 │ no                      │          │
 *            X = source's bytes 4, 5        │          │
 *            A = source's bytes 0 … 3       │          │
 *            A = A * ODD + X                │          │
 *                 └────────┬────────────────┘          │
 *                  A = A * ODD, its upper half         │
 *                          └────────────┬──────────────┘
 *                             return A mod n: number of the socket, in the
 *                             order in which they were bound
 */

#include "hole-punch/io/hp-udp-steering.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

/* 2^32 divided by the golden ratio: spreads what differs in few bits over the
 * upper half of the product (Knuth, The Art of Computer Programming, 6.4) */
#define ODD 0x9e3779b1u

/* Datagrams of the protocol, as of hp-packet.h, which is on another floor's
 * business: B4 or B5, then the receiver's index in network order */
#define DATA_TYPE 0xb4
#define DATA_TYPE_MASK 0xfe
#define LAST_OF_INDEX 4

/* Fields of the IP header: the version is the first byte's upper half */
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8
#define NET(offset) ((guint32) SKF_NET_OFF + (offset))

gboolean
hp_udp_steering_attach (int fd, guint n_shares, GError **error)
{
  struct sock_filter steps[] = {
    /*  0 */ BPF_STMT (BPF_LD | BPF_B | BPF_ABS, 0),
    /*  1 */ BPF_STMT (BPF_ALU | BPF_AND | BPF_K, DATA_TYPE_MASK),
    /*  2 */ BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, DATA_TYPE, 14, 0),
    /*  3 */ BPF_STMT (BPF_LD | BPF_B | BPF_ABS, NET (0)),
    /*  4 */ BPF_STMT (BPF_ALU | BPF_RSH | BPF_K, 4),
    /*  5 */ BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 4, 6, 0),
    /*  6 */ BPF_STMT (BPF_LD | BPF_H | BPF_ABS, NET (IPV6_SOURCE + 4)),
    /*  7 */ BPF_STMT (BPF_MISC | BPF_TAX, 0),
    /*  8 */ BPF_STMT (BPF_LD | BPF_W | BPF_ABS, NET (IPV6_SOURCE)),
    /*  9 */ BPF_STMT (BPF_ALU | BPF_MUL | BPF_K, ODD),
    /* 10 */ BPF_STMT (BPF_ALU | BPF_ADD | BPF_X, 0),
    /* 11 */ BPF_STMT (BPF_JMP | BPF_JA, 2),
    /* 12 */ BPF_STMT (BPF_LD | BPF_W | BPF_ABS, NET (IPV4_SOURCE)),
    /* 13 */ BPF_STMT (BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
    /* 14 */ BPF_STMT (BPF_ALU | BPF_MUL | BPF_K, ODD),
    /* 15 */ BPF_STMT (BPF_ALU | BPF_RSH | BPF_K, 16),
    /* 16 */ BPF_STMT (BPF_JMP | BPF_JA, 1),
    /* 17 */ BPF_STMT (BPF_LD | BPF_B | BPF_ABS, LAST_OF_INDEX),
    /* 18 */ BPF_STMT (BPF_ALU | BPF_MOD | BPF_K, n_shares),
    /* 19 */ BPF_STMT (BPF_RET | BPF_A, 0),
  };
  struct sock_fprog program = { G_N_ELEMENTS (steps), steps };

  g_assert (n_shares >= 1 && n_shares <= HP_UDP_MAX_SHARES);

  if (setsockopt (fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                  sizeof program)
      == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "the system cannot choose among the sockets of several threads "
               "(SO_ATTACH_REUSEPORT_CBPF: %s): use a single one",
               g_strerror (errno));
  return FALSE;
}

static guint32
get_be32 (const guint8 *bytes)
{
  guint32 value;

  memcpy (&value, bytes, sizeof value);
  return GUINT32_FROM_BE (value);
}

guint
hp_udp_steering_get_share (const HpAddress *remote, guint n_shares)
{
  guint32 network = get_be32 (remote->ip);

  if (remote->family == HP_ADDRESS_IPV4)
    network &= 0xffffff00;
  else
    network = network * ODD + (remote->ip[4] << 8 | remote->ip[5]);
  return (network * ODD >> 16) % n_shares;
}
