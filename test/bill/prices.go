package bill

// Unit prices in dollars in us-east-1, without any free allowance. docs/cost.md says where they are from.
const (
	readUnit        = 0.125 / 1e6 // DynamoDB, on demand
	writeUnit       = 0.625 / 1e6
	tableGB         = 0.25 // a month
	recoveryGB      = 0.20 // point-in-time recovery, a month
	invocation      = 0.20 / 1e6
	gigabyteSecond  = 0.0000133334 // Lambda on arm64
	apiRequest      = 1.00 / 1e6   // HTTP API, of up to 512 KB
	transferGB      = 0.09         // to the Internet
	mail            = 0.10 / 1000
	logGB           = 0.50 // taken in
	logStorageGB    = 0.03 // a month, of what is kept, compressed
	queueRequest    = 0.40 / 1e6
	keyMonth        = 1.00
	keyVersionMonth = 1.00 // each of the first two rotations
	secretMonth     = 0.40
	alarmMonth      = 0.10 // a metric that an alarm watches
	dashboardMonth  = 3.00
)

// What DynamoDB takes for a call, in ms, as seen from a function of the same region.
var latency = map[rune]float64{'r': 4, 'w': 7.5, 't': 25}

const (
	oneCPU = 1769.0 // MB that come with one vCPU

	// Milliseconds of one vCPU, of docs/performance.md: an event, a call of the table, and argon2id as a new project has it.
	eventCPU = 0.5
	callCPU  = 1.0
	hashCPU  = 43.0
	// A delivery hands the mail to SES.
	sesWait = 60.0

	coldShare = 0.02 // of events that find no process
	coldInit  = 100  // ms billed for the start of one
)

// What is not counted but estimated.
const (
	logLine    = 1200 // bytes of log an invocation leaves: ours, an audit record, Lambda's own
	answerSize = 3 << 10
	keptBytes  = 20 << 10 // of a person who is active, in the table and its index
	mailSize   = 8 << 10
)
