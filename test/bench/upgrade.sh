# shellcheck shell=bash
# shellcheck disable=SC2034
# An upgrade that adds ten columns to a table, one transaction a tenant, for 200
# tenants, against the same ten ALTER TABLEs by hand, as the owner role, also in one
# transaction each.  The plain tables are what pg_dump -s says of a tenant's schema,
# with policies and grants, under another name.  Each side is one psql and one
# connection, which take turns of 20 tenants.

UPGRADE_TENANTS=${UPGRADE_TENANTS:-200}
UPGRADE_TURN=20

# upgrade_scripts: the plain schemas' script, and one for each turn of each side.
upgrade_scripts() {
    local turn n
    ddl_of tenant_stock_0 >"$WORK/upgrade_dump.sql"
    for ((n = 1; n <= UPGRADE_TENANTS; n++)); do
        plain_script "plain_stock_$n" tenant_stock_0 "$WORK/upgrade_dump.sql"
    done >"$WORK/upgrade_plain.sql"

    client postgres -c "SELECT content FROM publicdigit.module_script AS s
        JOIN publicdigit.module_version AS v ON v.id = s.version_id
        WHERE v.version = '1.1.0' AND path LIKE '%0002%'" >"$WORK/upgrade_script.sql"
    for ((turn = 0; turn < UPGRADE_TENANTS / UPGRADE_TURN; turn++)); do
        for ((n = turn * UPGRADE_TURN + 1; n <= (turn + 1) * UPGRADE_TURN; n++)); do
            say "SELECT publicdigit.upgrade_module('bench_stock', 'stock-$n');"
        done >"$WORK/upgrade_ours.$turn.sql"
        for ((n = turn * UPGRADE_TURN + 1; n <= (turn + 1) * UPGRADE_TURN; n++)); do
            say 'BEGIN;'
            say 'SET LOCAL ROLE bench_owner;'
            sed "s/ALTER TABLE /&plain_stock_$n./" "$WORK/upgrade_script.sql"
            say 'COMMIT;'
        done >"$WORK/upgrade_plain.$turn.sql"
    done
}

bench_upgrade() {
    local turns
    new_database bench_upgrade
    use_database bench_upgrade
    client postgres -v tenants="$UPGRADE_TENANTS" -f "$BENCH/upgrade.sql" >/dev/null
    upgrade_scripts
    client postgres -f "$WORK/upgrade_plain.sql" >/dev/null

    turns=$(take_turns upgrade bench_ops postgres $((UPGRADE_TENANTS / UPGRADE_TURN)))
    same_ddl tenant_stock_1 plain_stock_1
    use_database bench

    compared "upgrade that adds 10 columns, $UPGRADE_TENANTS times" ms '<= 1.3' < <(
        awk -v n="$UPGRADE_TURN" '{ print $1 * 1000 / n, $2 * 1000 / n }' <<<"$turns"
    )
}
