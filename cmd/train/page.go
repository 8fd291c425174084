package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/diagram"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/gallery"
	"pixelgrad/cmd/internal/live"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/words"
	"pixelgrad/internal/memory"
	"pixelgrad/nn"
	"pixelgrad/nn/train"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// A page gathers what report.html shows, and serves it while the training goes on if -ui wants it.
type page struct {
	*session
	report  *report.Report
	gallery *gallery.Gallery
	choice  words.Choice // of descriptions for Step 8
	server  *live.Server // nil if nobody watches
	begun   time.Time    // this process

	old *report.Report // that is made again, if it is; nil if nothing is known of it
}

// watch begins to serve the page, before there is anything on it, so that an address that is taken
// is known before photographs are read. stop ends the training.
func (p *page) watch(stop func()) error {
	if p.UI == "" {
		return nil
	}
	var err error
	if p.server, err = live.Listen(p.UI, filepath.Join(p.Out, report.PictureFolder), stop); err != nil {
		return cli.Usagef("-ui: %w", err)
	}
	fmt.Fprintf(p.out, "page      %s shows how it goes\n", p.server.URL())
	return nil
}

// begin says what the page is about, once the photographs are there.
func (p *page) begin() error {
	title := "Training " + p.archs[0].Title
	if len(p.archs) > 1 {
		title = "The super-resolution workshop"
	}
	p.report = &report.Report{Title: title, Command: p.command, Start: p.start, Interpolation: gallery.Interpolation(p.plain...)}
	if p.RandomFeatures {
		p.report.Warnings = append(p.report.Warnings, "VGG16 and CLIP have random weights in this run, for demonstration: what leans on them shows nothing of what they could do.")
	}
	if p.remake {
		if old, err := report.Read(p.Out); err == nil { // else it is made without
			p.old = old
		}
	}
	p.report.LeftOut, p.report.Waiting = p.omitted, p.waiting()
	if err := p.chooseWords(); err != nil {
		return err
	}
	var err error
	if p.gallery, err = gallery.New(p.Out, p.photos.set, p.photos.val, shown); err != nil {
		return err
	}
	d := &p.report.Data
	*d = report.Data{Source: p.Source(), Split: p.photos.set.Rule, Train: p.photos.train.Len(), Val: p.photos.val.Len(), Skipped: len(p.photos.train.Skipped) + len(p.photos.val.Skipped)}
	if p.Scale > 0 {
		d.Side, d.Scale = p.photos.sizes.X, p.Scale
	}
	if d.Samples, err = p.gallery.Samples(); err != nil {
		return err
	}
	return p.show()
}

// waiting returns the titles of the networks that are neither on the page yet nor left out.
func (p *page) waiting() []string {
	var titles []string
	for _, a := range p.archs {
		if !slices.ContainsFunc(p.report.Networks, func(n *report.Network) bool { return n.Name == a.Name }) &&
			!slices.ContainsFunc(p.omitted, func(o report.Omission) bool { return o.What == a.Title }) {
			titles = append(titles, a.Title)
		}
	}
	return titles
}

// network adds a network to the page. Of one that is trained with several seeds it shows the first
// training.
func (p *page) network(r *modelRun) error {
	lesson := report.LessonOf(r.arch.Name)
	n := &report.Network{
		Step: lesson.Step, Name: r.arch.Name, Title: r.arch.Title, About: lesson.About, Random: r.random(),
		Parameters: nn.Count(r.model), Epochs: p.Epochs, Bytes: r.need(), LossName: p.Loss,
	}
	if p.Loss != psnrLoss {
		n.LossAxis = p.lossAxis()
	}
	features := ""
	if r.extractor != nil {
		features = r.extractor.Name
	}
	n.Diagram = diagram.Of(r.model, p.shapes(r, p.photos.val.Len(), vision.Alteration{})[0].Input, features)
	var err error
	if n.Inputs, err = p.gallery.Inputs(); err != nil {
		return err
	}
	for i, name := range outputNames[:r.arch.Outputs] {
		o := report.Output{Name: name, Side: p.sides()[i]}
		if p.Loss == psnrLoss {
			o.Source = lesson.Losses[name]
			inverse := 1 / p.bicubic[i]
			o.Bicubic = &inverse
		}
		n.Outputs = append(n.Outputs, o)
	}
	p.report.Networks = append(p.report.Networks, n)
	p.report.Waiting = p.waiting()
	r.shown = n
	return p.show()
}

