package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"pixelgrad/cmd/internal/format"
)

// A peer is a script that runs our models in another library, or another build of this
// command.
type peer struct {
	title  string // of the library, with its version
	script string
	build  string   // the other build's file
	only   []string // the models that it runs; nil for all

	// The ways in which it can compute a model, the first as most people run it, and the
	// allocators that it can have beside the system's, the preferred one first. See variants.go.
	ways, allocators []string
}

// runs tells whether the peer runs a model.
func (p peer) runs(m modelSpec) bool { return p.only == nil || slices.Contains(p.only, m.name) }

// peerEnv tells the peers' threads to sleep while they have nothing to do, for they would
// take ours' time; and OpenBLAS, which PyTorch does not tell, and whatever else has threads of
// OpenMP's, how many it may have.
func peerEnv(threads int) []string {
	return []string{"OMP_WAIT_POLICY=passive", fmt.Sprintf("OMP_NUM_THREADS=%d", threads), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads)}
}

// findPeers returns the peers that can run. Which cannot, and why, it tells log: a machine
// without PyTorch still has its own figures to show.
func findPeers(ctx context.Context, o *options, log io.Writer) ([]peer, error) {
	var found []peer
	if o.against != "" {
		if _, err := exec.LookPath(o.against); err != nil {
			return nil, fmt.Errorf("-against: expected another build of this command, made by go build ./cmd/bench: %w", err)
		}
		found = append(found, peer{title: filepath.Base(o.against), build: o.against})
	}
	if o.peer == "" {
		return found, nil
	}
	for _, script := range strings.Split(o.scripts, ",") {
		if _, err := os.Stat(script); err != nil {
			return nil, fmt.Errorf("-peer-scripts: %w; run from the project's folder, or say where the scripts are", err)
		}
		cmd := exec.CommandContext(ctx, o.peer, script)
		cmd.Env = append(os.Environ(), peerEnv(o.threads)...)
		out, err := cmd.Output()
		var a answer
		var status *exec.ExitError
		switch {
		case err != nil && !errors.As(err, &status):
			fmt.Fprintf(log, "bench: -peer %s cannot be run (%v): expected the name or path of a Python that has PyTorch; ours is measured alone\n", o.peer, err)
			return found, nil
		case err != nil:
			fmt.Fprintf(log, "bench: -peer %s: expected a Python that runs %s, it ended with %v%s; left out\n", o.peer, script, err, lastLine(status.Stderr))
		case json.Unmarshal(out, &a) != nil || a.Name == "" && a.Missing == "":
			fmt.Fprintf(log, "bench: -peer %s: expected a Python that runs %s, it answered %s; left out\n", o.peer, script, format.Quote(string(out)))
		case a.Missing != "":
			fmt.Fprintf(log, "bench: -peer %s: %s; left out\n", o.peer, format.Printable(a.Missing))
		case !areNames(a.Ways) || !areNames(a.Allocators):
			fmt.Fprintf(log, "bench: -peer %s: expected %s to list at most %d ways and allocators by short names without commas, it answered %s; left out\n", o.peer, script, mostNames, format.Quote(string(out)))
		default:
			found = append(found, peer{title: a.Name, script: script, only: a.Only, ways: a.Ways, allocators: a.Allocators})
		}
	}
	if len(found) == 0 {
		fmt.Fprintln(log, "bench: there is nothing to compare with: ours is measured alone")
	}
	return found, nil
}

// lastLine returns where a Python's message says what happened.
func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Sprintf(" (%s)", format.Printable(last))
	}
	return ""
}

// mostNames is how many ways and allocators a peer may list.
const mostNames = 16

// areNames tells whether a peer's names can be told apart, and stand in a table.
func areNames(names []string) bool {
	short := regexp.MustCompile(`^[\w.+-][\w.+ -]{0,39}$`)
	for i, name := range names {
		if !short.MatchString(name) || slices.Contains(names[:i], name) {
			return false
		}
	}
	return len(names) <= mostNames
}
