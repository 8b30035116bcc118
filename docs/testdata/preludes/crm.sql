-- The database of crm.hcl.

CREATE TYPE public.deal_stage AS ENUM ('lead', 'offer', 'won', 'lost');

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL
);

CREATE TABLE deals (
    id uuid PRIMARY KEY,
    tenant_id bigint NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts,
    owner_id uuid NOT NULL,
    team_id bigint NOT NULL,
    title text NOT NULL,
    status text NOT NULL,
    stage public.deal_stage NOT NULL,
    amount numeric NOT NULL,
    seats bigint NOT NULL,
    seats_used bigint NOT NULL,
    region text,
    scope text NOT NULL,
    confidential boolean NOT NULL,
    due date NOT NULL,
    created_at timestamptz NOT NULL,
    tags text[] NOT NULL,
    watchers uuid[] NOT NULL,
    signed_from inet,
    iban text
);

CREATE TABLE deal_members (
    deal_id uuid REFERENCES deals,
    user_id uuid,
    role text NOT NULL,
    PRIMARY KEY (deal_id, user_id)
);
