package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/compiler/model"
)

// pollEvery is how often a running OPA is asked while one waits for it.
const pollEvery = 250 * time.Millisecond

// answerWithin bounds one request to an OPA.
const answerWithin = 10 * time.Second

// Serves reports whether an OPA serves exactly the bundle with this content, of
// this project, without an error; the error says what it does instead.
func Serves(ctx context.Context, o *model.OPA, token, project, content string) error {
	name, err := active(ctx, o, token, project, content)
	if name != "" {
		if complains := complaint(ctx, o, token, name); complains != nil {
			return complains
		}
	}
	return err
}

type activeBundle struct {
	Manifest struct {
		Revision string   `json:"revision"`
		Roots    []string `json:"roots"`
		Metadata struct {
			Project string `json:"project"`
			Content string `json:"content_sha256"`
		} `json:"metadata"`
	} `json:"manifest"`
}

// active finds the project's bundle; "" where there is none.
func active(ctx context.Context, o *model.OPA, token, project, content string) (string, error) {
	var got struct {
		Result map[string]activeBundle `json:"result"`
	}
	status, err := ask(ctx, o, token, "/v1/data/system/bundles", &got)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("it answers %d %s", status, http.StatusText(status))
	}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(got.Result)) {
		b := got.Result[name].Manifest
		if !slices.Contains(b.Roots, "postern/"+project) {
			others = append(others, fmt.Sprintf("%s (%s)", name, strings.Join(b.Roots, ", ")))
			continue
		}
		if b.Metadata.Content != content {
			return name, fmt.Errorf("it serves another bundle of the project, revision %s", b.Revision)
		}
		return name, nil
	}
	if len(others) > 0 {
		return "", fmt.Errorf("it serves no bundle with the root postern/%s, but %s", project, strings.Join(others, ", "))
	}
	return "", errors.New("it serves no bundle")
}

// complaint is what an OPA reports of a bundle's last download; nil when all is
// well, or when it answers that it does not report.
func complaint(ctx context.Context, o *model.OPA, token, name string) error {
	var got struct {
		Result struct {
			Bundles map[string]struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"bundles"`
		} `json:"result"`
	}
	status, err := ask(ctx, o, token, "/v1/status", &got)
	if err != nil {
		return err
	}
	if status != http.StatusOK { // its status plugin is off
		return nil
	}
	if b := got.Result.Bundles[name]; b.Code != "" {
		return fmt.Errorf("it reports %s of the bundle %s: %s", b.Code, name, firstLine(b.Message))
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if len(line) > 300 {
		line = line[:300] + "…"
	}
	return line
}

func ask(ctx context.Context, o *model.OPA, token, path string, into any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(o.URL, "/")+path, nil)
	if err != nil {
		return 0, fmt.Errorf("it cannot be asked: %w", err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client().Do(req)
	if err != nil {
		return 0, fmt.Errorf("it does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxFile)).Decode(into); err != nil {
		return 0, fmt.Errorf("its answer cannot be read: %w", err)
	}
	return resp.StatusCode, nil
}

// Await waits until all OPAs serve the bundle, for at most the block's time, and
// says of the others what they do instead, by name.
func Await(ctx context.Context, p *model.Publish, secrets Secrets, project, content string) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	failed := map[string]error{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, o := range p.OPAs {
		all.Go(func() {
			if err := awaitOne(ctx, o, secrets, project, content); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[o.Name] = err
			}
		})
	}
	all.Wait()
	return failed
}

func awaitOne(ctx context.Context, o *model.OPA, secrets Secrets, project, content string) error {
	token, err := Token(o, secrets)
	if err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := errors.New("it does not answer in time")
	for {
		err := Serves(ctx, o, token, project, content)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // one that the end of waiting cut off says nothing
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}

// Token reads an OPA's token; "" for none.
func Token(o *model.OPA, secrets Secrets) (string, error) {
	if o.Token == nil {
		return "", nil
	}
	return secrets(o.Token)
}
