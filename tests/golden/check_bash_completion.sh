#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The completion file is what the binary prints, and completes.
#
# usage: check_bash_completion.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 file=$2/cli/completion/rootle.bash
if [ -n "${UPDATE_GOLDEN:-}" ]; then
	"$rootle" completion bash > "$file"
fi
diff -u "$file" <("$rootle" completion bash)
. "$file"

expect() # WANTED WORD...
{
	local wanted=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_rootle
	[ "${COMPREPLY[*]}" = "$wanted" ] || { echo "$*: completes to '${COMPREPLY[*]}', not '$wanted'"; exit 1; }
}
expect "record" rootle rec
expect "--follow" rootle requests --fol
expect "p50 p95 p99" rootle requests --sort p
expect "memory" rootle services --sort m
expect "mysql memcached mongodb mqtt" rootle traces --protocol m
expect "--exclude-pid --exclude-port --exclude-cgroup" rootle record --excl
expect "auto always" rootle map --color a
