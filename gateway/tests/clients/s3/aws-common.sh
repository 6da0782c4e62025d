# Sourced by the scripts of aws-cli, behind common.sh: unmodified, with nothing but its own settings.
export AWS_ENDPOINT_URL=$S3_ENDPOINT AWS_DEFAULT_REGION=us-east-1 AWS_PAGER="" AWS_EC2_METADATA_DISABLED=true
# What a second attempt would repair has failed.
export AWS_MAX_ATTEMPTS=1

api() {
  aws s3api "$@"
}

# One field of an answer, as text.
field() { # path, command…
  local path=$1
  shift
  api "$@" --query "$path" --output text
}

# How many objects there are below a URL; `aws s3 ls` ends with 1 where there is none.
count() { # url
  local code=0
  aws s3 ls --recursive "$1" >count 2>&1 || code=$?
  [ "$code" -le 1 ] || fail "aws s3 ls --recursive $1: $(cat count)"
  lines <count
}
