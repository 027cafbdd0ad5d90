-- Every tenant reads it, the landlord alone writes it.
CREATE TABLE @TABLE@ (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL UNIQUE CHECK (title <> '')
);
COMMENT ON TABLE @TABLE@ IS 'to start from';
