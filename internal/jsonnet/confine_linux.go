package jsonnet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable is this process' own, even if the file was replaced meanwhile.
func executable() (string, error) { return "/proc/self/exe", nil }

// apart keeps the terminal's signals, which end a server gently, from an
// evaluator it still needs.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// confine limits this process to so many bytes of data more than it has now.
// Data, not address space: Go reserves a gigabyte of that and uses little.
func confine(memory int64) error {
	now, err := data()
	if err != nil {
		return err
	}
	limit := now + uint64(max(memory, 0))
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("limit data: %w", err)
	}
	return nil
}

// data returns how many bytes of data this process has mapped.
func data() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read the size of data: %w", err)
	}
	for line := range bytes.Lines(status) {
		words := bytes.Fields(line)
		if len(words) == 3 && string(words[0]) == "VmData:" && string(words[2]) == "kB" {
			kilobytes, err := strconv.ParseUint(string(words[1]), 10, 53)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("the size of data is not known")
}
