#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A closed pipe is a quiet end with 0; a full disk is an error; lines reach a pipe one by one.
#
# usage: check_pipe.sh ROOTLE SOURCE_DIR WORK_DIR
set -u
rootle=$1 src=$2 work=$3/pipe
rm -rf "$work" && mkdir -p "$work"
"$rootle" import --quiet --db "$work/shop.db" "$src/tests/golden/shop.ndjson" || exit 1
for command in "export" "requests --json" "requests --follow" "traces" "traces --json" "traces a100000000000022" "traces --follow --json" "services --follow" "services" "map" "help"; do
	db="--db $work/shop.db"
	[ "$command" != help ] || db=
	# shellcheck disable=SC2086
	(sleep .2; exec "$rootle" $command $db 2> "$work/err") | :
	code=${PIPESTATUS[0]}
	[ "$code" -eq 0 ] || { echo "$command into a closed pipe: exit code $code"; cat "$work/err"; exit 1; }
	! grep -q '^rootle:' "$work/err" || { echo "$command into a closed pipe:"; cat "$work/err"; exit 1; }
done
(sleep .2; exec "$rootle" explain --exit-code --db "$work/shop.db" 2> "$work/err") | :
code=${PIPESTATUS[0]}
[ "$code" -eq 10 ] || { echo "the verdict was lost in a closed pipe: exit code $code"; exit 1; }
for command in "export" "traces" "traces --json" "traces a100000000000022" "edges --follow --last 1m"; do
	# shellcheck disable=SC2086
	"$rootle" $command --quiet --db "$work/shop.db" > /dev/full 2> "$work/err"
	code=$?
	[ "$code" -eq 1 ] || { echo "$command to a full disk: exit code $code"; exit 1; }
	grep -q '^rootle: cannot write' "$work/err" || { echo "$command: no word about the full disk"; exit 1; }
done
rm -rf "$work"
