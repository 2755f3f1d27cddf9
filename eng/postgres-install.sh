# Sourced by eng/postgres. Finds PostgreSQL 15 or later with pgvector, or installs it (Debian, Ubuntu).
# It adds missing packages and never upgrades, starts, stops or alters a cluster that it did not make.
# Afterwards PG_BIN is the folder with initdb, pg_ctl, psql, pg_dump.

PG_OLDEST_MAJOR=15

# Prints the bin folders of usable servers, newest first. A usable one has initdb and a folder for extensions.
pg_list_servers() {
  local bin major
  for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin; do
    [ -x "$bin/initdb" ] || continue
    major=$("$bin/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    [ "$major" -ge "$PG_OLDEST_MAJOR" ] && printf '%s %s\n' "$major" "$bin"
  done | sort -rn | cut -d' ' -f2
}

pg_share_folder() { "$1/pg_config" --sharedir 2>/dev/null || printf '/usr/share/postgresql/%s\n' "$(pg_major "$1")"; }
pg_major() { "$1/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'; }
pg_has_extension() { [ -f "$(pg_share_folder "$1")/extension/$2.control" ]; }

pg_ensure_installed() {
  local bin
  for bin in $(pg_list_servers); do
    if pg_has_extension "$bin" vector && pg_has_extension "$bin" pgcrypto; then PG_BIN=$bin; return 0; fi
  done
  command -v apt-get >/dev/null 2>&1 ||
    die "found no PostgreSQL $PG_OLDEST_MAJOR+ with pgvector. Install both, or set DATABASE_URL to a server that has them"
  pg_install_with_apt
  for bin in $(pg_list_servers); do
    if pg_has_extension "$bin" vector; then PG_BIN=$bin; return 0; fi
  done
  die "PostgreSQL with pgvector is still missing after the installation. Set DATABASE_URL to a server that has them"
}

pg_install_with_apt() {
  local bin major='' candidates
  bin=$(pg_list_servers | head -n 1)
  say "postgres: looking for PostgreSQL and pgvector in this system's package sources"
  as_root apt-get update -qq >&2 || say "postgres: apt-get update failed; going on with the package lists that are here"
  if [ -n "$bin" ]; then
    major=$(pg_major "$bin")
  else
    candidates=$(apt-cache search --names-only '^postgresql-[0-9]+(-pgvector)?$' | cut -d' ' -f1)
    major=$(printf '%s\n' "$candidates" | sed -nE 's/^postgresql-([0-9]+)-pgvector$/\1/p' | sort -rn | head -n 1)
    [ -n "$major" ] || major=$(printf '%s\n' "$candidates" | sed -nE 's/^postgresql-([0-9]+)$/\1/p' | sort -rn | head -n 1)
    [ "${major:-0}" -ge "$PG_OLDEST_MAJOR" ] ||
      die "this system offers no PostgreSQL $PG_OLDEST_MAJOR or later. Add a package source that does, or set DATABASE_URL"
    pg_install_server "$major"
  fi
  if apt-cache show "postgresql-$major-pgvector" >/dev/null 2>&1; then
    say "postgres: installing postgresql-$major-pgvector"
    pg_apt_install "postgresql-$major-pgvector"
  else
    pg_build_pgvector "$major"
  fi
}

# The package manager's many words show only when it fails.
pg_apt_install() {
  local log
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-upgrade "$@" > "$log" 2>&1 < /dev/null || {
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: $*. See its message above"
  }
  rm -f "$log"
}

# Installing a server package makes and starts a cluster named main unless told not to: told so, for this installation only.
pg_install_server() {
  local major=$1 drop_in=/etc/postgresql-common/createcluster.d/agentplatform.conf
  say "postgres: installing postgresql-$major (without making a system cluster)"
  pg_apt_install postgresql-common
  as_root mkdir -p "$(dirname "$drop_in")"
  printf 'create_main_cluster = false\n' | as_root tee "$drop_in" >/dev/null
  pg_apt_install "postgresql-$major"
  as_root rm -f "$drop_in"
}

# A release without pgvector (Debian 12): build it from the source package of the next release, which is found at the same
# address and checked with the same key as this system's own packages. The system's package lists stay as they are.
pg_build_pgvector() {
  local major=$1 next work here
  next=$(pg_next_release) ||
    die "no postgresql-$major-pgvector in this system's package sources, and no release known to have it. Install pgvector for PostgreSQL $major by hand, or set DATABASE_URL"
  say "postgres: building pgvector for PostgreSQL $major from the source package of $next"
  command -v make >/dev/null 2>&1 && command -v cc >/dev/null 2>&1 && command -v dpkg-source >/dev/null 2>&1 ||
    pg_apt_install make gcc libc6-dev dpkg-dev
  # apt fetches as its own user, so the folder must be one that this user can enter.
  work=$(mktemp -d "${TMPDIR:-/tmp}/agentplatform-pgvector.XXXXXX") && chmod 755 "$work"
  ( set -e
    cd "$work"
    mkdir -p sources lists/partial cache/archives/partial source headers
    pg_source_entry "$next" > sources/next.sources
    apt_private() {
      apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" -o Dir::State::lists="$work/lists" \
        -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@"
    }
    apt_private update
    cd source && apt_private source --only-source "pgvector/$next"
    cd "$work"
    installed=$(dpkg-query -W -f '${Version}' "postgresql-$major")
    apt-get -qq download -o APT::Sandbox::User="$(id -un)" "postgresql-server-dev-$major=$installed" 2>/dev/null ||
      apt-get -qq download -o APT::Sandbox::User="$(id -un)" "postgresql-server-dev-$major"
    dpkg -x postgresql-server-dev-"$major"_*.deb headers
    # pg_config answers with paths beside itself: a copy among the unpacked headers finds them, and installs there.
    bin=headers/usr/lib/postgresql/$major/bin
    mkdir -p "$bin" && cp "/usr/lib/postgresql/$major/bin/pg_config" "$bin/"
    cp -Rn "/usr/lib/postgresql/$major/lib/pgxs" "headers/usr/lib/postgresql/$major/lib/"
    tree=$(echo source/pgvector-*/)
    make -s -C "$tree" OPTFLAGS= with_llvm=no PG_CONFIG="$work/$bin/pg_config" \
      includedir_server="$work/headers/usr/include/postgresql/$major/server" -j"$(nproc)"
    as_root install -m 644 "$tree/vector.so" "/usr/lib/postgresql/$major/lib/vector.so"
    as_root install -m 644 "$tree"/vector.control "$tree"/sql/vector--*.sql "/usr/share/postgresql/$major/extension/"
  ) > "$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; die "building pgvector failed; the whole log is $work/log. Or set DATABASE_URL to a server that has pgvector"; }
  rm -rf "$work"
}

pg_next_release() {
  local codename
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  case $codename in bookworm) printf 'trixie\n' ;; *) return 1 ;; esac
}

# Prints a deb-src entry for a release at the address and with the key of this system's own first source.
pg_source_entry() {
  local release=$1 address='' key='' file line
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    if grep -qE '^Suites:.*\bbookworm\b' "$file"; then
      address=$(sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p' "$file" | head -n 1)
      key=$(sed -nE 's/^Signed-By:[[:space:]]*([^[:space:]]+).*/\1/p' "$file" | head -n 1)
      break
    fi
  done
  if [ -z "$address" ]; then
    line=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | grep -E '^deb[[:space:]].*[[:space:]]bookworm[[:space:]]' | head -n 1)
    key=$(printf '%s' "$line" | sed -nE 's/.*signed-by=([^] ]+).*/\1/p')
    address=$(printf '%s' "$line" | sed -E 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/')
  fi
  [ -n "$address" ] || { echo "found no package source for bookworm under /etc/apt"; return 1; }
  printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' "$address" "$release"
  [ -z "$key" ] || printf 'Signed-By: %s\n' "$key"
}
