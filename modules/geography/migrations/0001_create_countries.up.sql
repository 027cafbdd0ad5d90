CREATE TABLE countries (
    code char(2) PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'),
    name text NOT NULL UNIQUE
);
COMMENT ON TABLE countries IS 'countries by their ISO 3166-1 alpha-2 code';