// update puts the epochs of a training so far on the page, and, if pictures is set, what the network
// makes of the validation photographs now.
func (p *page) update(r *modelRun, pictures bool) error {
	n := r.shown
	if n == nil { // another seed of a network that is there
		return nil
	}
	for i := range n.Outputs {
		o := &n.Outputs[i]
		o.Epochs = nil
		for _, e := range r.history.all() {
			point := report.Epoch{Epoch: e.Epoch.Epoch, Train: e.Train[i]}
			if e.Val != nil {
				point.Val, point.PSNR = &e.Val[i], finite(float64(e.PSNR[i]))
			}
			o.Epochs = append(o.Epochs, point)
		}
	}
	n.Seconds, n.Stopped = r.history.seconds(), r.stopped
	n.Facts = nil
	if n.Seconds > 0 { // not of a first epoch that failed
		n.Facts = append(n.Facts, report.Fact{Name: "time", Value: duration(n.Seconds)})
	}
	n.Facts = append(n.Facts, report.Fact{Name: "memory", Value: format.Megabytes(float64(n.Bytes))})
	if facts := p.oldFacts(n); facts != nil {
		n.Facts = facts
	}
	if c := r.saved; c != nil && c.count > 0 {
		n.Facts = append(n.Facts, report.Fact{Name: "checkpoints", Value: fmt.Sprintf("%s in %s, %.1f%% of the time", format.Thousands(c.count), duration(c.spent.Seconds()), 100*c.spent.Seconds()/n.Seconds)})
	}
	if !pictures {
		return nil
	}
	var predictions [][]picture
	for i := range min(shown, p.photos.val.Len()) {
		outputs, err := p.predict(r, i)
		if err != nil {
			return err
		}
		predictions = append(predictions, outputs)
	}
	var err error
	for i := range n.Outputs {
		var list []gallery.Prediction
		for _, outputs := range predictions {
			list = append(list, gallery.Prediction{Picture: outputs[i].RGB, PSNR: outputs[i].psnr})
		}
		if n.Outputs[i].Rows, err = p.gallery.Rows(n.Name, n.Outputs[i].Side, list); err != nil {
			return err
		}
	}
	return nil
}

// oldFacts returns what the report that is made again says of a network's time and memory, unless
// it was trained on since; nil if there is no such report.
func (p *page) oldFacts(n *report.Network) []report.Fact {
	if p.old == nil {
		return nil
	}
	for _, o := range p.old.Networks {
		if o.Name == n.Name && slices.EqualFunc(o.Outputs, n.Outputs, func(a, b report.Output) bool { return len(a.Epochs) == len(b.Epochs) }) {
			return o.Facts
		}
	}
	return nil
}

// finite returns a PSNR for JSON, which has no infinity.
func finite(v float64) *float64 {
	if v-v != 0 {
		return nil
	}
	return &v
}

// duration writes seconds for people.
func duration(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.0f ms", 1000*seconds)
	}
	if seconds < 59.95 {
		return fmt.Sprintf("%.1f s", seconds)
	}
	s := int64(seconds + 0.5)
	if s < 3600 {
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	m := (s + 30) / 60
	return fmt.Sprintf("%s h %d min", format.Thousands(int(m/60)), m%60)
}

// remaining writes the seconds that are left, of which nobody knows parts.
func remaining(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.0f s", math.Ceil(seconds))
	}
	return duration(seconds)
}

// epoch shows an epoch that has ended. Pictures take as long as many steps: without a browser to see
// them they are drawn at the end.
func (p *page) epoch(r *modelRun) error {
	if p.server == nil {
		return nil
	}
	return errors.Join(p.update(r, true), p.show())
}

// end puts a training that has ended on the page, and writes it if write is set: the next one may
// take hours. Where nothing is new, the page that is there may show more.
func (p *page) end(r *modelRun, write bool) error {
	errs := []error{p.update(r, true)}
	if write {
		errs = append(errs, p.write())
	}
	return errors.Join(append(errs, p.show())...)
}

// show tells the browsers what is new.
func (p *page) show() error {
	if p.server == nil {
		return nil
	}
	return p.server.SetReport(p.report)
}

// now tells the browsers how far the training is, and waits while it is paused. It returns for how
// long. rate is in photographs a second.
func (p *page) now(t *trainer, s train.Step, text string, rate float64) time.Duration {
	if p.server == nil {
		return 0
	}
	left := float64(t.total-s.Step) * float64(s.Size) / max(rate, 1e-9)
	of := ""
	if len(p.archs)*p.Repeat > 1 {
		of = " for this network"
	}
	p.server.SetNow(float64(s.Step)/float64(t.total), fmt.Sprintf("%s: %s, about %s left%s", t.title, text, remaining(left), of))
	return p.server.Wait(t.ctx)
}

