package simd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// tellLevel is a variable of the environment that makes a process of this test's program
// which prints its level and ends.
const tellLevel = "PIXELGRAD_SIMD_TEST"

// TestMain prints the levels that the tests go through.
func TestMain(m *testing.M) {
	if os.Getenv(tellLevel) != "" {
		fmt.Print(Current())
		return
	}
	fmt.Println("simd: levels tested:", Available())
	os.Exit(m.Run())
}

func TestParseLevel(t *testing.T) {
	best := available[len(available)-1]
	names := make([]string, len(available))
	for i, l := range available {
		names[i] = l.String()
	}
	has := "this machine has " + strings.Join(names, ", ")

	check := func(newer, older string, want Level) {
		t.Helper()
		if got, err := fromEnvironment(environment(newer, older)); err != nil || got != want {
			t.Errorf("PIXELGRAD_SIMD=%q, SIMD=%q: level %v, error %v; want %v", newer, older, got, err, want)
		}
	}
	refuse := func(newer, older, variable string) {
		t.Helper()
		_, err := fromEnvironment(environment(newer, older))
		if err == nil || !strings.Contains(err.Error(), "simd: "+variable+":") || !strings.HasSuffix(err.Error(), has) {
			t.Errorf("PIXELGRAD_SIMD=%q, SIMD=%q: error %v, want one that names %s and ends with %q", newer, older, err, variable, has)
		}
	}
	check("", "", best)
	for _, name := range levelNames {
		if i := slices.Index(names, name); i >= 0 {
			check(name, "", available[i])
			check("", name, available[i])
			check(name, "generic", available[i])
			check(name, "1", available[i])
		} else { // a level of another machine
			refuse(name, "", "PIXELGRAD_SIMD="+name)
			refuse("", name, "SIMD="+name)
			check("generic", name, Generic)
		}
	}
	for _, name := range []string{"nonsense", "AVX2", " ", "generic ", "1", "on"} {
		refuse(name, "", "PIXELGRAD_SIMD="+name)
		refuse(name, "generic", "PIXELGRAD_SIMD="+name)
		check("", name, best) // SIMD is another program's
	}
	if runtime.GOARCH != "arm64" && slices.Contains(available, NEON) || runtime.GOARCH != "amd64" && slices.Contains(available, AVX2) {
		t.Errorf("%s has the levels %v", runtime.GOARCH, names)
	}
}

// environment returns a process' variables.
func environment(newer, older string) func(string) string {
	return func(name string) string { return map[string]string{Environment: newer, oldEnvironment: older}[name] }
}

// TestEnvironment starts processes with the variables set, and reads their level.
func TestEnvironment(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes, which takes long on an emulated processor")
	}
	program, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	best := available[len(available)-1].String()
	for _, c := range []struct{ newer, older, want string }{
		{"", "", best},
		{"", "1", best},
		{"", "generic", "generic"},
		{"generic", "1", "generic"},
		{best, "generic", best},
	} {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), tellLevel+"=1", Environment+"="+c.newer, oldEnvironment+"="+c.older)
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) {
			t.Skip("the program of an emulated processor:", err)
		}
		if err != nil || string(out) != c.want {
			t.Errorf("PIXELGRAD_SIMD=%s SIMD=%s: printed %q, %v; want %s", c.newer, c.older, out, err, c.want)
		}
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), tellLevel+"=1", Environment+"=nonsense")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.HasPrefix(string(out), "simd: PIXELGRAD_SIMD=nonsense: no such level here; this machine has generic") {
		t.Errorf("PIXELGRAD_SIMD=nonsense: printed %q, %v; want status 2 and the levels of this machine", out, err)
	}
}
