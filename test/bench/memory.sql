-- Prints "before" and "after" with kB used, total, resident and VmRSS.
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid

\set contexts 'SELECT (sum(used_bytes) / 1024)::int, (sum(total_bytes) / 1024)::int FROM pg_backend_memory_contexts'
\pset fieldsep ' '

-- What is run later runs once before it counts.
BEGIN;
SELECT publicdigit.use_tenant('bench-1') \g /dev/null
COMMIT;
:contexts \g /dev/null

\echo -n 'before '
:contexts \g |tr '\n' ' '
\! awk '/VmRSS/ { all = $2 } /RssShmem/ { shared = $2 } END { print all - shared, all }' /proc/$PID/status

\o /dev/null
SELECT unnest(ARRAY['BEGIN', format('SELECT publicdigit.use_tenant(%L)', 'bench-' || n), 'COMMIT'])
FROM generate_series(1, 1000) AS n
\gexec
\o

\echo -n 'after '
:contexts \g |tr '\n' ' '
\! awk '/VmRSS/ { all = $2 } /RssShmem/ { shared = $2 } END { print all - shared, all }' /proc/$PID/status
