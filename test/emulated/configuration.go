package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configured is a configuration file, written for a server on this machine.
type configured struct {
	folder string
	keys   map[string]any
}

func readConfiguration(path string) (*configured, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c := &configured{folder: filepath.Dir(path)}
	if err := yaml.Unmarshal(data, &c.keys); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// section is a mapping within the configuration, made if it is not there.
func (c *configured) section(path ...string) map[string]any {
	at := c.keys
	for _, key := range path {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	return at
}

// address is where a server of this configuration would listen.
func (c *configured) address(api string) string {
	port, ok := c.section("serve", api)["port"].(int)
	if !ok {
		port = map[string]int{"public": 4433, "admin": 4434}[api]
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// forAWS returns the configuration as a deployment has it, with the files that
// lie beside it. What the stack gives is left out. Calls to this machine's
// loopback, which no function may make, go to another address of it that passes
// them on.
func (c *configured) forAWS(ctx context.Context) ([]extra, error) {
	delete(c.keys, "secrets")
	delete(c.keys, "dsn")
	delete(c.section("courier", "smtp"), "connection_uri")
	delete(c.section("courier", "smtp"), "from_address")
	// As `serve --dev`: mail can be read, cookies need no TLS, hashes are cheap.
	c.keys["dev"] = true
	text, err := yaml.Marshal(c.keys)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	if text, err = withoutLoopback(ctx, text); err != nil {
		return nil, err
	}
	files := []extra{{"styx.yml", text}}
	beside, err := os.ReadDir(c.folder)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.folder, err)
	}
	for _, entry := range beside {
		if entry.IsDir() || strings.HasSuffix(entry.Name(), ".yml") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(c.folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", c.folder, err)
		}
		files = append(files, extra{entry.Name(), content})
	}
	return files, nil
}

// called are the ports of this machine that a configuration may call.
var called = []string{"4543", "4544"}

func withoutLoopback(ctx context.Context, text []byte) ([]byte, error) {
	for _, port := range called {
		here := net.JoinHostPort("127.0.0.1", port)
		if !bytes.Contains(text, []byte(here)) {
			continue
		}
		there, err := passOn(ctx, here)
		if err != nil {
			return nil, err
		}
		text = bytes.ReplaceAll(text, []byte(here), []byte(there))
	}
	return text, nil
}

// ownAddress is one of this machine's that is not loopback.
func ownAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("list addresses: %w", err)
	}
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil && prefix.Addr().Is4() && !prefix.Addr().IsLoopback() && !prefix.Addr().IsLinkLocalUnicast() {
			return prefix.Addr().String(), nil
		}
	}
	return "", errors.New("this machine has no address but loopback, which functions may not call")
}

// passOn hands connections from this machine, and from nowhere else, to an
// address of its loopback. It returns where it listens.
func passOn(ctx context.Context, to string) (string, error) {
	address, err := ownAddress()
	if err != nil {
		return "", err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort(address, "0"))
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			if at, err := netip.ParseAddrPort(from.RemoteAddr().String()); err != nil || at.Addr().Unmap().String() != address {
				_ = from.Close()
				continue
			}
			go join(ctx, from, to)
		}
	}()
	return listener.Addr().String(), nil
}

// join copies both ways until both are done.
func join(ctx context.Context, from net.Conn, address string) {
	defer func() { _ = from.Close() }()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(to, from) // the other side sees how it ended
		end(to)
	}()
	_, _ = io.Copy(from, to)
	end(from)
	<-done
}

// end tells the other side that nothing more comes.
func end(connection net.Conn) {
	if half, ok := connection.(*net.TCPConn); ok {
		_ = half.CloseWrite() // it may be gone
	}
}
