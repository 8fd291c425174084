// Package memory says how much memory there is.
package memory

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Available returns how many bytes the system can give without swapping, if it says so.
func Available() (bytes int64, known bool) {
	bytes, known = figure("/proc/meminfo", "MemAvailable: %d kB")
	bytes <<= 10
	// A container may have less than its machine.
	number := func(file string) (int64, bool) {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil
	}
	limit, limited := number("/sys/fs/cgroup/memory.max") // "max" without a limit
	used, ok := number("/sys/fs/cgroup/memory.current")
	for _, cache := range []string{"inactive_file", "active_file"} { // given back when it is needed
		n, _ := figure("/sys/fs/cgroup/memory.stat", cache+" %d")
		used -= n
	}
	if limited && ok && (!known || limit-used < bytes) {
		bytes, known = max(0, limit-used), true
	}
	return bytes, known
}

// Resident returns how many bytes of this process are in memory, or 0 if the system does
// not say.
func Resident() int64 {
	n, _ := figure("/proc/self/status", "VmRSS: %d kB")
	return n << 10
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
