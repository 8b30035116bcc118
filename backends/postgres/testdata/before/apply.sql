CREATE ROLE "before_role" WITH NOLOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1;
COMMENT ON ROLE "before_role" IS 'postern:project=before';
CREATE ROLE "before_role_a" WITH LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 VALID UNTIL 'infinity';
COMMENT ON ROLE "before_role_a" IS 'postern:project=before';
ALTER ROLE "before_role_a" SET "search_path" TO 'before_role_views', '$user', 'public';
CREATE ROLE "before_role_views" WITH NOLOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1;
COMMENT ON ROLE "before_role_views" IS 'postern:project=before';
CREATE ROLE "postern_before" WITH NOLOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1;
COMMENT ON ROLE "postern_before" IS 'postern:project=before';
ALTER TABLE "public"."accounts" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "public"."deals" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "public"."people" ENABLE ROW LEVEL SECURITY;
CREATE SCHEMA "before_role_views" AUTHORIZATION "before_role_views";
COMMENT ON SCHEMA "before_role_views" IS 'postern:project=before';
CREATE SCHEMA "postern" AUTHORIZATION "postern_before";
COMMENT ON SCHEMA "postern" IS 'postern:project=before';
CREATE TABLE "postern"."directory" (
    "key" text NOT NULL,
    "level" text,
    "groups" text,
    "attributes" text,
    PRIMARY KEY ("key")
);
ALTER TABLE "postern"."directory" ENABLE ROW LEVEL SECURITY;
INSERT INTO "postern"."directory" ("key", "level", "groups", "attributes") VALUES ('moved', NULL, '["managers"]', '{"id":"moved","region":"EMEA"}');
ALTER TABLE "postern"."directory" OWNER TO "postern_before";
CREATE TABLE "postern"."generation" (
    "name" text NOT NULL,
    "hash" text NOT NULL,
    PRIMARY KEY ("name")
);
ALTER TABLE "postern"."generation" ENABLE ROW LEVEL SECURITY;
INSERT INTO "postern"."generation" ("name", "hash") VALUES ('identity', '00e02787aa0959d9');
ALTER TABLE "postern"."generation" OWNER TO "postern_before";
CREATE TABLE "postern"."group_closure" (
    "name" text NOT NULL,
    "above" text NOT NULL,
    PRIMARY KEY ("name", "above")
);
ALTER TABLE "postern"."group_closure" ENABLE ROW LEVEL SECURITY;
INSERT INTO "postern"."group_closure" ("name", "above") VALUES ('managers', 'managers');
INSERT INTO "postern"."group_closure" ("name", "above") VALUES ('managers', 'reps');
INSERT INTO "postern"."group_closure" ("name", "above") VALUES ('reps', 'reps');
ALTER TABLE "postern"."group_closure" OWNER TO "postern_before";
CREATE TABLE "postern"."history" (
    "applied_at" timestamp with time zone NOT NULL,
    "project" text NOT NULL,
    "revision" text NOT NULL,
    "actor" text NOT NULL,
    "plan" text NOT NULL,
    "program" text NOT NULL,
    PRIMARY KEY ("applied_at", "plan")
);
ALTER TABLE "postern"."history" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "postern"."history" OWNER TO "postern_before";
CREATE TABLE "postern"."objects" (
    "kind" text NOT NULL,
    "schema" text NOT NULL,
    "name" text NOT NULL,
    "sub" text NOT NULL,
    "desired" text NOT NULL,
    "live" text NOT NULL,
    PRIMARY KEY ("kind", "schema", "name", "sub")
);
ALTER TABLE "postern"."objects" OWNER TO "postern_before";
CREATE TABLE "postern"."passwords" (
    "role" text NOT NULL,
    "verifier" text NOT NULL,
    PRIMARY KEY ("role")
);
ALTER TABLE "postern"."passwords" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "postern"."passwords" OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_bool"(value json)
    RETURNS boolean
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    IF json_typeof(value) = 'boolean' THEN
        RETURN (value #>> '{}') = 'true';
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_bool"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_bool"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_bool_set"(value json)
    RETURNS boolean[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item boolean;
    items boolean[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_bool(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_bool_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_bool_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_date"(value json)
    RETURNS date
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    RETURN postern.day(postern.as_string(value));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_date"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_date"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_date_set"(value json)
    RETURNS date[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item date;
    items date[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_date(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_date_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_date_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_int"(value json)
    RETURNS bigint
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
DECLARE
    n numeric := postern.plain_number(value);
BEGIN
    IF n = trunc(n) AND n >= -9223372036854775808 AND n <= 9223372036854775807 THEN
        RETURN n::bigint;
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_int"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_int"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_int_set"(value json)
    RETURNS bigint[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item bigint;
    items bigint[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_int(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_int_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_int_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_ip"(value json)
    RETURNS inet
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- One IPv4 or IPv6 address. What is no address is found by its shape and not by
-- a failing cast: an exception block cannot run beside parallel workers.
DECLARE
    s text := postern.as_string(value);
    shape text;
    ip inet;
BEGIN
    IF s ~ '^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$' THEN
        RETURN s::inet;
    END IF;
    -- An IPv4 tail stands for two groups.
    shape := regexp_replace(s,
        ':((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$', ':0:0');
    IF shape ~ '^([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}$'
        OR shape ~ '^([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?$'
        AND cardinality(array_remove(string_to_array(shape, ':'), '')) <= 7 THEN
        ip := s::inet;
        IF NOT (ip <<= '::ffff:0.0.0.0/96'::inet) THEN
            RETURN ip;
        END IF;
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_ip"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_ip"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_ip_set"(value json)
    RETURNS inet[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item inet;
    items inet[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_ip(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_ip_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_ip_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_number"(value json)
    RETURNS numeric
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
DECLARE
    n numeric := postern.plain_number(value);
BEGIN
    IF abs(n) < 100000000000000000000000000000000000000 AND n = round(n, 18) THEN
        RETURN n;
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_number"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_number"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_number_set"(value json)
    RETURNS numeric[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item numeric;
    items numeric[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_number(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_number_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_number_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_string"(value json)
    RETURNS text
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    IF json_typeof(value) = 'string' THEN
        RETURN value #>> '{}';
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_string"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_string"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_string_set"(value json)
    RETURNS text[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item text;
    items text[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_string(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_string_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_string_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_timestamp"(value json)
    RETURNS timestamp with time zone
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
DECLARE
    s text := postern.as_string(value);
    t timestamptz;
BEGIN
    IF s IS NULL OR postern.day(left(s, 10)) IS NULL OR substr(s, 11) !~
        '^T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$' THEN
        RETURN NULL;
    END IF;
    t := s::timestamptz;
    IF t >= '0001-01-01 00:00:00+00'::timestamptz AND t <= '9999-12-31 23:59:59.999999+00'::timestamptz THEN
        RETURN t;
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_timestamp"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_timestamp"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_timestamp_set"(value json)
    RETURNS timestamp with time zone[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item timestamp with time zone;
    items timestamp with time zone[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_timestamp(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_timestamp_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_timestamp_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_uuid"(value json)
    RETURNS uuid
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
DECLARE
    s text := postern.as_string(value);
BEGIN
    IF s ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
        RETURN s::uuid;
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_uuid"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_uuid"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."as_uuid_set"(value json)
    RETURNS uuid[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item uuid;
    items uuid[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.as_uuid(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."as_uuid_set"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."as_uuid_set"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."attribute"(name text, path text[])
    RETURNS json
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
DECLARE
    s json := postern.subject();
    stated json := s -> 'attributes' -> name;
BEGIN
    IF stated IS NOT NULL THEN
        RETURN stated;
    END IF;
    RETURN postern.claim(s -> 'claims', path);
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."attribute"(name text, path text[]) FROM PUBLIC;
ALTER FUNCTION "postern"."attribute"(name text, path text[]) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."claim"(document json, path text[])
    RETURNS json
    LANGUAGE "plpgsql" IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- One member of a document, through objects alone: a number in a path never
-- means an element of an array.
DECLARE
    step text;
BEGIN
    FOREACH step IN ARRAY path LOOP
        IF document IS NULL OR json_typeof(document) <> 'object' THEN
            RETURN NULL;
        END IF;
        document := document -> step;
    END LOOP;
    RETURN document;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."claim"(document json, path text[]) FROM PUBLIC;
ALTER FUNCTION "postern"."claim"(document json, path text[]) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."day"(s text)
    RETURNS date
    LANGUAGE "plpgsql" IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- The day that "2006-01-02" names; NULL where there is none, year 0 included.
DECLARE
    y int;
    m int;
    d int;
BEGIN
    IF s IS NULL OR s !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN
        RETURN NULL;
    END IF;
    y := left(s, 4)::int;
    m := substr(s, 6, 2)::int;
    d := right(s, 2)::int;
    IF y = 0 OR d > 30 AND m IN (4, 6, 9, 11) OR d > 29 AND m = 2
        OR d > 28 AND m = 2 AND NOT (y % 4 = 0 AND (y % 100 <> 0 OR y % 400 = 0)) THEN
        RETURN NULL;
    END IF;
    RETURN make_date(y, m, d);
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."day"(s text) FROM PUBLIC;
ALTER FUNCTION "postern"."day"(s text) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."document"(s text)
    RETURNS json
    LANGUAGE "plpgsql" IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A JSON document of a request. Postgres reads no document with a NUL character
-- in a string, so such a string becomes an object: no attribute has that type.
BEGIN
    IF position(E'\\u0000' IN s) > 0 THEN
        s := regexp_replace(s, E'"([^"\\\\]|\\\\[^u]|\\\\u(?!0000))*\\\\u0000([^"\\\\]|\\\\.)*"', '{}', 'g');
    END IF;
    RETURN s::json;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."document"(s text) FROM PUBLIC;
ALTER FUNCTION "postern"."document"(s text) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."plain_number"(value json)
    RETURNS numeric
    LANGUAGE "plpgsql" IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- A JSON number of bounded length: 1e999999999 would take the server's memory.
BEGIN
    IF json_typeof(value) = 'number'
        AND (value #>> '{}') ~ '^-?(0|[1-9][0-9]{0,99})([.][0-9]{1,99})?([eE][+-]?[0-9]{1,2})?$' THEN
        RETURN (value #>> '{}')::numeric;
    END IF;
    RETURN NULL;
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."plain_number"(value json) FROM PUBLIC;
ALTER FUNCTION "postern"."plain_number"(value json) OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."related_deals_account_c96960bf9656a53b"()
    RETURNS bigint[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    RETURN ARRAY(SELECT DISTINCT r1.id FROM public.accounts r1 WHERE ((r1.id IS NOT NULL) AND (r1.owner = ( SELECT postern.user_id() AS user_id))));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."related_deals_account_c96960bf9656a53b"() FROM PUBLIC;
ALTER FUNCTION "postern"."related_deals_account_c96960bf9656a53b"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."session"()
    RETURNS json
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- The claims stand in a setting that a trusted server makes for each
-- transaction. Empty is anonymous; anything but a JSON object is an error.
DECLARE
    claims json := postern.document(nullif(current_setting('postern.claims', true), ''));
    request json := postern.document(nullif(current_setting('postern.request', true), ''));
BEGIN
    IF json_typeof(claims) <> 'object' THEN
        RAISE EXCEPTION 'postern: the setting % does not hold a JSON object', 'postern.claims' USING ERRCODE = '22023';
    END IF;
    IF json_typeof(request) <> 'object' THEN
        RAISE EXCEPTION 'postern: the setting postern.request does not hold a JSON object' USING ERRCODE = '22023';
    END IF;
    RETURN json_build_object('user', claims, 'request', request);
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."session"() FROM PUBLIC;
ALTER FUNCTION "postern"."session"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."subject"()
    RETURNS json
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- What is known of the user: the claims, and what the directory states in
-- their place. At level anonymous nothing else is told.
DECLARE
    claims json := postern.session() -> 'user';
    id text;
    entry record;
    stated json;
    level text;
BEGIN
    IF claims IS NULL OR json_typeof(claims) <> 'object' THEN
        RETURN json_build_object('level', 'anonymous');
    END IF;
    id := postern.as_string(postern.claim(claims, ARRAY['id']::text[]))::text;
    
    -- This text is the current one, but rows are those of the transaction's
    -- snapshot: the directory and the groups must be those it was made with.
    SELECT d.level, d.groups::json AS groups, d.attributes::json AS attributes
        INTO entry FROM postern.generation g LEFT JOIN postern.directory d ON d.key = id
        WHERE g.name = 'identity' AND g.hash = '00e02787aa0959d9';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'postern: the rules have changed since this transaction began; retry it' USING ERRCODE = '40001';
    END IF;
    stated := claims -> 'access_level';
    IF entry.level IS NOT NULL THEN
        level := entry.level;
    ELSIF stated IS NULL OR json_typeof(stated) = 'null' THEN
        level := CASE WHEN id IS NULL THEN 'anonymous' ELSE 'user' END;
    ELSIF postern.as_string(stated) = ANY (ARRAY['anonymous', 'user', 'superuser']::text[]) THEN
        level := postern.as_string(stated);
    END IF;
    IF level = 'anonymous' THEN
        RETURN json_build_object('level', level);
    END IF;
    RETURN json_build_object('level', level, 'claims', claims,
        'groups', coalesce(entry.groups, claims -> 'groups'), 'attributes', entry.attributes);
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."subject"() FROM PUBLIC;
ALTER FUNCTION "postern"."subject"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."user_access_level"()
    RETURNS text
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    RETURN postern.subject() ->> 'level';
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."user_access_level"() FROM PUBLIC;
ALTER FUNCTION "postern"."user_access_level"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."user_groups"()
    RETURNS text[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
-- The stated groups and all that they are nested in.
DECLARE
    direct text[] := postern.as_string_set(postern.subject() -> 'groups');
BEGIN
    IF direct IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(
        SELECT g FROM unnest(direct) AS d(g)
        UNION
        SELECT c.above FROM postern.group_closure c WHERE c.name = ANY (direct)
    );
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."user_groups"() FROM PUBLIC;
ALTER FUNCTION "postern"."user_groups"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."user_id"()
    RETURNS text
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    RETURN postern.as_string(postern.attribute('id', ARRAY['id']::text[]));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."user_id"() FROM PUBLIC;
ALTER FUNCTION "postern"."user_id"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."user_region"()
    RETURNS text
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    RETURN postern.as_string(postern.attribute('region', ARRAY['app_metadata', 'region']::text[]));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."user_region"() FROM PUBLIC;
ALTER FUNCTION "postern"."user_region"() OWNER TO "postern_before";
CREATE OR REPLACE FUNCTION "postern"."user_regions"()
    RETURNS text[]
    LANGUAGE "plpgsql" STABLE PARALLEL RESTRICTED SECURITY DEFINER
    SET "search_path" TO 'pg_catalog', 'pg_temp'
    AS $postern$
BEGIN
    RETURN postern.as_string_set(postern.attribute('regions', ARRAY['regions']::text[]));
END
$postern$;
REVOKE ALL ON FUNCTION "postern"."user_regions"() FROM PUBLIC;
ALTER FUNCTION "postern"."user_regions"() OWNER TO "postern_before";
CREATE VIEW "before_role_views"."people" WITH ("security_barrier" = 'true') AS
SELECT id,
    team,
    CASE WHEN ( SELECT ('managers'::text = ANY (postern.user_groups())) AS gate) THEN ssn ELSE ('…'::text || "right"(ssn, CASE WHEN (length(ssn) > 4) THEN 4 ELSE 0 END)) END AS ssn
   FROM public.people;
ALTER VIEW "before_role_views"."people" OWNER TO "before_role_views";
CREATE POLICY "postern_related" ON "public"."accounts" AS PERMISSIVE FOR SELECT TO "postern_before" USING (true);
CREATE POLICY "postern_before_role_delete" ON "public"."deals" AS PERMISSIVE FOR DELETE TO "before_role" USING ((( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate) AND ((owner = ( SELECT postern.user_id() AS user_id)) OR (account_id = ANY (( SELECT postern.related_deals_account_c96960bf9656a53b() AS related_deals_account_c96960bf9656a53b)::bigint[]))) AND (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text])) AS gate) OR (( SELECT ('reps'::text = ANY (postern.user_groups())) AS gate) AND ((region = ( SELECT postern.user_region() AS user_region)) OR (region = ANY (( SELECT postern.user_regions() AS user_regions)::text[])))) OR (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate) AND ((owner = ( SELECT postern.user_id() AS user_id)) OR (account_id = ANY (( SELECT postern.related_deals_account_c96960bf9656a53b() AS related_deals_account_c96960bf9656a53b)::bigint[])))))));
CREATE POLICY "postern_before_role_edit" ON "public"."deals" AS PERMISSIVE FOR UPDATE TO "before_role" USING ((( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate) AND ((owner = ( SELECT postern.user_id() AS user_id)) OR (account_id = ANY (( SELECT postern.related_deals_account_c96960bf9656a53b() AS related_deals_account_c96960bf9656a53b)::bigint[]))) AND (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text])) AS gate) OR (( SELECT ('reps'::text = ANY (postern.user_groups())) AS gate) AND ((region = ( SELECT postern.user_region() AS user_region)) OR (region = ANY (( SELECT postern.user_regions() AS user_regions)::text[])))) OR (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate) AND ((owner = ( SELECT postern.user_id() AS user_id)) OR (account_id = ANY (( SELECT postern.related_deals_account_c96960bf9656a53b() AS related_deals_account_c96960bf9656a53b)::bigint[]))))))) WITH CHECK ((( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate) AND ((owner = ( SELECT postern.user_id() AS user_id)) OR (account_id = ANY (( SELECT postern.related_deals_account_c96960bf9656a53b() AS related_deals_account_c96960bf9656a53b)::bigint[]))) AND (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text])) AS gate) OR (( SELECT ('reps'::text = ANY (postern.user_groups())) AS gate) AND ((region = ( SELECT postern.user_region() AS user_region)) OR (region = ANY (( SELECT postern.user_regions() AS user_regions)::text[])))) OR (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate) AND ((owner = ( SELECT postern.user_id() AS user_id)) OR (account_id = ANY (( SELECT postern.related_deals_account_c96960bf9656a53b() AS related_deals_account_c96960bf9656a53b)::bigint[])))))));
CREATE POLICY "postern_before_role_view" ON "public"."deals" AS PERMISSIVE FOR SELECT TO "before_role" USING (((region = ANY (( SELECT (
        CASE
            WHEN ('reps'::text = ANY (postern.user_groups())) THEN postern.user_regions()
            ELSE NULL::text[]
        END || ARRAY[
        CASE
            WHEN ('reps'::text = ANY (postern.user_groups())) THEN postern.user_region()
            ELSE NULL::text
        END]) AS value)::text[])) OR (owner = ( SELECT
        CASE
            WHEN (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) THEN postern.user_id()
            ELSE NULL::text
        END AS value)) OR (account_id = ANY (( SELECT
        CASE
            WHEN (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) THEN postern.related_deals_account_c96960bf9656a53b()
            ELSE NULL::bigint[]
        END AS value)::bigint[])) OR ((id >= ( SELECT
        CASE
            WHEN (postern.user_access_level() = ANY (ARRAY['superuser'::text])) THEN '-9223372036854775808'::bigint
            ELSE NULL::bigint
        END AS value)) AND (id <= ( SELECT
        CASE
            WHEN (postern.user_access_level() = ANY (ARRAY['superuser'::text])) THEN '9223372036854775807'::bigint
            ELSE NULL::bigint
        END AS value)))));
CREATE POLICY "postern_before_role_view" ON "public"."people" AS PERMISSIVE FOR SELECT TO "before_role_views" USING (( SELECT (postern.user_access_level() = ANY (ARRAY['superuser'::text, 'user'::text])) AS gate));
GRANT "before_role" TO "before_role_a";
GRANT CONNECT ON DATABASE "DATABASE" TO "before_role";
GRANT EXECUTE ON FUNCTION "postern"."related_deals_account_c96960bf9656a53b"() TO "before_role";
GRANT EXECUTE ON FUNCTION "postern"."user_access_level"() TO "before_role";
GRANT EXECUTE ON FUNCTION "postern"."user_groups"() TO "before_role";
GRANT EXECUTE ON FUNCTION "postern"."user_id"() TO "before_role";
GRANT EXECUTE ON FUNCTION "postern"."user_region"() TO "before_role";
GRANT EXECUTE ON FUNCTION "postern"."user_regions"() TO "before_role";
GRANT USAGE ON SCHEMA "before_role_views" TO "before_role";
GRANT USAGE ON SCHEMA "postern" TO PUBLIC;
GRANT USAGE ON SCHEMA "public" TO "before_role", "before_role_views", "postern_before";
GRANT SELECT ("id", "ssn", "team") ON TABLE "before_role_views"."people" TO "before_role";
GRANT SELECT ON TABLE "postern"."objects" TO PUBLIC;
GRANT SELECT ("id", "owner") ON TABLE "public"."accounts" TO "postern_before";
GRANT DELETE, SELECT ("account_id", "id", "owner", "region"), UPDATE ("account_id", "id", "owner", "region") ON TABLE "public"."deals" TO "before_role";
GRANT SELECT ("id", "ssn", "team") ON TABLE "public"."people" TO "before_role_views";
INSERT INTO "postern"."objects" (kind, schema, name, sub, desired, live) VALUES ('project', '', '', '', 'e0a5236cd64117cf49c62d7967bf8de0c3d5f944a5f68ca2a784104edefea83d', '')
ON CONFLICT (kind, schema, name, sub) DO UPDATE SET desired = excluded.desired, live = excluded.live;
INSERT INTO "postern"."objects" (kind, schema, name, sub, desired, live)
SELECT 'policy', w.schema, w.name, w.sub, w.desired, encode(sha256(convert_to(
	octet_length(convert_to(coalesce(pg_get_expr(p.polqual, p.polrelid), ''), 'UTF8'))::text || ':' ||
	coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
	'UTF8')), 'hex')
FROM (VALUES
	('public', 'accounts', 'postern_related', '03efd5e077d6d0767fe3d16e71ee0d5ddd5da60a7819de9bb151c20b0ffcab08'),
	('public', 'deals', 'postern_before_role_delete', '18b461a00f0f01526bef6299123769a4bcee9486a8ce6da5b15cb3f92a06e027'),
	('public', 'deals', 'postern_before_role_edit', '51687479c2712e9aa12b9c1115aaff2548a9cdddf1eecc093563f5fbcb66ffa9'),
	('public', 'deals', 'postern_before_role_view', '64f467ad9e6a86e3f1fb20eb26e57f5a6ffb0252018c073a4573f7219eb0d692'),
	('public', 'people', 'postern_before_role_view', 'a1ed4d1b228fb5ffda63657637fc50a5939ddd445866dd8623fed1e1c15b60fc')
) AS w(schema, name, sub, desired)
	JOIN pg_namespace n ON n.nspname = w.schema
	JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
	JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = w.sub
ON CONFLICT (kind, schema, name, sub) DO UPDATE SET desired = excluded.desired, live = excluded.live;
INSERT INTO "postern"."objects" (kind, schema, name, sub, desired, live)
SELECT 'view', w.schema, w.name, '', w.desired, encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex')
FROM (VALUES
	('before_role_views', 'people', '881a22ca7a72cae720feb15c10081d34bb8fb3c84df6ab0642c1a138aaf592bb')
) AS w(schema, name, desired)
	JOIN pg_namespace n ON n.nspname = w.schema
	JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind = 'v'
ON CONFLICT (kind, schema, name, sub) DO UPDATE SET desired = excluded.desired, live = excluded.live;
INSERT INTO "postern"."objects" (kind, schema, name, sub, desired, live) VALUES
	('function', 'postern', 'as_bool', 'value json', '4d45f523c2dbcc34', ''),
	('function', 'postern', 'as_bool_set', 'value json', '80ff76eaf313e4d3', ''),
	('function', 'postern', 'as_date', 'value json', '8bf65b56038cf076', ''),
	('function', 'postern', 'as_date_set', 'value json', '2df19922f4c271f6', ''),
	('function', 'postern', 'as_int', 'value json', 'a8f5f93666f5b481', ''),
	('function', 'postern', 'as_int_set', 'value json', '933fd20c36cb2f03', ''),
	('function', 'postern', 'as_ip', 'value json', 'a33a508f7c51f95b', ''),
	('function', 'postern', 'as_ip_set', 'value json', '08053fa075b7c8b5', ''),
	('function', 'postern', 'as_number', 'value json', 'cdc00cc4bc543e31', ''),
	('function', 'postern', 'as_number_set', 'value json', '833b20084e960499', ''),
	('function', 'postern', 'as_string', 'value json', '1f21cbb60fa7f0ca', ''),
	('function', 'postern', 'as_string_set', 'value json', '7ece45eeff530e1b', ''),
	('function', 'postern', 'as_timestamp', 'value json', 'a74e8c543a1beb2f', ''),
	('function', 'postern', 'as_timestamp_set', 'value json', 'e0e664c8ad4dc24b', ''),
	('function', 'postern', 'as_uuid', 'value json', '7f10179787c8765f', ''),
	('function', 'postern', 'as_uuid_set', 'value json', '75a9a9c8da910454', ''),
	('function', 'postern', 'attribute', 'name text, path text[]', '678c48291a8f0745', ''),
	('function', 'postern', 'claim', 'document json, path text[]', 'f1d3c8effe1c92de', ''),
	('function', 'postern', 'day', 's text', '18f7661fd2ca119c', ''),
	('function', 'postern', 'document', 's text', '5e09ca27c6b8d40f', ''),
	('function', 'postern', 'plain_number', 'value json', '818d79dd06ff80e9', ''),
	('function', 'postern', 'related_deals_account_c96960bf9656a53b', '', '05fa8ee5d10704f4', ''),
	('function', 'postern', 'session', '', '51bcd5f240732b86', ''),
	('function', 'postern', 'subject', '', '1469ded03733445f', ''),
	('function', 'postern', 'user_access_level', '', '738ccd379b2f25aa', ''),
	('function', 'postern', 'user_groups', '', '61d33ee1f1d72663', ''),
	('function', 'postern', 'user_id', '', '7ed7d75033de6ad6', ''),
	('function', 'postern', 'user_region', '', 'fd76730e843827f1', ''),
	('function', 'postern', 'user_regions', '', '394fc460df837ef6', ''),
	('grants', '', '', 'database', '', 'ea311a5d3bc0c281c5ca925a2d0233db'),
	('grants', '', 'before_role_views', 'schema', '', 'ea311a5d3bc0c281445dfdf3196f76f6'),
	('grants', '', 'postern', 'schema', '', '297e64555bdc75e3445dfdf3196f76f6'),
	('grants', '', 'public', 'schema', '', '5a549dc27dffda22445dfdf3196f76f6 ea311a5d3bc0c281445dfdf3196f76f6 fedb77b157a7b424445dfdf3196f76f6'),
	('grants', 'postern', 'related_deals_account_c96960bf9656a53b', 'function', '', 'ea311a5d3bc0c281bc9347bac3284fae'),
	('grants', 'postern', 'user_access_level', 'function', '', 'ea311a5d3bc0c281bc9347bac3284fae'),
	('grants', 'postern', 'user_groups', 'function', '', 'ea311a5d3bc0c281bc9347bac3284fae'),
	('grants', 'postern', 'user_id', 'function', '', 'ea311a5d3bc0c281bc9347bac3284fae'),
	('grants', 'postern', 'user_region', 'function', '', 'ea311a5d3bc0c281bc9347bac3284fae'),
	('grants', 'postern', 'user_regions', 'function', '', 'ea311a5d3bc0c281bc9347bac3284fae'),
	('membership', '', 'before_role', 'before_role_a', 'e31ab643c44f7a0e', ''),
	('role', '', 'before_role', '', '76c6600c77de5140', ''),
	('role', '', 'before_role_a', '', '4f84e4fd3adf9b36', ''),
	('role', '', 'before_role_views', '', '76c6600c77de5140', ''),
	('role', '', 'postern_before', '', '76c6600c77de5140', ''),
	('schema', '', 'before_role_views', '', '8b70329695067b9b', ''),
	('table', 'before_role_views', 'people', '', '', 'ea311a5d3bc0c2818353609606fdbbbb'),
	('table', 'postern', 'directory', '', '95ef09c77932a9c7', ''),
	('table', 'postern', 'generation', '', '3c5eaa62226ba99b', ''),
	('table', 'postern', 'group_closure', '', '903aac0dcc80d7e1', ''),
	('table', 'postern', 'objects', '', '', '297e64555bdc75e3f7f2f2990608ea87'),
	('table', 'public', 'accounts', '', 'true false postgres', 'fedb77b157a7b4241d59772c6bbb95b0'),
	('table', 'public', 'deals', '', 'true false postgres', 'ea311a5d3bc0c28109762ee18cd655d5'),
	('table', 'public', 'people', '', 'true false postgres', '5a549dc27dffda228353609606fdbbbb')
ON CONFLICT (kind, schema, name, sub) DO UPDATE SET desired = excluded.desired, live = excluded.live;
