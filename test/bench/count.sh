# shellcheck shell=bash
# count(*) over one of 1,000 tenants in a table of a million rows, protected by
# protect_table, against the same count with WHERE tenant_id = 'literal' in a
# copy of the table without row security.  Both are prepared statements.

# count_plans NAME OPTIONS: which plans are possible.
count_plans() {
    export PGOPTIONS=$2
    compare "count(*), $1" ms '<= 1.05' \
        transactions bench_web "$BENCH/count.pgbench" "$WORK/count_plain.pgbench"
    unset PGOPTIONS
}

bench_count() {
    local tenant no_index='-c enable_indexscan=off -c enable_indexonlyscan=off -c enable_bitmapscan=off'
    client postgres -f "$BENCH/count.sql" >/dev/null
    tenant=$(client postgres -c "SELECT id FROM publicdigit.tenants WHERE slug = 'bench-1'")
    sed "s/TENANT/$tenant/" "$BENCH/count_plain.pgbench" >"$WORK/count_plain.pgbench"

    count_plans 'sequential scan' "$no_index -c max_parallel_workers_per_gather=0"
    cores all
    count_plans 'parallel sequential scan' "$no_index -c max_parallel_workers_per_gather=2"
    cores one
    count_plans 'index scan' '-c enable_seqscan=off'
}
