#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# export, then import into an empty recording, gives the same facts and the same explanation.
#
# usage: check_roundtrip.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 src=$2 work=$3/roundtrip
rm -rf "$work" && mkdir -p "$work"
"$rootle" import --quiet --db "$work/a.db" "$src/tests/golden/shop.ndjson"
"$rootle" export --quiet --db "$work/a.db" > "$work/a.ndjson"
"$rootle" import --quiet --db "$work/b.db" "$work/a.ndjson"
"$rootle" export --quiet --db "$work/b.db" > "$work/b.ndjson"
sort "$work/a.ndjson" > "$work/a.sorted"
sort "$work/b.ndjson" > "$work/b.sorted"
diff "$work/a.sorted" "$work/b.sorted"
for command in explain requests services profile traces "traces a100000000000022"; do
	"$rootle" $command --quiet --json --db "$work/a.db" > "$work/a.out"
	"$rootle" $command --quiet --json --db "$work/b.db" > "$work/b.out"
	diff "$work/a.out" "$work/b.out"
done
rm -rf "$work"
