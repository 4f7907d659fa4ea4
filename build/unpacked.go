package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unpack writes to folder what the zip of the plan's one function would hold.
// Whoever asks for it deploys it, so a configuration has to be in it.
func (p plan) unpack(ctx context.Context, folder string) error {
	names, err := p.names()
	if err != nil {
		return err
	}
	if len(names) != 1 || len(p.architectures) != 1 {
		return fmt.Errorf("unpacked is one function for one architecture, not %s for %s",
			strings.Join(names, " "), strings.Join(p.architectures, " "))
	}
	files, _, err := configFiles(p.config, p.apart)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(files, func(one file) bool { return one.name == configuration }) {
		return fmt.Errorf("-config must name a folder with %s and its schemas", configuration)
	}
	for _, one := range files {
		target := filepath.Join(folder, filepath.FromSlash(one.name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if err := os.WriteFile(target, one.content, one.mode); err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
	return compile(ctx, filepath.Join(p.functions, names[0]), filepath.Join(folder, "bootstrap"), p.architectures[0])
}
