package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/serve"
	"github.com/postern-dev/postern/serve/authzen"
)

// clients is how many ask at the same time.
const clients = 4

// serving measures the server beside a handler that reads and writes the same
// JSON and decides nothing, turn by turn, on loopback.
func serving(ctx context.Context, w io.Writer, p *model.Program, requests int) error {
	_, document, err := load(ctx, p)
	if err != nil {
		return err
	}
	s, err := serve.New(ctx, serve.Source{
		State: func(context.Context) (string, error) { return "", nil },
		Build: func(context.Context) (*serve.Policy, error) { return &serve.Policy{Document: document}, nil },
	}, serve.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	ours, empty := httptest.NewServer(s.Handler()), httptest.NewServer(http.HandlerFunc(emptyHandler))
	defer ours.Close()
	defer empty.Close()
	body := fmt.Appendf(nil, `{"subject":{"type":"user","id":%q,"properties":{"region":%q,"groups":["staff"]}},"action":{"name":"view"},`+
		`"resource":{"type":"crm.%s","id":"1","properties":{"owner":%q,"region":%q,"amount":%d}}}`, me, region, p.Tables[0].Name, other, region, amount)
	var ratios []float64
	var rates [2]float64
	const rounds = 5
	for range rounds {
		for i, server := range []*httptest.Server{ours, empty} {
			rate, err := hammer(ctx, server.URL+authzen.EvaluationPath, body, requests/rounds)
			if err != nil {
				return err
			}
			rates[i] = rate
		}
		ratios = append(ratios, rates[0]/rates[1])
	}
	slices.Sort(ratios)
	ratio := ratios[len(ratios)/2]
	limit := "0.50"
	if ratio < 0.5 {
		limit += " OVER"
	}
	_, _ = fmt.Fprintf(w, "\n%-34s %10.0f/s\n%-34s %10.0f/s\n%-34s %12.2f %22s  %s\n", "serve, evaluations", rates[0],
		"an empty handler", rates[1], "ratio, median of five turns", ratio, "", limit)
	return nil
}

// emptyHandler reads the request's JSON and answers.
func emptyHandler(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Decision bool `json:"decision"`
	}{true})
}

// hammer is how many requests a second are answered.
func hammer(ctx context.Context, url string, body []byte, requests int) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	failed := make(chan error, clients)
	var wait sync.WaitGroup
	start := time.Now()
	for range clients {
		wait.Go(func() {
			for range requests / clients {
				if err := ask(ctx, client, url, body); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wait.Wait()
	took := time.Since(start)
	close(failed)
	return float64(requests) / took.Seconds(), <-failed
}

func ask(ctx context.Context, client *http.Client, url string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && !bytes.Contains(answer, []byte("true")) {
		err = fmt.Errorf("%w: %s", errDenied, answer)
	}
	return err
}
