# shellcheck shell=bash
# Parts of ./demo: narration, processes that cannot outlive it, the throw-away server.

began=$EPOCHREALTIME
passed=0 failed=0
groups=()        # process groups that run in the background
marker=FBACKUP_DEMO_RUN

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' green='' red='' plain=''; fi

# ---- narration --------------------------------------------------------------------------------------------------------------------

seconds() { awk -v a="$1" -v b="${2:-$EPOCHREALTIME}" 'BEGIN { printf "%.1f", b - a }'; }
chapter() { printf '\n%s[%5.1f s] %s%s\n' "$bold" "$(seconds "$began")" "$*" "$plain"; }
say() { printf '          %s\n' "$*"; }
command_line() { printf '          %s$ %s%s\n' "$dim" "$*" "$plain"; }

# check SENTENCE COMMAND…: counts and shows whether it holds.
check() {
    local sentence=$1
    shift
    if "$@"; then passed=$((passed + 1)); printf '        %s✓%s %s\n' "$green" "$plain" "$sentence"
    else failed=$((failed + 1)); printf '        %s✗ %s%s\n' "$red" "$sentence" "$plain"; fi
}

die() { printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2; exit 1; }

# ---- processes --------------------------------------------------------------------------------------------------------------------
# Everything longer runs in the background, in a session of its own (so that Ctrl-C reaches this script alone), is waited for (a trap
# interrupts that at once), carries this run's marker in its environment, and is told by the kernel when this script dies.

if [ "$(id -u)" = 0 ]; then server_user=(setpriv --reuid=postgres --regid=postgres --init-groups); else server_user=(setpriv); fi
as_server=("${server_user[@]}" --pdeathsig=TERM -- env "HOME=$work")

# start COMMAND…: in the background; its process, which leads a group, is in $started.
start() {
    setsid "$@" </dev/null &
    started=$!
    groups+=("$started")
}

# run COMMAND…: to its end, interruptible at once; returns its exit code.
run() {
    local code=0
    start "$@"
    wait "$started" || code=$?
    forget "$started"
    return "$code"
}

forget() {
    local kept=() group
    for group in "${groups[@]}"; do [ "$group" = "$1" ] || kept+=("$group"); done
    groups=("${kept[@]}")
}

# Processes of this run: by marker, or by working directory (PostgreSQL overwrites its environment with its title).
survivors() {
    local process
    for process in /proc/[0-9]*; do
        [ "${process#/proc/}" != $$ ] || continue
        case $(readlink "$process/cwd" 2>/dev/null) in "$work"/*) echo "${process#/proc/}"; continue ;; esac
        if grep -qzF "$marker=$work" "$process/environ" 2>/dev/null; then echo "${process#/proc/}"; fi
    done
}

finish() {
    local code=$? process group
    trap '' INT TERM HUP QUIT PIPE
    trap - EXIT
    set +e
    for group in "${groups[@]}"; do kill -TERM -- "-$group" 2>/dev/null; done
    if [ -n "${server:-}" ]; then kill -QUIT "$server" 2>/dev/null; fi
    for _ in {1..50}; do
        [ -n "$(survivors)" ] || break
        sleep 0.1
    done
    for _ in {1..20}; do
        process=$(survivors)
        [ -n "$process" ] || break
        # shellcheck disable=SC2086 # several numbers
        kill -KILL $process 2>/dev/null
        sleep 0.05
    done
    rm -rf "$work"
    exit "$code"
}

# ---- the server -------------------------------------------------------------------------------------------------------------------

# What the demo needs and does not find is installed.
find_server() {
    local version
    for version in 15 16 17 14 13; do
        programs=/usr/lib/postgresql/$version/bin
        if [ -x "$programs/postgres" ] && [ -x "$programs/psql" ]; then return 0; fi
    done
    return 1
}

install_needs() {
    local packages=()
    find_server || packages+=(postgresql postgresql-client)
    command -v setpriv >/dev/null || packages+=(util-linux)
    find_redis || packages+=(redis-tools)
    [[ $(ldconfig -p) == *libzstd.so.1* ]] || packages+=(libzstd1)
    [[ $(ldconfig -p) == *liblz4.so.1* ]] || packages+=(liblz4-1)
    [ ${#packages[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "missing Debian packages: ${packages[*]}; install them, or run the demo as root once."
    say "installing ${packages[*]}"
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then   # else the package would make and start a cluster of its own
        mkdir -p /etc/postgresql-common
        printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
    fi
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "${packages[@]}")
    run "${install[@]}" >"$work/install.log" 2>&1 || { run apt-get -q update && run "${install[@]}"; } >>"$work/install.log" 2>&1 ||
        { tail "$work/install.log" >&2; die "could not install ${packages[*]}"; }
    find_server || die "no PostgreSQL server below /usr/lib/postgresql"
    find_redis || die "no Redis server was found"
}

# Debian has the server in the tools, under the name of its checker; a package with a service is not needed.
find_redis() { redis_program=$(command -v redis-server || command -v redis-check-rdb) && command -v redis-cli >/dev/null; }

# start_redis FOLDER: $cache is its process.
start_redis() {
    find_redis || die "no Redis server was found"
    ln -sf "$redis_program" "$work/redis-server"
    (umask 077 && printf 'bind 127.0.0.1\nport %s\ndir %s\nsave ""\nenable-debug-command local\nrequirepass %s\n' \
        "$redis_port" "$1" "$(cat "$work/redis-password")" >"$work/redis.conf")
    if [ "$(id -u)" = 0 ]; then chown postgres: "$work/redis.conf" && chmod 600 "$work/redis.conf"; fi
    start "${server_user[@]}" --pdeathsig=TERM -- "$work/redis-server" "$work/redis.conf" >"$work/redis.log" 2>&1
    cache=$started
    for _ in {1..300}; do
        if [ "$(redis ping 2>/dev/null)" = PONG ]; then return 0; fi
        kill -0 "$cache" 2>/dev/null || { tail -5 "$work/redis.log" >&2; die "Redis did not start"; }
        sleep 0.1
    done
    die "Redis did not start within half a minute"
}

redis() { REDISCLI_AUTH=$(cat "$work/redis-password") redis-cli -p "$redis_port" "$@"; }

# start_server DATA LOG: $server is its process.
start_server() {
    # An immediate stop if this script dies: there is nothing to keep.
    start "${server_user[@]}" --pdeathsig=QUIT -- "$programs/postgres" -D "$1" >"$2" 2>&1
    server=$started
    for _ in {1..600}; do
        if "$programs/pg_isready" -q -h "$work" -p "$port"; then return 0; fi
        kill -0 "$server" 2>/dev/null || { tail -20 "$2" >&2; die "the server did not start"; }
        sleep 0.1
    done
    die "the server did not start within a minute"
}

stop_server() {
    kill -INT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    forget "$server"
    server=''
}

sql() { "$programs/psql" -h "$work" -p "$port" -U postgres -d postgres -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

recovered() {
    for _ in {1..1200}; do
        [ "$(sql 'select pg_is_in_recovery()' 2>/dev/null)" != f ] || return 0
        sleep 0.1
    done
    return 1
}
