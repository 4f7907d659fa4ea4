//go:build emulated

package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestATableComesBackFromItsPast restores as docs/operations.md says, and serves
// from the new table from then on: who was there can sign in, but no session came
// back; who came later is gone; mail goes out by the new table's stream.
func TestATableComesBackFromItsPast(t *testing.T) {
	d := deployed(t)
	before, after := somebody("before"), somebody("after")
	token, _ := d.registers(t, before)
	d.mail(t, before, 1)
	table := "styx-restored-" + time.Now().Format("150405")
	stream := d.restore(t, table)
	d.registers(t, after)

	ended := time.Now().UTC().Add(time.Second).Format(time.RFC3339) // the next whole second
	if err := d.build(t.Context(), changed(t, "styx:\n", "styx:\n  sessions: {not_before: \""+ended+"\"}\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.push(t.Context(), "-c", "table="+stream); err != nil {
		t.Fatal(err)
	}
	d.Table = table
	if err := d.save(); err != nil {
		t.Fatal(err)
	}

	d.app(t).with("X-Session-Token", token).wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)
	a := d.app(t)
	signsIn := func(status int, email string) *answer {
		return a.wants(status, http.MethodPost, a.starts("login", "").UI.Action,
			map[string]string{"method": "password", "identifier": email, "password": password})
	}
	again := signsIn(http.StatusOK, before)
	d.app(t).with("X-Session-Token", again.Token).wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil)
	signsIn(http.StatusBadRequest, after)

	d.registers(t, after)
	d.mail(t, after, 2) // one is of the first time
}

// restore makes a table of what the deployment's has now, gives it what a
// restored one lacks, and returns its stream.
func (d *deployment) restore(t *testing.T, table string) (stream string) {
	t.Helper()
	client := dynamodb.NewFromConfig(d.config())
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ready := func() {
		t.Helper()
		must(nil, dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}, patience))
	}
	must(client.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		SourceTableName: &d.Table, TargetTableName: &table, UseLatestRestorableTime: aws.Bool(true),
	}))
	ready()
	must(client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage},
	}))
	ready()
	must(client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, DeletionProtectionEnabled: aws.Bool(true)}))
	must(client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName:                        &table,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	}))
	must(client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(true), AttributeName: aws.String("ttl")},
	}))
	is, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	must(nil, err)
	return aws.ToString(is.Table.LatestStreamArn)
}
