# shellcheck shell=bash
# The chapters of ./demo.

port=54329
redis_port=56329
config=$work/backup_config.yaml
connection="Host=$work;Port=$port;Username=postgres;Database=postgres"

fbackup() {
    command_line "fbackup $*"
    local code=0
    run "${as_server[@]}" "$work/bin/fbackup" --config "$config" "$@" >"$work/said" 2>&1 || code=$?
    sed "s/^/          /" "$work/said"
    return "$code"
}

dataset() { run "${as_server[@]}" "$work/dataset/dataset" "$@"; }

prepare() {
    chapter "Getting ready"
    command -v dotnet >/dev/null || die "the .NET 10 SDK is missing; install it and put dotnet on the PATH."
    install_needs
    run "$root/fbackup" --version >/dev/null || die "fbackup could not be built"
    run dotnet build -c Release -nodeReuse:false -v quiet -clp:NoSummary "$root/tests/Benchmarks/DataSets/DataSets.csproj" >"$work/build.log" 2>&1 ||
        { cat "$work/build.log" >&2; die "the data set tool could not be built"; }
    # Copies, because the server's user need not be able to read the source folder.
    cp -r "$root/.build/cli" "$work/bin"
    cp -r "$root/tests/Benchmarks/DataSets/bin/Release/net10.0" "$work/dataset"
    mkdir "$work/recordings" "$work/repository" "$work/redis" "$work/logs" "$work/config" "$FBACKUP_STATE"
    (umask 077 && head -c 24 /dev/urandom | base64 >"$work/passphrase" && echo "$connection" >"$work/connection" &&
        head -c 24 /dev/urandom | base64 | tr -dc 'a-zA-Z0-9' >"$work/redis-password" && echo "redis://:$(cat "$work/redis-password")@127.0.0.1:$redis_port" >"$work/redis-connection")
    printf 'keys:\n  APIdemo: not-a-secret\nredis: { address: 127.0.0.1:%s }\n' "$redis_port" >"$work/config/livekit.yaml"
    for n in $(seq 2000); do echo "2026-11-22T02:00:00Z call=$n answered"; done >"$work/logs/sip.log"
    if [ "$(id -u)" = 0 ]; then chown -R postgres: "$work"; fi
    cat >"$config" <<YAML
backup_config:
  global: { storage_backend: filesystem, encryption: true, compression: zstd, parallel_jobs: 2 }
  storage: { path: $work/repository }
  keys: { passphrase: "file:$work/passphrase" }
  components:
    postgres: { connection: "file:$work/connection", data_directory: $work/pgdata, mode: auto }
    redis: { connection: "file:$work/redis-connection" }
    voice_data: { paths: [ "$work/recordings" ] }
    logs: { paths: [ "$work/logs" ] }
    configuration: { paths: [ "$work/config" ] }
YAML
    say "programs are built; everything happens below $work"

    chapter "A voice platform at work: PostgreSQL, recordings, and calls that keep coming"
    run "${as_server[@]}" "$programs/initdb" -D "$work/pgdata" -k -U postgres -A trust -E UTF8 --locale=C >"$work/initdb.log" 2>&1 || die "initdb failed: $(tail -1 "$work/initdb.log")"
    cat >>"$work/pgdata/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work'
port = $port
shared_buffers = 128MB
max_wal_size = 2GB
track_commit_timestamp = on
timezone = 'UTC'
archive_mode = on
archive_command = '/bin/true'
CONF
    start_server "$work/pgdata" "$work/server.log"
    start_redis "$work/redis"
    redis debug populate 50000 session 300 >/dev/null
    redis hset rooms lobby 'a room' support 'another' >/dev/null
    redis xadd events '1-1' what 'call began' >/dev/null
    start "${as_server[@]}" "$work/dataset/dataset" files "$work/recordings" "$recordings" 11
    local files=$started
    dataset database "$connection" "$megabytes" 11
    wait "$files" || die "the recordings could not be made"
    forget "$files"
    say "PostgreSQL $(sql 'show server_version' | cut -d' ' -f1): $(sql 'select pg_size_pretty(pg_database_size(current_database()))')," \
        "$(sql 'select count(*) from calls') calls, $(sql 'select count(*) from utterances') utterances"
    say "recordings: $(find "$work/recordings" -type f | wc -l) files, $(du -sm --apparent-size "$work/recordings" | cut -f1) MB (wav, opus, JSON transcripts, logs)"
    say "Redis $(redis info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p'): $(redis dbsize) keys; logs and configuration beside it"
    start "${as_server[@]}" "$work/dataset/dataset" writer "$connection" "$work/ledger" 5
    writer=$started
    say "a writer commits one numbered row every few milliseconds, and notes what the server acknowledged"
}

