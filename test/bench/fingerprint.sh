# shellcheck shell=bash
# fingerprint() of a module of 50 tables, asked again and again in one session,
# against pg_dump -s of the schema that holds them and nothing else, which is a
# process of its own each time.  Nine other tenants have the module, too: pg_dump
# reads what is there of all tables before it chooses.

FINGERPRINTS=20

# ours_us: microseconds for a fingerprint, after a first one.
ours_us() {
    client bench_ops <<SQL
SELECT publicdigit.fingerprint('large', 'bench_large') \\g /dev/null
SELECT clock_timestamp() AS started \\gset
SELECT publicdigit.fingerprint('large', 'bench_large') FROM generate_series(1, $FINGERPRINTS) \\g /dev/null
SELECT round(extract(epoch FROM clock_timestamp() - :'started') * 1e6 / $FINGERPRINTS);
SQL
}

# plain_us: microseconds for a dump.
plain_us() {
    local start=$EPOCHREALTIME
    "$TREE_BIN/pg_dump" -U postgres -s -n tenant_large "$DATABASE" >/dev/null
    calculate "int(($EPOCHREALTIME - $start) * 1e6)"
}

fingerprint_pair() {
    local ours
    ours=$(ours_us)
    say "$ours $(plain_us)"
}

bench_fingerprint() {
    new_database bench_fingerprint
    DATABASE=bench_fingerprint
    client postgres -f "$BENCH/fingerprint.sql" >/dev/null
    compare 'fingerprint of 50 tables, pg_dump -s -n' ms '<= 0.1' fingerprint_pair
    DATABASE=bench
}
