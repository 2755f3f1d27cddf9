# Sourced by run, test and bench: building, starting, watching and stopping our own processes. Needs common.sh.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

require_dotnet() {
  local version
  command -v dotnet >/dev/null 2>&1 || die "dotnet is not installed. Install the .NET 10 SDK and try again"
  version=$(dotnet --version 2>/dev/null || true)
  case $version in
    1[0-9].*) ;;
    *) die "the .NET SDK here is ${version:-none}, but this needs version 10 or later. Install it and try again" ;;
  esac
}

# Builds a project or solution in Release; the compiler's words only when it fails.
build_release() {
  local log
  log=$(mktemp)
  if ! dotnet build "$@" -c Release -v q --nologo > "$log" 2>&1; then
    awk '/: (error|warning) / && !seen[$0]++ && ++shown <= 20 { print } END { if (!shown) exit 1 }' "$log" >&2 || tail -n 40 "$log" >&2
    rm -f "$log"
    die "the build failed, see above"
  fi
  rm -f "$log"
}

# Secrets of an installation by ./run: made once, kept beside its data, readable by their owner only. The environment wins.
# load_or_make_secrets FILE NAME …
load_or_make_secrets() {
  local file=$1 name value
  shift
  (umask 077; touch "$file")
  chmod 600 "$file"
  for name in "$@"; do
    [ -z "${!name:-}" ] || { export "${name?}"; continue; }
    value=$(sed -n "s/^$name=//p" "$file" | tail -n 1)
    if [ -z "$value" ]; then
      case $name in
        SECRETS_KEYS) value="k1:$(head -c 32 /dev/urandom | base64 -w0)" ;;
        JWT_SIGNING_KEY) value=$(head -c 48 /dev/urandom | base64 -w0) ;;
        DATABASE_ENGINE_PASSWORD | DATABASE_API_PASSWORD) value=$(random_word 24) ;;
        DEMO_ADMIN_EMAIL) value=admin@soul.example ;;
        DEMO_ADMIN_PASSWORD) value=demo-$(random_word 8) ;;
      esac
      printf '%s=%s\n' "$name" "$value" >> "$file"
    fi
    export "$name=$value"
  done
}

# A database's URL with another login.
# Within the shell: whatever stands on a command line, others on the machine can read.
login_url() { local rest=${1#*://}; printf '%s://%s:%s@%s' "${1%%://*}" "$2" "$3" "${rest#*@}"; }

# Starts a command in a folder with a log, so that it ends with this script even when the script is killed. Its id is in started_pid.
start_with_parent() {
  local folder=$1 log=$2; shift 2
  if setpriv --pdeathsig TERM true 2>/dev/null; then set -- setpriv --pdeathsig TERM -- "$@"; fi
  (cd "$folder" && exec "$@") >> "$log" 2>&1 < /dev/null &
  started_pid=$!
}

# Asks a process to end, waits, and then insists.
stop_process() {
  local pid=$1 seconds=$2 try
  kill -TERM "$pid" 2>/dev/null || return 0
  for try in $(seq 1 $((seconds * 10))); do
    kill -0 "$pid" 2>/dev/null || return 0
    # A child of ours that has ended stays visible, as a zombie, until it is waited for.
    case $(sed -E 's/^.*\) //' "/proc/$pid/stat" 2>/dev/null) in '' | Z*) return 0 ;; esac
    sleep 0.1
  done
  say "process $pid did not end within $seconds s; killing it"
  kill -KILL "$pid" 2>/dev/null || true
}

# Ends what an earlier run left behind, if the id in the file still belongs to a process with that name in its command line.
stop_leftover() {
  local file=$1 name=$2 pid
  [ -f "$file" ] || return 0
  pid=$(cat "$file")
  if [ -n "$pid" ] && tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q "$name"; then
    say "an earlier run left its process $pid behind; stopping it"
    stop_process "$pid" 30
  fi
  rm -f "$file"
}

# GET over plain HTTP on this machine, without curl; prints headers and body. Fails when nobody answers.
http_get() (
  { exec 8<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || exit 1
  printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$2" "$1" >&8 || exit 1
  timeout 10 cat <&8 | tr -d '\r'
)

# Waits until /health/ready answers 200; fails when the process ends before, or the time is over.
wait_until_ready() {
  local port=$1 pid=$2 seconds=$3 try
  for try in $(seq 1 $((seconds * 5))); do
    kill -0 "$pid" 2>/dev/null || return 1
    if http_get "$port" /health/ready 2>/dev/null | head -n 1 | grep -q ' 200 '; then return 0; fi
    sleep 0.2
  done
  return 1
}
