#!/usr/bin/env bash
# Replays a conformance suite against bin/styx and compares every answer.
#
#   test/conformance.sh SUITE [COUNTS [ARGUMENT...]]
#
# SUITE is a folder with replay.py; COUNTS names a file for the closing line;
# arguments go to replay.py (--only 'login/*' -v). The runner starts a fresh
# server for each configuration, on 4533 and 4534, and serves 4543 to 4545.
# STYX_SERVER is another command that serves the configuration put after it,
# STYX_LEFTOUT another file like test/leftout.txt.
set -euo pipefail
suite=$(realpath "${1:?the folder of the suite}")
counts=$(realpath -m "${2:-/dev/null}")
shift $(($# < 2 ? $# : 2))
cd "$(dirname "$0")/.."

# What is built so far, in the words of the suite's areas.txt; test/leftout.txt
# names the scenarios of these areas that are left out.
areas=main-job,account-management,factors,administration

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
	{ echo 'conformance: needs Python 3.11 or later' >&2; exit 1; }
server=${STYX_SERVER:-"$PWD/bin/styx serve --dev -c"}
[[ -x ${server%% *} ]] || { echo "conformance: needs ${server%% *} (make build)" >&2; exit 1; }
for port in 4533 4534 4543 4544 4545; do
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
		echo "conformance: port $port is taken" >&2
		exit 1
	fi
done

# Every name that is not on the list, unless the caller chose some.
if [[ " $* " != *' --only '* ]]; then
	while read -r name; do
		set -- "$@" --only "$name"
	done < <(python3 -B "$suite/replay.py" --areas "$areas" --list | awk 'NF && !/^[0-9]+ scenarios$/ { print $1 }' |
		grep -vxFf <(awk '!/^#/ { print $1 }' test/leftout.txt ${STYX_LEFTOUT:-}))
fi

# exec: the runner must wait for the server to end, not for a shell around it.
status=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
python3 -B "$suite/replay.py" --start "exec $server {config}" \
	--areas "$areas" --divergences "$PWD/test/divergences.txt" "$@" | tee "$output" | sed '$d' || status=$?
closing=$(tail -n 1 "$output")
echo "conformance: $closing"
echo "$closing" >"$counts"
[[ $closing =~ ^[1-9][0-9]*\ passed,\ 0\ failed$ ]] || status=1
exit "$status"
