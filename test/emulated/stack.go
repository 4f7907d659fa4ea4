package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	// kept is what the commands leave for one another, from the root of the source.
	kept = ".cache/emulated"
	// stackName is that of the stage "emulated".
	stackName = "styx-emulated"
	cdk       = ".cache/cdk/node_modules/.bin/cdk"
	sender    = "no-reply@shop.example.test"
)

// deployment is what runs, and where.
type deployment struct {
	Folder   string // where its files are kept
	PID      int
	Endpoint string // of AWS
	Base     string // where browsers reach the public API
	Pages    bool   // whether the built-in ones are deployed
	// Public and Admin are the hosts of the two APIs. They have no address: the
	// endpoint answers for them.
	Public, Admin string
	Table         string
	Functions     map[string]string // by the names of their folders, what AWS calls them
}

// config is the SDK's, with the rights of the account's root.
func (d *deployment) config() aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &d.Endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// deploy prepares the account and deploys the stack to it. base is where
// browsers reach the public API, pages says whether there are some.
func deploy(ctx context.Context, endpoint, base, configuration string, pages bool) (*deployment, error) {
	folder, err := filepath.Abs(kept)
	if err != nil {
		return nil, fmt.Errorf("deploy: %w", err)
	}
	d := &deployment{Folder: folder, PID: os.Getpid(), Endpoint: endpoint, Base: base, Pages: pages, Functions: map[string]string{}}
	if err := d.build(ctx, configuration); err != nil {
		return nil, err
	}
	if _, err := d.cdk(ctx, "bootstrap", "aws://000000000000/"+region); err != nil {
		return nil, err
	}
	if _, err := d.push(ctx); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(d.outputs())
	if err != nil {
		return nil, fmt.Errorf("deploy: %w", err)
	}
	var said map[string]map[string]string
	if err := json.Unmarshal(data, &said); err != nil {
		return nil, fmt.Errorf("deploy: %w", err)
	}
	d.Table, d.Admin = said[stackName]["TableName"], hostOf(said[stackName]["AdminUrl"])
	return d, d.resources(ctx)
}

// build makes the zips of the functions with the files of a folder in them, and
// leaves its secrets beside them.
func (d *deployment) build(ctx context.Context, configuration string) error {
	_, err := run(ctx, d.source(), nil, "go", "run", "./build", "-arch", runtime.GOARCH, "-out", d.zips(), "-config", configuration, "-apart")
	return err
}

// push has the CDK's command line deploy the stack, as it would to an account. It
// returns what that said.
func (d *deployment) push(ctx context.Context, options ...string) (string, error) {
	return d.cdk(ctx, append([]string{"deploy", "--require-approval", "never", "--outputs-file", d.outputs()}, options...)...)
}

// cdk runs the CDK's command line with the stack's options.
func (d *deployment) cdk(ctx context.Context, arguments ...string) (string, error) {
	environment := append(rootEnvironment(d.Endpoint), "CDK_DISABLE_VERSION_CHECK=1", "CDK_DISABLE_CLI_TELEMETRY=true", "CI=true")
	return run(ctx, filepath.Join(d.source(), "infra"), environment, filepath.Join(d.source(), cdk), append(arguments,
		"--output", filepath.Join(d.Folder, "cdk.out"),
		"-c", "stage=emulated", "-c", "from-address="+sender, "-c", "base-url="+d.Base, "-c", "zips="+d.zips(),
		"-c", "ui="+strconv.FormatBool(d.Pages),
		// The emulator knows no metric math, which they need.
		"-c", "alarms=false",
		"-c", "architecture="+map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH],
	)...)
}

// source is the root of the source.
func (d *deployment) source() string { return strings.TrimSuffix(d.Folder, kept) }

// zips is the folder with the functions' zips.
func (d *deployment) zips() string { return filepath.Join(d.Folder, "zips") }

// outputs is where the CDK writes what the stack says about itself.
func (d *deployment) outputs() string { return filepath.Join(d.Folder, "outputs.json") }

// resources finds what the stack is made of.
func (d *deployment) resources(ctx context.Context) error {
	client := cloudformation.NewFromConfig(d.config())
	name := stackName
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the stack: %w", err)
		}
		for _, one := range page.StackResourceSummaries {
			d.note(one)
		}
	}
	if d.Public == "" || d.Admin == "" || d.Table == "" || len(d.Functions) == 0 {
		return errors.New("the stack lacks an API, its table or its functions")
	}
	return nil
}

func (d *deployment) note(one types.StackResourceSummary) {
	logical, physical := aws.ToString(one.LogicalResourceId), aws.ToString(one.PhysicalResourceId)
	switch aws.ToString(one.ResourceType) {
	case "AWS::Lambda::Function":
		// The CDK puts eight hexadecimal digits after its own names.
		d.Functions[strings.ToLower(logical[:len(logical)-8])] = physical
	case "AWS::ApiGatewayV2::Api":
		if strings.HasPrefix(logical, "PublicApi") {
			_, rest, _ := strings.Cut(d.Admin, ".")
			d.Public = physical + "." + rest
		}
	}
}

// update gives every function the files of a folder and a public URL, as a
// deployment with another configuration does.
func (d *deployment) update(ctx context.Context, zips string, files []extra, base string) error {
	client := lambda.NewFromConfig(d.config())
	for _, name := range slices.Sorted(maps.Keys(d.Functions)) {
		zip, err := repack(filepath.Join(zips, name+"-"+runtime.GOARCH+".zip"), files)
		if err != nil {
			return err
		}
		physical := d.Functions[name]
		if _, err := client.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &physical, ZipFile: zip}); err != nil {
			return fmt.Errorf("update %s: %w", name, err)
		}
		is, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &physical})
		if err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		}
		variables := is.Environment.Variables
		if variables["SERVE_PUBLIC_BASE_URL"] == base {
			continue
		}
		variables["SERVE_PUBLIC_BASE_URL"] = base
		if _, err := client.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &physical, Environment: &lambdatypes.Environment{Variables: variables},
		}); err != nil {
			return fmt.Errorf("update %s: %w", name, err)
		}
	}
	return nil
}

// save lets the other commands find the deployment.
func (d *deployment) save() error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("save the deployment: %w", err)
	}
	return os.WriteFile(d.file(), data, 0o600)
}

// running is the deployment that `up` made and saved in a folder.
func running(folder string) (*deployment, error) {
	d := &deployment{Folder: folder}
	data, err := os.ReadFile(d.file())
	if err != nil {
		return nil, fmt.Errorf("nothing is deployed: %w", err)
	}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("read the deployment: %w", err)
	}
	return d, nil
}

// file is where a deployment is saved.
func (d *deployment) file() string { return filepath.Join(d.Folder, "deployment.json") }

func hostOf(url string) string {
	_, host, _ := strings.Cut(url, "://")
	return host
}

// run has a command do its work and returns what it said.
func run(ctx context.Context, dir string, environment []string, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = dir
	command.Env = append(os.Environ(), environment...)
	command.WaitDelay = time.Second
	said, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, said)
	}
	return string(said), nil
}
