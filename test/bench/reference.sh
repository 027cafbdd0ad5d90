# shellcheck shell=bash
# shellcheck disable=SC2034
# A row of the landlord's that no tenant refers to is deleted, while the tables of
# 2,000 tenants refer to its table by reference_landlord; against the same with
# real foreign keys.  Each deletion has a session of its own: the first one is
# what a foreign key makes dear.  Memory is what pg_backend_memory_contexts has
# more after it.
#
# And what it costs to insert 100,000 rows: that refer to 200 keys, and where each
# refers to another one, which is what this is worst at.

# deletion TABLE N: deletes a row; prints the milliseconds and the kB more.
deletion() {
    client postgres <<END | tr '\n' ' '
\set contexts 'SELECT sum(used_bytes) FROM pg_backend_memory_contexts'
:contexts \g /dev/null
SELECT sum(used_bytes) AS before FROM pg_backend_memory_contexts \gset
\timing on
DELETE FROM $1.country WHERE code = 'X$2';
\timing off
SELECT (sum(used_bytes) - :before) / 1024 FROM pg_backend_memory_contexts;
END
}

# bulk STATEMENT: the milliseconds that it takes; it is rolled back.
bulk() {
    client postgres <<END | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | head -n 1
\o /dev/null
BEGIN;
\o
\timing on
$1;
\timing off
ROLLBACK;
END
}

# bulk_pair STATEMENT: with SCHEMA for the schema of either side.
bulk_pair() {
    say "$(bulk "${1/SCHEMA/tenant_refer_1}") $(bulk "${1/SCHEMA/plain_refer_1}")" |
        awk '{ print $1 * 1000, $2 * 1000 }'
}

bench_reference() {
    local n ours plain figures='' ratios
    new_database bench_reference
    use_database bench_reference
    client postgres -f "$BENCH/reference.sql" >/dev/null
    for ((n = 1; n <= PAIRS + 1; n++)); do
        ours=$(deletion landlord "$n" | sed 's/Time: \([0-9.]*\) ms[^ ]*\( ([^)]*)\)\?/\1/')
        plain=$(deletion plain "$n" | sed 's/Time: \([0-9.]*\) ms[^ ]*\( ([^)]*)\)\?/\1/')
        # The first pair warms up the server.
        [ "$n" -eq 1 ] || figures+="$ours $plain"$'\n'
    done
    say 'ms and kB, publicdigit and foreign keys:'
    say "$figures"
    ratios=$(awk 'NF { print $3 / $1 }' <<<"$figures")
    row 'unreferenced row deleted, 2,000 tenants' \
        "$(awk 'NF { print $1 }' <<<"$figures" | median) ms" \
        "$(awk 'NF { print $3 }' <<<"$figures" | median) ms" \
        "$(median <<<"$ratios")" "$(spread <<<"$ratios")" '>= 3'
    row '  memory of the backend, MB more' \
        "$(awk 'NF { print $2 }' <<<"$figures" | median) kB" \
        "$(awk 'NF { print $4 }' <<<"$figures" | median) kB" \
        "$(awk 'NF { print $2 / 1024 }' <<<"$figures" | median)" '' '<= 5'
    compare '100,000 rows inserted, 200 keys' ms '<= 1.5' bulk_pair \
        "INSERT INTO SCHEMA.people (id, tenant_id, country)
         SELECT n, '00000000-0000-0000-0000-000000000000', 'C' || n % 200 + 1 FROM generate_series(1, 100000) AS n"
    compare '  100,000 keys not used before' ms '' bulk_pair \
        'INSERT INTO SCHEMA.items SELECT generate_series(1, 100000)'
    use_database bench
}
