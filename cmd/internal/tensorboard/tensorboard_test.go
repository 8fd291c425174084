package tensorboard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// An event is what the decoder below finds in a record.
type event struct {
	time    float64
	step    int64
	version string // of the file
	session uint64 // the status of a session log
	tag     string
	scalar  *float32
	picture []byte // PNG
	size    image.Point
}

func (e event) String() string {
	switch {
	case e.version != "":
		return "version " + e.version
	case e.session != 0:
		return fmt.Sprintf("session %d from %d", e.session, e.step)
	case e.scalar != nil:
		return fmt.Sprintf("%s at %d: %v", e.tag, e.step, *e.scalar)
	default:
		return fmt.Sprintf("%s at %d: picture %v", e.tag, e.step, e.size)
	}
}

// crc is the masked CRC-32C, bit by bit.
func crc(b []byte) uint32 {
	c := ^uint32(0)
	for _, x := range b {
		c ^= uint32(x)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0x82f63b78
			} else {
				c >>= 1
			}
		}
	}
	c = ^c
	return (c>>15 | c<<17) + 0xa282ead8
}

// records takes the frames off.
func records(b []byte) ([][]byte, error) {
	var all [][]byte
	for at := 0; len(b) > 0; at++ {
		if len(b) < 12 {
			return all, fmt.Errorf("record %d: %d bytes of a header of 12", at, len(b))
		}
		n := binary.LittleEndian.Uint64(b)
		if got, want := binary.LittleEndian.Uint32(b[8:]), crc(b[:8]); got != want {
			return all, fmt.Errorf("record %d: checksum of the length: got %08x, want %08x", at, got, want)
		}
		if uint64(len(b)) < 12+n+4 {
			return all, fmt.Errorf("record %d: %d bytes of %d", at, len(b), 12+n+4)
		}
		data := b[12 : 12+n]
		if got, want := binary.LittleEndian.Uint32(b[12+n:]), crc(data); got != want {
			return all, fmt.Errorf("record %d: checksum of the event: got %08x, want %08x", at, got, want)
		}
		all = append(all, data)
		b = b[12+n+4:]
	}
	return all, nil
}

// fields calls f with each field of a message: a number, or bytes.
func fields(b []byte, f func(number int, v uint64, bytes []byte) error) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return errors.New("no key")
		}
		b = b[n:]
		var v uint64
		var message []byte
		switch key & 7 {
		case 0:
			if v, n = binary.Uvarint(b); n <= 0 {
				return errors.New("no varint")
			}
		case 1:
			v, n = binary.LittleEndian.Uint64(b), 8
		case 5:
			v, n = uint64(binary.LittleEndian.Uint32(b)), 4
		case 2:
			length, m := binary.Uvarint(b)
			if m <= 0 || uint64(len(b)-m) < length {
				return errors.New("no bytes")
			}
			message, n = b[m:m+int(length)], m+int(length)
		default:
			return fmt.Errorf("wire type %d", key&7)
		}
		b = b[n:]
		if err := f(int(key>>3), v, message); err != nil {
			return err
		}
	}
	return nil
}

// decode reads an event, and refuses what a Writer has no business to write.
func decode(b []byte) (e event, err error) {
	err = fields(b, func(number int, v uint64, b []byte) error {
		switch number {
		case 1:
			e.time = math.Float64frombits(v)
		case 2:
			e.step = int64(v)
		case 3:
			e.version = string(b)
		case 5: // summary
			return fields(b, func(number int, _ uint64, b []byte) error {
				if number != 1 || e.tag != "" {
					return fmt.Errorf("summary: field %d", number)
				}
				return fields(b, func(number int, v uint64, b []byte) error {
					switch number {
					case 1:
						e.tag = string(b)
						if !utf8.Valid(b) {
							return fmt.Errorf("tag %q", b)
						}
					case 2:
						x := math.Float32frombits(uint32(v))
						e.scalar = &x
					case 4: // image
						return fields(b, func(number int, v uint64, b []byte) error {
							switch number {
							case 1:
								e.size.Y = int(v)
							case 2:
								e.size.X = int(v)
							case 4:
								e.picture = b
							default:
								return fmt.Errorf("image: field %d", number)
							}
							return nil
						})
					default:
						return fmt.Errorf("value: field %d", number)
					}
					return nil
				})
			})
		case 7: // session log
			return fields(b, func(number int, v uint64, _ []byte) error {
				if number != 1 {
					return fmt.Errorf("session log: field %d", number)
				}
				e.session = v
				return nil
			})
		default:
			return fmt.Errorf("event: field %d", number)
		}
		return nil
	})
	return e, err
}

