package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Sender delivers events. The zero value is ready to use.
type Sender struct {
	// Attempts is how often an event is tried; 0: 4 times.
	Attempts int
	// Wait is the time before the second attempt, doubled for each further one;
	// 0: half a second. A receiver's Retry-After counts up to MaxWait.
	Wait time.Duration
}

const (
	usualAttempts = 4
	usualWait     = 500 * time.Millisecond
	// MaxWait bounds each wait between two attempts.
	MaxWait        = 5 * time.Second
	attemptTimeout = 5 * time.Second
)

// Send delivers one event to an address. With a secret it carries the headers
// of Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature, an
// HMAC-SHA256 with the secret's bytes over both and the body. Redirects are not
// followed. Errors never hold the address, which often is a secret itself.
func (s *Sender) Send(ctx context.Context, address, secret, id string, body []byte) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("its url is no address of http or https")
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return errors.New("its url is no address of http or https")
	}
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=UTF-8")
	req.Header.Set(webhooks.HeaderWebhookID, id)
	resp, err := s.client(secret, id, body).Do(req)
	if err != nil {
		return plain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("it answers with status %d", resp.StatusCode)
	}
	return nil
}

// client is made for one event: each attempt is signed anew, since a receiver
// refuses what was signed long ago.
func (s *Sender) client(secret, id string, body []byte) *retryablehttp.Client {
	attempts, wait := s.Attempts, s.Wait
	if attempts == 0 {
		attempts = usualAttempts
	}
	if wait == 0 {
		wait = usualWait
	}
	c := retryablehttp.NewClient()
	c.Logger = nil // it would print the address
	c.RetryMax, c.RetryWaitMin, c.RetryWaitMax = attempts-1, wait, MaxWait
	c.Backoff = func(lo, hi time.Duration, attempt int, resp *http.Response) time.Duration {
		return min(retryablehttp.DefaultBackoff(lo, hi, attempt, resp), hi)
	}
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.HTTPClient = &http.Client{
		Timeout: attemptTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &signer{next: http.DefaultTransport, secret: secret, id: id, body: body},
	}
	return c
}

// signer signs each attempt with its own time.
type signer struct {
	next       http.RoundTripper
	secret, id string
	body       []byte
}

func (t *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.secret == "" {
		return t.next.RoundTrip(req)
	}
	hook, err := webhooks.NewWebhookRaw([]byte(t.secret))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	signature, err := hook.Sign(t.id, now, t.body)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Body = io.NopCloser(bytes.NewReader(t.body))
	out.Header.Set(webhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
	out.Header.Set(webhooks.HeaderWebhookSignature, signature)
	return t.next.RoundTrip(out)
}

// plain is an error without the address that net/http puts into it.
func plain(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}
