#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the commands print in JSON is valid against cli/schema/*.json.
#
# usage: check_schema.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 src=$2 work=$3/schema
rm -rf "$work" && mkdir -p "$work"
"$rootle" import --quiet --db "$work/shop.db" "$src/tests/golden/shop.ndjson"
for command in services edges requests traces "traces a100000000000022" map events incidents profile explain status check; do
	db="--db $work/shop.db"
	[ "$command" != check ] || db=
	# shellcheck disable=SC2086
	"$rootle" $command $db --json > "$work/$command.json" 2> "$work/err" || [ "$command:$?" = status:3 ] ||
		{ cat "$work/err"; exit 1; }
	python3 "$src/tests/golden/validate.py" "$src/cli/schema/${command%% *}.schema.json" "$work/$command.json"
done
for command in services map traces; do
	"$rootle" "$command" --db "$work/shop.db" --json --follow --since 2026-01-01T00:02:40Z > "$work/follow.json" 2> "$work/err" || { cat "$work/err"; exit 1; }
	python3 "$src/tests/golden/validate.py" "$src/cli/schema/$command.schema.json" "$work/follow.json"
done
rm -rf "$work"
