#!/usr/bin/env bash
# A private certificate authority and a server's certificate for loopback, which nobody trusts who is not told to.
#   certificates.sh DIR    makes DIR/ca.crt, DIR/server.crt (the whole chain) and DIR/server.key
set -euo pipefail
cd "${1:?a directory}"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=A private authority" \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" -keyout server.key \
  -out server.csr 2>/dev/null
printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' 'basicConstraints=CA:FALSE' 'keyUsage=critical,digitalSignature' \
  'extendedKeyUsage=serverAuth' 'authorityKeyIdentifier=keyid' >extensions
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out leaf.crt 2>/dev/null
cat leaf.crt ca.crt >server.crt
chmod 600 server.key ca.key
rm server.csr leaf.crt extensions
