# Sourced by the clients' scripts. Each makes its own bucket, ends with comparing trees, removes what it made, prints one line
# for each step, and ends at the first difference.
#
# It needs in its environment:
#   S3_ENDPOINT                              where the S3 door is, such as http://127.0.0.1:9000
#   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY  a key with all rights
#   PATH                                     with the clients that need_s3_clients in scripts/needs installs
# and for the operator's part:
#   OPERATOR, OPERATOR_CONFIG                the barrow program, and its configuration
set -eEuo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${S3_ENDPOINT:?where the S3 door is}" "${AWS_ACCESS_KEY_ID:?a key}" "${AWS_SECRET_ACCESS_KEY:?its secret}"

scratch=$(mktemp -d)
# Clients must neither read the settings of whoever runs this nor leave anything there, nor ask a proxy for loopback.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE AWS_ENDPOINT_URL AWS_REGION
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
export HOME=$scratch/home LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
mkdir "$HOME"
# The sourcing script's own name tells clients apart that run against one server at a time.
bucket=$(basename "$0" .sh)-$$
now_doing="the beginning"

step() {
  now_doing=$*
  echo "$*"
}

# Ends the script, saying what went wrong.
fail() {
  echo "FAILED at \"$now_doing\": $*" >&2
  exit 1
}

# expected, found, what
is() {
  [ "$1" = "$2" ] || fail "$3: expected «$1», found «$2»"
}

# tree, tree
same() {
  python3 "$here/tree.py" same "$1" "$2" || fail "$1 and $2 differ"
}

# The command must fail, and say this.
refused() { # text, command…
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then fail "\`$*\` must be refused with $text, but said: $said"; fi
  case $said in
    *"$text"*) ;;
    *) fail "\`$*\` must be refused with $text, but said: $said" ;;
  esac
}

# The command must have nothing to say, which is to say nothing to do.
silent() {
  local said
  said=$("$@" 2>&1) || fail "\`$*\`: $said"
  [ -z "$said" ] || fail "\`$*\` had something to do: $said"
}

# For output that is of interest only if the command fails.
quiet() {
  local said
  said=$("$@" 2>&1) || fail "\`$*\`: $said"
}

# Whether a line of the output ends with this name.
has() { # name, command…
  local name=$1 said
  shift
  said=$("$@") || fail "\`$*\` ended with $?"
  grep -q " $name\$" <<<"$said"
}

lines() {
  wc -l | tr -d ' '
}

ended() {
  local code=$1 line=$2
  [ "$code" = 0 ] || echo "FAILED at \"$now_doing\", line $line of $(basename "$0"), exit code $code" >&2
}
trap 'ended $? $LINENO' ERR
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
