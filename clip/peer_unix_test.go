//go:build unix

package clip

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pixelgrad/tensor"
)

// TestAgainstPyTorch times ViT-B/32 in turn with OpenAI's code in PyTorch:
//
//	PIXELGRAD_CLIP_PEER="python3 testdata/golden/clip_bench.py MODEL.PY" go test -run AgainstPyTorch -v ./clip
//
// Paths are relative to the project's folder. Ratios are medians of pairs. There are ratios of
// the time by the clock, and ratios of processor time for machines that are busy with other
// programs.
func TestAgainstPyTorch(t *testing.T) {
	command := strings.Fields(os.Getenv("PIXELGRAD_CLIP_PEER"))
	if len(command) == 0 {
		t.Skip("PIXELGRAD_CLIP_PEER is not set")
	}
	threads := tensor.Threads()
	cmd := exec.Command(command[0], append(command[1:], fmt.Sprint(threads))...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "OMP_WAIT_POLICY=passive") // its idle threads should not take our time
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(out)
	ask := func(question string) string {
		fmt.Fprintln(in, question)
		line, err := answers.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	defer func() {
		in.Close()
		io.Copy(io.Discard, out)
		cmd.Wait()
	}()
	t.Logf("PyTorch %s, %d threads", ask("version"), threads)

	m := base()
	median := func(v []float64) float64 {
		slices.Sort(v)
		return v[len(v)/2]
	}
	for _, what := range []string{"image 1", "image 16", "text 16"} {
		var word string
		var n int
		fmt.Sscan(what, &word, &n)
		x := scaled(1, n, 3, 224, 224)
		var ids [][]int
		for i := range n {
			ids = append(ids, text(i, 77, 77, 49408))
		}
		var clock, used, ours, theirs []float64
		for round := range 8 {
			start, processors := time.Now(), processorTime()
			if word == "image" {
				tensor.Release(m.EncodeImage(x))
			} else {
				tensor.Release(mustEncode(t, m, ids))
			}
			seconds, busy := time.Since(start).Seconds(), processorTime()-processors
			var peerSeconds, peerProcessors float64
			if _, err := fmt.Sscan(ask(what), &peerSeconds, &peerProcessors); err != nil {
				t.Fatal(err)
			}
			if round > 0 { // the first one warmed up
				ours, theirs = append(ours, seconds), append(theirs, peerSeconds)
				clock, used = append(clock, seconds/peerSeconds), append(used, busy/peerProcessors)
			}
		}
		t.Logf("%-8s ours %6.0f ms, PyTorch %6.0f ms; ratio %.3f by the clock, %.3f of processor time",
			what, 1000*median(ours), 1000*median(theirs), median(clock), median(used))
	}
	t.Logf("memory: ours %d MB, PyTorch %s bytes", peakMemory()/1e6, ask("memory"))
}

// processorTime returns the time of this process on all processors, in seconds.
func processorTime() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
