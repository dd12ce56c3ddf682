# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kinds of NAT in the laboratory.

KINDS are made by ../emulator/nat.c; the words are explained in
../emulator/nat-rules.h, and those left out are as in DEFAULTS. KERNEL_KINDS are
nftables rules, for what a real kernel does.
"""

DEFAULTS = (
    'mapping=endpoint-independent filtering=address-and-port-dependent '
    'ports=preserved step=1 block=512 range=1024-65535 overload=no foreign=0 '
    'hairpin=no udp=yes knock=dropped lifetime=120s absolute=0 refresh=both '
    'max-mappings=0 max-entries=0')

SYMMETRIC = 'mapping=address-and-port-dependent '

KINDS = {
    # Hosts with public addresses: nothing, or a firewall, before them
    'open': 'mapping=none filtering=none',
    'stateful-firewall': 'mapping=none',
    'full-cone': 'filtering=endpoint-independent',
    'address-restricted': 'filtering=address-dependent',
    'port-restricted': '',
    'port-restricted-remapped': 'ports=random',
    'symmetric-sequential': SYMMETRIC + 'ports=sequential',
    'symmetric-sequential-busy': SYMMETRIC + 'ports=sequential foreign=50',
    'symmetric-block-512': SYMMETRIC + 'ports=block block=512',
    'symmetric-random': SYMMETRIC + 'ports=random',
    # A carrier's NAT over a port-restricted one at home; see CARRIER
    'carrier': '',
    'udp-blocked': 'udp=no',
    # What comes before the inside has sent takes the port (the early-knock
    # trap), as it does with a plain masquerade.
    'trap': 'overload=yes knock=takes-port',
}

# RFC 6888 wants endpoint-independent mapping; ports come in blocks (RFC 7753).
CARRIER = 'ports=block block=2048'

# {lan} and {wan} are the NAT's interfaces, {host} the host behind it that a
# full cone lets in.
KERNEL_KINDS = {
    # Endpoint-independent mapping (ports preserved), address- and
    # port-dependent filtering. The box itself takes nothing from outside.
    'kernel-port-restricted': '''
        table ip nat {{
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}
        table ip filter {{
          chain incoming {{ type filter hook input priority 0;
            iifname {wan} ct state new drop; }}
          chain passing {{ type filter hook forward priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
    # The same, but its own INPUT is open: a packet from outside that comes
    # before the inside has sent takes the tuple, and the inside's own packet
    # is then given a random port (the early-knock trap).
    'kernel-trap': '''
        table ip nat {{
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}
        table ip filter {{
          chain passing {{ type filter hook forward priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
    # Everything that comes from outside reaches the host.
    'kernel-full-cone': '''
        table ip nat {{
          chain arriving {{ type nat hook prerouting priority -100;
            iifname {wan} meta l4proto udp dnat to {host}; }}
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}''',
    # Whoever was sent to may answer from any port.
    'kernel-address-restricted': '''
        table ip nat {{
          set contacted {{ type ipv4_addr; timeout 2m; size 1024;
            flags dynamic; }}
          chain outgoing {{ type filter hook forward priority 0;
            iifname {lan} oifname {wan} update @contacted {{ ip daddr }}; }}
          chain arriving {{ type nat hook prerouting priority -100;
            iifname {wan} meta l4proto udp ip saddr @contacted \\
              dnat to {host}; }}
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}
        table ip filter {{
          chain incoming {{ type filter hook input priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
    # A new random port for every destination.
    'kernel-symmetric-random': '''
        table ip nat {{
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade random,fully-random; }}
        }}
        table ip filter {{
          chain incoming {{ type filter hook input priority 0;
            iifname {wan} ct state new drop; }}
          chain passing {{ type filter hook forward priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
}

KERNEL_FIREWALL_6 = '''
    table ip6 filter {{
      chain passing {{ type filter hook forward priority 0;
        iifname {wan} ct state new drop; }}
      chain incoming {{ type filter hook input priority 0;
        iifname {wan} meta l4proto udp ct state new drop; }}
        }}'''


def get_rules(kind):
    """All the words for a kind, which may have words of its own after it:
    'port-restricted hairpin=yes'."""
    name, _, words = kind.partition(' ')
    return f'{DEFAULTS} {KINDS[name]} {words}'


def is_public(kind):
    """Whether hosts behind it have public addresses."""
    return 'mapping=none' in get_rules(kind)


def is_kernel(kind):
    return kind in KERNEL_KINDS
