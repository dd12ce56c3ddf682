# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

# Sourced by examples/quick-start and tests/run:
#
#   . data/install-missing.sh
#   install_missing build tests || exit 1
#
# installs those packages of debian-packages.txt that are for one of the given
# purposes and are not there yet. Does nothing, and needs neither network nor
# root, when all are there.

install_missing_list="$(dirname "${BASH_SOURCE[0]}")/debian-packages.txt"

install_missing ()
{
  local purposes=" $* " package purpose status
  local -a missing=() as_root=()

  if ! command -v dpkg-query apt-get >/dev/null 2>&1; then
    echo "This is no Debian: see data/debian-packages.txt for what has to be" \
         "installed by hand." >&2
    return 0
  fi

  while read -r package purpose _; do
    case "$package" in '' | '#'*) continue ;; esac
    case "$purposes" in *" $purpose "*) ;; *) continue ;; esac
    status="$(dpkg-query -W -f '${db:Status-Status}\n' "$package" \
              2>/dev/null)"
    # One line an architecture
    case $'\n'"$status"$'\n' in *$'\n'installed$'\n'*) continue ;; esac
    missing+=("$package")
  done < "$install_missing_list"

  if [ "${#missing[@]}" -eq 0 ]; then
    return 0
  fi

  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
      as_root=(sudo)
    else
      echo "Missing packages, and no right to install them. As root:" >&2
      echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
      return 1
    fi
  fi

  echo "Installing ${missing[*]}"
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq
            -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  # Old lists may do; whether they did shows in a moment.
  "${as_root[@]}" update </dev/null >/dev/null || true
  if ! "${as_root[@]}" install -y --no-install-recommends "${missing[@]}" \
       </dev/null >/dev/null; then
    echo "Could not install: ${missing[*]}" >&2
    return 1
  fi
}
