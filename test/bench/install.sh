# shellcheck shell=bash
# create_tenant and install_module of a module of ten tables, one transaction a
# tenant, 200 times, against the same DDL as a plain script, also one transaction
# a tenant.  The script is what pg_dump -s says of a tenant's schema that was
# installed so, with another schema's name.  Each side is one psql and one
# connection, which take turns of 20 tenants.

INSTALL_TENANTS=${INSTALL_TENANTS:-200}
INSTALL_TURN=20

# ddl_of SCHEMA: as pg_dump has it, without comments and settings.
ddl_of() {
    "$TREE_BIN/pg_dump" -U postgres -s -n "$1" "$DATABASE" |
        grep -vE "^(--|SET |SELECT pg_catalog.set_config|\\\\|\$)"
}

# plain_script NAME: the DDL of one tenant, made from the dump of shop-0.
plain_script() {
    say 'BEGIN;'
    sed "s/tenant_shop_0/$1/g" "$WORK/install_dump.sql"
    say 'COMMIT;'
}

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
            plain_script "plain_shop_$n"
        done >"$WORK/install_plain.$turn.sql"
    done
}

# open_session NAME ROLE: a psql that reads commands from a pipe.
open_session() {
    local in=$WORK/$1.in out=$WORK/$1.out
    rm -f "$in" "$out"
    mkfifo "$in" "$out"
    client "$2" <"$in" >"$out" 2>"$WORK/$1.err" &
}

# turn NAME IN OUT SCRIPT: the milliseconds that a session takes for a script.
turn() {
    local start=$EPOCHREALTIME line
    say "\\i $4" >&"$2"
    say '\echo done' >&"$2"
    while line=; IFS= read -r line <&"$3"; do
        [ "$line" != 'done' ] || break
    done
    if [ "$line" != 'done' ]; then
        cat "$WORK/$1.err" >&2
        die "the benchmark's script $4 failed"
    fi
    calculate "($EPOCHREALTIME - $start) * 1000"
}

# same_ddl: did both sides end up with the same schema?
same_ddl() {
    diff <(ddl_of tenant_shop_1) <(ddl_of plain_shop_1 | sed "s/plain_shop_1/tenant_shop_1/g") >&2 ||
        die 'the two sides of the benchmark make different schemas'
}

# install_turns: the two sessions take turns; prints a line for each.
install_turns() {
    local n ours plain
    for ((n = 0; n < INSTALL_TENANTS / INSTALL_TURN; n++)); do
        ours=$(turn install_ours 5 6 "$WORK/install_ours.$n.sql")
        plain=$(turn install_plain 7 8 "$WORK/install_plain.$n.sql")
        say "$ours $plain"
    done
}

bench_install() {
    local turns ratios
    new_database bench_install
    DATABASE=bench_install
    client postgres -f "$BENCH/install.sql" >/dev/null
    install_scripts

    open_session install_ours bench_ops
    open_session install_plain postgres
    exec 5>"$WORK/install_ours.in" 6<"$WORK/install_ours.out"
    exec 7>"$WORK/install_plain.in" 8<"$WORK/install_plain.out"
    turns=$(install_turns)
    exec 5>&- 6<&- 7>&- 8<&-
    wait
    same_ddl
    DATABASE=bench

    say "create tenant and install, ms for $INSTALL_TURN tenants:"
    say "$turns"
    ratios=$(awk '{ print $1 / $2 }' <<<"$turns")
    row "create tenant, install 10 tables, $INSTALL_TENANTS times" \
        "$(awk -v n="$INSTALL_TENANTS" '{ s += $1 } END { printf "%.1f ms", s / n }' <<<"$turns")" \
        "$(awk -v n="$INSTALL_TENANTS" '{ s += $2 } END { printf "%.1f ms", s / n }' <<<"$turns")" \
        "$(median <<<"$ratios")" "$(spread <<<"$ratios")" '<= 1.3'
}
