package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// site is Styx as a client sees it, wherever it runs, with people in it.
type site struct {
	client *http.Client
	public string // URLs without a slash at the end
	admin  string
	people []person
	token  string // of a session of the first of the people
}

// person has an account, and the password of them all.
type person struct{ id, email string }

const (
	rightPassword = "lantern tide orbit maple"
	wrongPassword = "maple orbit tide lantern"
)

// operation is one kind of request.
type operation struct {
	name    string
	request func(ctx context.Context, s *site, i int) (*http.Request, error) // makes the i-th
	// submits: the making starts a flow for each, and so is done beforehand.
	submits bool
}

// The operations.
var (
	health = operation{name: "health (no table)", request: func(ctx context.Context, s *site, _ int) (*http.Request, error) {
		return s.get(ctx, s.public+"/health/alive")
	}}
	startLogin        = starting("login")
	startRegistration = starting("registration")
	startSettings     = bearing("start settings flow", "/self-service/settings/api")
	startRecovery     = starting("recovery")
	startVerification = starting("verification")
	whoami            = bearing("whoami", "/sessions/whoami")
	registration      = operation{name: "registration", submits: true, request: func(ctx context.Context, s *site, _ int) (*http.Request, error) {
		id, err := s.flow(ctx, "registration")
		if err != nil {
			return nil, err
		}
		return s.post(ctx, s.public+"/self-service/registration?flow="+id, map[string]any{
			"method": "password", "password": rightPassword, "traits": traits(id + "@example.com"),
		})
	}}
	login = operation{name: "login", submits: true, request: func(ctx context.Context, s *site, i int) (*http.Request, error) {
		return s.login(ctx, s.people[i%len(s.people)].email, rightPassword)
	}}
	adminGet = operation{name: "admin get", request: func(ctx context.Context, s *site, i int) (*http.Request, error) {
		return s.get(ctx, s.admin+"/admin/identities/"+s.people[i%len(s.people)].id)
	}}
	adminList = operation{name: "admin list of 250", request: func(ctx context.Context, s *site, _ int) (*http.Request, error) {
		return s.get(ctx, s.admin+"/admin/identities?page_size=250")
	}}
)

// starting is the start of a flow by nobody.
func starting(kind string) operation {
	return operation{name: "start " + kind + " flow", request: func(ctx context.Context, s *site, _ int) (*http.Request, error) {
		return s.get(ctx, s.public+"/self-service/"+kind+"/api")
	}}
}

// bearing is a request of somebody with a session.
func bearing(name, path string) operation {
	return operation{name: name, request: func(ctx context.Context, s *site, _ int) (*http.Request, error) {
		r, err := s.get(ctx, s.public+path)
		if err == nil {
			r.Header.Set("X-Session-Token", s.token)
		}
		return r, err
	}}
}

// login is a submission of a password to a flow of its own.
func (s *site) login(ctx context.Context, email, password string) (*http.Request, error) {
	id, err := s.flow(ctx, "login")
	if err != nil {
		return nil, err
	}
	return s.post(ctx, s.public+"/self-service/login?flow="+id, map[string]any{
		"method": "password", "identifier": email, "password": password,
	})
}

func traits(email string) map[string]any { return map[string]any{"email": email} }

// flow starts a flow of that kind and returns its id.
func (s *site) flow(ctx context.Context, kind string) (string, error) {
	r, err := s.get(ctx, s.public+"/self-service/"+kind+"/api")
	if err != nil {
		return "", err
	}
	var made struct{ ID string }
	return made.ID, s.read(r, &made)
}

// settle gives so many people an account, and the first of them a session.
func (s *site) settle(ctx context.Context, n int) error {
	s.people = make([]person, n)
	err := each(n, func(i int) error {
		email := fmt.Sprintf("person-%d@example.com", i)
		r, err := s.post(ctx, s.admin+"/admin/identities", map[string]any{
			"schema_id": "person", "traits": traits(email),
			"credentials": map[string]any{"password": map[string]any{"config": map[string]any{"password": rightPassword}}},
		})
		if err != nil {
			return err
		}
		var made struct{ ID string }
		err = s.read(r, &made)
		s.people[i] = person{made.ID, email}
		return err
	})
	if err != nil {
		return err
	}
	r, err := s.login(ctx, s.people[0].email, rightPassword)
	if err != nil {
		return err
	}
	var answer struct {
		Token string `json:"session_token"`
	}
	if err := s.read(r, &answer); err != nil {
		return err
	}
	s.token = answer.Token
	return nil
}

func (s *site) get(ctx context.Context, url string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err == nil {
		r.Header.Set("Accept", "application/json")
	}
	return r, err
}

func (s *site) post(ctx context.Context, url string, body any) (*http.Request, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(text)))
	if err == nil {
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// do sends a request and returns status and body.
func (s *site) do(r *http.Request) (int, []byte, error) {
	response, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// succeed sends a request that must not be refused.
func (s *site) succeed(r *http.Request) ([]byte, error) {
	status, body, err := s.do(r)
	if err == nil && status >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: status %d\n%s", r.Method, r.URL.Path, status, body)
	}
	return body, err
}

func (s *site) read(r *http.Request, into any) error {
	body, err := s.succeed(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}
