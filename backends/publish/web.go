package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"
)

// patience bounds one request.
const patience = 30 * time.Second

// web is a URL below which files are read with GET and replaced with PUT.
type web struct {
	url, token string
	tag        string // the ETag of the manifest that was read last
	read       bool   // the manifest was asked for
}

func (w *web) Get(ctx context.Context, name string) ([]byte, error) {
	resp, err := w.do(ctx, http.MethodGet, name, nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if name == ManifestName {
		w.read, w.tag = true, resp.Header.Get("ETag")
	}
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	case resp.StatusCode != http.StatusOK:
		return nil, refusal("reading", name, resp)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, final{fmt.Errorf("reading %s: it is larger than %d bytes", name, maxFile)}
	}
	return data, nil
}

// Put replaces the manifest only where it is still the one that was read, so
// that of two who publish at once one is refused.
func (w *web) Put(ctx context.Context, files []File) error {
	for _, f := range files {
		header := http.Header{"Content-Type": {"application/octet-stream"}}
		if f.Path == ManifestName && w.read {
			if w.tag != "" {
				header.Set("If-Match", w.tag)
			} else {
				header.Set("If-None-Match", "*")
			}
		}
		resp, err := w.do(ctx, http.MethodPut, f.Path, f.Data, header)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return refusal("publishing", f.Path, resp)
		}
	}
	return nil
}

func (w *web) do(ctx context.Context, method, name string, body []byte, header http.Header) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	req, err := http.NewRequestWithContext(ctx, method, w.url+"/"+name, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, final{fmt.Errorf("publishing: %w", err)}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	resp, err := client().Do(req)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s %s: %w", method, name, err)
	}
	resp.Body = &cancelling{resp.Body, cancel}
	return resp, nil
}

// client follows no redirect: another host must get neither content nor token.
func client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type cancelling struct {
	io.ReadCloser
	cancel func()
}

func (c *cancelling) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// refusal is what a server's status means; those of 500 and above, and of too
// many requests, may pass.
func refusal(doing, name string, resp *http.Response) error {
	err := fmt.Errorf("%s %s: the server answers %s", doing, name, resp.Status)
	if resp.StatusCode == http.StatusPreconditionFailed {
		return final{fmt.Errorf("%s %s: somebody else has published since it was read", doing, name)}
	}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return err
	}
	return final{err}
}
