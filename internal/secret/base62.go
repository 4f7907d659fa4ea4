package secret

import "encoding/binary"

// alphabet holds the digits of base62 in order of value. It is part of the
// token formats and never changes.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Five base62 digits fit into 30 bits, so both directions work on five digits
// and one 32-bit limb at a time.
const (
	chunkDigits = 5
	chunkBase   = 62 * 62 * 62 * 62 * 62
)

// encode62 writes src as an unsigned big-endian number in exactly digits base62
// digits. The caller sees to it that the number fits.
func encode62(src []byte, digits int) string {
	limbs := limbsOf(src)
	out := make([]byte, digits)
	for end := digits; end > 0; end -= chunkDigits {
		var rest uint64
		for i, limb := range limbs {
			rest = rest<<32 | uint64(limb)
			limbs[i] = uint32(rest / chunkBase) //nolint:gosec // rest < chunkBase<<32, so the quotient fits
			rest %= chunkBase
		}
		for i := end - 1; i >= max(0, end-chunkDigits); i-- {
			out[i] = alphabet[rest%62]
			rest /= 62
		}
	}
	return string(out)
}

// decode62 reads s, the work of encode62, back into size bytes. It answers
// false for a foreign digit and for a number that needs more than size bytes,
// so that every number has one spelling per length.
func decode62(s string, size int) ([]byte, bool) {
	limbs := make([]uint32, (size+3)/4)
	for s != "" {
		chunk := s[:(len(s)-1)%chunkDigits+1] // the first one may be shorter
		s = s[len(chunk):]
		var carry uint64
		base := uint64(1)
		for _, c := range []byte(chunk) {
			digit, ok := digitOf(c)
			if !ok {
				return nil, false
			}
			carry = carry*62 + digit
			base *= 62
		}
		for i := len(limbs) - 1; i >= 0; i-- {
			carry += uint64(limbs[i]) * base
			limbs[i] = uint32(carry & 0xffffffff)
			carry >>= 32
		}
		if carry != 0 {
			return nil, false
		}
	}
	out := make([]byte, 4*len(limbs))
	for i, limb := range limbs {
		binary.BigEndian.PutUint32(out[4*i:], limb)
	}
	surplus := out[:len(out)-size]
	for _, b := range surplus {
		if b != 0 {
			return nil, false
		}
	}
	return out[len(surplus):], true
}

// limbsOf cuts big-endian bytes into big-endian 32-bit limbs.
func limbsOf(src []byte) []uint32 {
	padded := make([]byte, (len(src)+3)/4*4)
	copy(padded[len(padded)-len(src):], src)
	limbs := make([]uint32, len(padded)/4)
	for i := range limbs {
		limbs[i] = binary.BigEndian.Uint32(padded[4*i:])
	}
	return limbs
}

func digitOf(c byte) (uint64, bool) {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0'), true
	case 'A' <= c && c <= 'Z':
		return uint64(c-'A') + 10, true
	case 'a' <= c && c <= 'z':
		return uint64(c-'a') + 36, true
	}
	return 0, false
}
