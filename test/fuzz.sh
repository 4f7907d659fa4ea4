#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other.
#
#   test/fuzz.sh TIME [COUNTS]
#
# TIME is each target's (5s, 1m); COUNTS names a file for the closing line.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?how long each target runs, such as 5s}
passed=0 failed=0

fuzz() { # target folder
	go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" "./$2" 2>&1
}

while IFS=: read -r file line; do
	target=${line#func } target=${target%%(*} folder=$(dirname "$file")
	if output=$(fuzz "$target" "$folder"); then
		ok=yes
	# The go command can report its own deadline as the target's failure when the
	# time ends between two inputs (golang.org/issue/48591). A real failure names
	# its input.
	elif [[ $output == *'context deadline exceeded'* && $output != *'Failing input'* ]] && output=$(fuzz "$target" "$folder"); then
		ok=yes
	else
		ok=no
	fi
	if [[ $ok == yes ]]; then
		passed=$((passed + 1))
		echo "fuzz ok    $folder $target"
	else
		failed=$((failed + 1))
		printf 'fuzz FAIL  %s %s\n%s\n' "$folder" "$target" "$output"
	fi
done < <(grep -rE '^func Fuzz[A-Za-z0-9_]*\(' --include='*_test.go' --exclude-dir=testdata . | sed 's|^\./||' | grep -v '^\.cache/' | sort)

echo "fuzz: $passed passed, $failed failed"
[[ -z ${2:-} ]] || echo "$passed passed, $failed failed" >"$2"
((failed == 0 && passed > 0))
