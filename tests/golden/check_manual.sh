#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every command and every option of it is in the manual, and the manual is sound.
#
# usage: check_manual.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
rootle=$1 man=$2/man status=0
commands=$("$rootle" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ]
for command in $commands; do
	grep -q "^\.It Cm $command\b" "$man/rootle.1" || { echo "rootle.1 lacks the command $command"; status=1; }
	for option in $("$rootle" help "$command" | sed -n 's/^  --\([a-z-]*\) .*/\1/p'); do
		grep -qs "^\.It Fl -$option\b" "$man/rootle.1" "$man/rootle-$command.1" ||
			{ echo "no page tells --$option of $command"; status=1; }
	done
done
if command -v mandoc > /dev/null; then
	for page in rootle.1 rootle-record.1 rootle-explain.1 rootle-names.5 rootle-protocols.5; do
		mandoc -T lint -W warning "$man/$page" || status=1
	done
fi
exit $status
