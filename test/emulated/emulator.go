package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// region is where the emulator says it is.
const region = "us-east-1"

// rootEnvironment are the credentials of the emulated account, and where it is.
func rootEnvironment(endpoint string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + endpoint, "AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
	}
}

// startEmulator runs MiniStack behind a recorder until ctx ends. It returns the
// recorder's URL, which is where AWS is, and what waits for the end.
func startEmulator(ctx context.Context) (string, func(), error) {
	wait := func() {}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", wait, fmt.Errorf("listen: %w", err)
	}
	endpoint := "http://" + listener.Addr().String()

	emulator := exec.CommandContext(ctx, "test/dynamodb/start.sh")
	emulator.Env = append(os.Environ(), append(rootEnvironment(endpoint),
		// All services, identities and policies enforced, and APIs named as AWS
		// names them.
		"SERVICES=", "AUTH=true", "MINISTACK_HOST="+region+".amazonaws.com", "STYX_DYNAMODB=ministack")...)
	emulator.Cancel = func() error { return emulator.Process.Signal(syscall.SIGTERM) }
	emulator.WaitDelay = 10 * time.Second
	emulator.Stderr = os.Stderr
	said, err := emulator.StdoutPipe()
	if err != nil {
		return "", wait, fmt.Errorf("start the emulator: %w", err)
	}
	if err := emulator.Start(); err != nil {
		return "", wait, fmt.Errorf("start the emulator: %w", err)
	}
	wait = func() { _ = emulator.Wait() } // ctx has ended it
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return "", wait, errors.New("the emulator did not start")
	}
	at, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		return "", wait, fmt.Errorf("start the emulator: %w", err)
	}
	server := &http.Server{Handler: newRecorder(at), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return endpoint, wait, nil
}
