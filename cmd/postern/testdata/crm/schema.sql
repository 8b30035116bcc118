CREATE TABLE public.deals (id bigint PRIMARY KEY, owner_id bigint NOT NULL, region text NOT NULL);
INSERT INTO public.deals VALUES (1, 1, 'APAC'), (2, 2, 'EMEA'), (3, 2, 'APAC');
-- PostgreSQL 14 lets everyone make objects in public, later versions do not.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
