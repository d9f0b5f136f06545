#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The rules that all our JSON keeps: valid, the first key is "type" or "schema", rows end with one summary that names its
# schema and has coverage, and nothing is NaN, infinite or below zero where unknown is meant.
#
# usage: check_json.sh FILE
set -eu
file=$1
command -v jq > /dev/null || { echo "skipped: no jq"; exit 77; }
jq -s . "$file" > /dev/null
case $(jq -rs '.[0] | keys_unsorted[0]' "$file") in
schema)
	test "$(jq -s length "$file")" -eq 1 || { echo "more than one object"; exit 1; }
	;;
type)
	jq -es 'all(keys_unsorted[0] == "type")' "$file" > /dev/null || { echo "a row does not begin with type"; exit 1; }
	jq -es '.[-1] | .type == "meta" or .type != "summary" or (has("schema") and has("coverage"))' "$file" > /dev/null ||
		{ echo "the summary lacks schema or coverage"; exit 1; }
	;;
*)
	echo "the first key is neither type nor schema"
	exit 1
	;;
esac
if jq -e '.. | numbers | select(. == -1)' "$file" > /dev/null 2>&1; then
	echo "-1 where null was meant"
	exit 1
fi
