#!/bin/bash
# Installs what the tests need beside the .NET SDK: PostgreSQL 15, Ceph's RADOS Gateway and tools from the machine's own Debian packages;
# Azurite from npm, and PostgreSQL 17, pgBackRest, restic and Redis from Debian trixie, both in a cache directory of their own (nothing of
# trixie touches the system).
# Idempotent, quick the second time, asks nothing. Prints the cache directory last.
#
#   FBACKUP_TEST_CACHE   where the unpacked servers go; default /var/cache/fbackup-tests for root (the servers run as user postgres,
#                        who must be able to reach it), ~/.cache/fbackup-tests otherwise
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

readonly layout=1   # raise to have the cache built anew
say() { printf 'servers: %s\n' "$*"; }
fail() { printf 'servers: %s\n' "$*" >&2; exit 1; }

if [ -n "${FBACKUP_TEST_CACHE:-}" ]; then cache=$FBACKUP_TEST_CACHE
elif [ "$(id -u)" = 0 ]; then cache=/var/cache/fbackup-tests
else cache=${XDG_CACHE_HOME:-$HOME/.cache}/fbackup-tests; fi

# ---- packages of this machine's own release ---------------------------------------------------------------------------------------
packages=(postgresql-15 redis-tools patchelf borgbackup zstd libzstd1 liblz4-1 util-linux ceph-mon ceph-osd radosgw ceph-common)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    say "Debian packages are there"
else
    [ "$(id -u)" = 0 ] || fail "missing ${missing[*]}; run: sudo apt-get install -y --no-install-recommends ${missing[*]}"
    say "installing ${missing[*]}"
    # Without this, the package would create and start a cluster of its own.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        printf 'create_main_cluster = false\n' > /etc/postgresql-common/createcluster.conf
    fi
    log=$(mktemp)
    install=(apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "${missing[@]}")
    "${install[@]}" >"$log" 2>&1 || { apt-get -q update >>"$log" 2>&1 && "${install[@]}" >>"$log" 2>&1; } ||
        { tail -20 "$log" >&2; fail "could not install ${missing[*]}"; }
    rm -f "$log"
fi

# ---- Azurite, meanwhile -----------------------------------------------------------------------------------------------------------
mkdir -p "$cache"
chmod 755 "$cache"
azurite() {
    local root=$cache/azurite log
    exec 8>"$cache/.azurite.lock"
    flock 8
    [ ! -e "$root/.complete" ] || { say "Azurite is there"; return 0; }
    say "installing Azurite from npm"
    rm -rf "$root"
    mkdir -p "$root"
    log=$root/install.log
    npm install --prefix "$root" --no-audit --no-fund --no-progress --omit=dev azurite@3 >"$log" 2>&1 </dev/null ||
        { tail -20 "$log" >&2; echo "servers: could not install azurite" >&2; return 1; }
    chmod -R a+rX "$root"
    touch "$root/.complete"
}
azurite &
azurite_job=$!
done_with() { wait "$azurite_job" || exit 1; say "cache: $cache$1"; exit 0; }

# ---- Redis 7: the server is in the tools, under the name of its checker; a package with a service is not needed ------------------------
mkdir -p "$cache/redis-7"
ln -sf "$(command -v redis-check-rdb)" "$cache/redis-7/redis-server"

# ---- servers and peers of trixie --------------------------------------------------------------------------------------------------
root=$cache/trixie
if [ "$(cat "$root/.layout" 2>/dev/null)" = "$layout" ]; then
    say "PostgreSQL 17, pgBackRest, restic and Redis 8 are there"
    done_with ""
fi

say "unpacking PostgreSQL 17, pgBackRest, restic and Redis 8 from Debian trixie"
exec 9>"$cache/.lock"
flock 9
[ "$(cat "$root/.layout" 2>/dev/null)" = "$layout" ] && done_with ""
work=$cache/.work
rm -rf "$work" "$root"
mkdir -p "$work"/{state/lists/partial,archives/partial,root}
trap 'rm -rf "$work"' EXIT

# The mirror that apt is configured with, whatever it is.
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$codename" '$2 == release && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || fail "apt has no 'main' source of $codename to take the mirror from; add Debian's to /etc/apt/sources.list"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "no $keyring; install debian-archive-keyring"
printf 'deb [signed-by=%s] %s trixie main\n' "$keyring" "$mirror" > "$work/sources.list"

# An apt of its own with no package installed: it resolves the whole closure and touches nothing of the system.
: > "$work/state/status"
apt=(apt-get -q -y -o "Dir::State=$work/state" -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work"
     -o "Dir::Cache::archives=$work/archives" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
     -o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none -o APT::Install-Recommends=false
     -o APT::Update::Post-Invoke::=true)
log=$work/log
"${apt[@]}" update >"$log" 2>&1 || { tail -20 "$log" >&2; fail "cannot read the package list of trixie from $mirror"; }
"${apt[@]}" --download-only install postgresql-17 pgbackrest restic redis-server >>"$log" 2>&1 ||
    { tail -20 "$log" >&2; fail "cannot download the packages of trixie from $mirror"; }
for package in "$work"/archives/*.deb; do
    case ${package##*/} in libllvm*|perl-*|libperl*|ssl-cert_*) continue ;; esac   # large, and not needed to run the servers
    dpkg -x "$package" "$work/root"
done

# Programs find trixie's C library and the rest by paths of their own, so that they run without chroot and leave no mounts.
libraries=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
rpath="$root/usr/lib/$libraries:$root/usr/lib/$libraries/systemd"
loader=$(basename "$(echo "$work/root/usr/lib/$libraries"/ld-linux*.so.*)")
patched=0
for program in "$work"/root/usr/lib/postgresql/17/bin/* "$work"/root/usr/bin/{pgbackrest,redis-server,redis-cli,redis-check-rdb,redis-check-aof}; do
    { [ -f "$program" ] && [ ! -L "$program" ]; } || continue
    patchelf --print-interpreter "$program" >/dev/null 2>&1 || continue   # scripts
    patchelf --set-interpreter "$root/usr/lib/$libraries/$loader" --force-rpath --set-rpath "$rpath" "$program"
    patched=$((patched + 1))
done
rm -f "$work/root/usr/lib/postgresql/17/lib/llvmjit.so"   # its LLVM is left out: no JIT, instead of an error
rm -rf "$work/root/usr/share/doc" "$work/root/usr/share/man" "$work/root/usr/share/locale"
echo "$layout" > "$work/root/.layout"
chmod -R a+rX "$work/root"
mv "$work/root" "$root"

for program in usr/lib/postgresql/17/bin/postgres usr/bin/pgbackrest usr/bin/restic usr/bin/redis-server; do
    case $program in *pgbackrest|*restic) flag=version ;; *) flag=--version ;; esac
    say "$("$root/$program" $flag 2>&1 | head -1 | cut -c1-60)" || { rm -f "$root/.layout"; fail "$program does not run"; }
done
done_with " ($patched programs, $(du -sh "$root" | cut -f1))"
