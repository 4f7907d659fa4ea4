package ui

// Ids that the rooms name, in the order of the table.
const (
	SignIn                   ID = 1010001
	ConfirmItIsYou           ID = 1010003
	CompleteSecond           ID = 1010004
	AuthenticationCode       ID = 1010006
	BackupCode               ID = 1010007
	SignInWithKey            ID = 1010008
	UseAuthenticator         ID = 1010009
	UseBackupCode            ID = 1010010
	PrepareKey               ID = 1010012
	ContinueWithKey          ID = 1010013
	LoginCodeSent            ID = 1010014
	SendLoginCode            ID = 1010015
	SignInWithPasskey        ID = 1010021
	SignInWithPassword       ID = 1010022
	SendCodeTo               ID = 1010023
	SecondCodeSent           ID = 1010025
	SignUp                   ID = 1040001
	SignUpWithKey            ID = 1040004
	RegistrationCodeSent     ID = 1040005
	SendRegistrationCode     ID = 1040006
	SignUpWithPasskey        ID = 1040007
	Back                     ID = 1040008
	ChooseCredential         ID = 1040009
	ChangesSaved             ID = 1050001
	UnlinkTOTP               ID = 1050004
	TOTPImage                ID = 1050005
	TOTPSecret               ID = 1050006
	RevealCodes              ID = 1050007
	GenerateCodes            ID = 1050008
	BackupSecret             ID = 1050009
	KeepCodes                ID = 1050010
	ConfirmCodes             ID = 1050011
	AddKey                   ID = 1050012
	KeyName                  ID = 1050013
	BackupSecretUsed         ID = 1050014
	BackupSecrets            ID = 1050015
	DisableMethod            ID = 1050016
	TOTPSecretLabel          ID = 1050017
	RemoveKey                ID = 1050018
	AddPasskey               ID = 1050019
	RemovePasskey            ID = 1050020
	Recovered                ID = 1060001
	RecoveryLinkSent         ID = 1060002
	RecoveryCodeSent         ID = 1060003
	RecoveryCodeSentTo       ID = 1060004
	ConfirmAddress           ID = 1060005
	ChooseAddress            ID = 1060006
	RecoveryBack             ID = 1060007
	MaskedAddress            ID = 1070000
	LabelPassword            ID = 1070001
	LabelTitle               ID = 1070002
	Save                     ID = 1070003
	LabelID                  ID = 1070004
	VerifyCode               ID = 1070006
	LabelEmail               ID = 1070007
	ResendCode               ID = 1070008
	Continue                 ID = 1070009
	LabelRecoveryCode        ID = 1070010
	LabelVerificationCode    ID = 1070011
	LabelRegistrationCode    ID = 1070012
	LabelLoginCode           ID = 1070013
	LabelRecoveryAddress     ID = 1070016
	LabelPhone               ID = 1070017
	LabelEmailOrPhone        ID = 1070018
	VerificationLinkSent     ID = 1080001
	EmailVerified            ID = 1080002
	VerificationMailSent     ID = 1080003
	VerificationTextSent     ID = 1080004
	PhoneVerified            ID = 1080005
	ReasonGiven              ID = 4000001
	PropertyMissing          ID = 4000002
	TooShort                 ID = 4000003
	NotThePattern            ID = 4000004
	PasswordUnusable         ID = 4000005
	CredentialsInvalid       ID = 4000006
	AccountExists            ID = 4000007
	TOTPInvalid              ID = 4000008
	NoIdentifiers            ID = 4000009
	AddressNotVerified       ID = 4000010
	NoTOTP                   ID = 4000011
	BackupCodeUsed           ID = 4000012
	NoKey                    ID = 4000013
	NoBackupCodes            ID = 4000014
	NoSuchKeyAccount         ID = 4000015
	BackupCodeInvalid        ID = 4000016
	TooLong                  ID = 4000017
	BelowMinimum             ID = 4000018
	NotAboveMinimum          ID = 4000019
	AboveMaximum             ID = 4000020
	NotBelowMaximum          ID = 4000021
	NotMultipleOf            ID = 4000022
	TooManyItems             ID = 4000023
	TooFewItems              ID = 4000024
	ItemsEqual               ID = 4000025
	WrongType                ID = 4000026
	AccountExistsHints       ID = 4000028
	NotTheConstant           ID = 4000029
	ConstantFailed           ID = 4000030
	PasswordLikeID           ID = 4000031
	PasswordTooShort         ID = 4000032
	PasswordTooLong          ID = 4000033
	PasswordBreached         ID = 4000034
	NoCodeAccount            ID = 4000035
	TraitsChanged            ID = 4000036
	NoMethodAccount          ID = 4000037
	SamePassword             ID = 4000039
	NotAnEmail               ID = 4000040
	NotAPhone                ID = 4000041
	KeyInvalid               ID = 4000043
	LoginExpired             ID = 4010001
	NoLoginMethod            ID = 4010002
	NoSignUpMethod           ID = 4010003
	NoSettingsMethod         ID = 4010004
	NoRecoveryMethod         ID = 4010005
	NoVerificationMethod     ID = 4010006
	LoginCodeInvalid         ID = 4010008
	AddressUnknown           ID = 4010010
	AccountDisabled          ID = 4010011
	RegistrationExpired      ID = 4040001
	RegistrationDone         ID = 4040002
	RegistrationCodeInvalid  ID = 4040003
	SettingsExpired          ID = 4050001
	OneAddressAtATime        ID = 4050002
	RecoveryDone             ID = 4060001
	RecoveryFailed           ID = 4060002
	RecoveryTokenInvalid     ID = 4060004
	RecoveryExpired          ID = 4060005
	RecoveryCodeInvalid      ID = 4060006
	VerificationTokenInvalid ID = 4070001
	VerificationDone         ID = 4070002
	VerificationFailed       ID = 4070003
	VerificationExpired      ID = 4070005
	VerificationCodeInvalid  ID = 4070006
)

