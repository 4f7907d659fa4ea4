#!/usr/bin/env bash
# Runs a command with a fresh DynamoDB API's endpoint in STYX_TEST_DYNAMODB, and
# stops the API afterwards. Its exit code is the command's.
#
#   test/dynamodb/with.sh go test -tags dynamodb ./internal/table/dynamo
#
# STYX_DYNAMODB=local uses Amazon's own; see start.sh. API and command then share
# a network namespace that has loopback alone (it takes root).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
if [[ ${STYX_DYNAMODB:-} == local && -z ${STYX_NAMESPACE:-} ]]; then
	# Installing needs the network, so it is done before that is gone.
	"$here/start.sh" --install
	STYX_NAMESPACE=1 exec unshare --net bash -c 'ip link set lo up && exec "$0" "$@"' "$here/with.sh" "$@"
fi

coproc api { exec "$here/start.sh"; }
pid=$api_PID
trap '{ kill $pid; wait $pid; } 2>/dev/null || true' EXIT
if ! read -r endpoint <&"${api[0]}"; then
	echo "no DynamoDB API to test against" >&2
	exit 1
fi
export STYX_TEST_DYNAMODB=$endpoint
"$@"
