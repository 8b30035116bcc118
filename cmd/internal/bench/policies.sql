CREATE TABLE public.accounts (id bigint PRIMARY KEY, owner_id uuid NOT NULL);
CREATE TABLE public.deals (id bigint PRIMARY KEY, owner_id uuid NOT NULL, region text NOT NULL, tenant_id bigint NOT NULL,
    account_id bigint NOT NULL, brand_id bigint NOT NULL, amount numeric NOT NULL, title text NOT NULL);
CREATE TABLE public.members (deal_id bigint NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (deal_id, user_id));
CREATE TABLE public.items (id bigint PRIMARY KEY, deal_id bigint NOT NULL, status text NOT NULL, reviewer_id uuid NOT NULL);
INSERT INTO public.deals
    SELECT i, ('00000000-0000-4000-8000-' || lpad((i * 7919 %% 200)::text, 12, '0'))::uuid, 'r' || lpad((i * 104729 %% 1000)::text, 3, '0'),
        i * 7919 %% 100, i * 15485863 %% 10000, i * 15485863 %% 10000, i %% 977 + 0.5, md5(i::text)
    FROM generate_series(1, %[1]d::bigint) AS s(i);
INSERT INTO public.accounts SELECT i, ('00000000-0000-4000-8000-' || lpad((i %% 1000)::text, 12, '0'))::uuid FROM generate_series(0, 9999) AS s(i);
INSERT INTO public.members SELECT DISTINCT i * 31 %% %[1]d + 1, ('00000000-0000-4000-8000-' || lpad((i %% 1000)::text, 12, '0'))::uuid
    FROM generate_series(1, %[2]d::bigint * 20) AS s(i);
INSERT INTO public.items SELECT i, i * 17 %% %[1]d + 1, CASE WHEN i %% 3 = 0 THEN 'open' ELSE 'done' END,
    ('00000000-0000-4000-8000-' || lpad((i %% 1000)::text, 12, '0'))::uuid FROM generate_series(1, %[2]d::bigint * 50) AS s(i);
CREATE INDEX deals_owner ON public.deals (owner_id);
CREATE INDEX deals_region ON public.deals (region);
CREATE INDEX deals_tenant ON public.deals (tenant_id);
CREATE INDEX deals_account ON public.deals (account_id);
CREATE INDEX accounts_owner ON public.accounts (owner_id);
CREATE INDEX members_user ON public.members (user_id);
CREATE INDEX items_deal ON public.items (deal_id);
CREATE INDEX items_reviewer ON public.items (reviewer_id);
VACUUM (ANALYZE, FREEZE)
