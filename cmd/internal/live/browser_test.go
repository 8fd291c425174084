//go:build !js

package live

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"pixelgrad/cmd/internal/report"
	"pixelgrad/internal/chromium"
)

// A training that a test watches in a browser.
type training struct {
	t       *testing.T
	dir     string
	epochs  int
	stopped chan struct{}
	*Server
}

func newTraining(t *testing.T, address string) *training {
	t.Helper()
	f := &training{t: t, dir: t.TempDir(), stopped: make(chan struct{}, 1)}
	s, err := Listen(address, f.dir, func() { f.stopped <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	f.Server = s
	t.Cleanup(func() { s.Close("") })
	return f
}

// epoch ends an epoch, after which there is a new picture.
func (f *training) epoch() {
	f.t.Helper()
	f.epochs++
	file, err := os.Create(filepath.Join(f.dir, "prediction.png"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	m := image.NewGray(image.Rect(0, 0, f.epochs, 1)) // its width tells which one it is
	m.Set(0, 0, color.White)
	if err := png.Encode(file, m); err != nil {
		f.t.Fatal(err)
	}
	r := example(f.epochs)
	r.Data.Samples = nil
	picture := report.Picture{File: "prediction.png", Side: 144, Version: fmt.Sprint(f.epochs)}
	o := &r.Networks[0].Outputs[0]
	o.Rows = []report.Row{{Name: "a", Prediction: picture, Bicubic: picture, Truth: picture}}
	for i := range f.epochs { // a section above that grows as well
		r.Warnings = append(r.Warnings, fmt.Sprintf("warning %d", i))
	}
	if err := f.SetReport(r); err != nil {
		f.t.Fatal(err)
	}
}

// shows is true when the page has a number of points in its curves, and the picture after the
// last epoch.
func shows(epochs int) string {
	return fmt.Sprintf(`(async () => {
		const image = document.querySelector(".four image");
		if (!image || document.querySelectorAll("circle.train").length !== %d) return false;
		const copy = new Image();
		copy.src = image.getAttribute("href");
		await copy.decode();
		return copy.naturalWidth === %[1]d;
	})()`, epochs)
}

func TestBrowser(t *testing.T) {
	browser := chromium.Start(t)
	f := newTraining(t, "127.0.0.1:0")
	address := f.listener.Addr().String()
	b := chromium.Open(t, browser, f.URL(), chromedp.EmulateViewport(1000, 600), chromium.Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	text := func(id, contains string) string {
		return fmt.Sprintf("document.getElementById(%q).textContent.includes(%q)", id, contains)
	}
	quiet := func(when string) {
		t.Helper()
		if p := b.Problems(); len(p) > 0 {
			t.Errorf("%s, the page complains: %q", when, p)
		}
	}

	// A page that was opened before there was anything to show fills and grows.
	b.Until(text("now", "Waiting"))
	b.Value(`window.witness = "not loaded again"`)
	f.epoch()
	b.Until(shows(1))
	f.SetNow(0.25, "Epoch 2 of 9 · about 3 min left")
	b.Until(`document.getElementById("bar").value === 0.25`)
	b.Until(text("now", "about 3 min left"))
	b.Until(`document.title === "25% · A <b>training"`)
	if v := b.Value(`getComputedStyle(document.body).backgroundColor`); v != "rgb(22, 24, 27)" {
		t.Errorf("dark: the paper is %v", v)
	}
	f.epoch()
	b.Until(shows(2))

	// What somebody looks at stays where it is, and an enlarged picture open.
	b.Value(`document.querySelector(".four").scrollIntoView({block: "center"})`)
	const place = `Math.round(document.querySelector(".four").getBoundingClientRect().top)`
	before := b.Value(place)
	b.Value(`document.querySelector(".slider input").value = 80`)
	b.Do(chromedp.Click(chromedp.CSS(".four figure:nth-of-type(1) svg")))
	b.Until(`document.querySelector("dialog").open`)
	for range 3 {
		f.epoch()
	}
	b.Until(shows(5))
	if b.Value(`document.querySelector("dialog").open && document.querySelector("dialog svg image") !== null`) != true {
		t.Error("the enlarged picture is gone after an update")
	}
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(`!document.querySelector("dialog").open`)
	if after := b.Value(place); after != before {
		t.Errorf("updates have moved what was looked at from %v to %v", before, after)
	}
	if v := b.Value(`document.querySelector(".slider input").value`); v != "80" {
		t.Errorf("an update has moved the slider to %v", v)
	}

	// The buttons.
	b.Do(chromedp.Click(chromedp.ID("pause")))
	b.Until(`document.getElementById("pause").textContent === "Go on"`)
	b.Until(text("now", "Paused. Epoch 2"))
	waited := make(chan time.Duration, 1)
	go func() { waited <- f.Wait(context.Background()) }()
	select {
	case <-waited:
		t.Fatal("the training goes on while it is paused")
	case <-time.After(50 * time.Millisecond):
	}
	b.Do(chromedp.Click(chromedp.ID("pause")))
	b.Until(`document.getElementById("pause").textContent === "Pause"`)
	select {
	case <-waited:
	case <-time.After(30 * time.Second):
		t.Fatal("the training does not go on")
	}
	b.Do(chromedp.Click(chromedp.ID("stop")))
	select {
	case <-f.stopped:
	case <-time.After(30 * time.Second):
		t.Fatal("the button stops nothing")
	}
	b.Until(text("connection", "Stopping"))
	quiet("while the training goes on")

	// The end: the last report is shown with its pictures, and stays.
	f.epoch()
	if err := f.Close("Stopped after epoch 6."); err != nil {
		t.Error(err)
	}
	b.Until(text("now", "Stopped after epoch 6."))
	b.Until(text("connection", "has ended"))
	b.Until(`document.getElementById("pause").disabled && document.getElementById("stop").disabled`)
	b.Until(`performance.getEntriesByType("resource").some((r) => r.name.endsWith("prediction.png?6") && r.responseStatus === 200)`)
	if n := b.Value(`document.querySelectorAll("circle.train").length`); n != 6.0 {
		t.Errorf("after the end the curves have %v points", n)
	}
	if b.Value("witness") != "not loaded again" {
		t.Error("the page was loaded again")
	}
	quiet("at the end")

	// A server that is gone, and another one that comes at the same address.
	second := newTraining(t, address)
	second.epoch()
	second.epoch()
	b.Do(chromedp.Navigate(second.URL()))
	b.Until(shows(2))
	b.Value(`window.witness = "not loaded again"`)
	second.http.Close() // as when the process is killed
	b.Until(text("connection", "No connection"))
	refuse(t, address)
	third := newTraining(t, address)
	third.epoch()
	b.Until(shows(1))
	b.Until(`document.getElementById("connection").textContent === ""`)
	if b.Value("witness") != "not loaded again" {
		t.Error("the page was loaded again")
	}
	for _, p := range b.Problems() {
		if !strings.Contains(p, "ERR_") && !strings.Contains(p, "403") { // what was wrong with the connection
			t.Errorf("the page complains: %s", p)
		}
	}
}

// refuse answers a request at an address as a server does that does not know the browser.
func refuse(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 100)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
		asked <- struct{}{}
	})}
	go server.Serve(l)
	select {
	case <-asked:
	case <-time.After(30 * time.Second):
		t.Error("the page does not try again")
	}
	if err := server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestBrowserToken opens the page of a server that others can reach, too.
func TestBrowserToken(t *testing.T) {
	browser := chromium.Start(t)
	f := newTraining(t, "0.0.0.0:0")
	f.epoch()
	_, port, _ := net.SplitHostPort(f.listener.Addr().String())
	own := "http://127.0.0.1:" + port + "/"
	b := chromium.Open(t, browser, own+"?token="+f.guard.token)
	b.Until(shows(1))
	if at := b.Value("location.href"); at != own {
		t.Errorf("the address bar shows %v, want %s", at, own)
	}
	b.Do(chromedp.Reload())
	b.Until(shows(1))
	b.Do(chromedp.Click(chromedp.ID("pause")))
	b.Until(`document.getElementById("pause").textContent === "Go on"`)
	if p := b.Problems(); len(p) > 0 {
		t.Errorf("the page complains: %q", p)
	}
}
