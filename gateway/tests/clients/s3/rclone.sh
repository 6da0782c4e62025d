#!/usr/bin/env bash
# rclone: sync and check, uploads in parts, old versions, cleaning up.
source "$(dirname "$0")/common.sh"
export RCLONE_CONFIG=$scratch/rclone.conf RCLONE_CONFIG_HERE_TYPE=s3 RCLONE_CONFIG_HERE_PROVIDER=Other
export RCLONE_CONFIG_HERE_ENDPOINT=$S3_ENDPOINT RCLONE_CONFIG_HERE_REGION=us-east-1
export RCLONE_CONFIG_HERE_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID RCLONE_CONFIG_HERE_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
# What a second attempt would repair has failed. Everything that is of note stands in the output.
export RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1 RCLONE_STATS=0 RCLONE_TRANSFERS=8 RCLONE_CHECKERS=8
# Without it rclone asks whether each file is there before it sends it.
touch "$RCLONE_CONFIG"
there=here:$bucket
python3 "$here/tree.py" make tree 14 large

step "mkdir, lsd"
rclone mkdir "$there"
rclone mkdir "$there"
has "$bucket" rclone lsd here: || fail "lsd does not list $bucket"

step "sync of a tree, in parts from 5 MiB on, and check --download"
silent rclone sync tree "$there/tree" --s3-upload-cutoff 5M --s3-chunk-size 5M
silent rclone sync tree "$there/tree" --dry-run
quiet rclone check --download tree "$there/tree"
# By MD5 and size, as far as there is one.
quiet rclone check tree "$there/tree"

step "lsf and size tell what is there"
rclone lsf -R --files-only "$there/tree" | sort >listed
(cd tree && find . -type f -printf '%P\n' | sort) >expected
cmp listed expected || fail "$(diff listed expected | head -5)"
is "$(lines <expected)" "$(rclone size --json "$there/tree" | python3 -c 'import json, sys; print(json.load(sys.stdin)["count"])')" "the count"

step "sync back"
silent rclone sync "$there/tree" down
same tree down
is "$(stat -c %Y tree/plain.txt)" "$(stat -c %Y down/plain.txt)" "the time of a file"

step "sync after changes: what is gone goes, what has another time is copied onto itself"
rm -r tree/many/2
printf changed >tree/order.txt
touch -d '2020-02-03T04:05:06Z' tree/upper "tree/sizes/five mebibytes and one"
silent rclone sync tree "$there/tree"
silent rclone sync tree "$there/tree" --dry-run
rm -r down
silent rclone sync "$there/tree" down
same tree down
is 1580702706 "$(stat -c %Y down/upper)" "the time that a copy onto itself has set"

step "copy and move within the store, cat of a range"
silent rclone copy "$there/tree" "$there/copy"
quiet rclone check --download "$there/tree" "$there/copy"
silent rclone moveto "$there/copy/order.txt" "$there/copy/mo ved+.txt"
is changed "$(rclone cat "$there/copy/mo ved+.txt")" "what moved"
is ang "$(rclone cat --offset 2 --count 3 "$there/copy/mo ved+.txt")" "a range"
printf streamed | rclone rcat "$there/rcat"
is streamed "$(rclone cat "$there/rcat")" "a stream"

step "delete and purge of a directory"
silent rclone deletefile "$there/rcat"
silent rclone purge "$there/copy"
is 0 "$(rclone lsf -R "$there/copy" 2>/dev/null | lines)" "what purge left"

api() {
  AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 aws --endpoint-url "$S3_ENDPOINT" s3api "$@"
}

step "cleanup of pending uploads"
api create-multipart-upload --bucket "$bucket" --key "pen ding" >/dev/null
pending() {
  rclone backend list-multipart-uploads "$there" | grep -c '"Key": "pen ding"' || true
}
is 1 "$(pending)" "pending uploads"
# Younger than a day, it may be somebody's who is still at work.
quiet rclone cleanup "$there"
is 1 "$(pending)" "pending uploads after cleanup"
quiet rclone backend cleanup "$there" -o max-age=1ms
is 0 "$(pending)" "pending uploads after cleanup of whatever is older than a millisecond"

step "purge of the bucket"
refused BucketNotEmpty rclone rmdir "$there"
silent rclone purge "$there"
if has "$bucket" rclone lsd here:; then fail "lsd still lists $bucket"; fi

step "--s3-versions shows what was before"
bucket=$bucket-versions
there=here:$bucket
rclone mkdir "$there"
api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
printf old | rclone rcat "$there/kept.txt"
printf newer | rclone rcat "$there/kept.txt"
is kept.txt "$(rclone lsf "$there")" "without versions"
rclone lsf --s3-versions "$there" >versions
is 2 "$(lines <versions)" "versions ($(xargs <versions))"
is old "$(rclone cat --s3-versions "$there/$(grep -v '^kept.txt$' versions)")" "the old version"
api list-object-versions --bucket "$bucket" --query '{Objects: [Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}}' >all
api delete-objects --bucket "$bucket" --delete file://all >/dev/null
silent rclone rmdir "$there"
