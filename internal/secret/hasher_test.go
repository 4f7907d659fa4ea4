package secret_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"styx/internal/secret"
)

// The known hashes of "correct horse" come from libxcrypt and OpenSSL, that of
// "test" from Kratos' documentation.
const (
	bcrypt2a    = "$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
	bcrypt2b    = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
	bcrypt2y    = "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
	bcryptFull  = "$2b$05$abcdefghijklmnopqrstuueTFRGDqVFTIfwSnwEw/V4ZpLYuQbKSG" // 72 times p
	argon2id    = "$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$dPtrHTEawLtMiR9+/XloAkXZ+EtyrY+bvmHIbiufhk0"
	argon2i     = "$argon2i$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$+ZM6qIHKWUY4ZEkMSTQpzAefvkLMgPC7fLokalwJpuI"
	argon2Test  = "$argon2id$v=19$m=32,t=2,p=4$cm94YnRVOW5jZzFzcVE4bQ$MNzk5BtR2vUhrp6qQEjRNw"
	argon2Cheap = "$argon2id$v=19$m=8,t=1,p=1$AA$AAAAAAAAAAA"
)

var (
	smallArgon2 = secret.HasherConfig{Algorithm: "argon2", Argon2: secret.Argon2{
		MemoryKiB: 64, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32,
	}}
	smallBcrypt = secret.HasherConfig{Algorithm: "bcrypt", BcryptCost: 4}
)

