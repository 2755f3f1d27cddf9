# Sourced by test: checks of files that no test project looks at. Needs to run at the root of the checkout.

check_format() { dotnet format AgentPlatform.sln --verify-no-changes --no-restore; }

# Every script with a bash first line, and those that are sourced.
check_shell_scripts() {
  local file ok=0
  for file in run test bench/run .ci/run docs/*.sh eng/*; do
    [ -f "$file" ] || continue
    case $file in *.sh) ;; *) head -n 1 "$file" | grep -q bash || continue ;; esac
    bash -n "$file" || ok=1
    case $file in eng/*.sh) ;; *) [ -x "$file" ] || { echo "$file is not executable"; ok=1; } ;; esac
  done
  if command -v shellcheck >/dev/null 2>&1; then shellcheck -S error run test .ci/run eng/postgres eng/*.sh || ok=1; fi
  return "$ok"
}

# With docker's own parser where there is one, else any YAML parser, else only for what no compose file may have.
check_compose() {
  if docker compose version >/dev/null 2>&1; then
    SECRETS_KEYS=k1:x JWT_SIGNING_KEY=x POSTGRES_PASSWORD=x DATABASE_ENGINE_PASSWORD=x DATABASE_API_PASSWORD=x docker compose -f docker-compose.yml config --quiet
  elif python3 -c 'import yaml' >/dev/null 2>&1; then
    python3 - <<'PYTHON'
import sys, yaml
compose = yaml.safe_load(open('docker-compose.yml'))
services = compose['services']
for name, service in services.items():
    if not ('image' in service or 'build' in service):
        sys.exit(f'{name} has neither image nor build')
    for other in service.get('depends_on', {}):
        if other not in services:
            sys.exit(f'{name} depends on {other}, which is no service')
PYTHON
  else
    grep -q '^services:' docker-compose.yml && ! grep -n "$(printf '\t')" docker-compose.yml
  fi
}
