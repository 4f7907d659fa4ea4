#!/usr/bin/env bash
# Deploys to the emulator in the background and prints where it is, once it is
# there. Arguments go to `emulated up`. `emulated down` ends it.
set -euo pipefail
cd "$(dirname "$0")/../.."

at=.cache/emulated
if [[ -e $at/deployment.json ]]; then
	if kill -0 "$(sed -nE 's/.*"PID": ([0-9]+).*/\1/p' "$at/deployment.json")" 2>/dev/null; then
		echo 'the emulator runs already: make local-down' >&2
		exit 1
	fi
	rm "$at/deployment.json" # it was killed
fi
setsid "$at/emulated" up "$@" >"$at/up.log" 2>&1 </dev/null &
while ! [[ -e $at/deployment.json ]]; do
	if ! kill -0 $! 2>/dev/null; then
		cat "$at/up.log" >&2
		exit 1
	fi
	sleep 0.2
done
sleep 0.2 # for what it says
cat "$at/up.log"
