#!/usr/bin/env bash
# Installs the Debian packages of commands that are missing. Who may not gets the exact command,
# and goes on without, unless --required.
# usage: packaging/debian.sh [--required] COMMAND:PACKAGE…
set -euo pipefail

required=false
if [ "${1-}" = --required ]; then
  required=true
  shift
fi

PATH="$PATH:/usr/sbin:/sbin" # an ordinary user's has no nginx
packages=()
for pair in "$@"; do
  command -v "${pair%%:*}" >/dev/null || packages+=("${pair#*:}")
done
[ ${#packages[@]} -gt 0 ] || exit 0

install=(apt-get install --yes --no-install-recommends "${packages[@]}")
say() {
  printf '%s: %s\n  %s\n' "$1" "${packages[*]}" "$2" >&2
  if $required; then exit 1; else exit 0; fi
}

command -v apt-get >/dev/null || say "Missing, and this is no Debian" "install them in your system's own way"
[ "$(id -u)" = 0 ] || say "Missing" "sudo ${install[*]}"

echo "Installing from Debian: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be missing or old: then they are fetched, once.
if ! "${install[@]}" >"$log" 2>&1; then
  if ! { apt-get update && "${install[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    say "Could not install" "apt-get update && ${install[*]}"
  fi
fi

# Only the programs are wanted: Debian starts these as services, on ports that are ours to choose.
for package in "${packages[@]}"; do
  case $package in
    nginx | caddy | redis-server | docker-registry) units=("$package") ;;
    docker.io) units=(docker.service docker.socket) ;;
    *) continue ;;
  esac
  [ ! -d /run/systemd/system ] || systemctl disable --now --quiet "${units[@]}"
done
