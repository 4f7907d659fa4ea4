package secret_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"styx/internal/secret"
)

// importedHashes are of "correct horse", made with Python's hashlib and hmac,
// libxcrypt, and OpenSSL.
func importedHashes() []string {
	return []string{
		"$pbkdf2-sha1$i=1000,l=20$MDEyMzQ1Njc4OWFiY2RlZg$aUfE2vx5Q7zgbb0jx49AaNpXUQQ",
		"$pbkdf2-sha224$i=1000,l=28$MDEyMzQ1Njc4OWFiY2RlZg$twImazcE2dWHG3cWijze2HXYAqsO8Ye68myJ/g",
		"$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
		"$pbkdf2-sha384$i=1000,l=48$MDEyMzQ1Njc4OWFiY2RlZg$IGo9W0iVgNNJmI5zWHRpSv7A9PNtRVqHJpRu+0VJbWi44jzGgj/365D/SIWG1L40",
		"$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa+ks4TP71JiecwuSZCG8iLbnlIEPOMoVX+i2B2wkSxjQ8CRGR9OkNGuIPMQ",
		"$scrypt$ln=1024,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M=",
		"{SSHA}J1/8cWVgczTunyJ5hA+/nqlHwrswMTIzNDU2Nzg5YWJjZGVm",
		"{SSHA256}TycnyLJ5QhE2eprQH+cZDi318lzhJ/29M/zKKptu2m4wMTIzNDU2Nzg5YWJjZGVm",
		"{SSHA512}uIMBRJDYyi++ydl2YpjLqJsD4FEOY4x6dYBTjdryDtlK4nDiaGfezq9n4Yt9tUKSnHDcO95zcLlVgujbGyXJFjAxMjM0NTY3ODlhYmNkZWY=",
		"$sha1$pf=eHtTQUxUfS17UEFTU1dPUkR9fXtQQVNTV09SRH0=$MDEyMzQ1Njc4OWFiY2RlZg==$Pca039VSDC6CR7Oaoy498/tZfRc=",
		"$sha256$pf=eHtTQUxUfS17UEFTU1dPUkR9fXtQQVNTV09SRH0=$MDEyMzQ1Njc4OWFiY2RlZg==$7m2wB6dYjQctp1FRuSpEzP16FSSfLygjOoneswdgpfc=",
		"$sha512$pf=eHtTQUxUfS17UEFTU1dPUkR9fXtQQVNTV09SRH0=$MDEyMzQ1Njc4OWFiY2RlZg==$xoqEbnqYozwySd/62Co69lmezWYkVA5Q589bU3i3rV8DZuZX9+142ly5VoKQi0ZW5Y6pOlKAcsnZvlraPI2F/g==",
		"$md5$pf=eHtTQUxUfS17UEFTU1dPUkR9fXtQQVNTV09SRH0=$MDEyMzQ1Njc4OWFiY2RlZg==$lRqhed0RDRTNgLa8jdrbtg==",
		"$sha256$pf=e1BBU1NXT1JEfQ==$$QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
		"$md5$PLTnMmMfR+brlh80VUt83g==",
		"$hmac-md4$N2VkMDQxNTg1YmM3MGZkMzE2Mzk3MjdjZjVkNDNlMDU=$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$hmac-md5$NmE2ZTVmZWNkNDAwYmVjMzIwNzMwNzEwMDQ4MzI3NGY=$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$hmac-sha1$N2FhMDllYzJmZjlhYjZkN2RhNzdmMDMwYWFmNzVmNjJlODlmN2U4Yg==$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$hmac-sha224$NzdlNjNjYThjMmFlMDM0ZjdhODcxNDIxNDVhZmQ1NjYyNGY2MGI0MTlkNDNlNmQ0NzliZGQyMzM=$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$hmac-sha256$YzNhMDEyMTVkNjVjNTBmMTM4YTgxYmJlOTZhODFkYWIwMTZiNjk5ZTI5ZTE3OTQ2N2Q3NWI1MjY4MGUxNDdmYQ==$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$hmac-sha384$MTk2YjU0ZjNjNmIzNTM1ZjAzMGZhOGRhZDVmYjhiZTM2ZGUxZjMwY2EwODgzYTZlNjEyOGEyOGE5ZmMzYmQ3MzI3ZjNkYzk4MjI4MjU0ODM5MmM3ZGU2MmNiYzY2YWEx$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$hmac-sha512$ZDMyMWUzYzkxYmE3MzMxNGZlMDYwZjg2ZDc2NWEwMmY0MzIzNGMyZDEwMDViYWIwNTAyZGI1NTIyNzAyNTdjYTM4ZDRjMjlhNmU4ZjM0NzA2NzNkMmZkODMzNjQ3ZWE2ZDBhMWE0ZjA5NWFlNGNhOWU5YWEyN2Q1ZGYzN2JjODY=$MDEyMzQ1Njc4OWFiY2RlZg==",
		"$md5-crypt$abcdefgh$y6iHhJNbuC0xpbk0w9pm80",
		"$md5-crypt$$IfI/mw4YSCwcQoW.D.DSu1",
		"$sha256-crypt$salt$VceWD7himthAFDjAznpLECWSsOgDma/ItrVvf6K05b4",
		"$sha256-crypt$rounds=1000$0123456789abcdef$nR1521U8IXcSFtheYoCuDMlX/ICPi621L7rO.MJ27x2",
		"$sha512-crypt$salt$pfWEh40/jW3sybE9zOQ9fIpZ9F6fyy/jogzYisHAyINpuc9icJd187oNK8pukepHV.QSHFtNVGUeWCRJCE9G4/",
		"$sha512-crypt$rounds=1000$0123456789abcdef$GaScwcscdzvyk7gzZmxXAHiJAYBdSzwVcphgrsQJGOjgOegLlrTs5rVDD6z0u4r1gcbw2MjFIR1AQnAH5uLeW0",
		"$firescrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$0RHeug5DSMDhKEiFnJ+xklW6vUthS/Maf0JQHNmXbRBCh5wjDhjrgvzLgaR/0BbK9mbxpexsKcM2NlIxame+9Q==$Bw==$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
	}
}

