-- Runs after the up script. Whatever it raises undoes the migration.
DO $$
BEGIN
    IF EXISTS (SELECT FROM @TABLE@) THEN
        RAISE EXCEPTION 'table @TABLE@ has rows from the start';
    END IF;
END
$$;