func decodeAll(t *testing.T, b []byte) []event {
	t.Helper()
	all, err := records(b)
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	for i, r := range all {
		e, err := decode(r)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		events = append(events, e)
	}
	return events
}

func read(t *testing.T, path string) []event {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return decodeAll(t, b)
}

func texts(events []event) []string {
	var s []string
	for _, e := range events {
		s = append(s, e.String())
	}
	return s
}

// clock is one second later each time, from a time on.
func clock(seconds int64) func() time.Time {
	return func() time.Time {
		seconds++
		return time.Unix(seconds-1, 250e6)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// picture is opaque and differs at each pixel.
func picture(w, h int, blue uint8) image.Image {
	m := image.NewNRGBA(image.Rect(3, 5, 3+w, 5+h)) // the corner is not always at 0, 0
	for y := range h {
		for x := range w {
			m.SetNRGBA(3+x, 5+y, color.NRGBA{uint8(x), uint8(y), blue, 255})
		}
	}
	return m
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	w, err := create(dir, 0, clock(1_800_000_000))
	must(t, err)
	w.Scalar("loss/train 288", 1, 0.1)
	w.Scalar("learning rate", 1<<40, -1e-300)
	w.Scalar("psnr/validation 144", 0, math.Inf(1))
	w.Scalar("a\xffb ü", 7, math.NaN())
	m := picture(20, 10, 9)
	w.Image("prediction 288/bay", 3, m)
	must(t, w.Close())
	must(t, w.Close())
	w.Scalar("late", 1, 1)
	w.Image("late", 1, m)
	must(t, w.Flush())

	name := filepath.Base(w.path)
	if !regexp.MustCompile(`^events\.out\.tfevents\.1800000000\.[-.\w]+\.\d+\.0$`).MatchString(name) {
		t.Errorf("the file is called %s", name)
	}
	events := read(t, w.path)
	want := []string{
		"version brain.Event:2",
		"session 1 from 0",
		"loss/train 288 at 1: 0.1",
		"learning rate at 1099511627776: -0",
		"psnr/validation 144 at 0: +Inf",
		"a\uFFFDb ü at 7: NaN",
		"prediction 288/bay at 3: picture (20,10)",
	}
	if got := texts(events); !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	for i, e := range events {
		if want := 1_800_000_001.25 + float64(i); e.time != want { // the name took the first second
			t.Errorf("event %d: got time %f, want %f", i, e.time, want)
		}
	}
	back, err := png.Decode(bytes.NewReader(events[6].picture))
	must(t, err)
	for y := range 10 {
		for x := range 20 {
			if got, want := color.NRGBAModel.Convert(back.At(x, y)), m.At(3+x, 5+y); got != want {
				t.Fatalf("pixel %d, %d: got %v, want %v", x, y, got, want)
			}
		}
	}
}

// TestChecksum has the example of RFC 3720, section B.4: 32 bytes of zeros have the CRC-32C
// 8a9136aa. Both here and in the decoder.
func TestChecksum(t *testing.T) {
	plain := uint32(0x8a9136aa)
	want := (plain>>15 | plain<<17) + 0xa282ead8
	if got := checksum(make([]byte, 32)); got != want {
		t.Errorf("got %08x, want %08x", got, want)
	}
	if got := crc(make([]byte, 32)); got != want {
		t.Errorf("decoder: got %08x, want %08x", got, want)
	}
}

// TestOrder makes one file after another, as resumed trainings do.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"events.out.tfevents.17.host.1.0", // by no clock, as the next four
		"events.out.tfevents.18000000000.host.1.0",
		"events.out.tfevents.99999999999999999999.host.1.0",
		"events.out.tfevents.-000000001.host.1.0",
		"events.out.tfevents.",
		"events.out.tfevents.1800000007.other.99999.3.suffix", // of another program
		"report.html",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o666))
	}
	must(t, os.Mkdir(filepath.Join(dir, "multi"), 0o777))
	last := "events.out.tfevents.1800000007.other.99999.3.suffix"
	for i, c := range []struct {
		clock, step int64
		seconds     string
		session     string
	}{
		{1_800_000_000, 0, "1800000008", "session 1 from 0"},
		{1_800_000_008, 40, "1800000009", "session 1 from 41"}, // the same second
		{1_700_000_000, 1, "1800000010", "session 1 from 2"},   // the clock was set back
		{1_800_000_100, 40, "1800000100", "session 1 from 41"},
		{-5, 3, "1800000101", "session 1 from 4"},
	} {
		w, err := create(dir, c.step, clock(c.clock))
		must(t, err)
		must(t, w.Close())
		name := filepath.Base(w.path)
		if got := strings.Split(name, ".")[3]; got != c.seconds {
			t.Errorf("%d: got seconds %s, want %s", i, got, c.seconds)
		}
		if name <= last {
			t.Errorf("%d: %s is before %s", i, name, last)
		}
		if got := read(t, w.path)[1].String(); got != c.session {
			t.Errorf("%d: got %s, want %s", i, got, c.session)
		}
		last = name
	}
}

