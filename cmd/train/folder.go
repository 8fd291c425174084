package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/filelock"
)

// makeOut makes the folder for the results, and refuses one that has some, itself or in one of the
// folders that the run will make there: nothing that took hours is to be written over. undo takes
// away again what was made, unless something has been put there.
func makeOut(dir string, inside []string) (undo func(), err error) {
	for _, d := range append([]string{dir}, inside...) {
		for _, name := range []string{runs.ConfigFile, runs.WeightsFile, checkpointFolder} {
			if _, err := os.Lstat(filepath.Join(d, name)); err == nil {
				return nil, fmt.Errorf("-out %s: expected a folder without results, found %s of an earlier run; choose another folder, or go on with that run: -resume %s", dir, filepath.Join(d, name), dir)
			}
		}
	}
	var made []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || filepath.Dir(d) == d {
			break
		}
		made = append(made, d)
	}
	undo = func() {
		for _, d := range made {
			os.Remove(d) // fails unless it is empty
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		undo()
		return nil, fmt.Errorf("-out %s: expected a folder that can be made: %w", dir, err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		undo()
		return nil, fmt.Errorf("-out %s: expected a folder that can be written to: %w", dir, err)
	}
	probe.Close()
	return undo, os.Remove(probe.Name())
}

// lockOut makes this process the only one that trains in the folder.
func lockOut(dir string) (unlock func(), err error) {
	unlock, err = filelock.Lock(filepath.Join(dir, "training"))
	if errors.Is(err, filelock.ErrBusy) {
		return nil, fmt.Errorf("%s: expected a run that has ended: %w", dir, err)
	}
	return unlock, err
}
