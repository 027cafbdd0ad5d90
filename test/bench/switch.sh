# shellcheck shell=bash
# BEGIN; use_tenant; select by key; COMMIT for 100 tenants in turn, against BEGIN;
# SET LOCAL search_path; the same select from a copy of the table without row
# security in a schema of its own; COMMIT.
#
# SET takes no parameters, so a tree of \if picks one of 100 statements; the
# other side has the same tree, so that the client's work is the same.  The
# select is one prepared statement for all tenants, as an application has it.

# choose VARIABLE LOW HIGH STATEMENT: STATEMENT is a format with %d for the tenant.
choose() {
    local middle=$((($2 + $3) / 2))
    if [ "$2" = "$3" ]; then
        # shellcheck disable=SC2059
        printf "$4\n" "$2"
    else
        say "\\if :$1 <= $middle"
        choose "$1" "$2" "$middle" "$4"
        say '\else'
        choose "$1" $((middle + 1)) "$3" "$4"
        say '\endif'
    fi
}

# switch_script VARIABLE TABLE STATEMENT
switch_script() {
    say "\\set $1 (:$1 % 100) + 1"
    say '\set id random(1, 1000)'
    say 'BEGIN;'
    choose "$1" 1 100 "$3"
    say "SELECT id, title, price FROM $2 WHERE id = :id;"
    say 'COMMIT;'
}

bench_switch() {
    switch_script ours items "SELECT publicdigit.use_tenant('bench-%d');" \
        >"$WORK/switch.pgbench"
    switch_script plain items_plain 'SET LOCAL search_path = plain_%d, landlord, pg_temp;' \
        >"$WORK/switch_plain.pgbench"
    compare 'switch and select by key, 100 tenants' tps '>= 0.95' \
        transactions bench_web "$WORK/switch.pgbench" "$WORK/switch_plain.pgbench"
}
