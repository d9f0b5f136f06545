#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A snapshot reads like the recording, alone and from a directory that cannot be written to; it never overwrites.
#
# usage: check_snapshot.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 src=$2 work=$3/snapshot
rm -rf "$work" && mkdir -p "$work/ro"
"$rootle" import --quiet --db "$work/shop.db" "$src/tests/golden/shop.ndjson"
"$rootle" snapshot --quiet --db "$work/shop.db" "$work/ro/copy.db"
if "$rootle" snapshot --quiet --db "$work/shop.db" "$work/ro/copy.db" 2> /dev/null; then
	echo "an existing file was overwritten"
	exit 1
fi
[ "$(ls "$work/ro")" = copy.db ] || { echo "the snapshot is more than one file:" && ls "$work/ro"; exit 1; }
for command in requests services edges traces; do
	"$rootle" $command --quiet --json --db "$work/shop.db" > "$work/a"
	"$rootle" $command --quiet --json --db "$work/ro/copy.db" > "$work/b"
	diff "$work/a" "$work/b"
done
# a mode is no obstacle to root: as somebody else then, who may read and not write
as=
if [ "$(id -u)" -eq 0 ]; then
	as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	chmod 0444 "$work/ro/copy.db"
fi
chmod 0555 "$work/ro"
if $as test -x "$rootle" -a -r "$work/ro/copy.db" 2> /dev/null; then
	$as "$rootle" requests --quiet --db "$work/ro/copy.db" > /dev/null
	[ "$(ls "$work/ro")" = copy.db ] || { echo "reading left something behind:" && ls "$work/ro"; exit 1; }
else
	echo "skipped: reading from where nobody may write (no setpriv, or the build is out of its reach)"
	skipped=77
fi
"$rootle" mark --quiet --db "$work/shop.db" "rolled back"
"$rootle" events --quiet --db "$work/shop.db" | grep -q "rolled back" || { echo "the mark is not among the events"; exit 1; }
chmod 0755 "$work/ro"
rm -rf "$work"
exit "${skipped:-0}"
