# shellcheck shell=bash
# A select by primary key from a tenant's table, with the tenant bound for the
# session, against the same select from a copy of the table without row security.

bench_point_select() {
    compare 'select by key, tenant bound' us '<= 1.05' \
        transactions bench_web "$BENCH/point_select.pgbench" "$BENCH/point_select_plain.pgbench"
}
