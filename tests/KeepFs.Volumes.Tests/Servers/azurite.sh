#!/bin/bash
# Azurite's blob service in memory on a free port, which it tells itself; serves until standard input ends (so also when the tests die).
# usage: azurite.sh FOLDER_OF_ITS_PACKAGE
set -euo pipefail
folder=$(mktemp -d --tmpdir keepfs-azurite-XXXXXX)
cd "$folder"
node "$1/node_modules/azurite/dist/src/blob/main.js" --inMemoryPersistence --disableTelemetry --skipApiVersionCheck --silent --blobHost 127.0.0.1 --blobPort 0 &
server=$!
stop() {
    trap - EXIT
    kill -9 "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    cd /
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' TERM INT HUP
cat >/dev/null
