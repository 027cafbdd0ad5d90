-- Rows to begin with.
--     SELECT publicdigit.seed_module('@NAME@', '@landlord');
-- runs this once. Where there are none, the file may go.

-- INSERT INTO @TABLE@ (title) VALUES ('First'), ('Second');
