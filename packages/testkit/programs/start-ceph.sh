#!/bin/bash
# Ceph on one machine, in memory: a monitor, an OSD and a radosgw on loopback, as daemons with pid files in $D/run.
# D: folder, P: port of S3, H: its address where not loopback, MP: port of the monitor, KEY and SECRET: of the one user.
# The user is there before the port opens.
set -e
exec 2>&1
mkdir -p "$D"/{mon,osd,log,run}
cat > "$D/ceph.conf" <<C
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$MP/0]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind msgr1 = false
auth allow insecure global id reclaim = false
keyring = $D/keyring
run dir = $D/run
admin socket = $D/run/\$name.\$pid.asok
log file = $D/log/\$name.log
pid file = $D/run/\$name.pid
crash dir = $D/crash
osd objectstore = memstore
memstore device bytes = 2147483648
osd data = $D/osd
mon data = $D/mon
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 2000
osd op queue = wpq
paxos propose interval = 0.05
paxos min wait = 0.01
mon osd adjust heartbeat grace = false
[client.rgw]
rgw frontends = beast endpoint=${H:-127.0.0.1}:$P tcp_nodelay=1
rgw thread pool size = 32
rgw dns name = localhost
rgw enable usage log = false
rgw enable ops log = false
rgw run sync thread = false
rgw init timeout = 60
debug rgw = 0
C
export CEPH_CONF="$D/ceph.conf"
conf=(-c "$D/ceph.conf")
osd=$(cat /proc/sys/kernel/random/uuid)
fsid=$(sed -n 's/^fsid = //p' "$D/ceph.conf")
ceph-authtool --create-keyring "$D/keyring" --gen-key -n mon. --cap mon 'allow *'
ceph-authtool "$D/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
ceph-authtool "$D/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *'
ceph-authtool "$D/keyring" --gen-key -n osd.0 --cap mon 'allow *' --cap osd 'allow *'
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$MP]" "$D/monmap"
ceph-mon "${conf[@]}" -i a --mkfs --monmap "$D/monmap" --keyring "$D/keyring"
ceph-mon "${conf[@]}" -i a
ceph "${conf[@]}" --connect-timeout 60 osd new "$osd"
ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$osd"
ceph-osd "${conf[@]}" -i 0
ceph "${conf[@]}" --connect-timeout 60 osd crush add osd.0 1.0 root=default || true # it may have added itself
for _ in $(seq 1000); do ceph "${conf[@]}" --connect-timeout 60 osd stat | grep -q '1 up' && break; sleep .1; done
radosgw-admin "${conf[@]}" -n client.rgw user create --uid test --display-name t --access-key "$KEY" --secret "$SECRET"
radosgw "${conf[@]}" -n client.rgw
