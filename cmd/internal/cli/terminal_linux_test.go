package cli

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal returns both ends of a new terminal.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { ours.Close() })
	fd := int(ours.Fd())
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	return ours, theirs
}

// TestTerminalCloses closes the terminal of a lasting command: it is told so, by SIGHUP or
// the end of its input, and does its work though all that it writes is lost.
func TestTerminalCloses(t *testing.T) {
	for _, name := range []string{"listener", "lasting talker"} {
		ours, theirs := terminal(t)
		c := newChild(t, name)
		c.Stdin, c.Stdout, c.Stderr = theirs, theirs, theirs
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		theirs.Close()
		if line, err := bufio.NewReader(ours).ReadString('\n'); err != nil {
			t.Fatalf("%s says %q, %v", name, line, err)
		}
		ours.Close()
		want := "done, <nil>"
		if name == "listener" {
			want = "done, context canceled"
		}
		c.ends(name, want)
	}
}
