/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tun.h"

#include "segments.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* Linux 6.2; newer than some headers */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

struct _Tun
{
  int fd;
  PacketPool *pool;
  guint8 buffer[SEGMENTS_LARGEST];
};

static gboolean
enter_namespace (const char *name)
{
  g_autofree char *path = g_build_filename ("/run/netns", name, NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean entered;

  if (fd < 0)
    return FALSE;
  entered = setns (fd, CLONE_NEWNET) == 0;
  close (fd);
  return entered;
}

/* The kernel is asked to hand over what it would cut into packets and to leave
 * their checksums to whoever reads them last: nobody does, as they never leave
 * the machine.  An older kernel cuts UDP itself. */
static gboolean
make_device (int fd, const char *name)
{
  const guint offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };

  g_strlcpy (request.ifr_name, name, IFNAMSIZ);
  return ioctl (fd, TUNSETIFF, &request) == 0
         && (ioctl (fd, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6) == 0
             || ioctl (fd, TUNSETOFFLOAD, offloads) == 0);
}

/* Makes the device NAMESPACE:NAME, down and without addresses.  It vanishes
 * with @self. */
Tun *
tun_open (const char *where, PacketPool *pool, char **problem)
{
  g_auto (GStrv) parts = g_strsplit (where, ":", 2);
  Tun *self;
  int fd;

  if (g_strv_length (parts) != 2 || strlen (parts[1]) >= IFNAMSIZ)
    {
      *problem = g_strdup_printf ("not a NAMESPACE:DEVICE: %s", where);
      return NULL;
    }
  if (!enter_namespace (parts[0])
      || (fd = open ("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
    {
      *problem = g_strdup_printf ("%s: %s", where, g_strerror (errno));
      return NULL;
    }
  if (!make_device (fd, parts[1]))
    {
      *problem = g_strdup_printf ("%s: %s", where, g_strerror (errno));
      close (fd);
      return NULL;
    }
  self = g_new (Tun, 1);
  self->fd = fd;
  self->pool = pool;
  return self;
}

void
tun_free (Tun *self)
{
  close (self->fd);
  g_free (self);
}

int
tun_get_fd (Tun *self)
{
  return self->fd;
}

/* Appends what one read gives to @packets, cut into packets as they would be
 * on a wire.  FALSE when there is nothing to be read now. */
gboolean
tun_read (Tun *self, PacketList *packets)
{
  struct virtio_net_hdr offload;
  struct iovec parts[] = {
    { &offload, sizeof offload },
    { self->buffer, sizeof self->buffer },
  };
  gssize size = readv (self->fd, parts, G_N_ELEMENTS (parts));

  if (size <= (gssize) sizeof offload)
    return FALSE;
  segments_cut (&offload, self->buffer, size - sizeof offload, self->pool,
                packets);
  return TRUE;
}

/* Writes all of @packets and frees them; those that follow each other in one
 * flow at once, as a network card would hand them over.  What the device does
 * not take (it is down, say) is gone. */
void
tun_write (Tun *self, PacketList *packets)
{
  Packet *packet;

  while (packets->first != NULL)
    {
      Segments segments;
      guint n = segments_join (&segments, packets->first);

      while (writev (self->fd, segments.parts, segments.n_parts) < 0
             && errno == EINTR)
        ;
      while (n-- > 0 && (packet = packet_list_pop (packets)) != NULL)
        packet_free (self->pool, packet);
    }
}
