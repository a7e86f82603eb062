#!/bin/bash
# The one test command, for people and for CI: install what the tests drive, restore, build with warnings as errors, check the
# format, run every test (allocation limits included). Ends with the line "N passed, N failed". --full adds what takes longer.
set -euo pipefail
cd "$(dirname -- "$0")"
configuration=Release
results=$PWD/.build/test-results
started=$(date +%s)
hang=10m
for argument in "$@"; do
    case $argument in
        --full)
            export KEEPFS_TEST_FULL=1
            # Its kill loops and large files take longer than ten minutes each on two busy cores.
            hang=60m
            ;;
        *) echo "usage: ./check.sh [--full]" >&2; exit 2 ;;
    esac
done

step() { printf '\n== %s (%d s)\n' "$1" "$(($(date +%s) - started))"; }

# program:package for what the tests start; a missing one fails here, aloud, and is never skipped.
tools=(fusermount3:fuse3 curl:curl cadaver:cadaver rclone:rclone aws:awscli s3cmd:s3cmd s3fs:s3fs litmus:litmus mount.davfs:davfs2 setfattr:attr python3:python3
    radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph-mgr:ceph-mgr ceph:ceph-common node:nodejs npm:npm
    unshare:util-linux runuser:util-linux flock:util-linux pgrep:procps prlimit:util-linux git:git rsync:rsync chromium:chromium unzip:unzip bsdtar:libarchive-tools sqlite3:sqlite3 pg_ctlcluster:postgresql vim.tiny:vim-tiny fio:fio make:make)
# Root tests disk faults on ext4 images, others on tmpfs.
[ "$(id -u)" != 0 ] || tools+=(mkfs.ext4:e2fsprogs)
missing=()
for tool in "${tools[@]}"; do
    command -v "${tool%%:*}" >/dev/null 2>&1 || missing+=("${tool##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    step "installing ${missing[*]}"
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "the tests need these packages, and there is no apt-get to install them: ${missing[*]}" >&2
        exit 1
    fi
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The emulator of Azure's blob service, in a folder of this working copy.
azurite=3.37.0
if ! grep -qs "\"version\": \"$azurite\"" .build/azurite/node_modules/azurite/package.json; then
    step "installing azurite $azurite"
    mkdir -p .build/azurite
    npm install --prefix .build/azurite --no-save --no-audit --no-fund --loglevel=error "azurite@$azurite" >/dev/null
fi

# Drives Chromium against the page of keep-web.
playwright=1.65.1
if ! grep -qs "\"version\": \"$playwright\"" .build/playwright/node_modules/playwright-core/package.json; then
    step "installing playwright-core $playwright"
    mkdir -p .build/playwright
    npm install --prefix .build/playwright --no-save --no-audit --no-fund --loglevel=error "playwright-core@$playwright" >/dev/null
fi

step "restore"
dotnet restore KeepFs.sln -v quiet
step "build"
dotnet build KeepFs.sln -c "$configuration" --no-restore -v quiet -nologo
step "format"
dotnet format KeepFs.sln --verify-no-changes --no-restore -v quiet

rm -rf "$results"
passed=0
failed=0
broken=()
for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    step "$name"
    # One project after the other: two cores are soon busy, and the mounts and clusters of the tests want them.
    dotnet test "$project" -c "$configuration" --no-build --nologo -v quiet \
        --logger "trx;LogFileName=$name.trx" --results-directory "$results" --blame-hang-timeout "$hang" --blame-hang-dump-type none || broken+=("$name")
    trx=$results/$name.trx
    counters=$(grep -o '<Counters [^>]*' "$trx" 2>/dev/null || true)
    if [ -z "$counters" ]; then
        echo "$name: no test results" >&2
        failed=$((failed + 1))
        continue
    fi
    count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
    total=$(count total)
    ok=$(count passed)
    if [ "$total" = 0 ]; then
        echo "$name: no test ran" >&2
        failed=$((failed + 1))
    fi
    passed=$((passed + ok))
    failed=$((failed + total - ok))
done
if [ ${#broken[@]} -gt 0 ] && [ "$failed" = 0 ]; then
    # A test host that died after its last result.
    failed=${#broken[@]}
fi

step "done"
[ ${#broken[@]} -eq 0 ] || echo "failed: ${broken[*]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
