package cloud

// State says how a check ended.
type State string

// The states of a finding.
const (
	Fine    State = "ok"
	Warning State = "warning"
	Problem State = "problem"
)

// Finding is the outcome of one check.
type Finding struct {
	State State  `json:"state"`
	Check string `json:"check"` // what was looked at
	Found string `json:"found"`
	Do    string `json:"do,omitempty"` // what to do about it
}

// findings are those of one part of a deployment.
type findings []Finding

func (f *findings) fine(check, found string) { *f = append(*f, Finding{Fine, check, found, ""}) }

func (f *findings) warn(check, found, do string) { *f = append(*f, Finding{Warning, check, found, do}) }

func (f *findings) problem(check, found, do string) {
	*f = append(*f, Finding{Problem, check, found, do})
}

// expect is fine when good, and a problem otherwise.
func (f *findings) expect(good bool, check, found, do string) {
	if good {
		f.fine(check, found)
	} else {
		f.problem(check, found, do)
	}
}

// unread is a problem with the check itself.
func (f *findings) unread(check string, err error, do string) { f.problem(check, err.Error(), do) }
