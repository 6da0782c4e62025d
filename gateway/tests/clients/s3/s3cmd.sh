#!/usr/bin/env bash
# s3cmd: trees, uploads in parts, moving and deleting.
source "$(dirname "$0")/common.sh"
host=${S3_ENDPOINT#*://}
cat >"$scratch/s3cfg" <<C
[default]
access_key = $AWS_ACCESS_KEY_ID
secret_key = $AWS_SECRET_ACCESS_KEY
host_base = $host
host_bucket = $host
use_https = False
bucket_location = us-east-1
max_retries = 0
progress_meter = False
C
there=s3://$bucket
s3() {
  s3cmd --config "$scratch/s3cfg" --no-progress "$@"
}
python3 "$here/tree.py" make tree 16
# It strips spaces from the ends of names itself.
rm "tree/ leading space"

step "mb, ls"
quiet s3 mb "$there"
has "$there" s3 ls || fail "ls does not list $bucket"

step "put and get of a file, with headers and in parts"
quiet s3 put "tree/caf$(printf '\u00e9') composed" "$there/one + ü" --add-header "x-amz-meta-colour: green" --mime-type text/x-s3cmd
quiet s3 get "$there/one + ü" back
cmp "tree/caf$(printf '\u00e9') composed" back
quiet s3 put "tree/sizes/five mebibytes and one" "$there/parts" --multipart-chunk-size-mb=5
quiet s3 get "$there/parts" parts
cmp "tree/sizes/five mebibytes and one" parts
is "$((5 * 1024 * 1024 + 1))" "$(s3 ls "$there/parts" | awk '{ print $3 }')" "the size in ls"

step "sync of a tree, and nothing left to do"
quiet s3 sync tree/ "$there/tree/"
is "" "$(s3 sync tree/ "$there/tree/" | grep -E "^(upload|delete)" || true)" "what is left to do"
is "$(find tree -type f | lines)" "$(s3 ls --recursive "$there/tree/" | lines)" "the files listed"
is "$(find tree -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')" "$(s3 du "$there/tree/" | awk '{ print $1 }')" "du"

step "sync back"
mkdir down
quiet s3 sync "$there/tree/" down/
same tree down

step "sync --delete-removed after changes"
rm -r tree/many/5
printf changed >tree/order.txt
quiet s3 sync --delete-removed tree/ "$there/tree/"
rm -r down
mkdir down
quiet s3 sync "$there/tree/" down/
same tree down

step "cp and mv within the store"
quiet s3 cp "$there/tree/order.txt" "$there/copied ü"
quiet s3 mv "$there/copied ü" "$there/moved %2B"
quiet s3 get "$there/moved %2B" moved
cmp tree/order.txt moved
is 0 "$(s3 ls "$there/copied" | lines)" "what mv left"

step "del, del --recursive, rb"
refused "not empty" s3 rb "$there"
quiet s3 del "$there/parts"
quiet s3 del --recursive --force "$there/tree/"
is 0 "$(s3 ls --recursive "$there/tree/" | lines)" "what del left"
quiet s3 del --recursive --force "$there"
quiet s3 rb "$there"
if has "$there" s3 ls; then fail "ls still lists $bucket"; fi
