# shellcheck shell=bash
# fingerprint() of a module of 50 tables against pg_dump -s of the schema that
# holds them and nothing else.  Each side is a new process with a new connection.

# milliseconds COMMAND ...: how long it takes.
milliseconds() {
    local start=$EPOCHREALTIME
    "$@" >/dev/null
    calculate "($EPOCHREALTIME - $start) * 1000"
}

fingerprint_pair() {
    local ours plain
    ours=$(milliseconds client bench_ops -c "SELECT publicdigit.fingerprint('large', 'bench_large')")
    plain=$(milliseconds "$TREE_BIN/pg_dump" -U postgres -s -n tenant_large "$DATABASE")
    say "$(calculate "$ours * 1000") $(calculate "$plain * 1000")"
}

bench_fingerprint() {
    new_database bench_fingerprint
    DATABASE=bench_fingerprint
    client postgres -f "$BENCH/fingerprint.sql" >/dev/null
    compare 'fingerprint of 50 tables' ms '<= 0.1' fingerprint_pair
    DATABASE=bench
}