// TestCrowd: processes that begin in one second have a file each.
func TestCrowd(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			w, err := create(dir, 0, clock(1_800_000_000))
			if err != nil {
				t.Error(err)
				return
			}
			w.Close()
		})
	}
	all.Wait()
	if files, err := os.ReadDir(dir); err != nil || len(files) != 16 {
		t.Errorf("got %d files, %v; want 16", len(files), err)
	}
}

// TestCreate: what cannot be made is an error that says why, and leaves no file.
func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	w, err := Create(dir, 0)
	if !errors.Is(err, fs.ErrNotExist) || w != nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "TensorBoard") {
		t.Errorf("a folder that is not there: got %v, %v", w, err)
	}
}

// TestNil: a training without TensorBoard has a Writer that is nil.
func TestNil(t *testing.T) {
	var w *Writer
	w.Scalar("loss", 1, 1)
	w.Image("picture", 1, picture(1, 1, 0))
	must(t, w.Flush())
	must(t, w.Close())
}

// flaky is a file that fails.
type flaky struct {
	bytes.Buffer
	room       int // how many bytes it takes
	syncs      int
	write      error
	sync, shut error
	writes     int
}

func (f *flaky) Write(b []byte) (int, error) {
	f.writes++
	if left := f.room - f.Len(); left < len(b) {
		f.Buffer.Write(b[:left])
		return left, f.write
	}
	return f.Buffer.Write(b)
}

func (f *flaky) Sync() error  { f.syncs++; return f.sync }
func (f *flaky) Close() error { return f.shut }

// on gives a Writer another file.
func on(t *testing.T, f *flaky) *Writer {
	t.Helper()
	w, err := create(t.TempDir(), 0, clock(1_800_000_000))
	must(t, err)
	must(t, w.file.Close())
	w.file = f
	return w
}

// TestFaults: a fault is remembered, and after it nothing is written any more.
func TestFaults(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "events", Err: syscall.ENOSPC}
	stuck := errors.New("input/output error")
	for name, c := range map[string]struct {
		file *flaky
		want error
	}{
		"full disk":        {&flaky{room: 100, write: full}, syscall.ENOSPC},
		"no byte":          {&flaky{room: 0, write: full}, syscall.ENOSPC},
		"close too":        {&flaky{room: 100, write: full, shut: stuck}, syscall.ENOSPC},
		"sync":             {&flaky{room: math.MaxInt, sync: stuck}, stuck},
		"close":            {&flaky{room: math.MaxInt, shut: stuck}, stuck},
		"sync not there":   {&flaky{room: math.MaxInt, sync: syscall.ENOTSUP}, nil},
		"sync not allowed": {&flaky{room: math.MaxInt, sync: &fs.PathError{Op: "sync", Path: "events", Err: syscall.EINVAL}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(t, c.file)
			for i := range 3 {
				w.Scalar("loss", int64(i), 1)
				w.Image("picture", int64(i), picture(2, 2, 0))
			}
			first := w.Flush()
			if late := c.want == stuck && c.file.shut != nil; !late && !errors.Is(first, c.want) || late && first != nil {
				t.Fatalf("Flush: got %v, want %v", first, c.want)
			}
			length, writes, syncs := c.file.Len(), c.file.writes, c.file.syncs
			c.file.room = math.MaxInt // somebody made room
			c.file.sync = nil
			if first != nil {
				for i := range 10_000 {
					w.Scalar("loss", int64(i), 1)
				}
				w.Image("picture", 4, picture(2, 2, 0))
				if again := w.Flush(); again != first {
					t.Errorf("Flush once more: got %v, want %v", again, first)
				}
				if c.file.Len() != length || c.file.writes != writes || c.file.syncs != syncs {
					t.Error("something was written after the fault")
				}
			}
			err := w.Close()
			if !errors.Is(err, c.want) {
				t.Fatalf("Close: got %v, want %v", err, c.want)
			}
			if err != nil && (strings.Count(err.Error(), w.path) != 1 || strings.Contains(err.Error(), "write events")) {
				t.Errorf("%v: it should name the file, once", err)
			}
			if c.want == nil {
				decodeAll(t, c.file.Bytes())
			}
		})
	}
}

