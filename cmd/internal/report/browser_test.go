//go:build !js

package report

import (
	"bytes"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"pixelgrad/internal/chromium"
)

// TestBrowser opens the page of a run of seven networks from its file, as somebody does to whom it
// was sent.
func TestBrowser(t *testing.T) {
	browser := chromium.Start(t)
	dir := t.TempDir()
	page(t, example(t, dir), dir)
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, PageFile))}).String()
	size := func(width int64) chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(width, 900) }
	media := func(kind, scheme string) chromedp.Action[chromedp.Void] {
		return chromium.Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	}

	b := chromium.Open(t, browser, address, size(1400))
	// Each picture is decoded, which fails if it is broken.
	b.Until(`(async () => {
		for (const image of document.querySelectorAll(".sprite image")) {
			const copy = new Image();
			copy.src = image.getAttribute("href");
			await copy.decode();
		}
		return document.querySelectorAll(".sprite image").length > 20;
	})()`)

	// A click enlarges a picture, and Escape puts it away.
	b.Do(chromedp.Click(chromedp.CSS("#net-net1 .four figure:nth-of-type(2) svg")))
	b.Until(`document.querySelector("dialog").open`)
	if title := b.Value(`document.querySelector("dialog p").textContent`).(string); !strings.Contains(title, "prediction of SuperResNetMulti, 25.25 dB") {
		t.Errorf("enlarged: %q", title)
	}
	if side := b.Value(`document.querySelector("dialog svg").getBoundingClientRect().width`).(float64); side < 600 {
		t.Errorf("the enlarged picture is %v pixels wide", side)
	}
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(`!document.querySelector("dialog").open`)

	// The slider moves the boundary between two pictures.
	const shown = `getComputedStyle(document.querySelector("#net-net1 .above")).clipPath`
	if clip := b.Value(shown); clip != "inset(0px 50% 0px 0px)" {
		t.Errorf("before the slider moves: %v", clip)
	}
	b.Do(chromedp.Focus(chromedp.CSS("#net-net1 .slider input")), chromedp.KeyEvent(kb.End), chromedp.KeyEvent(kb.ArrowLeft))
	b.Until(shown + `=== "inset(0px 1% 0px 0px)"`)

	// On a telephone, a laptop and a projector, nothing sticks out, and all can be read.
	for _, c := range []struct {
		width         int64
		scheme, paper string
	}{{400, "light", "rgb(255, 255, 255)"}, {400, "dark", "rgb(22, 24, 27)"}, {1400, "dark", "rgb(22, 24, 27)"}, {1920, "light", "rgb(255, 255, 255)"}} {
		b.Do(size(c.width), media("", c.scheme))
		if v := b.Value(`document.documentElement.scrollWidth - document.documentElement.clientWidth`).(float64); v > 0 {
			t.Errorf("%d pixels wide: the page sticks out by %v", c.width, v)
		}
		if v := b.Value(`document.querySelector("#net-net1 .drawing").getBoundingClientRect().top < document.querySelector("#net-net1 h3").getBoundingClientRect().top`); v != true {
			t.Errorf("%d pixels wide: the drawing is not above or beside the figures", c.width)
		}
		if v := b.Value(`document.querySelector("#net-net1 .drawing").getBoundingClientRect().top < document.querySelector("#net-net1 .intro p").getBoundingClientRect().bottom`); v != (c.width > 1000) {
			t.Errorf("%d pixels wide: the drawing is beside the text: %v", c.width, v)
		}
		if v := b.Value(`document.querySelector("#net-net1 .charts").getBoundingClientRect().top < document.querySelector("#net-net1 .drawing").getBoundingClientRect().bottom`); v != (c.width > 1000) {
			t.Errorf("%d pixels wide: the drawing is beside the curves: %v", c.width, v)
		}
		if v := b.Value(`[...document.querySelectorAll(".split table, #compare table")].filter((e) => e.scrollWidth > e.parentElement.clientWidth).length`); c.width > 1000 && v != 0.0 {
			t.Errorf("%d pixels wide: %v tables are cut off", c.width, v)
		}
		if v := b.Value(`getComputedStyle(document.body).backgroundColor`); v != c.paper {
			t.Errorf("%s: the paper is %v, want %s", c.scheme, v, c.paper)
		}
		if v := b.Value(faint); v != "" {
			t.Errorf("%s: hard to read: %v", c.scheme, v)
		}
	}

	// It is printed whole, and light. A4 less margins of 14 mm is 688 pixels wide.
	b.Do(media("", "dark"))
	pdf := chromium.Get(b, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPaper(chromedp.PaperA4)))
	pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || pages < 5 || pages > 60 || len(pdf) < 1<<20 {
		t.Errorf("%d bytes with %d pages", len(pdf), pages)
	}
	b.Do(size(688), media("print", "dark"))
	if v := b.Value(`[...document.querySelectorAll("main *")].filter((e) => !e.ownerSVGElement && e.getBoundingClientRect().right > innerWidth + 1 ||
		e.classList.contains("wide") && e.scrollWidth > e.clientWidth + 1).map((e) => e.outerHTML.slice(0, 60)).slice(0, 3).join("; ")`); v != "" {
		t.Errorf("cut off on paper: %s", v)
	}
	if v := b.Value(`getComputedStyle(document.body).backgroundColor`); v != "rgb(255, 255, 255)" {
		t.Errorf("the paper is %v", v)
	}

	// Without JavaScript all is there, but no slider that does nothing.
	without := chromium.Open(t, browser, address, chromium.Command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), size(688), media("print", "dark"))
	for _, what := range []string{`document.querySelector("main").innerText`, `document.querySelectorAll("main use").length`} {
		if got, want := without.Value(what), b.Value(what); got != want {
			t.Errorf("without JavaScript, %s: %.100v, with it %.100v", what, got, want)
		}
	}
	without.Do(media("screen", "light"))
	if without.Value(`getComputedStyle(document.querySelector(".slider input")).display`) != "none" {
		t.Error("without JavaScript, a slider is shown")
	}

	for _, tab := range []*chromium.Tab{b, without} {
		if p := tab.Problems(); len(p) > 0 {
			t.Errorf("the page complains: %q", p)
		}
		for _, r := range tab.Requests() {
			if r != address && !strings.HasPrefix(r, "data:") {
				t.Errorf("the page asks for %.100s", r)
			}
		}
	}
}

// faint names texts that have too little contrast with what is behind them (WCAG asks for 4.5).
const faint = `(() => {
	const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
	const colour = (text) => text.match(/[\d.]+/g).map(Number);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = colour(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const bad = new Set();
	for (const e of document.querySelectorAll("main *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.closest(".picture svg") || e.closest("title")) continue;
		const style = getComputedStyle(e);
		const [a, b] = [light(colour(e.ownerSVGElement ? style.fill : style.color)), light(behind(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.add(e.nodeName + "." + e.getAttribute("class") + " " + ratio.toFixed(1) + " " + e.textContent.slice(0, 20));
	}
	return [...bad].slice(0, 5).join("; ");
})()`
