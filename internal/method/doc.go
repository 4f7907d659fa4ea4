// Package method is the roster of all methods. A new one is a folder beside
// this file and a line in All.
package method
