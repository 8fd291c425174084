package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/atomicfile"
)

// The checkpoints of a training are in a folder of their own:
//
//	last-000001200.safetensors   the newest, after 1,200 steps
//	last-000000800.safetensors   the one before, should the newest be damaged
//	best.safetensors             that of the epoch with the smallest validation loss
const (
	checkpointFolder = "checkpoints"
	bestFile         = "best.safetensors"
	damagedMark      = ".damaged" // behind the name of one that was passed over
)

// keptCheckpoints is how many of the newest are kept.
const keptCheckpoints = 2

var lastName = regexp.MustCompile(`^last-([0-9]{9,18})\.safetensors$`)

// checkpoints keeps those of one training.
type checkpoints struct {
	dir   string
	every runs.Every
	log   func(format string, args ...any)

	steps int       // of the newest
	at    time.Time // when it was written, or the training began

	count int           // how many this process has written
	spent time.Duration // on that
}

// due says whether it is time to save after so many steps.
func (c *checkpoints) due(steps int) bool {
	if c.every.Steps > 0 {
		return steps%c.every.Steps == 0
	}
	return time.Since(c.at) >= c.every.Time
}

// path is where the checkpoint after so many steps is.
func (c *checkpoints) path(steps int) string {
	return filepath.Join(c.dir, fmt.Sprintf("last-%09d.safetensors", steps))
}

// save has write write the newest checkpoint, and removes those that are not needed any more.
func (c *checkpoints) save(steps int, write func(path string) error) error {
	begin := time.Now()
	defer func() { c.count, c.spent = c.count+1, c.spent+time.Since(begin) }()
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return err
	}
	err := write(c.path(steps))
	c.at = time.Now() // a full disk is not asked again after each step
	if err != nil {
		return err
	}
	c.steps = steps
	found, err := c.list()
	if err != nil {
		return err
	}
	for _, old := range found[min(keptCheckpoints, len(found)):] {
		if err := os.Remove(c.path(old)); err != nil {
			c.log("an old checkpoint cannot be removed: %v", err) // it only takes room
		}
	}
	return nil
}

// keepBest gives the newest checkpoint the name of the best, too.
func (c *checkpoints) keepBest() error {
	begin := time.Now()
	defer func() { c.spent += time.Since(begin) }()
	return atomicfile.Link(c.path(c.steps), filepath.Join(c.dir, bestFile))
}

// list returns the steps of all checkpoints, the newest first.
func (c *checkpoints) list() ([]int, error) {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []int
	for _, e := range entries {
		if m := lastName.FindStringSubmatch(e.Name()); m != nil {
			n, err := strconv.Atoi(m[1])
			if err == nil && c.path(n) == filepath.Join(c.dir, e.Name()) {
				found = append(found, n)
			}
		}
	}
	slices.Sort(found)
	slices.Reverse(found)
	return found, nil
}

// restore has read read the newest checkpoint that it can, and says which others it cannot: if
// aside is set, those get another name, so that they are out of the way and still there. found is
// false if there is none at all. An error is that none of those that there are can be read.
func (c *checkpoints) restore(aside bool, read func(path string) error) (found bool, err error) {
	c.at = time.Now()
	all, err := c.list()
	if err != nil {
		return false, err
	}
	var failed []error
	for i, steps := range all {
		if err := read(c.path(steps)); err != nil {
			failed = append(failed, err)
			continue
		}
		for j, bad := range all[:i] {
			c.log("WARNING: %v", failed[j])
			if !aside {
				continue
			}
			if err := os.Rename(c.path(bad), c.path(bad)+damagedMark); err != nil {
				return false, err
			}
		}
		if i > 0 {
			c.log("WARNING: the newest checkpoint cannot be used; going on from the one before, after step %d", steps)
		}
		c.steps = steps
		return true, nil
	}
	if len(failed) > 0 {
		return false, fmt.Errorf("none of the checkpoints can be used; begin another run, perhaps with -init and the weights of this one: %w", errors.Join(failed...))
	}
	return false, nil
}