func TestImportedHashesMatch(t *testing.T) {
	h := hasher(t, smallArgon2, rand.Reader)
	for _, hash := range importedHashes() {
		if match, err := h.Matches(t.Context(), hash, "correct horse"); err != nil || !match {
			t.Errorf("%s = %t, %v", hash, match, err)
		}
		for _, wrong := range []string{"", "orrect horse", "Correct horse", "correct horse "} {
			if match, err := h.Matches(t.Context(), hash, wrong); err != nil || match {
				t.Errorf("%s of %q = %t, %v", hash, wrong, match, err)
			}
		}
		if !h.Outdated(hash) {
			t.Errorf("%s is not to be made anew", hash)
		}
	}
}

// The examples by which the import of each format is documented.
func TestDocumentedHashesMatch(t *testing.T) {
	h := hasher(t, smallArgon2, rand.Reader)
	for _, row := range []struct{ password, hash string }{
		{"ory", "$md5-crypt$xWMlm2eL$GGTOpgZu4p2k6ORprAu3b."},
		{"test", "$2a$12$o6hx.Wog/wvFSkT/Bp/6DOxCtLRTDj7lm9on9suF/WaCGNVHbkfL6"},
		{"test", "$sha256-crypt$rounds=535000$05R.9KB6UC2kLI3w$Q/zslzx./JjkAVPTwp6th7nW5l7JU91Gte/UmIh.U78"},
		{"test", argon2Test},
		{"test", "$pbkdf2-sha256$i=100000,l=32$1jP+5Zxpxgtee/iPxGgOz0RfE9/KJuDElP1ley4VxXc$QJxzfvdbHYBpydCbHoFg3GJEqMFULwskiuqiJctoYpI"},
		{"test123", "{SSHA256}czO44OTV17PcF1cRxWrLZLy9xHd7CWyVYplr1rOhuMlx/7IK"},
		{"test", "$sha1$pf=e1NBTFR9e1BBU1NXT1JEfQ==$NW9wbWtnejAzcg==$2qU2SGWP8viTM1md3FiI3+rjWXQ="},
		{"test", "$md5$CY9rzUYh03PK3k6DJie09g=="},
		{"test", "$md5$pf=e1NBTFR9JCR7UEFTU1dPUkR9$MTIzNA==$ud392Z8rfZ+Ou7ZFXYLKbA=="},
	} {
		if match, err := h.Matches(t.Context(), row.hash, row.password); err != nil || !match {
			t.Errorf("%s = %t, %v", row.hash, match, err)
		}
		if match, err := h.Matches(t.Context(), row.hash, "other"); err != nil || match {
			t.Errorf("%s of another password = %t, %v", row.hash, match, err)
		}
	}
}

