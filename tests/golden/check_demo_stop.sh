#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# demo --stop kills what a file names: only one that nobody else could have written, in a folder that is ours and no link.
#
# usage: check_demo_stop.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 work=$3/demo_stop
dir=$work/rootle-demo.test
rm -rf "$work" && mkdir -p "$dir"
refused() {
	if "$rootle" demo --stop "$1" 2> /dev/null || [ ! -d "$dir" ]; then
		echo "taken: $2"
		exit 1
	fi
}
: > "$dir/processes"
chmod 0777 "$dir"
refused "$dir" "a folder that anybody may write to"
chmod 0755 "$dir"
chmod 0666 "$dir/processes"
refused "$dir" "a list that anybody may write to"
chmod 0644 "$dir/processes"
ln -s "$dir" "$work/rootle-demo.link"
refused "$work/rootle-demo.link" "a link to a folder"
mv "$dir/processes" "$work/list"
ln -s "$work/list" "$dir/processes"
refused "$dir" "a link to a list"
rm "$dir/processes" && mv "$work/list" "$dir/processes"
"$rootle" demo --quiet --stop "$dir" || { echo "refused: our own"; exit 1; }
[ ! -e "$dir" ] || { echo "the folder is still there"; exit 1; }
rm -rf "$work"
