# shellcheck shell=bash
# shellcheck disable=SC2034
# create_tenant and install_module of a module of ten tables, one transaction a
# tenant, 200 times, against the same DDL as a plain script, also one transaction
# a tenant.  The script is what pg_dump -s says of a tenant's schema that was
# installed so, with another schema's name.  Each side is one psql and one
# connection, which take turns of 20 tenants.

INSTALL_TENANTS=${INSTALL_TENANTS:-200}
INSTALL_TURN=20

# install_scripts: a script for each turn of each side.
install_scripts() {
    local turn n
    ddl_of tenant_shop_0 >"$WORK/install_dump.sql"
    for ((turn = 0; turn < INSTALL_TENANTS / INSTALL_TURN; turn++)); do
        for ((n = turn * INSTALL_TURN + 1; n <= (turn + 1) * INSTALL_TURN; n++)); do
            say 'BEGIN;'
            say "SELECT publicdigit.create_tenant('shop-$n');"
            say "SELECT publicdigit.install_module('bench_shop', 'shop-$n');"
            say 'COMMIT;'
        done >"$WORK/install_ours.$turn.sql"
        for ((n = turn * INSTALL_TURN + 1; n <= (turn + 1) * INSTALL_TURN; n++)); do
            plain_script "plain_shop_$n" tenant_shop_0 "$WORK/install_dump.sql"
        done >"$WORK/install_plain.$turn.sql"
    done
}

bench_install() {
    local turns ratios
    new_database bench_install
    use_database bench_install
    client postgres -f "$BENCH/install.sql" >/dev/null
    install_scripts

    turns=$(take_turns install bench_ops postgres $((INSTALL_TENANTS / INSTALL_TURN)))
    same_ddl tenant_shop_1 plain_shop_1
    use_database bench

    say "create tenant and install, ms for $INSTALL_TURN tenants:"
    say "$turns"
    ratios=$(awk '{ print $1 / $2 }' <<<"$turns")
    row "create tenant, install 10 tables, $INSTALL_TENANTS times" \
        "$(awk -v n="$INSTALL_TENANTS" '{ s += $1 } END { printf "%.1f ms", s / n }' <<<"$turns")" \
        "$(awk -v n="$INSTALL_TENANTS" '{ s += $2 } END { printf "%.1f ms", s / n }' <<<"$turns")" \
        "$(median <<<"$ratios")" "$(spread <<<"$ratios")" '<= 1.3'
}
