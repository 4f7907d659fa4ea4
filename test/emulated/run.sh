#!/usr/bin/env bash
# Deploys the stack to an AWS emulator and runs through it what there is: the
# journeys of this folder; the conformance suite, if STYX_CONFORMANCE names it,
# once by the deployed functions, once with those of the previous release beside
# them; at last, whether each function did what its role allows it, and whether
# what matters outlives the stack.
#
#   test/emulated/run.sh COUNTS      COUNTS is a folder for what ran
set -euo pipefail
cd "$(dirname "$0")/../.."
counts=$(realpath "$1")
at=$PWD/.cache/emulated
last='^Test(EachFunctionDoesWhatItMay|WhatIsWorthSomethingOutlivesTheStack)$'

# part NAME COMMAND...: says how long it took; ends as the command did.
part() {
	local began=$SECONDS status=0
	echo "e2e: $1"
	"${@:2}" || status=$?
	echo "e2e: $1 took $((SECONDS - began)) s"
	return "$status"
}

tests() {
	go test -count=1 -tags emulated -timeout 15m -json "${@:2}" ./test/emulated | .cache/bin/tally -to "$counts/$1"
}

conformance() {
	STYX_LEFTOUT=test/emulated/leftout.txt STYX_SERVER="$at/emulated front -in $at ${*:2} -c" test/conformance.sh "$STYX_CONFORMANCE" "$counts/$1"
}

part deploying test/emulated/start.sh -config test/emulated/deploy -base-url https://id.shop.example.test/
trap '"$at/emulated" down' EXIT

part journeys tests e2e -skip "$last"
if [[ -n ${STYX_CONFORMANCE:-} ]]; then
	part conformance conformance e2e-conformance
	found=0
	part 'the previous release' test/emulated/previous.sh || found=$?
	case $found in
	0) part 'conformance, with the previous release beside' conformance e2e-side-by-side -previous "$at/previous" ;;
	3) echo 'e2e: not run beside the previous release: this source has no history with it (git fetch --unshallow)' ;;
	*) exit "$found" ;;
	esac
fi
part permissions tests e2e-last -run "$last"
