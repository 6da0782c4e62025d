#!/usr/bin/env bash
# restic: a backup whose every byte is read again, brought back, forgotten and pruned.
source "$(dirname "$0")/common.sh"
export RESTIC_REPOSITORY=s3:$S3_ENDPOINT/$bucket/backups/of me RESTIC_PASSWORD="not a secret" AWS_DEFAULT_REGION=us-east-1
export RESTIC_CACHE_DIR=$scratch/cache
python3 "$here/tree.py" make tree 15 large

step "init makes the bucket and the repository in it"
quiet restic init
refused "already" restic init

step "backup, twice"
quiet restic backup tree
cp -a tree before
printf changed >tree/order.txt
rm -r tree/many/4
head -c 7000000 /dev/urandom >"tree/one more"
quiet restic backup tree

step "check --read-data reads every byte again"
quiet restic check --read-data
is 2 "$(restic snapshots --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" "snapshots"

step "restore of both"
quiet restic restore latest --target latest
same tree latest/tree
first=$(restic snapshots --json | python3 -c 'import json, sys; print(min(json.load(sys.stdin), key=lambda one: one["time"])["id"])')
quiet restic restore "$first" --target first
same before first/tree

step "forget --prune, and what is left is whole"
quiet restic forget --keep-last 1 --prune
is 1 "$(restic snapshots --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" "snapshots"
quiet restic check --read-data
rm -r latest
quiet restic restore latest --target latest
same tree latest/tree
is 0 "$(restic list locks | lines)" "locks"

step "the bucket goes"
aws --endpoint-url "$S3_ENDPOINT" s3 rb "s3://$bucket" --force >/dev/null
