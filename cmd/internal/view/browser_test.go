package view

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/lang/source"
)

// browser is a headless Chromium, driven over a pipe in the DevTools protocol:
// messages of JSON that end with a zero byte.
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	next    int
	session string
	events  []message
}

type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    map[string]any  `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// openBrowser starts a browser with one page.
func openBrowser(t *testing.T, program string) *browser {
	t.Helper()
	toBrowser, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "postern-browser-")
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's own context, which ends before the browser is closed.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--remote-debugging-pipe", "--user-data-dir="+folder, "about:blank")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // which it reads as 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(toBrowser.Close(), fromBrowser.Close()); err != nil { // a browser that ends is then an end of file
		t.Fatal(err)
	}
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		defer cancel()
		b.session = ""
		b.call("Browser.close", nil)
		if err := errors.Join(cmd.Wait(), to.Close(), from.Close(), os.RemoveAll(folder)); err != nil {
			t.Error(err)
		}
	})
	var target struct{ TargetID string }
	b.read(b.call("Target.createTarget", map[string]any{"url": "about:blank"}), &target)
	var attached struct{ SessionID string }
	b.read(b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Network.enable", "Log.enable", "Runtime.enable"} {
		b.call(domain, nil)
	}
	return b
}

func (b *browser) read(raw json.RawMessage, into any) {
	b.t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		b.t.Fatalf("%s: %v", raw, err)
	}
}

// call sends a command and waits for its answer; what happens meanwhile is kept.
func (b *browser) call(method string, params map[string]any) json.RawMessage {
	b.t.Helper()
	b.next++
	id := b.next
	text, err := json.Marshal(message{ID: id, SessionID: b.session, Method: method, Params: params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		m := b.receive()
		if m.ID != id {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error)
		}
		return m.Result
	}
}

func (b *browser) receive() message {
	b.t.Helper()
	text, err := b.from.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser ended: %v", err)
	}
	var m message
	b.read(text[:len(text)-1], &m)
	if m.Method != "" {
		b.events = append(b.events, m)
	}
	return m
}

// open loads a page and waits until it is there.
func (b *browser) open(file string) {
	b.t.Helper()
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + file})
	for {
		for _, e := range b.events {
			if e.Method == "Page.loadEventFired" {
				return
			}
		}
		b.receive()
	}
}

// ask evaluates an expression in the page, past its content security policy.
func (b *browser) ask(expression string, into any) {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.read(b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}), &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, answer.ExceptionDetails)
	}
	b.read(answer.Result.Value, into)
}

// key presses a key.
func (b *browser) key(name, text string, code int) {
	b.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		params := map[string]any{"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code}
		if kind == "keyDown" {
			params["text"] = text
		}
		b.call("Input.dispatchKeyEvent", params)
	}
}

// faint lists texts whose contrast is less than 4.5 (WCAG 2.2, 1.4.3).
const faint = `(() => {
  const rgb = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m; };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c; } return [255, 255, 255]; };
  const out = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) out.push(e.tagName + '.' + e.className + ' ' + contrast.toFixed(2));
  }
  return [...new Set(out)];
})()`

// TestReportInBrowser opens a report in Chromium, on a phone and on a desk, light
// and dark: it fits, can be read, and is used by keys and by touch; it loads
// nothing, and nothing of it is refused.
func TestReportInBrowser(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("Chromium is not installed: .ci/run installs it, and so does apt-get install chromium")
	}
	file := writeReportPage(t)
	b := openBrowser(t, program)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{320, 390, 1280} {
			at := fmt.Sprintf("%s, %d pixels", scheme, width)
			b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 800})
			b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}})
			b.call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": true})
			b.open(file)
			b.holds(at, scheme, width)
			b.used(at)
			b.loadsNothing(at)
		}
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"})
	var hidden int
	b.ask(`[...document.querySelectorAll('details > :not(summary)')].filter(e => e.getClientRects().length === 0 || !e.checkVisibility({contentVisibilityAuto: true})).length`, &hidden)
	if hidden != 0 {
		t.Errorf("%d conditions and statements are not printed", hidden)
	}
}

// writeReportPage writes a report of an example, with hostile names in its other
// parts.
func writeReportPage(t *testing.T) string {
	t.Helper()
	set, err := source.FromDir(filepath.Join("..", "..", "..", "examples", "llm-apps"))
	if err != nil {
		t.Fatal(err)
	}
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags)
	}
	r := hostileReportPage(hostile)
	r.Matrix = explain.MatrixOf(p)
	name := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(filepath.Clean(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(WriteHTML(file, r), file.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

// holds looks at how the page is laid out.
func (b *browser) holds(at, scheme string, width int) {
	b.t.Helper()
	var wide int
	if b.ask(`document.documentElement.scrollWidth`, &wide); wide > width {
		b.t.Errorf("%s: the page is %d pixels wide", at, wide)
	}
	var pale []string
	if b.ask(faint, &pale); len(pale) > 0 {
		b.t.Errorf("%s: hard to read: %q", at, pale)
	}
	var background string
	b.ask(`getComputedStyle(document.body).backgroundColor`, &background)
	if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]; background != want {
		b.t.Errorf("%s: the background is %s", at, background)
	}
	var small []string
	b.ask(`[...document.querySelectorAll('summary, nav a')].map(e => [e.textContent, e.getBoundingClientRect().height]).filter(x => x[1] < 24).map(x => x[0])`, &small)
	if len(small) > 0 {
		b.t.Errorf("%s: too small for a finger (WCAG 2.2, 2.5.8): %q", at, small[:min(len(small), 5)])
	}
}

// used opens a condition by keys, and another one by touch.
func (b *browser) used(at string) {
	b.t.Helper()
	open := func(i int) bool {
		var is bool
		b.ask(fmt.Sprintf(`document.querySelectorAll('.matrix details')[%d].open && document.querySelectorAll('.matrix details code')[%d].checkVisibility()`, i, i), &is)
		return is
	}
	b.ask(`(document.querySelectorAll('.matrix summary')[0].focus(), 0)`, new(int))
	b.key("Enter", "\r", 13)
	if !open(0) {
		b.t.Errorf("%s: the Enter key opens no condition", at)
	}
	var point [2]float64
	b.ask(`(() => { const e = document.querySelectorAll('.matrix summary')[1]; e.scrollIntoView({block: 'center', inline: 'center'});
		const r = e.getBoundingClientRect(); return [r.x + r.width * .7, r.y + r.height / 2]; })()`, &point)
	b.call("Input.dispatchTouchEvent", map[string]any{"type": "touchStart", "touchPoints": []any{map[string]any{"x": point[0], "y": point[1]}}})
	b.call("Input.dispatchTouchEvent", map[string]any{"type": "touchEnd", "touchPoints": []any{}})
	if !open(1) {
		b.t.Errorf("%s: a tap opens no condition", at)
	}
}

// loadsNothing wants one request, that of the page, and no complaint.
func (b *browser) loadsNothing(at string) {
	b.t.Helper()
	requests := 0
	for _, e := range b.events {
		switch e.Method {
		case "Network.requestWillBeSent":
			requests++
		case "Log.entryAdded", "Runtime.exceptionThrown":
			b.t.Errorf("%s: %v", at, e.Params)
		}
	}
	if requests != 1 {
		b.t.Errorf("%s: %d requests", at, requests)
	}
}
