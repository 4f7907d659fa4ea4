package bill

import "fmt"

// use is how often an active person makes an operation happen in a month, on average.
type use struct {
	operation string
	times     float64
}

// pattern is how people use it: each is asked about a hundred times, signs in four times, one in twenty is new, and a few
// forget their password or change something.
var pattern = []use{
	{"whoami", 100},
	{"start a browser's login", 5},
	{"get a flow", 5},
	{"submit a login", 4},
	{"submit a login with a wrong password", 0.5},
	{"start a browser's logout", 1},
	{"log out a browser", 1},
	{"start a browser's registration", 0.08},
	{"submit a registration", 0.05},
	{"submit a verification: code", 0.05},
	{"start a browser's recovery", 0.04},
	{"submit a recovery: address", 0.03},
	{"submit a recovery: code", 0.03},
	{"start a browser's settings", 0.1},
	{"submit settings: a password", 0.03},
	{"submit settings: traits", 0.02},
	{"list one's other sessions: 2", 0.05},
	{"admin get", 1},
	{"send a mail", 0.08},
}

// Line is one of a bill.
type Line struct {
	Name     string
	Quantity string
	Dollars  float64
}

// Sum adds a bill up.
func Sum(lines []Line) float64 {
	sum := 0.0
	for _, line := range lines {
		sum += line.Dollars
	}
	return sum
}

// month is the bill of so many active people.
func month(people float64, known map[string]Operation, s Stack) ([]Line, error) {
	var events, requests, mails, read, write, gbs float64
	for _, u := range pattern {
		o, ok := known[u.operation]
		if !ok {
			return nil, fmt.Errorf("no operation %q is recorded", u.operation)
		}
		memory, ok := s.Memory[o.Function]
		if !ok {
			return nil, fmt.Errorf("the stack has no function %s", o.Function)
		}
		times := people * u.times
		events += times
		read += times * o.Read
		write += times * o.Write
		gbs += times * memory / 1024 * (o.milliseconds(memory) + coldShare*coldInit) / 1000
		if o.Function == "Courier" {
			mails += times
		} else {
			requests += times
		}
	}
	table := people * keptBytes / (1 << 30)
	logs := events * logLine / (1 << 30)
	transfer := (requests*answerSize + mails*mailSize) / (1 << 30)
	return append([]Line{
		{"API Gateway", millions(requests, "requests"), requests * apiRequest},
		{"Lambda, invocations", millions(events, ""), events * invocation},
		{"Lambda, time", fmt.Sprintf("%.3g GB-s", gbs), gbs * gigabyteSecond},
		{"DynamoDB, read units", millions(read, ""), read * readUnit},
		{"DynamoDB, write units", millions(write, ""), write * writeUnit},
		{"DynamoDB, storage and recovery", fmt.Sprintf("%.3g GB", table), table * (tableGB + recoveryGB)},
		{"SES", fmt.Sprintf("%.0f mails", mails), mails * mail},
		{"Logs", fmt.Sprintf("%.3g GB", logs), logs * (logGB + logStorageGB)},
		{"Transfer out", fmt.Sprintf("%.3g GB", transfer), transfer * transferGB},
	}, Line{"What an idle stack costs", "", Sum(idle(s))}), nil
}

func millions(n float64, of string) string {
	text := fmt.Sprintf("%.3g million", n/1e6)
	if of != "" {
		text += " " + of
	}
	return text
}

const (
	minutes = 30 * 24 * 60 // of a month
	sweeps  = minutes / 5
	shards  = 16
	// pollers wait at a queue that wakes a function, 20 s at a time.
	pollers = 5
)

// idle is the bill of a month in which nobody comes.
func idle(s Stack) []Line {
	sweepReads := float64(sweeps * shards / 2) // half a unit for a page with nothing on it
	courier := s.Memory["Courier"]
	// The pages are read together; each call of the table is computed for.
	ms := latency['r'] + (eventCPU+callCPU*shards)*oneCPU/courier
	gbs := sweeps * courier / 1024 * (ms + coldInit) / 1000 // it is always cold
	polls := float64(pollers * minutes * 3)
	logs := float64(sweeps*logLine) / (1 << 30)
	return []Line{
		{"KMS, keys", fmt.Sprint(s.Keys), float64(s.Keys) * keyMonth},
		{"Secrets Manager, secrets", fmt.Sprint(s.Secrets), float64(s.Secrets) * secretMonth},
		{"CloudWatch, metrics under alarm", fmt.Sprint(s.AlarmMetrics), float64(s.AlarmMetrics) * alarmMonth},
		{"CloudWatch, dashboards", fmt.Sprint(s.Dashboards), float64(s.Dashboards) * dashboardMonth},
		{"Lambda polls the retry queue", millions(polls, "requests"), polls * queueRequest},
		{"The sweep, every 5 minutes", fmt.Sprintf("%d invocations", sweeps), sweeps*invocation + gbs*gigabyteSecond + sweepReads*readUnit},
		{"Logs", fmt.Sprintf("%.2g GB", logs), logs * (logGB + logStorageGB)},
	}
}
