package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// boots is how often the server is started.
const boots = 10

// boot measures how long `styx serve` takes until it listens, and what memory
// it then holds.
func (b *bench) boot(ctx context.Context) error {
	fmt.Printf("\nStart of styx serve (%.1f MB, with every room and library in it), %d times\n\n", size(b.styx), boots)
	for _, dsn := range []string{"memory", "file://" + filepath.Join(b.out, "boot.db")} {
		var took []time.Duration
		var resident int64
		used, err := childrenCPU(func() error {
			for range boots {
				server, err := b.serve(ctx, sound, dsn)
				if err != nil {
					return err
				}
				took = append(took, server.boot)
				held, err := server.resident()
				server.stop()
				if err != nil {
					return err
				}
				resident = max(resident, held)
			}
			return nil
		})
		if err != nil {
			return err
		}
		slices.Sort(took)
		name, _, _ := strings.Cut(dsn, ":")
		fmt.Printf("  %-8s listens after p50 %s ms, min %s ms; CPU %s ms; RSS %.0f MB\n",
			name, ms(at(took, 50)), ms(took[0]), ms(used/boots), float64(resident)/1e6)
	}
	return nil
}
