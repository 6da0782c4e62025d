#!/usr/bin/env bash
# aws-cli over TLS with a private authority, which AWS_CA_BUNDLE names: checksums travel in trailers then.
source "$(dirname "$0")/common.sh"
source "$here/aws-common.sh"
case $S3_ENDPOINT in https://*) ;; *) fail "this wants https, not $S3_ENDPOINT" ;; esac
: "${S3_CA:?the certificate of the private authority}"
export AWS_CA_BUNDLE=$S3_CA
there=s3://$bucket

step "nobody is trusted who was not named"
refused "SSL validation failed" env --unset=AWS_CA_BUNDLE aws s3 ls

step "mb, and a tree there and back"
python3 "$here/tree.py" make tree 12 large
rm -r tree/many
aws s3 mb "$there" >/dev/null
aws s3 sync tree "$there" --only-show-errors
silent aws s3 sync tree "$there"
aws s3 sync "$there" down --only-show-errors
same tree down

step "a checksum in a trailer, and verified by the client"
sent=$(field ChecksumSHA256 put-object --bucket "$bucket" --key sums --body tree/plain.txt --checksum-algorithm SHA256)
is "$sent" "$(field ChecksumSHA256 get-object --bucket "$bucket" --key sums --checksum-mode ENABLED back)" "the checksum"
cmp tree/plain.txt back

step "presign, and curl with the authority"
aws configure set default.s3.signature_version s3v4
curl -fsS --cacert "$AWS_CA_BUNDLE" "$(aws s3 presign "$there/sums")" | cmp - tree/plain.txt
if curl -fs "$(aws s3 presign "$there/sums")" >/dev/null; then fail "curl trusts anybody"; fi

step "rb --force"
aws s3 rb "$there" --force >/dev/null
refused NoSuchBucket aws s3 ls "$there"