protect() {
    chapter "Protecting it"
    fbackup init --yes || die "init failed"
    sql "alter system set archive_command = '$work/bin/fbackup --config $config wal push %p'"
    sql 'select pg_reload_conf()' >/dev/null
    command_line "fbackup wal receive   (stays; the last seconds of WAL must survive the loss of the server)"
    start "${as_server[@]}" "$work/bin/fbackup" --config "$config" wal receive >"$work/receive.log" 2>&1
    receiver=$started
    fbackup backup run || die "the backup failed"
    fbackup backup list || die "the list failed"
}

live() {
    chapter "A day passes: 1 % of everything changes"
    run "${as_server[@]}" "$work/dataset/dataset" change "$work/recordings" 1 11 >/dev/null
    sql "update utterances set said = said || ' (corrected)' where id % 1000 = 7"
    fbackup backup run --type voice_data || die "the backup of the recordings failed"
    last_files_backup=$EPOCHREALTIME
    fbackup backup run --type postgres || die "the backup of the database failed"
    redis set session:77 'a changed session' >/dev/null
    redis del session:78 >/dev/null
    fbackup backup run --type redis || die "the backup of Redis failed"
    redis_digest=$(redis debug digest)
    last_redis_backup=$EPOCHREALTIME
    configuration_before=$(cd "$work" && sha256sum logs/sip.log config/livekit.yaml)
    dataset manifest "$work/recordings" "$work/manifest"
    digest_before=$(sql 'select count(*), sum(hashtextextended(u::text, 0)::numeric) from utterances u')
    run sleep 2
    target=$(sql "select to_char(date_trunc('second', clock_timestamp()) + interval '1 second', 'YYYY-MM-DD HH24:MI:SS')")+00
    say "the second to come back to will be ${bold}$target${plain}"
    run sleep 3
    sql 'delete from utterances where id % 2 = 0' && say "then somebody deletes half of the utterances by mistake…"
    run sleep 3
}

destroy() {
    chapter "…and in the confusion the server and its disk are lost"
    destroyed=$EPOCHREALTIME
    # The machine dies: nothing of it gets a chance to finish its work.
    kill -KILL "$server" "$receiver" "$cache" 2>/dev/null || true
    { wait "$server" "$receiver" "$cache"; } 2>/dev/null || true
    kill -TERM "$writer" 2>/dev/null || true
    { wait "$writer"; } 2>/dev/null || true
    forget "$server"; forget "$receiver"; forget "$writer"; forget "$cache"
    server=''
    run rm -rf "$work/pgdata" "$work/recordings" "$work/redis" "$work/logs" "$work/config"
    # What must be there at the stated second, from the ledger that lives outside the database.
    local from=${target/ /T}
    awk -F'\t' -v t="${from%+00}.000000Z" '$2 <= t { print $1 }' "$work/ledger" >"$work/expected"
    say "gone: data directory, WAL, recordings, Redis, logs, configuration. The writer had $(wc -l <"$work/ledger") commits acknowledged, $(wc -l <"$work/expected") of them by the stated second"
}

recover_files() {
    chapter "Recovery: the recordings"
    local from=$EPOCHREALTIME
    fbackup restore voice_data latest --target "$work/back" || die "the restore of the recordings failed"
    files_rto=$(seconds "$from")
    check "every file, mode and time is as it was at the last backup" same_tree "$work/manifest" "$work/back/recordings"
}

