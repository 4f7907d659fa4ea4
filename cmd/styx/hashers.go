package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"math"
	"slices"
	"time"

	"styx/internal/secret"
)

// Bounds of what is tried. OWASP's least memory for argon2id, with its passes
// beside it, is where less memory would no longer be a defence.
const (
	leastMemory   = 19 << 10 // KiB
	mostMemory    = 256 << 10
	mostPasses    = 10
	leastCost     = 10
	mostCost      = 15
	bcryptMemory  = 4 // KiB, by its design
	measures      = 3
	probePassword = "correct horse battery staple"
)

func hashersCommand() *command {
	return &command{
		name: "hashers", does: "find out what hashing a password costs here",
		examples: []string{"styx hashers calibrate --time 500ms"},
		parts:    []*command{hashersCalibrate()},
	}
}

func hashersCalibrate() *command {
	return &command{
		name: "calibrate", takes: "[argon2|bcrypt]", does: "find parameters whose hash takes a given time on this machine",
		about: `Run it where passwords will be hashed: a Lambda has one processor at 1769 MB,
and half of one at half of that. Memory is what one hash takes; the second one
begins before the first one's is given back, so have twice as much at hand. More
memory and fewer passes is the better defence against argon2 on graphics cards.`,
		examples: []string{"styx hashers calibrate", "styx hashers calibrate argon2 --time 250ms --memory 64 --format yaml"},
		prepare: func(flags *flag.FlagSet) action {
			format := formatFlag(flags)
			goal := flags.Duration("time", 500*time.Millisecond, "`TIME` that a hash is to take")
			memory := flags.Uint("memory", 64, "`MB` that argon2 may take, from 19 to 256")
			return func(ctx context.Context, c *call) error {
				if len(c.args) > 1 || len(c.args) == 1 && c.args[0] != "argon2" && c.args[0] != "bcrypt" {
					return misused("it is argon2 or bcrypt")
				}
				limit := uint32(min(*memory, math.MaxUint16)) << 10
				if limit < leastMemory || limit > mostMemory || *goal <= 0 {
					return misused("--memory is a number from 19 to 256, and --time above 0")
				}
				var found []setting
				for _, one := range []struct {
					name string
					find func(context.Context) (setting, error)
				}{
					{"argon2", func(ctx context.Context) (setting, error) { return argon2For(ctx, *goal, limit, measured) }},
					{"bcrypt", func(ctx context.Context) (setting, error) { return bcryptFor(ctx, *goal, measured) }},
				} {
					if len(c.args) == 1 && c.args[0] != one.name {
						continue
					}
					s, err := one.find(ctx)
					if err != nil {
						return err
					}
					found = append(found, s)
				}
				return printSettings(c, format.value, *goal, found)
			}
		},
	}
}

// setting is a hasher's parameters, as the configuration has them, and what a
// hash by them takes.
type setting struct {
	Hashers  map[string]any `json:"hashers"`
	Takes    string         `json:"takes"`
	Memory   string         `json:"memory"`
	duration time.Duration
}

func printSettings(c *call, format string, goal time.Duration, found []setting) error {
	for _, s := range found {
		if format != "table" {
			if err := (printer{to: c.out, format: format}).tell(s); err != nil {
				return err
			}
			continue
		}
		if s.duration > goal {
			_, _ = fmt.Fprintf(c.out, "# Nothing safe is as fast as %v here: these are the least.\n", goal)
		}
		_, _ = fmt.Fprintf(c.out, "# A hash takes %s and %s of memory.\n", s.Takes, s.Memory)
		if err := (printer{to: c.out, format: "yaml"}).tell(map[string]any{"hashers": s.Hashers}); err != nil {
			return err
		}
	}
	return nil
}

// measure tells how long a hash takes.
type measure func(ctx context.Context, c secret.HasherConfig) (time.Duration, error)

// measured is the middle of a few times, after a hash that warms up.
func measured(ctx context.Context, c secret.HasherConfig) (time.Duration, error) {
	hasher, err := secret.NewHasher(c, rand.Reader)
	if err != nil {
		return 0, err
	}
	var times []time.Duration
	for range measures + 1 {
		began := time.Now()
		if _, err := hasher.Hash(ctx, probePassword); err != nil {
			return 0, err
		}
		times = append(times, time.Since(began))
	}
	times = times[1:]
	slices.Sort(times)
	return times[len(times)/2], nil
}

// argon2For takes as much memory as leaves two passes within the time, then as
// many passes as fit.
func argon2For(ctx context.Context, goal time.Duration, memory uint32, measure measure) (setting, error) {
	config := func(memory, passes uint32) secret.HasherConfig {
		return secret.HasherConfig{Algorithm: "argon2", Argon2: secret.Argon2{
			MemoryKiB: memory, Iterations: passes, Parallelism: 1, SaltLength: 16, KeyLength: 32,
		}}
	}
	passes := uint32(2)
	took, err := measure(ctx, config(memory, passes))
	for err == nil && took > goal && memory > leastMemory {
		memory = max(memory/2, leastMemory)
		took, err = measure(ctx, config(memory, passes))
	}
	for err == nil && took < goal && passes < mostPasses {
		next, failed := measure(ctx, config(memory, passes+1))
		if err = failed; err != nil || next > goal {
			break
		}
		took, passes = next, passes+1
	}
	return setting{
		map[string]any{"algorithm": "argon2", "argon2": map[string]any{
			"memory": fmt.Sprintf("%dMB", memory>>10), "iterations": passes, "parallelism": 1,
		}},
		took.Round(time.Millisecond).String(), fmt.Sprintf("%d MB", memory>>10), took,
	}, err
}

// bcryptFor takes the largest cost within the time. Each doubles it.
func bcryptFor(ctx context.Context, goal time.Duration, measure measure) (setting, error) {
	cost := leastCost
	took, err := measure(ctx, secret.HasherConfig{Algorithm: "bcrypt", BcryptCost: cost})
	for err == nil && cost < mostCost && took*2 <= goal {
		cost++
		took, err = measure(ctx, secret.HasherConfig{Algorithm: "bcrypt", BcryptCost: cost})
	}
	return setting{
		map[string]any{"algorithm": "bcrypt", "bcrypt": map[string]any{"cost": cost}},
		took.Round(time.Millisecond).String(), fmt.Sprintf("%d KB", bcryptMemory), took,
	}, err
}
