package throwaway

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDownload runs the library against a repository on loopback that serves
// an archive of stand-in programs in the form of the published ones.
func TestDownload(t *testing.T) {
	t.Parallel()
	jar := standIn(t)
	sum := sha256.Sum256(jar)
	tests := []struct {
		name, sum string
		status    int
		wantErr   string
	}{
		{name: "good", sum: hex.EncodeToString(sum[:]), status: http.StatusOK},
		{name: "wrong checksum", sum: strings.Repeat("0", 64), status: http.StatusOK, wantErr: "checksums do not match"},
		{name: "not there", status: http.StatusNotFound, wantErr: "no version found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := jar
				if strings.HasSuffix(r.URL.Path, ".sha256") {
					body = []byte(tt.sum)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write(body)
			}))
			t.Cleanup(repository.Close)
			cache := t.TempDir()
			dir, err := download(t.Context(), repository.URL, cache)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("error %v, want %q in it", err, tt.wantErr)
				}
				left(t, cache, 0)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			left(t, cache, 1)
			repository.Close()
			again, err := download(t.Context(), repository.URL, cache)
			if err != nil || again != dir {
				t.Errorf("the second download gives %q, %v; want %q from the cache", again, err, dir)
			}
		})
	}
}

// TestDownloadIsInterrupted requires that the caller gets an answer at once, and
// that the abandoned transfer tidies up when it ends.
func TestDownloadIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	repository := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	}))
	cache := t.TempDir()
	_, err := download(ctx, repository.URL, cache)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	close(release)
	repository.Close()
	tick, end := time.NewTicker(5*time.Millisecond), time.NewTimer(30*time.Second)
	defer tick.Stop()
	defer end.Stop()
	for {
		entries, err := os.ReadDir(cache)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("left in the cache: %v", entries)
		}
	}
}

// standIn is a Java archive around testdata/stand-in.txz, as the library expects.
func standIn(t *testing.T) []byte {
	t.Helper()
	programs, err := os.ReadFile(filepath.Join("testdata", "stand-in.txz"))
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(programs); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}

func left(t *testing.T, dir string, want int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != want {
		t.Errorf("%d entries in the cache, want %d: %v (%v)", len(entries), want, entries, err)
	}
}