// The crypt functions treat passwords differently by their lengths. From
// libxcrypt.
func TestCryptOfPasswordsOfManyLengths(t *testing.T) {
	h := hasher(t, smallArgon2, rand.Reader)
	for _, row := range []struct{ password, hash string }{
		{"", "$md5-crypt$salt$UsdFqFVB.FsuinRDK5eE.."},
		{"", "$sha256-crypt$rounds=1000$salt$oacEarljCLl1hnwSHaKByNaFLSC8faCZtGSPISXgwZ."},
		{"", "$sha512-crypt$rounds=1000$salt$8.6rbmbp5x0d6GHKoit3wSooHPfMEY9cwCpDMr6.bC46HXi1Eqr7xqKZ9RPwaFW/eCyoUBBNRq1xG/f612CuH0"},
		{"p", "$md5-crypt$salt$NS8.kqcTYt.fmSL.V8Lvz/"},
		{"p", "$sha256-crypt$rounds=1000$salt$AEHi6GWX1cJDbhe1NOXgbXpmQ82sM2UxHVKd5xXJvWB"},
		{"p", "$sha512-crypt$rounds=1000$salt$N8I5yY.DVAi0RYZoApj5y0Yv0e9Dvxr7bCdZ6GDD0ApJC5ilq9VE3cINc3cgkgH0f4wTy9wNwzucWKnDWyp7E1"},
		{"pässwörd", "$md5-crypt$salt$QPw8223Sm.s4vlBuBws4Q0"},
		{"pässwörd", "$sha256-crypt$rounds=1000$salt$fDdn8ed2S4s.4f101kngd1hJ0Qtm.jJioG52iJCshz."},
		{"pässwörd", "$sha512-crypt$rounds=1000$salt$EnJZbjWoj15ga4Nv8Mwc/LFH.tCHMBwdLwpPZcVFJfO0/nM6UdCvae1cHvewEWnTXx.6tMgqD6FiWJecqIycS/"},
		{strings.Repeat("p", 16), "$md5-crypt$salt$mlvP8Lr9/qgpeCmhQ3Wyh1"},
		{strings.Repeat("p", 16), "$sha256-crypt$rounds=1000$salt$oFaNx6J0Hoix8xL2uJdeN6zGVt/fHSksZLn1wlXtBoA"},
		{strings.Repeat("p", 16), "$sha512-crypt$rounds=1000$salt$zYaItJD2Yf3FFFpkm/8UYt566E9AgeOmcUM0SpXBzREai0HTmAuOnMTNfRQT4vCdcqnyWdMpWxLWF8A.127/r0"},
		{strings.Repeat("p", 17), "$md5-crypt$salt$R99/x8vjNw8ypfvTaeu6K1"},
		{strings.Repeat("p", 17), "$sha256-crypt$rounds=1000$salt$LqG7P9pMnk7wacW3eOQT0Dh5pCtAt3ozCEdlplUtuM0"},
		{strings.Repeat("p", 17), "$sha512-crypt$rounds=1000$salt$xe74X2iNXcHiiWUafqRMTy1/BFgmLoE4P4wkSSBWdTu7lt9lg8lEBPHdtH2gGxZ0leveGXocvPCQSFBtXXPA31"},
		{strings.Repeat("p", 63), "$md5-crypt$salt$TlpxwhbNKFUyh0I92EATu1"},
		{strings.Repeat("p", 63), "$sha256-crypt$rounds=1000$salt$vis1Oi9CJEXoxJZF07tZSiryhW5cI./BxzpzC5f2RID"},
		{strings.Repeat("p", 63), "$sha512-crypt$rounds=1000$salt$fDU7dVSKIbm6maENzHMGLvaJ4NhifPI0nMZ96NtOc68ERdb7IRMfChKpDGaOwX8fjQiFmeZfzueQokCCJoIYb."},
		{strings.Repeat("p", 64), "$md5-crypt$salt$FuVZmtewyJhzCp9UB0J5O."},
		{strings.Repeat("p", 64), "$sha256-crypt$rounds=1000$salt$mIKWwC7j8KKl89HbnBCahOe82lMfoUiKt9cBc5HSj52"},
		{strings.Repeat("p", 64), "$sha512-crypt$rounds=1000$salt$iNE.8RkQ.Uh/8I7xUPN11OUyfjbFZatdqIB0N/9rHnln9xK5/qDRNzID2eIyshzuL7o3WJtXRqSozzBYGtMpR0"},
		{strings.Repeat("p", 65), "$md5-crypt$salt$Mani.MYoVTi/v6zx5sEVN0"},
		{strings.Repeat("p", 65), "$sha256-crypt$rounds=1000$salt$1qEyAlx7vhxLThTdKManTjQE4R3Edb14DnMLM29qDS0"},
		{strings.Repeat("p", 65), "$sha512-crypt$rounds=1000$salt$Gu9lO6kZOaM9Z2Oeo.RgSBN0wSajQjvKyZ0TUjaK8vhHeV6IYGqUKxQJWb4JIfDBF3rVTYIGiPyS6Q7wTGpfY."},
		{strings.Repeat("p", 511), "$md5-crypt$salt$eFI9PI3wGh382J/YDHeMV0"},
		{strings.Repeat("p", 511), "$sha256-crypt$rounds=1000$salt$hZDvAx8CtZaAq479MNKX4ocjL1x1lnprzHVMGdI7HVB"},
		{strings.Repeat("p", 511), "$sha512-crypt$rounds=1000$salt$dTMY0M2P3VSQoIDUSn99AVTaSM3XRuIcj4BT2jJJUKx6XxTG9xCqSpSErUkVhy.baLJUdRB8.vCT4l5NcutcJ/"},
	} {
		if match, err := h.Matches(t.Context(), row.hash, row.password); err != nil || !match {
			t.Errorf("%d bytes: %s = %t, %v", len(row.password), row.hash, match, err)
		}
		if match, err := h.Matches(t.Context(), row.hash, row.password+"p"); err != nil || match {
			t.Errorf("%d bytes and one more: %s = %t, %v", len(row.password), row.hash, match, err)
		}
	}
}