// TestRemoved: what is written to a file that was removed is nowhere, though the system has no
// error for it.
func TestRemoved(t *testing.T) {
	w, err := Create(t.TempDir(), 0)
	must(t, err)
	defer w.Close()
	if err := os.Remove(w.path); err != nil {
		t.Skip("an open file cannot be removed here")
	}
	w.Scalar("loss", 1, 1)
	if err := w.Flush(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), w.path) {
		t.Errorf("got %v, want that the file is not there", err)
	}
}

// TestBadPicture: PNG has no picture without pixels.
func TestBadPicture(t *testing.T) {
	w, err := Create(t.TempDir(), 0)
	must(t, err)
	w.Scalar("loss", 4, 1)
	w.Image("empty one", 4, image.NewRGBA(image.Rect(0, 0, 0, 0)))
	w.Scalar("loss", 5, 1)
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), `"empty one" of step 4`) {
		t.Errorf("got %v, want an error that names the picture", err)
	}
	if got, want := texts(read(t, w.path))[2:], []string{"loss at 4: 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestGathers: numbers are written some thousand at once, in whole records, and cost no memory.
func TestGathers(t *testing.T) {
	f := &flaky{room: math.MaxInt}
	w := on(t, f)
	before := 0
	for i := range 20_000 {
		w.Scalar("loss/train 288", int64(i), 1)
		if now := f.Len(); now != before {
			if _, err := records(f.Bytes()[before:now]); err != nil {
				t.Fatalf("after %d numbers: %v", i+1, err)
			}
			before = now
		}
	}
	if f.writes < 5 || f.writes > 50 || f.syncs != 0 {
		t.Fatalf("20,000 numbers: got %d writes and %d syncs, want 5 to 50 writes and no sync", f.writes, f.syncs)
	}
	must(t, w.Flush())
	if got := len(decodeAll(t, f.Bytes())); got != 20_000 {
		t.Errorf("got %d numbers, want 20000", got)
	}
	f.Buffer.Grow(1 << 22)
	if n := testing.AllocsPerRun(10_000, func() { w.Scalar("loss/train 288", 1, 1) }); n != 0 {
		t.Errorf("a number takes memory %v times", n)
	}
}

// TestGoroutines is for the race detector, and for records in one piece.
func TestGoroutines(t *testing.T) {
	w, err := Create(t.TempDir(), 0)
	must(t, err)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 200 {
				w.Scalar(fmt.Sprint("loss/", g), int64(i), 1)
				if i%50 == 0 {
					w.Image(fmt.Sprint("picture/", g), int64(i), picture(8, 8, uint8(g)))
					if err := w.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	must(t, w.Close())
	if got, want := len(read(t, w.path)), 2+4*(200+4); got != want {
		t.Errorf("got %d events, want %d", got, want)
	}
}

func BenchmarkScalar(b *testing.B) {
	w, err := Create(b.TempDir(), 0)
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		w.Scalar("loss/train 288", int64(i), 0.5)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkImage(b *testing.B) {
	w, err := Create(b.TempDir(), 0)
	if err != nil {
		b.Fatal(err)
	}
	m := picture(288, 288, 0)
	for i := range b.N {
		w.Image("prediction 288/bay", int64(i), m)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
