# shellcheck shell=bash
# What a backend's memory grows by when it switches through 1,000 tenants, one
# transaction each, and touches nothing.  It has switched once before it is
# measured, so that what belongs to the first switch does not count.
#
# used and total are sums of pg_backend_memory_contexts.  Resident is VmRSS less
# RssShmem: shared buffers that a backend has looked at count in its VmRSS, but
# are not its memory.

# memory_row NAME COLUMN BEFORE AFTER: these are kB; the ratio column has MB more.
memory_row() {
    local before after
    before=$(cut -d ' ' -f "$2" <<<"$3")
    after=$(cut -d ' ' -f "$2" <<<"$4")
    row "1,000 switches: $1, MB more" "$after kB" "$before kB" \
        "$(calculate "($after - $before) / 1024")" '' '<= 2'
}

bench_memory() {
    local before after
    client postgres -c 'GRANT pg_read_all_stats TO bench_web'
    client bench_web -f "$BENCH/memory.sql" >"$WORK/memory.out"
    before=$(sed -n 's/^before //p' "$WORK/memory.out")
    after=$(sed -n 's/^after //p' "$WORK/memory.out")
    say "   kB used, total, resident, VmRSS: before $before, after $after"
    memory_row 'used' 1 "$before" "$after"
    memory_row 'total' 2 "$before" "$after"
    memory_row 'resident' 3 "$before" "$after"
}
