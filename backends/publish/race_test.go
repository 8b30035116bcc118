package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/compiler/model"
)

// whole fails unless the place holds one release, and says which.
func whole(t *testing.T, at model.Store) string {
	t.Helper()
	s := open(t, at)
	m := live(t, s)
	if m == nil || m.Publishing != nil {
		t.Fatalf("%+v", m)
	}
	damage, err := publish.Damage(context.Background(), s, m)
	if err != nil || len(damage) > 0 {
		t.Fatalf("revision %s: damage %v, %v", m.Revision, damage, err)
	}
	return m.Revision
}

// Whoever publishes to a place that is another one by then than when it was read
// changes nothing, is told, and succeeds after reading it again.
func TestPublishedSince(t *testing.T) {
	t.Parallel()
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, before := range []string{"", "one"} {
				mine, theirs := open(t, place.store), open(t, place.store)
				live(t, mine)
				live(t, theirs)
				if err := publish.Put(context.Background(), theirs, release("theirs"+before, "a"+before)); err != nil {
					t.Fatal(err)
				}
				if err := publish.Put(context.Background(), mine, release("mine", "b"+before)); !errors.Is(err, publish.ErrMoved) {
					t.Errorf("%v", err)
				}
				if got := whole(t, place.store); got != "theirs"+before {
					t.Errorf("%d: revision %s is live", i, got)
				}
				again := open(t, place.store)
				live(t, again)
				if err := publish.Put(context.Background(), again, release("again", "b"+before)); err != nil {
					t.Error(err)
				}
				if got := whole(t, place.store); got != "again" {
					t.Errorf("%d: revision %s is live", i, got)
				}
			}
		})
	}
}

// Of several who publish at the same time from the same state one succeeds, and
// what is live is all of its files; the others are told. A registry has no
// condition for a tag, so there more than one may be told that all is well, never
// of files that are not one release.
func TestPublishersRace(t *testing.T) {
	t.Parallel()
	const publishers, rounds = 4, 5
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for round := range rounds {
				stores := make([]publish.Store, publishers)
				for i := range stores {
					stores[i] = open(t, place.store)
					live(t, stores[i])
				}
				errs := make([]error, publishers)
				var all sync.WaitGroup
				for i := range stores {
					all.Go(func() {
						r := fmt.Sprintf("%d-%d", round, i)
						errs[i] = publish.Put(context.Background(), stores[i], release(r, r))
					})
				}
				all.Wait()
				got := whole(t, place.store)
				won := 0
				for i, err := range errs {
					switch {
					case err == nil:
						won++
						if got != fmt.Sprintf("%d-%d", round, i) && name != "oci" {
							t.Errorf("round %d: %d was told that it published, and revision %s is live", round, i, got)
						}
					case !errors.Is(err, publish.ErrMoved) && !errors.Is(err, publish.ErrReadBack):
						t.Errorf("round %d: %d: %v", round, i, err)
					}
				}
				if won != 1 && name != "oci" {
					t.Errorf("round %d: %d of %d published: %v", round, won, publishers, errs)
				}
			}
		})
	}
}

// takeover lets somebody else do something before the n-th write.
type takeover struct {
	http.Handler
	mu     sync.Mutex
	before int
	do     func()
}

func (o *takeover) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		o.mu.Lock()
		o.before--
		do := o.do
		if o.before != 0 {
			do = nil
		} else {
			o.do = nil
		}
		o.mu.Unlock()
		if do != nil {
			do()
		}
	}
	o.Handler.ServeHTTP(w, r)
}

// A whole publishing between any two steps of another one leaves its own release
// whole, and the other is told.
func TestPublishedInBetween(t *testing.T) {
	t.Parallel()
	for step := 1; step <= 4; step++ {
		over := &takeover{Handler: &files{data: map[string][]byte{}}}
		_, u := serve(t, over)
		at := &model.HTTP{URL: u.String(), Token: secret("t0ken")}
		if err := publish.Put(context.Background(), open(t, at), release("first", "first")); err != nil {
			t.Fatal(err)
		}
		mine := open(t, at)
		live(t, mine)
		over.mu.Lock()
		over.before, over.do = step, func() {
			theirs := open(t, at)
			live(t, theirs)
			if err := publish.Put(context.Background(), theirs, release("theirs", "theirs")); err != nil {
				t.Errorf("before write %d: %v", step, err)
			}
		}
		over.mu.Unlock()
		if err := publish.Put(context.Background(), mine, release("mine", "mine")); !errors.Is(err, publish.ErrMoved) {
			t.Errorf("before write %d: %v", step, err)
		}
		if got := whole(t, at); got != "theirs" {
			t.Errorf("before write %d: revision %s is live", step, got)
		}
	}
}

// An answer that does not arrive is no failure, and nobody else's publishing.
func TestAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	for lost := 1; lost <= 4; lost++ {
		inner := &files{data: map[string][]byte{}}
		n := 0
		_, u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				if n++; n == lost {
					inner.ServeHTTP(&unheard{}, r)
					w.WriteHeader(http.StatusBadGateway)
					return
				}
			}
			inner.ServeHTTP(w, r)
		}))
		at := &model.HTTP{URL: u.String(), Token: secret("t0ken")}
		s := open(t, at)
		live(t, s)
		if err := publish.Put(context.Background(), s, release("one", "a")); err != nil {
			t.Errorf("write %d: %v", lost, err)
		}
		if got := whole(t, at); got != "one" {
			t.Errorf("write %d: revision %s is live", lost, got)
		}
	}
}

// A server that knows no conditional writes is told apart from one in which two
// write at the same moment, which passes.
func TestBucketWithoutConditions(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		text   string
		writes int
	}{http.StatusNotImplemented: {"conditional writes", 1}, http.StatusConflict: {"publishing postern.json", 4}} {
		place := places(t)["s3"]
		place.gate.mu.Lock()
		place.gate.fail, place.gate.status = 0, status
		place.gate.mu.Unlock()
		s := open(t, place.store)
		live(t, s)
		err := publish.Put(context.Background(), s, release("one", "a"))
		place.gate.mu.Lock()
		writes := place.gate.writes
		place.gate.mu.Unlock()
		if err == nil || !strings.Contains(err.Error(), want.text) || writes != want.writes {
			t.Errorf("%d: after %d writes: %v", status, writes, err)
		}
	}
}

// unheard takes an answer and gives it to nobody.
type unheard struct{}

func (*unheard) Header() http.Header         { return http.Header{} }
func (*unheard) Write(b []byte) (int, error) { return len(b), nil }
func (*unheard) WriteHeader(int)             {}