recover_rest() {
    chapter "Recovery: Redis, logs, configuration"
    local from=$EPOCHREALTIME
    fbackup restore redis latest --target "$work/redis-back" || die "the restore of Redis failed"
    start_redis "$work/redis-back"
    redis_rto=$(seconds "$from")
    check "every key, value and expiry is as it was (the server's own digest)" same "$redis_digest" "$(redis debug digest)"
    kill -TERM "$cache" 2>/dev/null || true
    wait "$cache" 2>/dev/null || true
    forget "$cache"
    fbackup restore logs latest --target "$work/rest" || die "the restore of the logs failed"
    fbackup restore configuration latest --target "$work/rest" || die "the restore of the configuration failed"
    check "logs and configuration are as they were" same "$configuration_before" "$(cd "$work/rest" && sha256sum logs/sip.log config/livekit.yaml)"
}

recover_database() {
    chapter "Recovery: the database, to $target"
    fbackup restore postgres latest --target "$work/restored" --to-time "$target" --plan || die "the plan failed"
    local from=$EPOCHREALTIME
    fbackup restore postgres latest --target "$work/restored" --to-time "$target" || die "the restore of the database failed"
    start_restored "$work/restored"
    database_rto=$(seconds "$from")
    say "the restored server takes writes again, $database_rto s after the restore began"
    sql 'select n from ticks order by n' >"$work/found"
    check "all $(wc -l <"$work/expected") rows committed by that time are there, and none after" cmp -s "$work/expected" "$work/found"
    check "the deleted utterances are back, every row by hash" same "$digest_before" "$(sql 'select count(*), sum(hashtextextended(u::text, 0)::numeric) from utterances u')"
    check "heaps and indexes are sound (pg_amcheck)" run "$programs/pg_amcheck" -h "$work" -p "$port" -U postgres --install-missing -j 2 postgres
    stop_server
}

recover_latest() {
    chapter "How much would have been lost without a stated time? To the last commit that arrived"
    fbackup restore postgres latest --target "$work/newest" || die "the restore of the database failed"
    start_restored "$work/newest"
    local last
    last=$(sql 'select max(n) from ticks')
    lost=$(($(tail -1 "$work/ledger" | cut -f1) - last))
    database_rpo=$(awk -F'\t' -v n="$last" -v gone="$destroyed" '$1 == n { print $2 }' "$work/ledger" |
        { read -r at && seconds "$(date -d "$at" +%s.%N)" "$destroyed"; } || echo unknown)
    say "last row that came back: $last; $lost acknowledged commits of the last $database_rpo s were lost"
    stop_server
}

verdict() {
    chapter "Measured against the objectives"
    local files_rpo redis_rpo
    files_rpo=$(seconds "$last_files_backup" "$destroyed")
    redis_rpo=$(seconds "$last_redis_backup" "$destroyed")
    printf '          %-12s %14s %12s %14s %12s\n' '' 'RTO measured' 'objective' 'RPO measured' 'objective'
    printf '          %-12s %12s s %12s %12s s %12s\n' database "$database_rto" '60 min' "$database_rpo" '15 min' 'voice data' "$files_rto" '90 min' "$files_rpo" '6 h' cache "$redis_rto" '30 min' "$redis_rpo" '2 h'
    check "recovery times are within the objectives" within "$database_rto" 3600 "$files_rto" 5400 "$redis_rto" 1800
    check "losses are within the objectives" within "$database_rpo" 900 "$files_rpo" 21600 "$redis_rpo" 7200
    printf '\n%s%d checks hold, %d do not; %s s in all%s\n' "$bold" "$passed" "$failed" "$(seconds "$began")" "$plain"
    [ "$failed" -eq 0 ]
}

start_restored() {
    # It must not archive into the repository that it came from: this is a rehearsal.
    echo "archive_mode = 'off'" >>"$1/postgresql.auto.conf"
    start_server "$1" "$work/restored.log"
    recovered || { tail "$work/restored.log" >&2; die "the restored server did not finish its recovery"; }
}

same() { [ "$1" = "$2" ]; }

same_tree() {
    local code=0
    dataset same "$1" "$2" >"$work/said" || code=$?
    sed 's/^/          /' "$work/said"
    return "$code"
}

# within VALUE LIMIT …
within() {
    while [ $# -gt 1 ]; do
        awk -v value="$1" -v limit="$2" 'BEGIN { exit !(value ~ /^[0-9.]+$/ && value <= limit) }' || return 1
        shift 2
    done
}
