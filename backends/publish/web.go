package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// patience bounds one request.
const patience = 30 * time.Second

// web is a URL below which files are read with GET and replaced with PUT.
type web struct{ url, token string }

func (w *web) get(ctx context.Context, name string) ([]byte, string, error) {
	resp, err := w.do(ctx, http.MethodGet, name, nil, nil)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return nil, "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	case resp.StatusCode != http.StatusOK:
		return nil, "", refusal("reading", name, resp)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, "", final{fmt.Errorf("reading %s: it is larger than %d bytes", name, maxFile)}
	}
	tag := resp.Header.Get("ETag")
	if strings.HasPrefix(tag, "W/") {
		tag = "" // If-Match is never true of a weak one
	}
	return data, tag, nil
}

func (w *web) put(ctx context.Context, f File, was state) error {
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	switch {
	case !was.there:
		header.Set("If-None-Match", "*")
	case was.tag != "":
		header.Set("If-Match", was.tag)
	}
	resp, err := w.do(ctx, http.MethodPut, f.Path, f.Data, header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusPreconditionFailed:
		return errOther
	case resp.StatusCode/100 != 2:
		return refusal("publishing", f.Path, resp)
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
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return err
	}
	return final{err}
}
