/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a TURN server sends, given to a client that waits for it: the first
 * byte says how far it has come. */

#include "hole-punch/nat/hp-turn-client.h"

#include <string.h>

#include "fuzz.h"

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  memset (bytes, 'x', length);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  HpTurnClientConfig config = { .is_stream = size > 0 && (data[0] & 1) != 0,
                                .username = "user",
                                .password = "pass",
                                .family = HP_ADDRESS_IPV4,
                                .random = { fill, NULL } };
  g_autoptr (HpTurnClient) client = hp_turn_client_new (&config);
  g_autofree guint8 *bytes = g_memdup2 (data, size);
  guint8 request[HP_TURN_REQUEST_MAX_SIZE];
  gsize offset = 1;
  gint64 now = 1;
  gsize length;

  hp_turn_client_start (client, now);
  while (offset < size)
    {
      HpAddress peer;
      guint8 *payload;
      gsize payload_length;

      while (hp_turn_client_pull (client, request, sizeof request, now) > 0)
        ;
      if (hp_turn_find_frame (bytes + offset, size - offset, &length)
          != HP_TURN_FRAME_WHOLE)
        length = size - offset;
      if (hp_turn_client_receive (client, bytes + offset, length, now, &peer,
                                  &payload, &payload_length)
          == HP_TURN_RECEIVED_DATA)
        {
          g_assert (payload >= bytes && payload_length <= size);
          g_assert (payload + payload_length <= bytes + size);
        }
      offset += length;
      now += G_TIME_SPAN_SECOND;
      hp_turn_client_expire (client, now);
    }
  return 0;
}
