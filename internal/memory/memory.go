// Package memory says how much memory there is to take, and asks for huge pages.
package memory

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// What sets the limit that [Free] found, as a message says it: "2.0 GB of the machine".
const (
	Machine   = "of the machine"
	Container = "of the container (its cgroup's limit)"
	Go        = "of GOMEMLIMIT"
	Unknown   = ""
)

// Free returns how many bytes this process can still take, without swapping and without being
// killed for it, and what sets this limit: the machine, a control group (containers and
// services have one) or the variable GOMEMLIMIT, whichever leaves least. The limit is Unknown
// on a system that does not say. On macOS and Windows there are no control groups, and macOS
// only says what memory it has in all.
func Free() (bytes int64, limit string) {
	bytes, limit = machine(), Machine
	if bytes < 0 {
		bytes, limit = math.MaxInt64, Unknown
	}
	if room, known := groupRoom("/"); known && room < bytes {
		bytes, limit = room, Container
	}
	if room, known := goRoom(); known && room < bytes {
		bytes, limit = room, Go
	}
	if limit == Unknown {
		return 0, Unknown
	}
	return bytes, limit
}

// Resident returns how many bytes of this process are in memory, or 0 if the system does not
// say.
func Resident() int64 {
	n, _ := figure("/proc/self/status", "VmRSS: %d kB")
	return n << 10
}

// goRoom returns what Go's soft limit leaves. Above it the collector runs all the time.
func goRoom() (bytes int64, known bool) {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return 0, false
	}
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	used := int64(s[0].Value.Uint64() - s[1].Value.Uint64() - s[2].Value.Uint64())
	return max(0, limit-used), true
}

// hierarchy is where one version of control groups keeps its numbers, and how they are called.
type hierarchy struct {
	dir, limit, used string
	cache            []string // lines of memory.stat: pages of files, which are given back when they are needed
}

var (
	version2 = hierarchy{"sys/fs/cgroup", "memory.max", "memory.current", []string{"inactive_file", "active_file"}}
	hybrid   = hierarchy{"sys/fs/cgroup/unified", version2.limit, version2.used, version2.cache}
	version1 = hierarchy{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", []string{"total_inactive_file", "total_active_file"}}
)

// groupRoom returns what is left in the control groups of this process: in its own, and in
// those around it, each of which has a limit for all that is inside. root is where the file
// system begins.
func groupRoom(root string) (bytes int64, known bool) {
	// A line is "0::/a/b" in version 2 and "9:memory:/a/b" in version 1. In a container the
	// path may be that of the machine, which does not exist here; the group's own numbers
	// are then at the top.
	text, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) < 3 {
			continue
		}
		var kinds []hierarchy
		switch {
		case fields[1] == "":
			kinds = []hierarchy{version2, hybrid}
		case strings.Contains(","+fields[1]+",", ",memory,"):
			kinds = []hierarchy{version1}
		}
		for _, h := range kinds {
			for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
				if room, ok := h.room(filepath.Join(root, h.dir, group)); ok && (!known || room < bytes) {
					bytes, known = room, true
				}
				if group == "/" {
					break
				}
			}
		}
	}
	return bytes, known
}

// room returns what is left in one control group, if it has a limit.
func (h hierarchy) room(dir string) (bytes int64, known bool) {
	number := func(name string) (int64, bool) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // not "max", which is no limit
		return n, err == nil
	}
	limit, limited := number(h.limit)
	used, ok := number(h.used)
	if !limited || !ok {
		return 0, false
	}
	for _, line := range h.cache {
		n, _ := figure(filepath.Join(dir, "memory.stat"), line+" %d")
		used -= n
	}
	return max(0, limit-max(0, used)), true
}

// figure returns the number in the line of one of Linux's files that has a form.
func figure(file, form string) (n int64, known bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, form, &n); err == nil {
			return n, true
		}
	}
	return 0, false
}
