//go:build !js

package chromium

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take for anything: far more than it does on a busy machine.
const patience = 30 * time.Second

// find returns the path of a browser, or why there is none.
func find() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	look := func() string {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		return ""
	}
	if path := look(); path != "" {
		return path, nil
	}
	missing := fmt.Errorf("expected one of %s, found none: install Debian's packages chromium and fonts-liberation", strings.Join(names, ", "))
	if !required() {
		return "", missing
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		return "", missing
	}
	install := func() (string, error) {
		out, err := exec.Command("apt-get", "update", "-qq").CombinedOutput()
		if err == nil {
			out, err = exec.Command("apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "chromium", "fonts-liberation").CombinedOutput()
		}
		return string(out), err
	}
	// The tests of another package may be installing it at this moment.
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Second) {
		out, err := install()
		if path := look(); err == nil && path != "" {
			return path, nil
		} else if time.Now().After(end) {
			return "", fmt.Errorf("%w; apt-get: %v\n%s", missing, err, out)
		}
	}
}

func required() bool {
	return slices.Contains(strings.Split(os.Getenv("PIXELGRAD_TEST_REQUIRE"), ","), "chromium")
}

var browser = sync.OnceValues(find)

// Start starts a browser without a window, which ends with the test.
func Start(t testing.TB) context.Context {
	t.Helper()
	path, err := browser()
	switch {
	case err != nil && required():
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-dev-shm-usage", true)) // containers have little of that memory
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // its sandbox refuses root
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	return ctx
}

// A Tab is a page that a browser shows, with what has happened since it was opened.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
	requests []string
}

// Open opens a page in a tab, after actions that prepare it. It returns when the page has been
// loaded. Tabs share nothing, neither cookies nor what was cached.
func Open(t testing.TB, browser context.Context, url string, prepare ...chromedp.Action[chromedp.Void]) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &Tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	b.Do(Command(log.Enable, cdp.Empty{}), Command(network.Enable, network.EnableParams{}))
	b.Do(prepare...)
	b.Do(chromedp.Navigate(url))
	return b
}

// Command returns the action that sends a command of the DevTools protocol.
func Command[P, R any](command cdp.Command[P, R], parameters P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, parameters)
		return err
	})
}

func (b *Tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded: // a violated policy and a failed request, among others
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.problems = append(b.problems, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		b.problems = append(b.problems, text)
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, fmt.Sprintf("console.%s", e.Type))
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// Do does what a person or a debugger does.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		Get(b, a)
	}
}

// Get returns what an action returns.
func Get[T any](b *Tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// Value returns the value of an expression in JavaScript: a bool, float64, string, or nil. It waits for
// a promise.
func (b *Tab) Value(expression string) any {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Until waits until an expression in JavaScript is true.
func (b *Tab) Until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		v := b.Value(expression)
		if v == true {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("after %v: %s is %v", patience, expression, v)
		}
	}
}

// Problems returns what the page has complained about, and forgets it.
func (b *Tab) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.problems
	b.problems = nil
	return all
}

// Requests returns the addresses that the page has asked for.
func (b *Tab) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}
