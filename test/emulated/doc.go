// Command emulated deploys the real stack to an AWS emulator on this machine
// and puts it where tests and people expect a server.
//
//	go run ./test/emulated up -config examples/quickstart   deploys, then runs until it is stopped
//	go run ./test/emulated down                             stops it
//	go run ./test/emulated front -c styx.yml                stands in for `styx serve --dev -c styx.yml`
//
// The zips are those of `go run ./build`, the template is the CDK's, its command
// line deploys it; the emulator is MiniStack with its identity and access
// management on: a call that a function's role does not allow is refused. All
// calls pass the recorder, which notes who did what.
package main
