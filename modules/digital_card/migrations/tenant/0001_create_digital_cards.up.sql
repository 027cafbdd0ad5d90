-- A card refers to its member by tenant and id: a card for a member of
-- another tenant cannot be written.
CREATE TABLE digital_cards (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id   uuid,
    member_id   uuid NOT NULL,
    card_number text NOT NULL,
    status      text NOT NULL DEFAULT 'active'
                CHECK (status IN ('active', 'suspended', 'revoked')),
    issued_at   timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL DEFAULT now() + interval '2 years',
    CHECK (expires_at > issued_at),
    UNIQUE (tenant_id, card_number),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX ON digital_cards (tenant_id, member_id);
COMMENT ON TABLE digital_cards IS 'membership cards; one is revoked, never deleted';
