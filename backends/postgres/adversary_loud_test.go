package postgres_test

import (
	"strings"
	"testing"
)

// loudly makes functions that tell all that they are asked about and cost
// nothing, so that the planner asks them as early as it may; an operator that
// estimates by statistics, which asks while a query is planned; and notes of
// others, enough for every kind of plan.
const loudly = `
CREATE FUNCTION public.loud(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'heard %', $1; RETURN true; END$$;
CREATE FUNCTION public.stable(text) RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0000001 AS $$BEGIN RAISE NOTICE 'heard %', $1; RETURN true; END$$;
CREATE FUNCTION public.loudly(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0000001 AS $$BEGIN RAISE NOTICE 'heard % %', $1, $2; RETURN $1 = $2; END$$;
CREATE FUNCTION public.echo(text) RETURNS text LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'heard %', $1; RETURN $1; END$$;
CREATE FUNCTION public.rows(text) RETURNS SETOF text LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'heard %', $1; RETURN NEXT $1; END$$;
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.loudly, RESTRICT = eqsel, JOIN = eqjoinsel, COMMUTATOR = OPERATOR(public.===));
CREATE OPERATOR public.<<< (LEFTARG = text, RIGHTARG = text, FUNCTION = public.loudly, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
INSERT INTO vault.notes SELECT i, 2, 'CANARY body', 'CANARY ' || i, 'CANARY ' || i, 'CANARY t', 'CANARY owner' FROM generate_series(100, 400) AS s(i);
CREATE INDEX ON vault.notes (body); CREATE INDEX ON vault.notes (desk); CREATE INDEX ON vault.notes (owner); CREATE INDEX ON vault.notes (lower(seal));
CREATE STATISTICS vault.more ON (left(seal, 9)), (right(seal, 2)) FROM vault.notes;
ANALYZE vault.notes;
`

