#!/usr/bin/env bash
# Builds the functions of the previous release into .cache/emulated/previous.
# It exits with 3 where that release is not at hand: without the history.
set -euo pipefail
cd "$(dirname "$0")/../.."

release=$(<test/emulated/previous-release)
at=$PWD/.cache/emulated
[[ -f $at/previous/$release ]] && exit
git cat-file -e "$release^{commit}" 2>/dev/null ||
	git fetch --quiet --unshallow 2>/dev/null ||
	exit 3
rm -rf "$at/previous" "$at/source"
mkdir -p "$at/source"
git archive "$release" | tar -x -C "$at/source"
(cd "$at/source" && go run ./build -arch "$(go env GOARCH)" -out "$at/previous" >/dev/null)
rm -rf "$at/source"
touch "$at/previous/$release"
