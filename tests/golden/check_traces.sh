#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Spans that anybody may have written: circles, control characters, a chain of 20,000 hops, times that cannot be.
#
# usage: check_traces.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 work=$3/check_traces        # "traces" is the folder of a golden case
rm -rf "$work" && mkdir -p "$work"
python3 - "$work/spans.ndjson" << 'END'
import json
import sys

out = open(sys.argv[1], "w")


def span(trace, span, parent=None, t=1000.0, dur_ms=1, **more):
    print(json.dumps(dict(type="span", trace=trace, span=span, parent=parent, service=more.pop("service", "s"), t=t, dur_ms=dur_ms, **more)),
          file=out)


for i in range(20000):
    span("chain", str(i), str(i - 1) if i else None, 1000 + i / 1e4, 3000 - i / 10)
for i in range(1000):
    span("circle", str(i), str((i + 1) % 1000))
span("\x1b[2Jevil\r\n", "\x07", "\x1b]0;", service="\x1b[31mred", op="a\nb\x00c".replace("\x00", ""), status="\x9b", method="\t")
span("", "", "")
span("x" * 5000, "y" * 5000, dur_ms=9e9, op="z" * 5000)
span("old", "1", t=0)
END
"$rootle" import --quiet --db "$work/spans.db" "$work/spans.ndjson"
"$rootle" traces --quiet --db "$work/spans.db" --sort spans > "$work/list"
"$rootle" traces --quiet --json --db "$work/spans.db" > "$work/list.json"
"$rootle" traces --quiet --db "$work/spans.db" chain > "$work/chain"
"$rootle" traces --quiet --json --db "$work/spans.db" chain > "$work/chain.json"
"$rootle" traces --quiet --db "$work/spans.db" circle > "$work/circle"
"$rootle" traces --quiet --db "$work/spans.db" "$(printf '\033[2Jevil')" > "$work/evil"
"$rootle" traces --quiet --db "$work/spans.db" old > "$work/old"
"$rootle" traces --quiet --db "$work/spans.db" xxxx > "$work/long"
if "$rootle" traces --quiet --db "$work/spans.db" chain --status ok 2> /dev/null; then
	echo "a filter of one trace was ignored"
	exit 1
fi
COLUMNS=80 "$rootle" traces --quiet --db "$work/spans.db" | cut -d' ' -f1 | sort > "$work/ids"
COLUMNS=80 "$rootle" traces --quiet --db "$work/spans.db" --min-latency 0.5ms | cut -d' ' -f1 | sort > "$work/filtered"
cmp -s "$work/ids" "$work/filtered" || { echo "a filter changes how much is shown of an id:"; diff "$work/ids" "$work/filtered"; exit 1; }
if LC_ALL=C grep -l "$(printf '[\001-\010\013-\037]')" "$work"/list "$work"/chain "$work"/circle "$work"/evil "$work"/long "$work"/*.json; then
	echo "control characters reached the output"
	exit 1
fi
[ "$(wc -l < "$work/list")" -eq 7 ] || { echo "not one row a trace:" && cut -c1-100 "$work/list"; exit 1; }
sed -n 2p "$work/list" | grep -q "^chain .* 20000 " || { echo "the longest is not first:" && head -2 "$work/list"; exit 1; }
grep -q "19000 more hops" "$work/chain" || { echo "a drawing without end" && tail -2 "$work/chain"; exit 1; }
[ "$(wc -l < "$work/chain.json")" -eq 20002 ] || { echo "not every span is in the JSON"; exit 1; }
for line in '"t":NaN' '"t":1e300' '"t":-1' '"t":"now"' '"t":1,"confidence":2' '"t":1,"confidence":NaN' '"t":1,"parent":7'; do
	printf '{"type":"span","trace":"a","span":"b","service":"s","dur_ms":1,%s}\n' "$line" > "$work/bad.ndjson"
	if "$rootle" import --quiet --db "$work/bad.db" "$work/bad.ndjson" 2> /dev/null; then
		echo "$line was taken in"
		exit 1
	fi
done
rm -rf "$work"