// overheard are queries that ask those functions from every place that a client
// can write one.
var overheard = []string{
	"SELECT id FROM notes WHERE public.loud(body) AND public.loud(seal) AND public.loud(code) AND public.loud(trace)",
	"SELECT id FROM notes WHERE public.stable(body) OR public.stable(seal)",
	"SELECT id FROM notes n WHERE public.loud(n::text) AND public.loud(to_json(n)::text)",
	"SELECT id FROM notes WHERE CASE WHEN public.loud(seal) THEN public.loud(body) ELSE public.loud(code) END",
	"SELECT id FROM notes WHERE seal OPERATOR(public.===) body OR code OPERATOR(public.===) body",
	"SELECT id FROM notes WHERE body OPERATOR(public.===) 'hers' AND owner OPERATOR(public.<<<) 'ann'",
	"SELECT id FROM notes WHERE seal OPERATOR(public.===) '…11' OR trace OPERATOR(public.<<<) 'x' OR code OPERATOR(public.===) 'a1'",
	"SELECT id FROM notes WHERE id = 1 AND public.loud(seal) OR owner = 'bob' AND public.loud(body)",
	"SELECT a.id FROM notes a JOIN notes b ON public.loudly(a.seal, b.code) AND public.loudly(a.body, b.trace)",
	"SELECT a.id FROM notes a JOIN notes b ON a.id = b.id AND public.loud(b.seal) WHERE public.loud(a.code)",
	"SELECT a.id FROM notes a JOIN notes b ON a.body OPERATOR(public.===) b.body",
	"SELECT a.id FROM notes a FULL JOIN notes b USING (id) WHERE public.loud(a.seal) AND public.loud(b.code)",
	"SELECT v.id, n.code FROM (VALUES (1), (3), (300)) v(id) LEFT JOIN notes n ON n.id = v.id AND public.loud(n.body) AND public.loud(n.seal)",
	"SELECT v.id FROM (VALUES (1), (3), (300)) v(id) JOIN notes n ON n.id = v.id WHERE public.loud(n.body) AND public.loud(n.trace)",
	"SELECT v.id FROM generate_series(1, 400) v(id) JOIN notes n ON n.id = v.id WHERE public.loud(n.body || v.id)",
	"SELECT (SELECT count(*) FROM notes b WHERE public.loudly(a.body, b.body)) FROM notes a LEFT JOIN notes c ON public.loud(c.seal)",
	"SELECT 1 WHERE EXISTS (SELECT FROM notes WHERE public.loud(seal)) AND 3 NOT IN (SELECT id FROM notes WHERE public.loud(body))",
	"SELECT v.id FROM (VALUES (1), (3)) v(id) WHERE NOT EXISTS (SELECT FROM notes n WHERE n.id = v.id AND public.loud(n.seal) AND public.loud(n.body))",
	"SELECT s.id FROM (SELECT * FROM notes WHERE public.loud(code) OFFSET 0) s WHERE public.loud(s.seal)",
	"WITH c AS NOT MATERIALIZED (SELECT * FROM notes) SELECT a.id FROM c a, c b WHERE a.id = b.id AND public.loud(a.seal) AND public.loud(b.body)",
	"SELECT id FROM (SELECT id, seal, body FROM notes UNION ALL SELECT id, code, trace FROM notes) u WHERE public.loud(seal) AND public.loud(body)",
	"SELECT n.id, r FROM notes n, LATERAL public.rows(n.seal) r WHERE public.loud(n.body)",
	"SELECT public.rows(seal), public.echo(body) FROM notes",
	"SELECT id FROM notes ORDER BY public.echo(seal), public.echo(body) LIMIT 1",
	"SELECT public.echo(code), count(*) FROM notes GROUP BY public.echo(code), body HAVING public.loud(body) AND public.loud(max(seal))",
	"SELECT DISTINCT ON (public.echo(body)) id FROM notes",
	"SELECT count(*) FILTER (WHERE public.loud(seal)), max(public.echo(body)) FROM notes",
	"SELECT row_number() OVER (PARTITION BY public.echo(seal) ORDER BY public.echo(body)) FROM notes",
	"PREPARE p(text) AS SELECT id FROM notes WHERE public.loud(seal || $1) AND body OPERATOR(public.===) $1; EXECUTE p('x'); EXECUTE p('hers'); DEALLOCATE p",
	"DECLARE c SCROLL CURSOR FOR SELECT id FROM notes WHERE public.loud(seal) AND public.loud(body); FETCH ALL c; MOVE BACKWARD ALL c; FETCH ALL c",
	"SELECT id FROM notes WHERE public.loud(body) AND public.loud(seal) FOR UPDATE",
	"UPDATE notes SET body = public.echo(body) WHERE public.loud(seal) AND public.loud(body) AND public.loud(code) RETURNING public.loud(seal)",
	"UPDATE notes n SET body = n.body FROM notes m WHERE m.id = n.id AND public.loud(m.seal) AND public.loud(n.code)",
	"DELETE FROM notes WHERE public.loud(seal) AND public.loud(body) AND public.loud(code)",
	"DELETE FROM notes n USING (VALUES (1), (3)) v(id) WHERE v.id = n.id AND public.loud(n.body)",
	"INSERT INTO notes (id, desk, body) SELECT 9000, 1, 'x' FROM notes WHERE public.loud(body) AND public.loud(seal) LIMIT 1",
}

// A function that tells all that it is asked about, made by somebody who may, is
// asked about nothing but what the views show: neither rows that are not seen
// nor values behind masks; whatever plan is chosen, and though the views, which
// leave out no rows of their own, have no barrier.
func TestViewsKeepFromLoudFunctions(t *testing.T) {
	t.Parallel()
	s := unveiled(t, "loud")
	execute(t, s.admin, loudly)
	if got := values(t, s.admin, "", "SELECT reloptions IS NULL FROM pg_class WHERE oid = 'loud_role_views.notes'::regclass"); got != "true" {
		t.Errorf("no options: %s", got)
	}
	for _, planner := range []string{
		"",
		"SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off",
		"SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_nestloop = off; SET LOCAL enable_memoize = off",
		"SET LOCAL enable_material = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SET LOCAL plan_cache_mode = force_generic_plan",
		"SET LOCAL from_collapse_limit = 1; SET LOCAL join_collapse_limit = 1; SET LOCAL cpu_operator_cost = 1000; SET LOCAL random_page_cost = 0",
	} {
		conn, notices := s.client(t)
		begin := s.begun(t)
		for _, query := range overheard {
			notices.Reset()
			got, err := attack(conn, begin+"SET LOCAL jit = off;"+planner+"\n--\n"+query)
			if err != nil {
				notices.WriteString(describeError(err))
			}
			if strings.Contains(got+notices.String(), canary) {
				t.Errorf("%s\n%s\ntold %s %s", planner, query, got, notices)
			}
			if !strings.Contains(notices.String(), "heard") {
				t.Errorf("%s\n%s\nthe function was asked about nothing: %s", planner, query, notices)
			}
			if _, err := attack(conn, "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
		}
	}
}