// chooseWords reads the descriptions of Step 8, before anything is trained.
func (p *page) chooseWords() error {
	var err error
	if p.choice, err = words.Choose(p.Descriptions, p.Data == "", p.photos.val.Names, p.Split()); err != nil {
		return fmt.Errorf("-descriptions: %w", err)
	}
	var missing *frozen.MissingError
	switch err := frozen.CheckCLIP(p.Options); {
	case p.outputs() < 2:
		p.choice = words.Choice{} // Step 8 looks at enlargements to 288×288, which are not made
		if p.Descriptions != "" {
			return cli.Usagef("-descriptions %s: expected a -model that enlarges to 288×288, found %s", p.Descriptions, p.archs[0].Title)
		}
	case errors.As(err, &missing):
		p.leaveOutWords(fmt.Sprintf("it needs the weights of %s; get them with: go run ./cmd/weights get %s", missing.Network, missing.Name))
	case err != nil:
		return err
	case p.choice.Omitted != "":
		p.report.LeftOut = append(p.report.LeftOut, report.Omission{What: step8, Why: p.choice.Omitted})
	}
	return nil
}

const step8 = "Step 8, pictures and words"

func (p *page) leaveOutWords(why string) {
	p.report.LeftOut = append(p.report.LeftOut, report.Omission{What: step8, Why: why})
	p.choice = words.Choice{}
}

// compareWords compares the descriptions with what the last network makes of their photographs.
func (p *page) compareWords(ctx context.Context, all []*modelRun) error {
	var last *modelRun
	for _, group := range groups(all) {
		if group[0].arch.Outputs == 2 {
			last = group[0]
		}
	}
	switch {
	case len(p.choice.Texts) == 0:
		return nil
	case ctx.Err() != nil || last == nil:
		p.leaveOutWords("the training was stopped before it")
		return nil
	}
	var subjects []words.Picture
	var texts, names []string
	var pictures []*vision.RGB
	for i, text := range p.choice.Texts {
		outputs, err := p.predict(last, p.choice.At[i])
		if err != nil {
			return err
		}
		picture := outputs[1].RGB
		subjects = append(subjects, words.Picture{Name: text.Name, RGB: picture})
		texts, names, pictures = append(texts, text.Text), append(names, text.Name), append(pictures, picture)
	}
	result, err := words.Compare(ctx, p.choice.Texts, subjects, words.Options{Options: p.Options, Seed: p.Seed, Say: func(line string) { fmt.Fprintln(p.log, line) }})
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("the training was stopped before it")
		}
		p.leaveOutWords(err.Error())
		return nil
	}
	p.report.Words, err = p.gallery.Words(last.name(), texts, p.choice.At, names, pictures, words.Rows(result.Cosine))
	if err == nil {
		p.report.Words.Random = p.RandomFeatures
	}
	return err
}

// finish completes the page with what compares all trainings.
func (p *page) finish(ctx context.Context, all []*modelRun) error {
	p.spread(all)
	return errors.Join(p.compareWords(ctx, all), p.write(), p.show())
}

// write writes the page and its tables into the run's folder.
func (p *page) write() error {
	p.report.Facts = []report.Fact{
		{Name: "machine", Value: fmt.Sprintf("%d threads of %s/%s, SIMD level %v, %s", tensor.Threads(), runtime.GOOS, runtime.GOARCH, simd.Current(), runtime.Version())},
		{Name: "time of this process", Value: duration(time.Since(p.begun).Seconds())},
		{Name: "memory of this process", Value: format.Megabytes(float64(memory.Resident()))},
		{Name: "seed", Value: fmt.Sprint(p.Seed)},
	}
	if p.old != nil && len(p.old.Facts) > 0 {
		p.report.Facts = p.old.Facts // of the process that has trained
	}
	return errors.Join(
		p.report.Write(p.Out),
		p.report.WriteTables(p.Out, p.writeTable),
	)
}

// close ends the server; browsers keep the page as it is.
func (p *page) close(text string) {
	if p.server != nil {
		p.server.Close(text)
	}
}

// spread notes what trainings with several seeds reached.
func (p *page) spread(all []*modelRun) {
	for _, group := range groups(all) {
		if len(group) < 2 || group[0].shown == nil {
			continue
		}
		_, psnr := spreads(group)
		for i, x := range psnr {
			if x.Mean-x.Mean == 0 { // JSON has no infinity
				group[0].shown.Outputs[i].Repeats = &x
			}
		}
	}
}
