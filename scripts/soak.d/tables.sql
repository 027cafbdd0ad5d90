-- A landlord with the tenants acme and beta, the modules of the share folder,
-- and tables, made by hand, that both share: with a foreign key that cascades,
-- a child, partitions and views; columns of many types give sqlsmith more to do.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('soak_owner', 'soak_app') \g /dev/null
CREATE ROLE soak LOGIN IN ROLE soak_app;
SELECT publicdigit.register_module(module) FROM publicdigit.available_modules() \g /dev/null
SELECT publicdigit.install_module(module), publicdigit.seed_module(module)
FROM publicdigit.modules WHERE context = 'landlord' \g /dev/null
SELECT publicdigit.create_tenant(slug) FROM unnest('{acme, beta}'::text[]) AS slug \g /dev/null
SELECT publicdigit.install_module(module, slug)
FROM publicdigit.modules AS m, publicdigit.tenants WHERE m.context = 'tenant' \g /dev/null
-- Every tenant, but by tokens alone: no query can call use_tenant() for beta.
SELECT publicdigit.grant_tenant_access('soak', '*', token_only => true) \g /dev/null

SET ROLE soak_owner;
SET search_path = landlord;
CREATE TABLE notes (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id  uuid,
    number     integer,
    size       bigint,
    price      numeric,
    weight     double precision,
    pinned     boolean DEFAULT false,
    title      text,
    tags       text[],
    details    jsonb,
    due        date,
    written_at timestamptz DEFAULT now(),
    -- Slug and id of the other tenant, which queries may try.
    other      text,
    other_id   uuid,
    UNIQUE (tenant_id, id)
);
CREATE INDEX ON notes (tenant_id, number);
CREATE TABLE old_notes () INHERITS (notes);
CREATE TABLE comments (
    tenant_id uuid,
    note_id   uuid,
    body      text,
    FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE events (tenant_id uuid, number integer, day date, what text, other_id uuid)
    PARTITION BY RANGE (day);
CREATE TABLE events_first PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-06');
CREATE TABLE events_second PARTITION OF events DEFAULT;
CREATE TABLE queues (tenant_id uuid, number integer, what text, other_id uuid)
    PARTITION BY LIST (tenant_id);
CREATE TABLE queues_all PARTITION OF queues DEFAULT;
CREATE VIEW pinned_notes AS SELECT * FROM notes WHERE pinned;
CREATE VIEW discussed_notes WITH (security_invoker) AS
    SELECT n.*, c.body FROM notes AS n JOIN comments AS c ON c.note_id = n.id;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON notes, comments, events, queues, pinned_notes, discussed_notes TO soak_app;
RESET ROLE;
SELECT publicdigit.protect_table(name)
FROM unnest('{notes, comments, events, queues}'::regclass[]) AS name \g /dev/null
