// Package service says how a service of AWS is called from what a function's
// environment tells: the SDK's own loader asks files and other hosts as well, and
// is linked into a binary with all of them.
//
// It owns which variables are read, and what has to be among them. It makes no
// call.
package service
