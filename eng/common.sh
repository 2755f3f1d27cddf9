# Sourced by the scripts in this folder and by run, test and bench: how they speak and how they get root.

say() { printf '%s\n' "$*" >&2; }

# Ends the calling script. Every message says what to do next.
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: directly, or by sudo, which may ask for a password on a terminal.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo -- "$@"
  else die "this needs root: run it as root, install sudo, or run by hand: $*"
  fi
}

# Runs a command as another user (only root can), in a folder that every user can enter.
as_user() {
  local user=$1; shift
  if [ "$user" = "$(id -un)" ]; then (cd / && "$@")
  else (cd / && setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- env HOME=/ "$@")
  fi
}

absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$PWD" "$1" ;; esac; }

# A random word that is safe in a URL, a connection string and an environment file.
random_word() { od -An -N"${1:-24}" -tx1 /dev/urandom | tr -d ' \n'; }

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints a free port, the wanted one if it is given and free, else one below the range that the system hands out to clients.
free_port() {
  local port=${1:-} try
  for try in $(seq 1 50); do
    if [ -n "$port" ] && port_is_free "$port"; then printf '%s\n' "$port"; return 0; fi
    port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
  done
  die "found no free port between 20000 and 32000"
}
