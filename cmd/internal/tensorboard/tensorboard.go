// Package tensorboard writes event files, from which TensorBoard shows how a training goes:
// numbers as curves over the steps, and pictures. The folder of each network has its own; with
// --logdir TensorBoard is given the folder above, and shows each network as a run.
//
// An event file only grows. It consists of records, each an Event in protocol buffers:
//
//	length    8 bytes, little-endian
//	checksum  4 bytes, of the length: CRC-32C, masked
//	event     as long as the length says
//	checksum  4 bytes, of the event
//
// So it is not written whole or not at all like all else in a run's folder. A process that is
// killed leaves a part of a record at the end, which readers expect: they read up to there, and
// go on with the folder's next file in the order of the names. A resumed training has one of its
// own.
//
// Source: TensorFlow's tensorflow/core/lib/io/record_writer.h and TensorBoard 2.21's
// tensorboard/compat/proto/event.proto and summary.proto, for the layout; tensorboard/data/server
// and tensorboard/backend/event_processing for what its two readers make of it.
package tensorboard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"pixelgrad/internal/atomicfile"
)

// A Writer appends to an event file. Its methods may be called from several goroutines, and do
// nothing if it is nil, so that a training without TensorBoard needs no branches.
//
// What cannot be written never ends a training: the first error is remembered and returned by
// Flush, and from then on nothing is written.
type Writer struct {
	path string
	now  func() time.Time

	mu   sync.Mutex
	file file // nil after Close
	err  error
	buf  []byte // whole records that are yet to be written

	value, summary []byte // of one event; kept for their memory
}

// file is what a Writer needs of an *os.File. Tests have others.
type file interface {
	io.WriteCloser
	Sync() error
}

// enough is how many bytes are gathered before they are written: some thousand numbers.
const enough = 1 << 16

// Create makes a new event file in a folder, which must exist, for a training that goes on after
// the given number of steps, or starts: then it is 0.
//
// When a training is resumed, its folder has a file of the killed process, which may tell of
// steps that are now taken again. TensorBoard forgets what came after the step: at once where it
// reads files in Python, because it is told of a new session; where it has its faster reader, as
// soon as a tag has a new value, of a step that it has seen already. The numbers and pictures of
// the step itself remain, except for step 0, where all starts again.
//
// Within a session, the steps of a tag must grow: TensorBoard takes a step that is not later
// than the one before for a new session.
func Create(dir string, step int64) (*Writer, error) { return create(dir, step, time.Now) }

func create(dir string, step int64, now func() time.Time) (*Writer, error) {
	f, err := newest(dir, now().Unix())
	if err != nil {
		return nil, fmt.Errorf("an event file for TensorBoard cannot be made: %w", err)
	}
	w := &Writer{path: f.Name(), now: now, file: f}
	w.append(0, eventFileVersion, []byte("brain.Event:2"))
	first := step + 1 // that may be written again: readers drop what is not before it
	if step == 0 {
		first = 0
	}
	w.append(first, eventSessionLog, protowire.AppendVarint(protowire.AppendTag(nil, sessionStatus, protowire.VarintType), sessionStart))
	err = w.Flush()
	if err == nil {
		err = atomicfile.SyncFolder(dir)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, err
	}
	return w, nil
}

// prefix begins the name of every event file. TensorBoard looks for "tfevents" in it.
const prefix = "events.out.tfevents."

// newest makes a file whose name is later, in the order of names, than those of all event files
// in the folder: TensorBoard reads them in that order. So the time in its name, in seconds since
// 1970, is later than now if there are other files of this second, or if the clock has been set
// back.
//
// The name is events.out.tfevents.SECONDS.HOST.PID.N, as TensorFlow's are.
func newest(dir string, seconds int64) (*os.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), prefix)
		digits, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.ParseUint(digits, 10, 63); ok && err == nil && len(digits) == 10 {
			seconds = max(seconds, int64(n)+1)
		}
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	host = strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, host)
	for {
		name := fmt.Sprintf("%s%010d.%s.%d.0", prefix, seconds, host, os.Getpid())
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		seconds++ // another process was faster
	}
}

// Scalar adds a number to a curve. It costs little, and may be called in every step. Curves whose
// tags have the same text before a slash are shown together: "loss/train 288" and
// "loss/validation 288" under "loss".
//
// The number is rounded to a float32. NaN and infinity are written as they are: TensorBoard
// leaves a gap in the curve, and says in its table what is there.
func (w *Writer) Scalar(tag string, step int64, v float64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b := appendTag(w.value[:0], tag)
	b = protowire.AppendTag(b, valueSimple, protowire.Fixed32Type)
	w.value = protowire.AppendFixed32(b, math.Float32bits(float32(v)))
	w.appendValue(step)
}

