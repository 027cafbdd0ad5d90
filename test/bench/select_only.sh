# shellcheck shell=bash
# shellcheck disable=SC2153
# pgbench's own select by key, -S -M prepared, with everything on and a tenant
# bound by a token, against the same tables without row security in a server
# that has never heard of publicdigit; and there again under row security as it is
# written by hand, with the tenant's id in the policy.  Two servers cannot share one
# pgbench, so they are asked in turn, and the processor time of their backends is
# compared too.

PLAIN_SERVER=$WORK/plain-server
TURNS=3                         # within a pair

# new_accounts SCHEMA TENANT: pgbench's tables in the server that PGHOST names,
# with a tenant's column.
new_accounts() {
    PGOPTIONS="-c search_path=$1" "$TREE_BIN/pgbench" -i -q -s 10 -U postgres "$DATABASE" >/dev/null 2>&1
    client postgres >/dev/null <<END
ALTER TABLE $1.pgbench_accounts ADD tenant_id uuid NOT NULL DEFAULT '$2';
ALTER TABLE $1.pgbench_branches ADD tenant_id uuid NOT NULL DEFAULT '$2';
GRANT USAGE ON SCHEMA $1 TO bench_web;
GRANT SELECT ON $1.pgbench_accounts, $1.pgbench_branches TO bench_web;
VACUUM ANALYZE;
END
}

# child_ticks SERVER: processor time of the backends that have ended.
child_ticks() { awk '{ print $16 + $17 }' "/proc/$(head -n 1 "$1/data/postmaster.pid")/stat"; }

# select_only SERVER OPTIONS: the microseconds of the clock, and of the processor,
# that a transaction takes there.
select_only() {
    local server=$1 before count seconds=$(((DURATION + TURNS - 1) / TURNS))
    before=$(child_ticks "$server")
    PGHOST=$server/socket PGOPTIONS=$2 taskset -c "$CORES" "$TREE_BIN/pgbench" -S -M prepared -n -c 1 -T "$seconds" \
        -U bench_web "$DATABASE" >"$WORK/pgbench.out" 2>&1 || {
        cat "$WORK/pgbench.out" >&2
        die "pgbench failed"
    }
    count=$(sed -n 's/^number of transactions actually processed: //p' "$WORK/pgbench.out")
    sleep 0.3                   # until the backend has ended
    calculate "1e6 * $seconds / $count \" \" 1e6 * ($(child_ticks "$server") - $before) / $(getconf CLK_TCK) / $count"
}

# select_only_all TOKEN: the figures of publicdigit, the plain tables, and those
# under a policy written by hand; the means of short turns, since a machine's speed
# can change within seconds.
select_only_all() {
    local turn ours plain by_hand
    for ((turn = 0; turn < TURNS; turn++)); do
        ours=$(select_only "$SERVER" "-c search_path=tenant_bench_1,landlord,pg_temp -c publicdigit.context=$1")
        plain=$(select_only "$PLAIN_SERVER" '-c search_path=tenant_bench_1,landlord,pg_temp')
        by_hand=$(select_only "$PLAIN_SERVER" '-c search_path=by_hand,landlord,pg_temp')
        say "$ours $plain $by_hand"
    done | awk '{ for (i = 1; i <= NF; i++) sum[i] += $i }
        END { for (i = 1; i <= NF; i++) printf "%.3f%s", sum[i] / NR, i < NF ? " " : "\n" }'
}

bench_select_only() {
    local tenant token times
    tenant=$(client postgres -c "SELECT id FROM publicdigit.tenants WHERE slug = 'bench-1'")
    new_accounts tenant_bench_1 "$tenant"
    client postgres >/dev/null <<END
ALTER TABLE tenant_bench_1.pgbench_accounts OWNER TO bench_owner;
ALTER TABLE tenant_bench_1.pgbench_branches OWNER TO bench_owner;
SELECT publicdigit.protect_table('tenant_bench_1.pgbench_accounts'),
       publicdigit.protect_table('tenant_bench_1.pgbench_branches');
END
    token=$(client postgres -c "SELECT publicdigit.issue_token('bench-1', '1 hour', 'bench_web')")

    new_server "$PLAIN_SERVER" <<<"$SETTINGS"
    start_server "$PLAIN_SERVER" 9>&-
    taskset -cp "$CORES" "$(head -n 1 "$PLAIN_SERVER/data/postmaster.pid")" >/dev/null
    PGHOST=$PLAIN_SERVER/socket "$TREE_BIN/createdb" -U postgres "$DATABASE"
    PGHOST=$PLAIN_SERVER/socket client postgres \
        -c 'CREATE ROLE bench_web LOGIN; CREATE SCHEMA tenant_bench_1; CREATE SCHEMA by_hand;'
    PGHOST=$PLAIN_SERVER/socket new_accounts tenant_bench_1 "$tenant"
    PGHOST=$PLAIN_SERVER/socket new_accounts by_hand "$tenant"
    PGHOST=$PLAIN_SERVER/socket client postgres <<END
ALTER TABLE by_hand.pgbench_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON by_hand.pgbench_accounts USING (tenant_id = '$tenant');
END

    times=$(repeated select_only_all "$token")
    stop_server "$PLAIN_SERVER"
    say 'us by the clock and by the processor: publicdigit, plain, and by hand:'
    say "$times"
    compared "pgbench -S -M prepared" tps '>= 0.95' <<<"$(awk 'NF { print $1, $3 }' <<<"$times")"
    compared "  its processor time" us '' <<<"$(awk 'NF { print $2, $4 }' <<<"$times")"
    compared "  against a policy by hand" tps '' <<<"$(awk 'NF { print $1, $5 }' <<<"$times")"
    compared "  its processor time" us '' <<<"$(awk 'NF { print $2, $6 }' <<<"$times")"
}
