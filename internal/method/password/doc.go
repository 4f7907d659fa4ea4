// Package password is the method of signing up and in with a password: its
// nodes, the policy for new passwords and the check of given ones.
package password
