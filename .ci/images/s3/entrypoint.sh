#!/bin/bash
# Ceph's S3 in memory, told who its user is by the variables of versitygw; the backend that arguments name is not used.
set -e
D=$(mktemp -d)
export D H=0.0.0.0 P=7070 MP=6790 KEY=${ROOT_ACCESS_KEY:?} SECRET=${ROOT_SECRET_KEY:?}
trap exit TERM INT
bash /start-ceph.sh
echo "listening on :$P"
tail --pid "$(cat "$D"/run/client.rgw*.pid)" --follow /dev/null &
wait
