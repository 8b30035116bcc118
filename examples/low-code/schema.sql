-- The database of the low-code example: PostgreSQL 14 or newer, an empty UTF-8 database.
-- Whoever runs this owns the tables.

CREATE TYPE public.record_status AS ENUM ('draft', 'open', 'waiting', 'approved', 'closed');

CREATE TABLE public.app_records (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title        varchar(120)         NOT NULL,
    status       public.record_status NOT NULL DEFAULT 'draft',
    amount       numeric              NOT NULL DEFAULT 0,
    region       text,
    requester_id uuid                 NOT NULL,
    assignee_id  uuid,
    mentions     uuid[]               NOT NULL DEFAULT '{}',
    confidential boolean              NOT NULL DEFAULT false,
    opened_at    timestamptz          NOT NULL DEFAULT now()
);
CREATE INDEX app_records_requester_id ON public.app_records (requester_id);
CREATE INDEX app_records_assignee_id ON public.app_records (assignee_id);

CREATE TABLE public.elements (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text    NOT NULL,
    code          text    NOT NULL,
    scope         text    NOT NULL,
    owner_group   text    NOT NULL,
    certificates  text[]  NOT NULL DEFAULT '{}',
    verified      boolean NOT NULL DEFAULT false,
    contract_ends date,
    notes         text
);
CREATE INDEX elements_scope ON public.elements (scope COLLATE "C");

CREATE TABLE public.tasks (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title          text        NOT NULL,
    project_id     bigint      NOT NULL,
    team_id        bigint      NOT NULL,
    assignee_id    uuid,
    priority       bigint      NOT NULL DEFAULT 1,
    estimate_hours bigint      NOT NULL DEFAULT 0,
    spent_hours    bigint      NOT NULL DEFAULT 0,
    starts_at      timestamptz NOT NULL,
    done           boolean     NOT NULL DEFAULT false
);
CREATE INDEX tasks_team_id ON public.tasks (team_id);
CREATE INDEX tasks_assignee_id ON public.tasks (assignee_id);

CREATE TABLE public.table_rows (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    table_name text   NOT NULL,
    label      text   NOT NULL,
    day        date   NOT NULL,
    clearance  bigint NOT NULL DEFAULT 0
);
CREATE INDEX table_rows_table_name ON public.table_rows (table_name);
