#!/usr/bin/env bash
# aws-cli, as people use it: `aws s3` over a whole tree, and a link for somebody without a key.
source "$(dirname "$0")/common.sh"
source "$here/aws-common.sh"

python3 "$here/tree.py" make tree 11 large
there=s3://$bucket

step "mb, twice by the same owner"
quiet aws s3 mb "$there"
quiet aws s3 mb "$there"
has "$bucket" aws s3 ls || fail "ls does not list $bucket"

step "cp of a file, there and back, with its type and metadata"
file="tree/Größe und Übermut.txt"
quiet aws s3 cp "$file" "$there/one/" --content-type text/x-test --metadata "colour=dark green,plus=a+b" --cache-control max-age=5
aws s3 cp "$there/one/$(basename "$file")" back --only-show-errors
cmp "$file" back
is "text/x-test dark green a+b max-age=5" \
  "$(field '[ContentType, Metadata.colour, Metadata.plus, CacheControl]' head-object --bucket "$bucket" \
    --key "one/$(basename "$file")" | tr '\t' ' ')" "what goes with the file"

step "cp of a stream, there and back"
head -c 9000000 "tree/sizes/twenty mebibytes" | aws s3 cp - "$there/one/stream"
aws s3 cp "$there/one/stream" - | cmp - <(head -c 9000000 "tree/sizes/twenty mebibytes")

step "an empty file, and another behind it on the same connection"
# Answered without 100 Continue, this client misreads the next answer on that connection and waits until it is closed.
mkdir two
: >two/1
echo text >two/2
aws configure set default.s3.max_concurrent_requests 1
SECONDS=0
aws s3 cp --recursive two "$there/two" --only-show-errors
[ "$SECONDS" -lt 8 ] || fail "two small files took $SECONDS seconds"
aws configure set default.s3.max_concurrent_requests 10

step "sync of a tree into the bucket, and nothing left to do"
aws s3 sync tree "$there/tree" --only-show-errors
silent aws s3 sync tree "$there/tree"

step "ls --recursive lists every file with its size"
aws s3 ls --recursive "$there/tree/" | awk '{ size = $3; sub(/^[^ ]+ +[^ ]+ +[0-9]+ /, ""); print size " " $0 }' |
  sort >listed
(cd tree && find . -type f -printf '%s tree/%P\n' | sort) >expected
cmp listed expected || fail "$(diff listed expected | head -5)"
is "PRE tree/" "$(aws s3 ls "$there" | grep tree | xargs)" "ls of the bucket"

step "sync of the bucket into a directory, and nothing left to do"
aws s3 sync "$there/tree" down --only-show-errors
same tree down
silent aws s3 sync "$there/tree" down

step "sync --delete after changes"
cp -a tree changed
rm -r changed/many/3 "changed/order/inside.txt"
printf changed >"changed/order.txt"
printf new >"changed/order!"
printf new >"changed/größer +1%"
aws s3 sync changed "$there/tree" --delete --only-show-errors
rm -rf down
aws s3 sync "$there/tree" down --only-show-errors
same changed down

step "cp --recursive within the store"
aws s3 cp --recursive "$there/tree" "$there/copy" --only-show-errors
rm -rf down
aws s3 cp --recursive "$there/copy" down --only-show-errors
same changed down

step "mv into, within and out of the bucket"
cp changed/order.txt moving
quiet aws s3 mv moving "$there/moved/one + two"
[ ! -e moving ] || fail "mv left the file"
quiet aws s3 mv "$there/moved/one + two" "$there/moved/ümlaut %2B"
is "ümlaut %2B" "$(aws s3 ls "$there/moved/" | awk '{ sub(/^[^ ]+ +[^ ]+ +[0-9]+ /, ""); print }')" "what moved"
quiet aws s3 mv "$there/moved/ümlaut %2B" moving
cmp changed/order.txt moving
refused 404 aws s3 cp "$there/moved/ümlaut %2B" nowhere
is 0 "$(count "$there/moved")" "what mv left"

step "presign, and curl without a key"
# Left to itself this aws-cli signs links as in version 2; both are good.
url=$(aws s3 presign "$there/one/$(basename "$file")" --expires-in 60)
grep -q 'AWSAccessKeyId=' <<<"$url" || fail "this aws-cli signs links in another way now: $url"
curl -fsS "$url" | cmp - "$file"
ends=$(grep -o 'Expires=[0-9]*' <<<"$url" | tr -dc 0-9)
later=${url/Expires=$ends/Expires=$((ends + 60))}
is 403 "$(curl -s -o told -w '%{http_code}' "$later")" "a link of version 2 with another end"
aws configure set default.s3.signature_version s3v4
url=$(aws s3 presign "$there/one/$(basename "$file")" --expires-in 60)
curl -fsS "$url" | cmp - "$file"
is 206 "$(curl -s -o part -w '%{http_code}' -r 1-5 "$url")" "a range of what is presigned"
cmp part <(tail -c +2 "$file" | head -c 5)
is 403 "$(curl -s -o told -w '%{http_code}' "${url%?}$(echo "${url: -1}" | tr '0-9a-f' '1-9a-f0')")" "a forged signature"
grep -q '<Code>SignatureDoesNotMatch</Code>' told || fail "a forged signature is answered $(cat told)"
is 403 "$(curl -s -o told -w '%{http_code}' "$S3_ENDPOINT/$bucket/one/stream")" "no signature at all"

step "rm of one, of some, of all below a prefix"
quiet aws s3 rm "$there/one/stream"
aws s3 rm --recursive "$there/tree" --exclude '*' --include 'many/*' --only-show-errors
is 0 "$(count "$there/tree/many")" "what rm left of many"
aws s3 rm --recursive "$there/tree" --only-show-errors
is 0 "$(count "$there/tree")" "what rm left of the tree"
is "$(find changed -type f | lines)" "$(count "$there/copy")" "what is beside the tree"

step "rb refuses a full bucket, rb --force empties it"
refused BucketNotEmpty aws s3 rb "$there"
aws s3 rb "$there" --force >/dev/null
refused NoSuchBucket aws s3 ls "$there"
if has "$bucket" aws s3 ls; then fail "ls still lists $bucket"; fi