// Image adds a picture to those of a tag, as PNG. TensorBoard shows the pictures of a tag under
// a slider for the steps; it keeps ten of them, chosen by chance except for the last, unless it
// is started with --samples_per_plugin=images=100.
func (w *Writer) Image(tag string, step int64, m image.Image) {
	if w == nil || w.failed() {
		return
	}
	var encoded bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err := encoder.Encode(&encoded, m)

	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.fail(fmt.Errorf("picture %q of step %d: %w", tag, step, err))
		return
	}
	size := m.Bounds().Size()
	var b []byte
	b = protowire.AppendTag(b, imageHeight, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(size.Y))
	b = protowire.AppendTag(b, imageWidth, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(size.X))
	b = protowire.AppendTag(b, imageEncoded, protowire.BytesType)
	b = protowire.AppendBytes(b, encoded.Bytes())
	w.value = appendMessage(appendTag(w.value[:0], tag), valueImage, b)
	w.appendValue(step)
}

// Flush writes what was added since the last Flush, so that TensorBoard can show it and a power
// cut does not take it away. To be called before a checkpoint is saved: then a training that is
// resumed from there lacks nothing. The error is the first one since the file was made, each
// time again, and names the file.
func (w *Writer) Flush() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return w.err
}

// Close flushes, and closes the file. After that nothing is written.
func (w *Writer) Close() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			w.fail(err)
		}
		w.file = nil
	}
	return w.err
}

// The numbers of the fields, of which each message needs few. A summary has the older kinds of
// values, a plain number and an image, and not tensors with metadata: TensorBoard's readers turn
// them into those themselves, its EventAccumulator, which scripts use, finds them as scalars and
// images only so, and the file is less than half as long.
const (
	eventWallTime    protowire.Number = 1 // double
	eventStep        protowire.Number = 2 // int64
	eventFileVersion protowire.Number = 3 // string
	eventSummary     protowire.Number = 5 // Summary
	eventSessionLog  protowire.Number = 7 // SessionLog

	sessionStatus protowire.Number = 1 // enum SessionStatus

	summaryValue protowire.Number = 1 // repeated Value

	valueTag    protowire.Number = 1 // string
	valueSimple protowire.Number = 2 // float
	valueImage  protowire.Number = 4 // Image

	imageHeight  protowire.Number = 1 // int32
	imageWidth   protowire.Number = 2 // int32
	imageEncoded protowire.Number = 4 // bytes
)

// sessionStart is START in the enum SessionStatus.
const sessionStart = 1

// appendTag appends a value's tag. One that is not UTF-8, from a file's name for instance, would
// make the rest of the file unreadable.
func appendTag(b []byte, tag string) []byte {
	b = protowire.AppendTag(b, valueTag, protowire.BytesType)
	return protowire.AppendString(b, strings.ToValidUTF8(tag, "\uFFFD"))
}

// appendMessage appends a field that is a message, or text.
func appendMessage(b []byte, number protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), message)
}

// appendValue appends the record of an event with w.value.
func (w *Writer) appendValue(step int64) {
	w.summary = appendMessage(w.summary[:0], summaryValue, w.value)
	w.append(step, eventSummary, w.summary)
}

// append appends the record of an event, which has one message besides its time and step.
func (w *Writer) append(step int64, number protowire.Number, message []byte) {
	if w.file == nil || w.err != nil {
		return
	}
	const header = 12 // length and checksum
	start := len(w.buf)
	b := append(w.buf, make([]byte, header)...)
	b = protowire.AppendTag(b, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(w.now().UnixMicro())/1e6))
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(step))
	b = appendMessage(b, number, message)
	record := b[start:]
	binary.LittleEndian.PutUint64(record, uint64(len(record)-header))
	binary.LittleEndian.PutUint32(record[8:], checksum(record[:8]))
	w.buf = binary.LittleEndian.AppendUint32(b, checksum(record[header:]))
	if len(w.buf) >= enough {
		w.write()
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the masked CRC-32C: rotated, and with a constant added, because the CRC of
// data that contains CRCs would be of little worth.
func checksum(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// write writes the records that were gathered. Records are handed over whole, so that a reader
// seldom meets half of one.
func (w *Writer) write() {
	if w.file == nil || len(w.buf) == 0 {
		return
	}
	_, err := w.file.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		w.fail(err)
	}
}

func (w *Writer) flush() {
	w.write()
	if w.file == nil || w.err != nil {
		return
	}
	err := w.file.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // file systems of networks that cannot do that
	}
	if err == nil { // a file that was removed takes what is written without an error
		_, err = os.Stat(w.path)
	}
	if err != nil {
		w.fail(err)
	}
}

func (w *Writer) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.file == nil || w.err != nil
}

// fail remembers the first error.
func (w *Writer) fail(err error) {
	if w.err == nil {
		if p := (*fs.PathError)(nil); errors.As(err, &p) {
			err = p.Err // the path is named anyway
		}
		w.err = fmt.Errorf("%s: TensorBoard will show nothing more of this training, because its file cannot be written: %w", w.path, err)
	}
}
