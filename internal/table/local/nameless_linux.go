package local

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// nameless returns an empty file that has no name and lives in memory.
func nameless() (*os.File, error) {
	fd, err := unix.MemfdCreate("styx-table", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	return os.NewFile(uintptr(fd), "memory"), nil
}