func hasher(t *testing.T, c secret.HasherConfig, random io.Reader) *secret.Hasher {
	t.Helper()
	h, err := secret.NewHasher(c, random)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestKnownHashesMatch(t *testing.T) {
	for _, config := range []secret.HasherConfig{smallArgon2, smallBcrypt} {
		h := hasher(t, config, rand.Reader)
		for _, row := range []struct{ hash, password string }{
			{bcrypt2a, "correct horse"},
			{bcrypt2b, "correct horse"},
			{bcrypt2y, "correct horse"},
			{bcryptFull, strings.Repeat("p", 72)},
			{argon2id, "correct horse"},
			{argon2i, "correct horse"},
			{argon2Test, "test"},
		} {
			if match, err := h.Matches(t.Context(), row.hash, row.password); err != nil || !match {
				t.Errorf("%s: %s = %t, %v", config.Algorithm, row.hash, match, err)
			}
			for _, wrong := range []string{"", row.password[1:], strings.ToUpper(row.password), row.password + " "} {
				if match, err := h.Matches(t.Context(), row.hash, wrong); err != nil || match {
					t.Errorf("%s: %s of %q = %t, %v", config.Algorithm, row.hash, wrong, match, err)
				}
			}
			if err := secret.CheckHash(row.hash); err != nil {
				t.Errorf("%s is not known: %v", row.hash, err)
			}
		}
	}
}

func TestHashHasItsEncodingAndMatches(t *testing.T) {
	for _, row := range []struct {
		config secret.HasherConfig
		shape  string
	}{
		{smallArgon2, `^\$argon2id\$v=19\$m=64,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`},
		{smallBcrypt, `^\$2a\$04\$[./A-Za-z0-9]{53}$`},
	} {
		h := hasher(t, row.config, rand.Reader)
		one, err := h.Hash(t.Context(), "pässwörd")
		if err != nil {
			t.Fatal(err)
		}
		two, err := h.Hash(t.Context(), "pässwörd")
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(row.shape).MatchString(one) || one == two {
			t.Errorf("%s: %s and %s", row.config.Algorithm, one, two)
		}
		if match, err := h.Matches(t.Context(), one, "pässwörd"); err != nil || !match {
			t.Errorf("%s: Matches = %t, %v", row.config.Algorithm, match, err)
		}
		if h.Outdated(one) {
			t.Errorf("%s: a fresh hash is outdated", row.config.Algorithm)
		}
	}
}

func TestSeededArgon2RepeatsItself(t *testing.T) {
	one, err := hasher(t, smallArgon2, seeded()).Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	two, err := hasher(t, smallArgon2, seeded()).Hash(t.Context(), "correct horse")
	if err != nil || one != two {
		t.Errorf("%s and %s, %v", one, two, err)
	}
}

func TestBcryptNeverTruncates(t *testing.T) {
	h := hasher(t, smallBcrypt, rand.Reader)
	full := strings.Repeat("p", 72)
	hash, err := h.Hash(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	if match, err := h.Matches(t.Context(), hash, full); err != nil || !match {
		t.Errorf("72 bytes: %t, %v", match, err)
	}
	ctx, work := secret.WithWork(t.Context())
	if match, err := h.Matches(ctx, hash, full+"p"); err != nil || match {
		t.Errorf("73 bytes match a hash of the first 72: %t, %v", match, err)
	}
	if want := []secret.Run{{Algorithm: "bcrypt", Cost: "4"}}; !slices.Equal(work.Runs(), want) {
		t.Errorf("73 bytes cost %v, want %v", work.Runs(), want)
	}
	if hash, err := h.Hash(t.Context(), full+"p"); !errors.Is(err, secret.ErrTooLong) || hash != "" {
		t.Errorf("Hash of 73 bytes = %q, %v", hash, err)
	}
	if hash, err := h.Hash(t.Context(), strings.Repeat("é", 37)); !errors.Is(err, secret.ErrTooLong) || hash != "" {
		t.Errorf("Hash of 74 bytes in 37 letters = %q, %v", hash, err)
	}
}

func TestArgon2ReadsPasswordsWhole(t *testing.T) {
	h := hasher(t, smallArgon2, rand.Reader)
	long := strings.Repeat("p", 1000)
	hash, err := h.Hash(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	if match, err := h.Matches(t.Context(), hash, long); err != nil || !match {
		t.Errorf("Matches = %t, %v", match, err)
	}
	if match, err := h.Matches(t.Context(), hash, long[1:]); err != nil || match {
		t.Errorf("Matches of one less = %t, %v", match, err)
	}
}

// A stranger, a wrong password, an identity without a password and a hash that
// nobody can read cost the same; an imported hash costs at least as much.
func TestEveryAnswerTakesTheConfiguredWork(t *testing.T) {
	for _, row := range []struct {
		config secret.HasherConfig
		own    secret.Run
	}{
		{smallArgon2, secret.Run{Algorithm: "argon2id", Cost: "m=64,t=2,p=1,s=16,k=32"}},
		{smallBcrypt, secret.Run{Algorithm: "bcrypt", Cost: "4"}},
	} {
		h := hasher(t, row.config, rand.Reader)
		hash, err := h.Hash(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		matches := func(hash, password string) func(context.Context) {
			return func(ctx context.Context) { _, _ = h.Matches(ctx, hash, password) }
		}
		imported := secret.Run{Algorithm: "argon2i", Cost: "m=64,t=2,p=1,s=16,k=32"}
		for name, c := range map[string]struct {
			do   func(context.Context)
			want []secret.Run
		}{
			"stranger":                 {func(ctx context.Context) { _ = h.Pretend(ctx, "correct horse") }, []secret.Run{row.own}},
			"stranger, long password":  {func(ctx context.Context) { _ = h.Pretend(ctx, strings.Repeat("p", 100)) }, []secret.Run{row.own}},
			"right password":           {matches(hash, "correct horse"), []secret.Run{row.own}},
			"wrong password":           {matches(hash, "wrong horse"), []secret.Run{row.own}},
			"long password":            {matches(hash, strings.Repeat("p", 100)), []secret.Run{row.own}},
			"no password":              {matches("", "correct horse"), []secret.Run{row.own}},
			"unknown format":           {matches("$9$x", "correct horse"), []secret.Run{row.own}},
			"malformed":                {matches("$2a$04$x", "correct horse"), []secret.Run{row.own}},
			"beyond bounds":            {matches("$argon2id$v=19$m=4194304,t=1,p=1$AAAA$AAAAAAAAAAA", "x"), []secret.Run{row.own}},
			"imported, right password": {matches(argon2i, "correct horse"), []secret.Run{imported}},
			"imported, wrong password": {matches(argon2i, "wrong horse"), []secret.Run{imported, row.own}},
			"new hash":                 {func(ctx context.Context) { _, _ = h.Hash(ctx, "correct horse") }, []secret.Run{row.own}},
		} {
			ctx, work := secret.WithWork(t.Context())
			c.do(ctx)
			if got := work.Runs(); !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: %v, want %v", row.config.Algorithm, name, got, c.want)
			}
		}
	}
}

func TestOutdatedSeesEveryParameter(t *testing.T) {
	argon := hasher(t, smallArgon2, rand.Reader)
	bcrypt := hasher(t, smallBcrypt, rand.Reader)
	if argon.Outdated(argon2id) {
		t.Error("a hash of the configured parameters is outdated")
	}
	for name, hash := range map[string]string{
		"memory":      strings.Replace(argon2id, "m=64", "m=65", 1),
		"iterations":  strings.Replace(argon2id, "t=2", "t=3", 1),
		"parallelism": strings.Replace(argon2id, "p=1", "p=2", 1),
		"salt length": strings.Replace(argon2id, "MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFi", 1),
		"key length":  argon2Test,
		"variant":     argon2i,
		"algorithm":   bcrypt2a,
		"nonsense":    "",
	} {
		if !argon.Outdated(hash) {
			t.Errorf("another %s is not outdated: %s", name, hash)
		}
	}
	if !bcrypt.Outdated(bcrypt2a) || !bcrypt.Outdated(argon2id) {
		t.Error("another cost or algorithm is not outdated")
	}
}

func TestCheckHashRefusesWhatALoginCouldNotBear(t *testing.T) {
	const salt53 = "abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
	for want, hashes := range map[error][]string{
		nil: {
			argon2Cheap,
			"$2$05$" + salt53,
			"$2z$05$" + salt53,
			"$2b$15$" + salt53,
			"$argon2id$v=19$m=262144,t=10,p=16$AAAA$AAAAAAAAAAA",
		},
		secret.ErrUnknownHash: {
			"",
			"plain",
			"$2x$05$" + salt53,
			"$argon2d$v=19$m=8,t=1,p=1$AA$AAAAAAAAAAA",
			" " + bcrypt2a,
		},
		secret.ErrMalformedHash: {
			"$2a$",
			"$2a$5$" + salt53,
			"$2a$03$" + salt53,
			"$2a$+5$" + salt53,
			"$2a$05$" + salt53[1:],
			"$2a$05$" + salt53 + "x",
			"$2a$05$" + salt53[:52] + "!",
			"$2a$05$" + salt53[:30] + "$" + salt53[31:],
			"$argon2id$",
			"$argon2id$m=8,t=1,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=16$m=8,t=1,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$t=1,m=8,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=0,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1,p=0$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=08,t=1,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=-8,t=1,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1,p=1$$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1,p=1$AA$", // matches every password
			"$argon2id$v=19$m=8,t=1,p=1$AA$AAAA",
			"$argon2id$v=19$m=8,t=1,p=1$AA==$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1,p=1$AB$AAAAAAAAAAA", // trailing bits
			"$argon2id$v=19$m=8,t=1,p=1$A\nA$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1,p=1$AA$AAAAAAAAAAA$",
			argon2Cheap + strings.Repeat("A", 5000),
		},
		secret.ErrTooCostly: {
			"$2a$16$" + salt53,
			"$2a$31$" + salt53,
			"$argon2id$v=19$m=262145,t=1,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=99999999999999999999,t=1,p=1$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=4294967304,t=1,p=1$AA$AAAAAAAAAAA", // 8 in 32 bits
			"$argon2id$v=19$m=8,t=11,p=1$AA$AAAAAAAAAAA",
			"$argon2i$v=19$m=8,t=1,p=17$AA$AAAAAAAAAAA",
			"$argon2id$v=19$m=8,t=1,p=257$AA$AAAAAAAAAAA", // 1 in 8 bits
			"$argon2id$v=19$m=8,t=1,p=1$AA$" + strings.Repeat("A", 1368),
		},
	} {
		for _, hash := range hashes {
			if err := secret.CheckHash(hash); !errors.Is(err, want) {
				t.Errorf("CheckHash(%.80q) = %v, want %v", hash, err, want)
			}
		}
	}
}

func TestUnusableHashMatchesNothing(t *testing.T) {
	h := hasher(t, smallArgon2, rand.Reader)
	for hash, want := range map[string]error{
		"":                               secret.ErrUnknownHash,
		"$argon2id$v=19$m=8,t=1,p=1$AA$": secret.ErrMalformedHash,
		"$2a$16$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2": secret.ErrTooCostly,
	} {
		for _, password := range []string{"", "correct horse"} {
			if match, err := h.Matches(t.Context(), hash, password); match || !errors.Is(err, want) {
				t.Errorf("%q of %q: Matches = %t, %v", hash, password, match, err)
			}
		}
	}
}

func TestHasherNamesTheSettingOutOfBounds(t *testing.T) {
	argon := func(change func(*secret.Argon2)) secret.HasherConfig {
		c := smallArgon2
		change(&c.Argon2)
		return c
	}
	for want, config := range map[string]secret.HasherConfig{
		"hashers.algorithm":          {Algorithm: "md5"},
		"hashers.bcrypt.cost is 3":   {Algorithm: "bcrypt", BcryptCost: 3},
		"hashers.bcrypt.cost is 16":  {Algorithm: "bcrypt", BcryptCost: 16},
		"hashers.argon2.memory":      argon(func(a *secret.Argon2) { a.MemoryKiB = 256<<10 + 1 }),
		"hashers.argon2.iterations":  argon(func(a *secret.Argon2) { a.Iterations = 0 }),
		"hashers.argon2.parallelism": argon(func(a *secret.Argon2) { a.Parallelism = 17 }),
		"hashers.argon2.salt_length": argon(func(a *secret.Argon2) { a.SaltLength = 7 }),
		"hashers.argon2.key_length":  argon(func(a *secret.Argon2) { a.KeyLength = 1025 }),
	} {
		if h, err := secret.NewHasher(config, rand.Reader); h != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewHasher(%+v) = %v, %v, want %q", config, h, err, want)
		}
	}
}

// A hash that passes the check can be checked: no panic, and no password of a
// stranger's choice matches it by accident.
func FuzzCheckHash(f *testing.F) {
	h, err := secret.NewHasher(smallArgon2, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, hash := range []string{bcrypt2a, bcrypt2y, argon2id, argon2i, argon2Test, argon2Cheap, "$2$", "$argon2id$v=19$m=8,t=1,p=1$AA$"} {
		f.Add(hash)
	}
	for _, hash := range importedHashes() {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		err := secret.CheckHash(hash)
		if err != nil {
			if !errors.Is(err, secret.ErrUnknownHash) && !errors.Is(err, secret.ErrMalformedHash) && !errors.Is(err, secret.ErrTooCostly) {
				t.Fatalf("CheckHash(%q) = %v", hash, err)
			}
			return
		}
		if regexp.MustCompile(`=\d{5}|ln=\d\d,|^\$2.?\$[^0]`).MatchString(hash) {
			return // sound, and too slow for a fuzz test
		}
		if match, err := h.Matches(t.Context(), hash, "no such password"); err != nil || match {
			t.Fatalf("Matches(%q) = %t, %v", hash, match, err)
		}
	})
}

// What a password check costs with what new users start from, with Kratos'
// default, and for a stranger.
func BenchmarkHasher(b *testing.B) {
	for name, config := range map[string]secret.HasherConfig{
		"argon2id-19MiB-t2-p1": {Algorithm: "argon2", Argon2: secret.Argon2{
			MemoryKiB: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32,
		}},
		"bcrypt-12": {Algorithm: "bcrypt", BcryptCost: 12},
	} {
		h, err := secret.NewHasher(config, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		hash, err := h.Hash(b.Context(), "correct horse")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/known", func(b *testing.B) {
			for b.Loop() {
				if match, err := h.Matches(b.Context(), hash, "wrong horse"); err != nil || match {
					b.Fatal(match, err)
				}
			}
		})
		b.Run(name+"/stranger", func(b *testing.B) {
			for b.Loop() {
				if err := h.Pretend(b.Context(), "wrong horse"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
