/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asks a STUN server on the loopback with libnice's client, as its agents do,
 * and prints the address that it tells: stun-nice PORT */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <stun/usages/bind.h>
#include <sys/time.h>

static const uint16_t known[] = {
  STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
  STUN_ATTRIBUTE_MAPPED_ADDRESS,
  STUN_ATTRIBUTE_ERROR_CODE,
  0,
};

/* The length of the answer, or less than 1 */
static ssize_t
exchange (uint16_t port, const uint8_t *request, size_t length,
          uint8_t *answer, size_t capacity)
{
  struct sockaddr_in server = { .sin_family = AF_INET };
  struct timeval patience = { .tv_sec = 10 };
  int fd = socket (AF_INET, SOCK_DGRAM, 0);

  server.sin_port = htons (port);
  server.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect (fd, (struct sockaddr *) &server, sizeof server) != 0
      || send (fd, request, length, 0) != (ssize_t) length)
    return -1;
  return recv (fd, answer, capacity, 0);
}

int
main (int argc, char *argv[])
{
  struct sockaddr_storage mapped = { 0 };
  struct sockaddr_storage other = { 0 };
  struct sockaddr_in *ipv4 = (struct sockaddr_in *) &mapped;
  socklen_t mapped_length = sizeof mapped;
  socklen_t other_length = sizeof other;
  char host[INET_ADDRSTRLEN];
  uint8_t request_bytes[1500];
  uint8_t answer_bytes[1500];
  StunMessage request;
  StunMessage answer;
  StunAgent agent;
  ssize_t length;

  stun_agent_init (&agent, known, STUN_COMPATIBILITY_RFC5389, 0);
  length = stun_usage_bind_create (&agent, &request, request_bytes,
                                   sizeof request_bytes);
  length = exchange (argc > 1 ? atoi (argv[1]) : 0, request_bytes, length,
                     answer_bytes, sizeof answer_bytes);
  if (length < 1
      || stun_agent_validate (&agent, &answer, answer_bytes, length, NULL,
                              NULL)
             != STUN_VALIDATION_SUCCESS
      || stun_usage_bind_process (&answer, (struct sockaddr *) &mapped,
                                  &mapped_length, (struct sockaddr *) &other,
                                  &other_length)
             != STUN_USAGE_BIND_RETURN_SUCCESS
      || mapped.ss_family != AF_INET)
    {
      fprintf (stderr, "no answer\n");
      return EXIT_FAILURE;
    }
  inet_ntop (AF_INET, &ipv4->sin_addr, host, sizeof host);
  printf ("%s:%u\n", host, ntohs (ipv4->sin_port));
  return EXIT_SUCCESS;
}
