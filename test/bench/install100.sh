# shellcheck shell=bash
# shellcheck disable=SC2034
# create_tenant and install_module of a module of 100 tables, in one transaction,
# against the same DDL as a plain script, which is what pg_dump -s says of a tenant's
# schema that was installed so.  Two sessions take turns; the first turn warms up.
#
# And what pg_backend_memory_contexts has more after such an installation, in use and
# in total, in a session that has done nothing before.  The total is what the session
# had at its most: while the transaction lasts the server keeps an entry in its cache
# for each relation made in it, and the cache's blocks, each twice the one before,
# stay with the session.

# install100_scripts TURNS: a script for each turn of each side.
install100_scripts() {
    local turn
    ddl_of tenant_hundred_0 >"$WORK/install100_dump.sql"
    for ((turn = 0; turn < $1; turn++)); do
        say "BEGIN;
SELECT publicdigit.create_tenant('hundred-1-$turn');
SELECT publicdigit.install_module('bench_hundred', 'hundred-1-$turn');
COMMIT;" >"$WORK/install100_ours.$turn.sql"
        plain_script "plain_hundred_$turn" tenant_hundred_0 "$WORK/install100_dump.sql" \
            >"$WORK/install100_plain.$turn.sql"
    done
}

# kept_after ROLE SCRIPT: the kB that a session has more after a script, in use and in
# total.
kept_after() {
    client "$1" <<END | tail -n 1
\\set contexts 'SELECT sum(used_bytes), sum(total_bytes) FROM pg_backend_memory_contexts'
:contexts \\g /dev/null
SELECT sum(used_bytes) AS used, sum(total_bytes) AS total FROM pg_backend_memory_contexts \\gset
\\i $2
\\pset fieldsep ' '
SELECT (sum(used_bytes) - :used) / 1024, (sum(total_bytes) - :total) / 1024 FROM pg_backend_memory_contexts;
END
}

# hundred_row NAME COLUMN OURS PLAIN: these are kB; the ratio column has MB more.
hundred_row() {
    local ours plain
    ours=$(cut -d ' ' -f "$2" <<<"$3")
    plain=$(cut -d ' ' -f "$2" <<<"$4")
    row "$1" "$(printf '%.0f kB' "$ours")" "$(printf '%.0f kB' "$plain")" \
        "$(calculate "$ours / 1024")" '' '<= 5'
}

bench_install100() {
    local turns ours plain last=$((PAIRS + 1))
    new_database bench_install100
    use_database bench_install100
    client postgres -f "$BENCH/install100.sql" >/dev/null
    install100_scripts $((PAIRS + 2))

    turns=$(take_turns install100 bench_ops postgres $((PAIRS + 1)))
    same_ddl tenant_hundred_1_0 plain_hundred_0
    ours=$(kept_after bench_ops "$WORK/install100_ours.$last.sql")
    plain=$(kept_after postgres "$WORK/install100_plain.$last.sql")
    use_database bench

    compared 'create tenant, install 100 tables' ms '<= 1.3' < <(
        awk 'NR > 1 { print $1 * 1000, $2 * 1000 }' <<<"$turns"
    )
    hundred_row '  memory of the backend in use, MB more' 1 "$ours" "$plain"
    hundred_row '  memory of the backend in total, MB more' 2 "$ours" "$plain"
}
