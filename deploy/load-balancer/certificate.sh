#!/bin/sh
# Makes a certificate signed by itself for the domain, where the folder has none: enough to try wss, not to be trusted.
set -eu
file=/certificates/fosp.pem
[ ! -s "$file" ] || exit 0
domain=${FOSP_DOMAIN%%,*}
folder=$(mktemp -d)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$domain" \
  -addext "subjectAltName=DNS:$domain,DNS:localhost,IP:127.0.0.1" -keyout "$folder/key" -out "$folder/certificate"
umask 077
cat "$folder/certificate" "$folder/key" >"$file.new"
# Of the user that HAProxy's image runs as.
chown 99:99 "$file.new"
mv "$file.new" "$file"
