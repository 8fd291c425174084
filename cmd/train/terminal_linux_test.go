package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTerminalStandsStill stops the terminal that shows the bar, as Ctrl-S does, and then ends the
// training: it must save and leave all the same.
func TestTerminalStandsStill(t *testing.T) {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer ours.Close()
	n, err := unix.IoctlGetUint32(int(ours.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer theirs.Close()
	dir := filepath.Join(t.TempDir(), "run")
	c := process(practised(dir, "-epochs", "1000")...)
	c.Stderr = theirs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Epoch [   1/1000]") {
	}
	const stop = 0 // TCOOFF
	if err := unix.IoctlSetInt(int(theirs.Fd()), unix.TCXONC, stop); err != nil {
		c.Process.Kill()
		t.Skipf("the terminal cannot be stopped: %v", err)
	}
	time.Sleep(500 * time.Millisecond) // for the bar
	c.Process.Signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v, want an end by itself", err)
	}
	checkpointsLoad(t, dir)
}
