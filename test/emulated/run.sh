#!/usr/bin/env bash
# Deploys the stack to an AWS emulator and runs through it what there is: the
# journeys of this folder; the conformance suite, if STYX_CONFORMANCE names it,
# once by the deployed functions, once with those of the previous release beside
# them; at last, whether each function did what its role allows it.
#
#   test/emulated/run.sh COUNTS      COUNTS is a folder for what ran
set -euo pipefail
cd "$(dirname "$0")/../.."
counts=$(realpath "$1")
at=$PWD/.cache/emulated

journeys() {
	go test -count=1 -tags emulated -timeout 15m -json "${@:2}" ./test/emulated | .cache/bin/tally -to "$counts/$1"
}

test/emulated/previous.sh
test/emulated/start.sh -config test/emulated/deploy -base-url https://id.shop.example.test/
trap '"$at/emulated" down' EXIT

journeys e2e -skip 'TestEachFunctionDoes'
if [[ -n ${STYX_CONFORMANCE:-} ]]; then
	STYX_SERVER="$at/emulated front -in $at -c" \
		test/conformance.sh "$STYX_CONFORMANCE" "$counts/e2e-conformance"
	STYX_SERVER="$at/emulated front -in $at -previous $at/previous -c" \
		test/conformance.sh "$STYX_CONFORMANCE" "$counts/e2e-side-by-side"
fi
journeys e2e-permissions -run 'TestEachFunctionDoes'
