#!/usr/bin/env bash
# Sets up a second organization from nothing to a first answered message, with API calls alone.
#
#   docs/second-organization.sh [URL]      default http://127.0.0.1:8080, where ./run listens
#
# It needs bash and curl, and an installation that lets people sign up (SIGN_UP=open, as ./run does). Run it as often as you like: each run makes an
# organization of its own. It prints what it does, and ends with the customer's question and the agent's answer.
set -euo pipefail

url=${1:-http://127.0.0.1:8080}
email="owner-$(date +%s)-$$@example.com"
password="seven blue elephants $RANDOM"
token=''

# call METHOD PATH [BODY]: prints the answer; a problem ends the script with what it says.
call() {
  local method=$1 path=$2 body=${3:-} answer status
  local options=(--silent --show-error --request "$method" --header 'Content-Type: application/json' --write-out '\n%{http_code}')
  [ -z "$token" ] || options+=(--header "Authorization: Bearer $token")
  [ -z "$body" ] || options+=(--data "$body")
  answer=$(curl "${options[@]}" "$url$path")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  case $status in
    2??) printf '%s\n' "$answer" ;;
    *) printf '%s %s answered %s: %s\n' "$method" "$path" "$status" "$answer" >&2; return 1 ;;
  esac
}

# value NAME: the first value of that name in the JSON that comes in.
value() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

say() { printf '\n%s\n' "$*"; }

say "1. Sign up: an account and its organization"
signed_up=$(call POST /v1/auth/sign-up '{"email": "'"$email"'", "password": "'"$password"'", "organizationName": "Harbour Kayaks", "firstName": "Ada"}')
token=$(printf '%s' "$signed_up" | value accessToken)
printf 'organization %s, owned by %s\n' "$(call GET /v1/organization | value id)" "$email"

say "2. What the agent knows: an article"
article=$(call POST /v1/knowledge-articles '{"title": "Prices", "content": "A kayak costs 40 dollars for half a day and 65 dollars for a whole day. A life jacket is included.", "isPublished": true}' | value id)
printf 'article %s\n' "$article"

say "3. Who speaks: a persona and an agent"
persona=$(call POST /v1/personas '{"name": "Mira", "tone": "friendly", "greeting": "Ahoy!", "fallbackMessage": "I have passed your question on to the crew."}' | value id)
agent=$(call POST /v1/agents '{"name": "Front desk", "personaId": "'"$persona"'", "status": "active"}' | value id)
printf 'agent %s with persona %s\n' "$agent" "$persona"

say "4. Where customers write: a web channel"
channel=$(call POST /v1/channels '{"name": "Our site", "platform": "web", "agentId": "'"$agent"'"}' | value id)
printf 'channel %s; its chat page is %s/chat/%s\n' "$channel" "$url" "$channel"

say "5. A colleague is invited"
printf 'the link to pass on: %s\n' "$(call POST /v1/invitations '{"email": "grace-'"$$"'@example.com", "role": "member"}' | value link)"

say "6. A customer asks"
member_token=$token
token=''
visitor=$(call POST "/v1/web/$channel/visitors" '{}' | value token)
token=$visitor
question='How much is a kayak for half a day?'
printf 'customer: %s\n' "$question"
id=$(printf '%08x-0000-4000-8000-%08x%04x' "$(date +%s)" "$$" "$RANDOM")
call POST "/v1/web/$channel/messages" '{"id": "'"$id"'", "text": "'"$question"'"}' > /dev/null

answer=''
for _ in $(seq 1 60); do
  answer=$(call GET "/v1/web/$channel/messages" | grep -o '"direction":"outbound".*' | value textContent) || true
  [ -z "$answer" ] || break
  sleep 0.5
done
[ -n "$answer" ] || { echo 'no answer came within 30 seconds' >&2; exit 1; }
printf 'agent: %s\n' "$answer"

say "7. What the team sees"
token=$member_token
conversation=$(call GET "/v1/conversations?channelId=$channel" | value id)
call GET "/v1/conversations/$conversation/messages" | grep -o '"textContent":"[^"]*"'
case $answer in *40*) ;; *) echo 'the answer does not hold the price' >&2; exit 1 ;; esac
say "done"
