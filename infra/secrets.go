package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
)

// secrets are the keys of the instance. They are generated once and kept in a
// secret of their own; CloudFormation puts them into the functions' environment,
// so that a cold start asks nobody. All of it is encrypted under one key.
type secrets struct {
	key    awskms.Key
	secret awssecretsmanager.Secret
	values map[string]*string // by environment variable
}

// secretLength is what secrets.cipher must have; it is enough for the others.
const secretLength = 32

func newSecrets(stack awscdk.Stack, o options) secrets {
	// Both outlive the stack: what they seal in the table does so too.
	key := awskms.NewKey(stack, jsii.String("SecretsKey"), &awskms.KeyProps{
		Description:       jsii.String("Encrypts the secrets of Styx, and the environment of its functions"),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	})
	secret := awssecretsmanager.NewSecret(stack, jsii.String("Secrets"), &awssecretsmanager.SecretProps{
		Description:   jsii.String("Lists of secrets as in the configuration, comma separated: the first of a list writes, all read"),
		EncryptionKey: key,
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			SecretStringTemplate: jsii.String("{}"),
			GenerateStringKey:    jsii.String("default"),
			PasswordLength:       jsii.Number(secretLength),
			ExcludePunctuation:   jsii.Bool(true),
		},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	var version *string
	if o.SecretsVersion != "" {
		version = &o.SecretsVersion
	}
	value := func(list string) *string {
		return awscdk.SecretValue_SecretsManager(secret.SecretArn(), &awscdk.SecretsManagerSecretOptions{
			JsonField: jsii.String(o.secretOf(list)),
			VersionId: version,
		}).UnsafeUnwrap()
	}
	// A list that is not set falls back on the default one, but for cipher: the
	// configuration asks for it by name. Each use derives a key of its own.
	values := map[string]*string{"SECRETS_DEFAULT": value("default"), "SECRETS_CIPHER": value("cipher")}
	for list, name := range map[string]string{"cookie": "SECRETS_COOKIE", "pagination": "SECRETS_PAGINATION"} {
		if o.secretOf(list) == list {
			values[name] = value(list)
		}
	}
	return secrets{key: key, secret: secret, values: values}
}
