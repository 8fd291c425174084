package memory

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// machine returns how many bytes Windows can give without swapping, or a negative number if
// the system does not say. Source: Microsoft's documentation of GlobalMemoryStatusEx.
func machine() int64 {
	var status struct { // MEMORYSTATUSEX
		length, load         uint32
		total, available     uint64
		totalPage, page      uint64
		totalVirtual, unused uint64
		extended             uint64
	}
	status.length = uint32(unsafe.Sizeof(status))
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if call.Find() != nil {
		return -1
	}
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return -1
	}
	return int64(status.available)
}
