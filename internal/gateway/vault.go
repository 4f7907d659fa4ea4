package gateway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"styx/internal/config"
	"styx/internal/service"
)

const (
	// vaultService is what requests are signed for.
	vaultService = "secretsmanager"
	// vaultTime bounds one call, vaultBytes its answer: a secret has 64 kB at most.
	vaultTime  = 5 * time.Second
	vaultBytes = 256 << 10
)

// vault is the secret of Secrets Manager that holds what the configuration in
// the zip only stands in for. One call is all there is to it, so it is signed by
// hand.
type vault struct {
	service.Access
	id     string
	names  []string // of what it has to hold; whatever else is there is of another build
	signer *v4.Signer
	client *http.Client
	now    func() time.Time
}

// unused is what STYX_SECRET_SETTINGS says to a function that has no use for
// them.
const unused = "unused"

// openVault returns the vault that STYX_SECRET_SETTINGS names, nil for none. It
// makes no call. Which settings are in it stands beside the configuration: where
// there are some, a function that is told of no vault would send what stands in
// for them to the world, so it is refused.
func openVault(getenv func(string) string) (*vault, error) {
	listed, err := os.ReadFile(filepath.Join(filepath.Dir(getenv("STYX_CONFIG")), config.ApartList))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read which settings are secret: %w", err)
	}
	id, names := getenv("STYX_SECRET_SETTINGS"), strings.Fields(string(listed))
	switch {
	case id == "" && len(names) > 0:
		return nil, fmt.Errorf("%s is kept apart from the configuration: STYX_SECRET_SETTINGS must name the secret that has it, or be %q", names[0], unused)
	case id == "" || id == unused:
		return nil, nil
	}
	access := service.Environment(getenv, "SECRETS_MANAGER")
	access.Endpoint = cmp.Or(access.Endpoint, "https://secretsmanager."+access.Region+".amazonaws.com")
	return &vault{
		Access: access, id: id, names: names, signer: v4.NewSigner(),
		// A connection would be dead by the next read.
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: vaultTime},
		now:    time.Now,
	}, nil
}

// read returns what the vault holds, as [config.Apart] reads it. Its errors
// tell names and never values.
func (v *vault) read(ctx context.Context) (string, error) {
	body := encoded(struct{ SecretId string }{v.id})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("read secret settings: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	sum := sha256.Sum256(body)
	if err := v.signer.SignHTTP(ctx, v.Credentials, request, hex.EncodeToString(sum[:]), vaultService, v.Region, v.now()); err != nil {
		return "", fmt.Errorf("read secret settings: %w", err)
	}
	response, err := v.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("read secret settings: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, vaultBytes))
	if err != nil {
		return "", fmt.Errorf("read secret settings: %w", err)
	}
	var said struct {
		SecretString string
		Type         string `json:"__type"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("read secret settings: %s %s", response.Status, said.Type)
	}
	values, err := config.Kept(said.SecretString)
	if err != nil {
		return "", err
	}
	listed := map[string]string{}
	for _, name := range v.names {
		value, there := values[name]
		if !there {
			return "", fmt.Errorf("read secret settings: %s is not among them: styx settings put brings it", name)
		}
		listed[name] = value
	}
	return string(encoded(listed)), nil
}