type text struct {
	kind Kind
	text string
}

// texts is the one place where an id becomes English. A {name} is filled in
// from the message's context.
var texts = map[ID]text{
	// Login.
	1010001: {Info, "Sign in"},
	1010002: {Info, "Sign in with {provider}"},
	1010003: {Info, "Please confirm this action by verifying that it is you."},
	1010004: {Info, "Please complete the second authentication challenge."},
	1010005: {Info, "Verify"},
	1010006: {Info, "Authentication code"},
	1010007: {Info, "Backup recovery code"},
	1010008: {Info, "Sign in with a hardware key"},
	1010009: {Info, "Use Authenticator"},
	1010010: {Info, "Use backup recovery code"},
	1010011: {Info, "Sign in with a hardware key"},
	1010012: {Info, "Prepare your WebAuthn device (e.g. security key, biometrics scanner, ...) and press continue."},
	1010013: {Info, "Continue"},
	1010014: {Info, "A code was sent to the address you provided. If you didn't receive it, please check the spelling of the address and try again."},
	1010015: {Info, "Send sign in code"},
	1010016: {Info, `You tried to sign in with "{duplicate_identifier}", but that email is already used by another account. Sign in to your account with one of the options below to add your account "{duplicate_identifier}" at "{provider}" as another way to sign in.`},
	1010017: {Info, "Sign in and link"},
	1010018: {Info, "Confirm with {provider}"},
	1010019: {Info, "Request code to continue"},
	1010021: {Info, "Sign in with passkey"},
	1010022: {Info, "Sign in with password"},
	1010023: {Info, "Send code to {address}"},
	1010024: {Info, "Sign in with a hardware key"},
	1010025: {Info, "A code was sent to your address. If you didn't receive it, please try again."},

	// Registration.
	1040001: {Info, "Sign up"},
	1040002: {Info, "Sign up with {provider}"},
	1040003: {Info, "Continue"},
	1040004: {Info, "Sign up with security key"},
	1040005: {Info, "A code has been sent to the address(es) you provided. If you have not received a message, check the spelling of the address and retry the registration."},
	1040006: {Info, "Send sign up code"},
	1040007: {Info, "Sign up with passkey"},
	1040008: {Info, "Back"},
	1040009: {Info, "Please choose a credential to authenticate yourself with."},

	// Settings.
	1050001: {Success, "Your changes have been saved!"},
	1050002: {Info, "Link {provider}"},
	1050003: {Info, "Unlink {provider}"},
	1050004: {Info, "Unlink TOTP Authenticator App"},
	1050005: {Info, "Authenticator app QR code"},
	1050006: {Info, "{secret}"},
	1050007: {Info, "Reveal backup recovery codes"},
	1050008: {Info, "Generate new backup recovery codes"},
	1050009: {Info, "{secret}"},
	1050010: {Info, "These are your back up recovery codes. Please keep them in a safe place!"},
	1050011: {Info, "Confirm backup recovery codes"},
	1050012: {Info, "Add security key"},
	1050013: {Info, "Name of the security key"},
	1050014: {Info, "Secret was used at {used_at}"},
	1050015: {Info, "{secrets}"},
	1050016: {Info, "Disable this method"},
	1050017: {Info, "This is your authenticator app secret. Use it if you can not scan the QR code."},
	1050018: {Info, `Remove security key "{display_name}"`},
	1050019: {Info, "Add passkey"},
	1050020: {Info, `Remove passkey "{display_name}"`},
	1050023: {Info, "Your account is managed by your organization. To change these settings, contact your organization administrator."},

	// Recovery.
	1060001: {Success, "You successfully recovered your account. Please change your password or set up an alternative login method (e.g. social sign in) within the next {minutes} minutes."},
	1060002: {Info, "An email containing a recovery link has been sent to the email address you provided. If you have not received an email, check the spelling of the address and make sure to use the address you registered with."},
	1060003: {Info, "An email containing a recovery code has been sent to the email address you provided. If you have not received an email, check the spelling of the address and make sure to use the address you registered with."},
	1060004: {Info, "A recovery code has been sent to {masked_address}. If you have not received it, check the spelling of the address and make sure to use the address you registered with."},
	1060005: {Info, "Recover access to your account by providing your recovery address in full."},
	1060006: {Info, "How do you want to recover your account?"},
	1060007: {Info, "Back"},

	// Node labels.
	1070000: {Info, "{masked_address}"},
	1070001: {Info, "Password"},
	1070002: {Info, "{title}"},
	1070003: {Info, "Save"},
	1070004: {Info, "ID"},
	1070005: {Info, "Submit"},
	1070006: {Info, "Verify code"},
	1070007: {Info, "Email"},
	1070008: {Info, "Resend code"},
	1070009: {Info, "Continue"},
	1070010: {Info, "Recovery code"},
	1070011: {Info, "Verification code"},
	1070012: {Info, "Registration code"},
	1070013: {Info, "Login code"},
	1070014: {Info, "Login and link credential"},
	1070015: {Info, "Please complete the captcha challenge to continue."},
	1070016: {Info, "Recovery address"},
	1070017: {Info, "Phone number"},
	1070018: {Info, "Email or phone number"},

	// Verification.
	1080001: {Info, "An email containing a verification link has been sent to the email address you provided. If you have not received an email, check the spelling of the address and make sure to use the address you registered with."},
	1080002: {Success, "You successfully verified your email address."},
	1080003: {Info, "An email containing a verification code has been sent to the email address you provided. If you have not received an email, check the spelling of the address and make sure to use the address you registered with."},
	1080004: {Info, "A text message containing a verification code has been sent to the phone number you provided. If you have not received a text message, check the spelling of the number and make sure to use the number you registered with."},
	1080005: {Success, "You successfully verified your phone number."},

	// Validation.
	4000001: {Failure, "{reason}"},
	4000002: {Failure, "Property {property} is missing."},
	4000003: {Failure, "length must be >= {min_length}, but got {actual_length}"},
	4000004: {Failure, `does not match pattern "{pattern}"`},
	4000005: {Failure, "The password can not be used because {reason}."},
	4000006: {Failure, "The provided credentials are invalid, check for spelling mistakes in your password or username, email address, or phone number."},
	4000007: {Failure, "An account with the same identifier (email, phone, username, ...) exists already."},
	4000008: {Failure, "The provided authentication code is invalid, please try again."},
	4000009: {Failure, "Could not find any login identifiers. Did you forget to set them? This could also be caused by a server misconfiguration."},
	4000010: {Failure, "Account not active yet. Did you forget to verify your email address?"},
	4000011: {Failure, "You have no TOTP device set up."},
	4000012: {Failure, "This backup recovery code has already been used."},
	4000013: {Failure, "You have no WebAuthn device set up."},
	4000014: {Failure, "You have no backup recovery codes set up."},
	4000015: {Failure, "This account does not exist or has no security key set up."},
	4000016: {Failure, "The backup recovery code is not valid."},
	4000017: {Failure, "length must be <= {max_length}, but got {actual_length}"},
	4000018: {Failure, "must be >= {minimum} but found {actual}"},
	4000019: {Failure, "must be > {minimum} but found {actual}"},
	4000020: {Failure, "must be <= {maximum} but found {actual}"},
	4000021: {Failure, "must be < {maximum} but found {actual}"},
	4000022: {Failure, "{actual} not multipleOf {base}"},
	4000023: {Failure, "maximum {max_items} items allowed, but found {actual_items} items"},
	4000024: {Failure, "minimum {min_items} items allowed, but found {actual_items} items"},
	4000025: {Failure, "items at index {index_a} and {index_b} are equal"},
	4000026: {Failure, "expected {allowed_types}, but got {actual_type}"},
	4000027: {Failure, "An account with the same identifier (email, phone, username, ...) exists already. Please sign in to your existing account to link your social profile."},
	4000028: {Failure, "{reason}"},
	4000029: {Failure, "must be equal to constant {expected}"},
	4000030: {Failure, "const failed"},
	4000031: {Failure, "The password can not be used because it is too similar to the identifier."},
	4000032: {Failure, "The password must be at least {min_length} characters long, but got {actual_length}."},
	4000033: {Failure, "The password must be at most {max_length} characters long, but got {actual_length}."},
	4000034: {Failure, "The password has been found in data breaches and must no longer be used."},
	4000035: {Failure, "This account does not exist or has not setup sign in with code."},
	4000036: {Failure, "The provided traits do not match the traits previously associated with this flow."},
	4000037: {Failure, "This account does not exist or has no login method configured."},
	4000038: {Failure, "Captcha verification failed, please try again."},
	4000039: {Failure, "The new password must be different from the old password."},
	4000040: {Failure, "Enter a valid email address"},
	4000041: {Failure, "Enter a valid phone number"},
	4000042: {Failure, "You have no DeviceAuthn device set up."},
	4000043: {Failure, "The provided web authn login is invalid, please try again."},
	4000044: {Failure, "The provided DeviceAuthn signature is invalid."},
	4000045: {Failure, "This DeviceAuthn key can no longer be used because relaxed attestation is expired or disabled. Please enroll your device again."},
	4000046: {Failure, "This DeviceAuthn key was enrolled before user verification was introduced and can no longer be used. Please enroll your device again."},

	// Login errors.
	4010001: {Failure, "The login flow expired {minutes} minutes ago, please try again."},
	4010002: {Failure, "Could not find a strategy to log you in with. Did you fill out the form correctly?"},
	4010003: {Failure, "Could not find a strategy to sign you up with. Did you fill out the form correctly?"},
	4010004: {Failure, "Could not find a strategy to update your settings. Did you fill out the form correctly?"},
	4010005: {Failure, "Could not find a strategy to recover your account with. Did you fill out the form correctly?"},
	4010006: {Failure, "Could not find a strategy to verify your account with. Did you fill out the form correctly?"},
	4010007: {Failure, "The request was already completed successfully and can not be retried."},
	4010008: {Failure, "The login code is invalid or has already been used. Please try again."},
	4010009: {Failure, "Linked credentials do not match."},
	4010010: {Failure, "The address you entered does not match any known addresses in the current account."},
	4010011: {Failure, "This account has been disabled. Please contact support for assistance."},

	// Registration errors.
	4040001: {Failure, "The registration flow expired {minutes} minutes ago, please try again."},
	4040002: {Failure, "The request was already completed successfully and can not be retried."},
	4040003: {Failure, "The registration code is invalid or has already been used. Please try again."},

	// Settings errors.
	4050001: {Failure, "The settings flow expired {minutes} minutes ago, please try again."},
	4050002: {Failure, "You can only change one address at a time. Please update each address separately."},

	// Recovery errors.
	4060001: {Failure, "The request was already completed successfully and can not be retried."},
	4060002: {Failure, "The recovery flow reached a failure state and must be retried."},
	4060004: {Failure, "The recovery token is invalid or has already been used. Please retry the flow."},
	4060005: {Failure, "The recovery flow expired {minutes} minutes ago, please try again."},
	4060006: {Failure, "The recovery code is invalid or has already been used. Please try again."},

	// Verification errors.
	4070001: {Failure, "The verification token is invalid or has already been used. Please retry the flow."},
	4070002: {Failure, "The request was already completed successfully and can not be retried."},
	4070003: {Failure, "The verification flow reached a failure state and must be retried."},
	4070005: {Failure, "The verification flow expired {minutes} minutes ago, please try again."},
	4070006: {Failure, "The verification code is invalid or has already been used. Please try again."},

	// System.
	5000001: {Failure, "{reason}"},
	5000002: {Failure, "No authentication methods are available. Please contact the system administrator."},
	5000003: {Failure, "Your organization requires SSO authentication, but no SSO provider is configured. Please contact the system administrator."},
}
