//go:build ignore

// Part of emulate-avx512: makes the files "ram", the emulated machine's memory from 1 MiB on, and "rom",
// what its CPU runs first. They replace BIOS, boot loader and the kernel's decompression of itself,
// which are slow under emulation: the kernel is in its place and the ROM only jumps to it.
//
// Arguments: kernel, initramfs, MB of memory, kernel command line.
package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strconv"
)

func must[T any](v T, err error) T {
	if err != nil {
		println("emulate-avx512:", err.Error())
		os.Exit(125)
	}
	return v
}

func main() {
	// At 1 MiB boot_params (Documentation/arch/x86/boot.rst of Linux), command line and page tables,
	// from 16 MiB the kernel, after it the initramfs.
	const base, cmdline, pml4, pdpt = 1 << 20, 0x1000, 0x2000, 0x3000
	le := binary.LittleEndian
	z := must(os.ReadFile(os.Args[1]))
	packed := z[(int(z[0x1f1])+1)*512+int(le.Uint32(z[0x248:])):][:le.Uint32(z[0x24c:])]
	var kernel *elf.File
	var err error
	for _, tool := range []string{"lz4", "zstd", "xz", "gzip"} {
		cmd := exec.Command(tool, "-dc")
		cmd.Stdin = bytes.NewReader(packed)
		plain, _ := cmd.Output() // fails even if right: the kernel's length follows the packed data
		if kernel, err = elf.NewFile(bytes.NewReader(plain)); err == nil {
			break
		}
	}
	must(kernel, err)
	initramfs := must(os.ReadFile(os.Args[2]))
	mem := make([]byte, must(strconv.Atoi(os.Args[3]))<<20-base)
	if len(mem) < 200<<20+2*len(initramfs) { // the kernel keeps a copy of it
		must(0, errors.New("-m: too little memory for the program"))
	}
	end := 0
	for _, p := range kernel.Progs {
		if p.Type == elf.PT_LOAD {
			must(p.ReadAt(mem[p.Paddr-base:][:p.Filesz], 0))
			end = max(end, int(p.Paddr+p.Memsz-base))
		}
	}
	end = (end + 4<<20) &^ 4095
	copy(mem[0x1f1:], z[0x1f1:0x202+int(z[0x201])])
	mem[0x210] = 0xff // type of boot loader: other
	le.PutUint32(mem[0x218:], uint32(base+end))
	le.PutUint32(mem[0x21c:], uint32(len(initramfs)))
	le.PutUint32(mem[0x228:], base+cmdline)
	copy(mem[cmdline:pml4-1], os.Args[4])
	mem[0x1e8] = 2 // usable memory: up to 636 KiB, and from 1 MiB on
	for i, v := range [][2]int{{0, 0x9f000}, {base, len(mem)}} {
		e := mem[0x2d0+20*i:]
		le.PutUint64(e, uint64(v[0]))
		le.PutUint64(e[8:], uint64(v[1]))
		e[16] = 1
	}
	le.PutUint64(mem[pml4:], base+pdpt+3)
	for i := range 4 { // virtual = physical addresses up to 4 GiB
		le.PutUint64(mem[pdpt+8*i:], uint64(i)<<30+0x83)
	}
	end += copy(mem[end:], initramfs)
	must(0, os.WriteFile("ram", mem[:end], 0o600))

	rom := bytes.Repeat([]byte{0xf4}, 65536)
	at := func(i int, code string) { copy(rom[i:], code) }
	imm := func(v int) string { return string(le.AppendUint32(nil, uint32(v))) }
	at(0xfff0, "\xe9\x0d\xff")                           // where the CPU begins, in 16-bit mode: jmp ff00
	at(0xff00, "\x66\xb8"+imm(base+pml4)+"\x0f\x22\xd8"+ // cr3 = pml4
		"\x66\xb8"+imm(0x20)+"\x0f\x22\xe0"+ // cr4 = PAE
		"\x66\xb9"+imm(0xc0000080)+"\x66\x31\xd2\x66\xb8"+imm(0x100)+"\x0f\x30"+ // EFER = LME
		"\x2e\x66\x0f\x01\x16\xd8\xff"+ // lgdt cs:[ffd8]
		"\x66\xb8"+imm(0x80000011)+"\x0f\x22\xc0"+ // cr0 = PG | PE
		"\x66\xea"+imm(0xffffff80)+"\x10\x00") // jmp 10:ffffff80, now in 64-bit mode
	// Bochs reads the file into its memory in one piece, but numbers the blocks of memory in the order
	// of their first use: use them in ascending order, or the kernel would find them shuffled.
	at(0xff80, "\xbe"+imm(base)+ // esi = base
		"\x8a\x06\x81\xc6"+imm(4096)+ // do al = [rsi], esi += 4096
		"\x81\xfe"+imm(base+end)+"\x72\xf0"+ // while esi < base+end
		"\xbe"+imm(base)+"\xb8"+imm(int(kernel.Entry))+"\xff\xe0") // rsi = boot_params, jmp entry
	at(0xffd0, "\xff\xff\x00\x00\x00\x9a\xaf\x00"+ // descriptor 10: 64-bit code
		"\x17\x00"+imm(0xffffffc0)) // limit, base of the descriptors
	must(0, os.WriteFile("rom", rom, 0o600))
}
