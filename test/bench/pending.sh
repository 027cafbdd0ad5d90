# shellcheck shell=bash
# Finding out that nothing is pending for 2,000 tenants with five modules each,
# against a count of the registry's table of installations; and the same where each
# module has five times as many migrations, against where it has four: what is
# applied is not looked at.

PENDING_TENANTS=${PENDING_TENANTS:-2000}
PENDING_CALLS=10

# pending_us DATABASE QUERY: microseconds for a SELECT of this, of which the session has run
# one before.
pending_us() {
    DATABASE=$1 client postgres <<SQL
SELECT $2 \\g /dev/null
SELECT clock_timestamp() AS started \\gset
DO \$\$
BEGIN
    FOR i IN 1..$PENDING_CALLS LOOP
        PERFORM $2;
    END LOOP;
END
\$\$;
SELECT round(extract(epoch FROM clock_timestamp() - :'started') * 1e6 / $PENDING_CALLS);
SQL
}

PENDING_QUERY='* FROM publicdigit.pending_migrations(NULL::text)'

pending_pair() {
    say "$(pending_us bench_pending_4 "$PENDING_QUERY")" \
        "$(pending_us bench_pending_4 'count(*) FROM publicdigit.installation')"
}

pending_growth() {
    say "$(pending_us bench_pending_20 "$PENDING_QUERY")" \
        "$(pending_us bench_pending_4 "$PENDING_QUERY")"
}

bench_pending() {
    local migrations
    for migrations in 4 20; do
        new_database "bench_pending_$migrations"
        DATABASE=bench_pending_$migrations client postgres -v tenants="$PENDING_TENANTS" \
            -v migrations="$migrations" -f "$BENCH/pending.sql" >/dev/null
    done
    compare "nothing pending, $PENDING_TENANTS tenants, 5 modules" ms '<= 20' pending_pair
    compare '  five times as many migrations' ms '<= 1.2' pending_growth
}
