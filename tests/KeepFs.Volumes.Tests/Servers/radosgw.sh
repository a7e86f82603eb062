#!/bin/bash
# A Ceph cluster of one monitor, one OSD, one manager and one radosgw with one user, in a temporary folder. Says "READY" when the
# gateway answers, and serves until its standard input ends (so also when the tests die); then everything is stopped and removed.
# usage: radosgw.sh MONITOR_PORT GATEWAY_PORT ACCESS_KEY SECRET_KEY
set -euo pipefail
monitor_port=$1 port=$2 access_key=$3 secret_key=$4
folder=$(mktemp -d --tmpdir keepfs-radosgw-XXXXXX)
cd "$folder"
started=()
is_ready=
stop() {
    trap - EXIT
    # Nothing of it is needed again.
    [ ${#started[@]} -eq 0 ] || kill -9 "${started[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    [ -n "$is_ready" ] || tail -n 20 ./*.out ./*.log >&2 || true
    cd /
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' TERM INT HUP

fsid=$(cat /proc/sys/kernel/random/uuid)
mkdir mon osd mgr run
cat >ceph.conf <<CONF
[global]
fsid = $fsid
mon_host = v2:127.0.0.1:$monitor_port
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = $folder/keyring
admin_socket = $folder/run/\$name.\$pid.asok
run_dir = $folder/run
log_file = $folder/\$name.log
crash_dir = $folder/run
pid_file =
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data = $folder/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 1
osd_data = $folder/osd
osd_objectstore = bluestore
osd_memory_target = 939524096
bluestore_cache_autotune = false
bluestore_cache_size = 67108864
bluestore_block_size = 8589934592
bluestore_block_create = true
bluestore_fsck_on_mount = false
mgr_data = $folder/mgr
mgr_initial_modules =
rgw_enable_usage_log = false
rgw_enable_gc_threads = true
rgw_dns_name =
rgw_enable_apis = s3, admin
rgw_thread_pool_size = 64
CONF
export CEPH_CONF=$folder/ceph.conf

ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
ceph-authtool keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd' >/dev/null
ceph-authtool keyring --gen-key -n mgr.a --cap mon 'allow profile mgr' --cap osd 'allow *' >/dev/null
ceph-authtool keyring --gen-key -n client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw' >/dev/null
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor_port]" monmap >/dev/null
ceph-mon --mkfs -i a --monmap monmap --keyring keyring
ceph-mon -f -i a >mon.out 2>&1 & started+=($!)

osd_uuid=$(cat /proc/sys/kernel/random/uuid)
ceph --connect-timeout 30 osd new "$osd_uuid" 0 >/dev/null
ceph osd crush add osd.0 1.0 root=default host=here >/dev/null &
ceph-osd -i 0 --mkfs --osd-uuid "$osd_uuid" >osd-mkfs.out 2>&1
wait $!
ceph-osd -f -i 0 >osd.out 2>&1 & started+=($!)
ceph-mgr -f -i a >mgr.out 2>&1 & started+=($!)
radosgw -f -n client.rgw.a --rgw-frontends "beast endpoint=127.0.0.1:$port" >rgw.out 2>&1 & started+=($!)
radosgw-admin -n client.rgw.a user create --uid keepfs --display-name keepfs --access-key "$access_key" --secret-key "$secret_key" >user.out 2>&1
until curl -s -o /dev/null "http://127.0.0.1:$port/"; do
    for process in "${started[@]}"; do
        kill -0 "$process" || exit 1
    done
    sleep 0.1
done
is_ready=1
echo READY
cat >/dev/null
