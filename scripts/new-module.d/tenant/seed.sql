-- Rows to begin with. For each tenant
--     SELECT publicdigit.seed_module('@NAME@', 'TENANT');
-- runs this once. Where there are none, the file may go.

-- INSERT INTO @TABLE@ (title) VALUES ('First'), ('Second');
