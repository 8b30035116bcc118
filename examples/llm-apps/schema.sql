-- The warehouse of the llm-apps example: PostgreSQL 14 or newer, an empty database.
-- Whoever runs this owns the tables.

CREATE TYPE public.order_status AS ENUM ('open', 'shipped', 'cancelled');

CREATE TABLE public.employees (
    id           uuid PRIMARY KEY,
    tenant_id    bigint NOT NULL,
    manager_id   uuid REFERENCES public.employees,
    name         text   NOT NULL,
    job          text   NOT NULL,
    home_address text   NOT NULL
);

CREATE TABLE public.salaries (
    employee_id uuid    NOT NULL REFERENCES public.employees,
    valid_from  date    NOT NULL,
    tenant_id   bigint  NOT NULL,
    yearly      numeric NOT NULL,
    PRIMARY KEY (employee_id, valid_from)
);

CREATE TABLE public.customers (
    id                uuid PRIMARY KEY,
    tenant_id         bigint      NOT NULL,
    owner_id          uuid        NOT NULL REFERENCES public.employees,
    name              text        NOT NULL,
    region            varchar(16) NOT NULL,
    email             text        NOT NULL,
    phone             text,
    tax_id            text,
    erasure_requested boolean     NOT NULL DEFAULT false
);
CREATE INDEX customers_owner_id ON public.customers (owner_id);

CREATE TABLE public.products (
    sku        varchar(24) PRIMARY KEY,
    name       text    NOT NULL,
    list_price numeric NOT NULL
);

CREATE TABLE public.orders (
    id          uuid PRIMARY KEY,
    tenant_id   bigint              NOT NULL,
    customer_id uuid                NOT NULL REFERENCES public.customers,
    rep_id      uuid                NOT NULL REFERENCES public.employees,
    region      varchar(16)         NOT NULL,
    status      public.order_status NOT NULL,
    total       numeric             NOT NULL,
    ordered_at  timestamptz         NOT NULL
);
CREATE INDEX orders_rep_id ON public.orders (rep_id);

CREATE TABLE public.order_lines (
    order_id   uuid        NOT NULL REFERENCES public.orders,
    line       bigint      NOT NULL,
    tenant_id  bigint      NOT NULL,
    sku        varchar(24) NOT NULL REFERENCES public.products,
    quantity   bigint      NOT NULL,
    unit_price numeric     NOT NULL,
    PRIMARY KEY (order_id, line)
);

CREATE TABLE public.support_tickets (
    id          uuid PRIMARY KEY,
    tenant_id   bigint      NOT NULL,
    customer_id uuid        NOT NULL REFERENCES public.customers,
    assignee_id uuid REFERENCES public.employees,
    subject     text        NOT NULL,
    opened_at   timestamptz NOT NULL,
    solved      boolean     NOT NULL
);
CREATE INDEX support_tickets_assignee_id ON public.support_tickets (assignee_id);

CREATE TABLE public.journal_entries (
    id        uuid PRIMARY KEY,
    tenant_id bigint  NOT NULL,
    booked_on date    NOT NULL,
    account   text    NOT NULL,
    amount    numeric NOT NULL,
    memo      text    NOT NULL
);

CREATE TABLE public.finance_summary (
    tenant_id bigint  NOT NULL,
    month     date    NOT NULL,
    revenue   numeric NOT NULL,
    costs     numeric NOT NULL,
    closed    boolean NOT NULL,
    PRIMARY KEY (tenant_id, month)
);
