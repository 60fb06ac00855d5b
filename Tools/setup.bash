# Sourced by the scripts beside it: finds Swift, installs liblz4 where it is missing.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

say() {
  if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install PACKAGE…: by apt; elsewhere says what is needed.
install() {
  command -v apt-get >/dev/null || fail "please install: $*"
  say "Installing $*"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

need_swift() {
  command -v swift >/dev/null || fail "Swift 6.2 or later is needed: https://www.swift.org/install"
}

need_lz4() {
  command -v pkg-config >/dev/null && pkg-config --exists liblz4 && return
  if command -v brew >/dev/null; then brew install lz4 pkgconf; else install liblz4-dev pkg-config; fi
}

# A Python of our own, in .venv, with what the checks compare with.
need_python() {
  local wanted="$ROOT/Tools/checks/requirements.txt" have="$ROOT/.venv/requirements.txt"
  cmp -s "$wanted" "$have" && return
  command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null \
    || install python3 python3-venv
  say "Setting up .venv"
  rm -rf "$ROOT/.venv"
  python3 -m venv "$ROOT/.venv"
  "$ROOT/.venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$have"
}
