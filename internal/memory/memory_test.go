package memory

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
)

// The least of a process's groups and of those around it counts, in both versions of control
// groups; pages of files do not, and "max" and version 1's largest number are no limits.
func TestGroupRoom(t *testing.T) {
	const none = "9223372036854771712\n"
	for _, c := range []struct {
		what  string
		files map[string]string
		want  int64 // -1: no limit is known
	}{
		{"nothing", nil, -1},
		{"no limit", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "7\n"}, -1},
		{"the root of a machine has no numbers", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.stat": "file 7\n"}, -1},
		{"a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "400\n",
			"sys/fs/cgroup/memory.stat": "anon 200\nfile 200\ninactive_anon 1\ninactive_file 50\nactive_file 70\n"}, 1000 - (400 - 120)},
		{"full", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1400\n"}, 0},
		{"more pages of files than use", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "10\n",
			"sys/fs/cgroup/memory.stat": "inactive_file 50\n"}, 1000},
		{"a service in a slice", map[string]string{"proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/memory.max": "1000\n", "sys/fs/cgroup/a.slice/memory.current": "900\n",
			"sys/fs/cgroup/a.slice/b.service/memory.max": "500\n", "sys/fs/cgroup/a.slice/b.service/memory.current": "100\n"}, 100},
		{"another slice", map[string]string{"proc/self/cgroup": "0::/a.slice\n", "sys/fs/cgroup/c.slice/memory.max": "10\n", "sys/fs/cgroup/c.slice/memory.current": "9\n"}, -1},
		{"a container that sees the machine's path", map[string]string{"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1\n"}, 999},
		{"version 1", map[string]string{"proc/self/cgroup": "10:cpu,cpuacct:/docker/abc\n9:memory:/docker/abc\n1:name=systemd:/\n",
			"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "1000\n", "sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": "300\n",
			"sys/fs/cgroup/memory/docker/abc/memory.stat": "inactive_file 1\ntotal_inactive_file 30\ntotal_active_file 4\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":  none, "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000\n"}, 1000 - (300 - 34)},
		{"version 1, in the container", map[string]string{"proc/self/cgroup": "9:hugetlb,memory:/docker/abc\n0::/docker/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "300\n"}, 700},
		{"hybrid", map[string]string{"proc/self/cgroup": "1:name=systemd:/x\n0::/x\n", "sys/fs/cgroup/unified/x/memory.max": "1000\n", "sys/fs/cgroup/unified/x/memory.current": "1\n"}, 999},
		{"lines of another form", map[string]string{"proc/self/cgroup": "\n0:\nx\n0::/../../..\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1\n"}, 999},
	} {
		root := t.TempDir()
		for name, text := range c.files {
			file := filepath.Join(root, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, known := groupRoom(root)
		if !known {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// GOMEMLIMIT counts where it leaves less than the machine.
func TestGoLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	debug.SetMemoryLimit(1 << 30)
	bytes, known := goRoom()
	if !known || bytes <= 0 || bytes >= 1<<30 {
		t.Errorf("%d, %v; want less than 1 GiB, and not nothing", bytes, known)
	}
	debug.SetMemoryLimit(1)
	if bytes, limit := Free(); bytes != 0 || limit != Go {
		t.Errorf("with a limit of 1 byte: %d %q, want 0 %q", bytes, limit, Go)
	}
}

func TestFree(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says all of this")
	}
	bytes, limit := Free()
	if limit == Unknown || bytes < 1<<20 || bytes > 1<<50 {
		t.Errorf("%d bytes %q, want what a machine has", bytes, limit)
	}
	if n := Resident(); n < 1<<20 || n > 1<<40 {
		t.Errorf("%d bytes of this process, want what a test takes", n)
	}
}