func TestCheckHashOfImports(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	repeated := b64([]byte(strings.Repeat("{PASSWORD}", 9)))
	sum := b64(make([]byte, 16))
	for want, hashes := range map[error][]string{
		secret.ErrUnknownHash: {
			"$hmac-sha3$" + sum + "$" + sum, "$hmac-$$", "$sha224$pf=$$", "{SSHA384}" + sum, "{ssha}" + sum, "$1$salt$x", "$5$salt$x",
		},
		secret.ErrMalformedHash: {
			"$pbkdf2-sha3$i=1,l=8$AA$AAAAAAAAAAA",
			"$pbkdf2-sha256$i=0,l=8$AA$AAAAAAAAAAA",
			"$pbkdf2-sha256$i=1$AA$AAAAAAAAAAA",
			"$pbkdf2-sha256$i=1,l=8$AA==$AAAAAAAAAAA",
			"$pbkdf2-sha256$i=1,l=8$AA$", // matches every password
			"$pbkdf2-sha256$i=1,l=8$AA$AAAAAAAAAAA$",
			"$scrypt$ln=1,r=8,p=1$AA==$AAAAAAAAAAA=",
			"$scrypt$ln=1023,r=8,p=1$AA==$AAAAAAAAAAA=",
			"$scrypt$ln=1024,r=8,p=1$AA$AAAAAAAAAAA=",
			"$scrypt$ln=1024,r=8,p=1$AA==$",
			"$firescrypt$ln=0,r=8,p=1$AA==$AAAAAAAAAAA=$AA==$AAAAAAAAAAA=",
			"$firescrypt$ln=10,r=8,p=1$AA==$$AA==$",
			"$firescrypt$ln=10,r=8,p=1$AA==$AAAAAAAAAAA=$AA==$AAAAAAAAAAAA",
			"{SSHA}" + b64(make([]byte, 20)), // without a salt
			"{SSHA}", "{SSHA512}" + b64(make([]byte, 63)),
			"$sha1$pf=" + b64([]byte("{SALT}")) + "$AA==$" + b64(make([]byte, 20)), // matches every password
			"$sha1$pf=" + b64([]byte("{PASSWORD}")) + "$AA==$" + b64(make([]byte, 19)),
			"$sha1$" + b64([]byte("{PASSWORD}")) + "$AA==$" + b64(make([]byte, 20)),
			"$md5$", "$md5$AA$AA", "$md5$" + b64(make([]byte, 15)),
			"$hmac-md5$" + sum + "$AA==", // the MAC is not in hexadecimal
			"$hmac-md5$" + b64([]byte("00")) + "$AA==",
			"$md5-crypt$123456789$GGTOpgZu4p2k6ORprAu3b.",
			"$md5-crypt$salt$GGTOpgZu4p2k6ORprAu3b",
			"$md5-crypt$salt$GGTOpgZu4p2k6ORprAu3b!",
			"$sha256-crypt$rounds=999$salt$" + strings.Repeat("a", 43),
			"$sha256-crypt$rounds=05000$salt$" + strings.Repeat("a", 43),
			"$sha256-crypt$12345678901234567$" + strings.Repeat("a", 43),
			"$sha512-crypt$salt$" + strings.Repeat("a", 43),
		},
		secret.ErrTooCostly: {
			"$pbkdf2-sha256$i=10000001,l=8$AA$AAAAAAAAAAA",
			"$pbkdf2-sha1$i=5000001,l=32$AA$" + strings.Repeat("A", 43), // two blocks
			"$pbkdf2-sha512$i=2500001,l=64$AA$" + strings.Repeat("A", 86),
			"$pbkdf2-sha256$i=1,l=2000$AA$" + strings.Repeat("A", 2000),
			"$scrypt$ln=262144,r=8,p=1$AA==$AAAAAAAAAAA=",
			"$scrypt$ln=1073741824,r=8,p=1$AA==$AAAAAAAAAAA=",
			"$scrypt$ln=1024,r=9,p=1$AA==$AAAAAAAAAAA=",
			"$scrypt$ln=1024,r=8,p=11$AA==$AAAAAAAAAAA=",
			"$firescrypt$ln=18,r=8,p=1$AA==$AAAAAAAAAAA=$AA==$AAAAAAAAAAA=",
			"$firescrypt$ln=64,r=8,p=1$AA==$AAAAAAAAAAA=$AA==$AAAAAAAAAAA=",
			"$firescrypt$ln=10,r=9,p=1$AA==$AAAAAAAAAAA=$AA==$AAAAAAAAAAA=",
			"$sha1$pf=" + repeated + "$AA==$" + b64(make([]byte, 20)),
			"$sha512-crypt$rounds=1000001$salt$" + strings.Repeat("a", 86),
			"$sha512-crypt$rounds=999999999$salt$" + strings.Repeat("a", 86),
		},
	} {
		for _, hash := range hashes {
			if err := secret.CheckHash(hash); !errors.Is(err, want) {
				t.Errorf("CheckHash(%.80q) = %v, want %v", hash, err, want)
			}
		}
	}
}

// A password that only its length rules out costs what any other costs.
func TestLongPasswordsDoTheSameWork(t *testing.T) {
	h := hasher(t, smallArgon2, rand.Reader)
	for _, hash := range importedHashes() {
		var runs [][]secret.Run
		for _, wrong := range []string{"wrong horse", strings.Repeat("wrong horse", 1000)} {
			ctx, work := secret.WithWork(t.Context())
			if match, err := h.Matches(ctx, hash, wrong); err != nil || match {
				t.Errorf("%s = %t, %v", hash, match, err)
			}
			runs = append(runs, work.Runs())
		}
		if !slices.Equal(runs[0], runs[1]) {
			t.Errorf("%s: %v and %v", hash, runs[0], runs[1])
		}
	}
}
