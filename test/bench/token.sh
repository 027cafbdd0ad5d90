# shellcheck shell=bash
# shellcheck disable=SC2153
# BEGIN; use_token; COMMIT against BEGIN; use_tenant; COMMIT, of a tenant that the
# session has seen before.

bench_token() {
    local pairs token more
    token=$(client postgres -c "SELECT publicdigit.issue_token('bench-1', '1 hour', 'bench_web')")
    printf "BEGIN;\nSELECT publicdigit.use_token('%s');\nCOMMIT;\n" "$token" >"$WORK/token.pgbench"
    printf "BEGIN;\nSELECT publicdigit.use_tenant('bench-1');\nCOMMIT;\n" >"$WORK/tenant.pgbench"
    pairs=$(repeated transactions bench_web "$WORK/token.pgbench" "$WORK/tenant.pgbench")
    say 'use_token and use_tenant, in us:'
    say "$pairs"
    more=$(awk 'NF { print $1 - $2 }' <<<"$pairs")
    row 'use_token: us more than use_tenant' "$(awk 'NF { print $1 }' <<<"$pairs" | median) us" \
        "$(awk 'NF { print $2 }' <<<"$pairs" | median) us" "$(median <<<"$more")" "$(spread <<<"$more")" '<= 20'
}
