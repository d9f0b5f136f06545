#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Everything that can be lost has a counter, and every counter a word: each reason that the sources give has a row in the table of
# sentences (store/coverage.c), each counter of the kernel side a name and a place that counts it.
#
# usage: check_losses.sh ROOTLE SOURCE_DIR WORK_DIR
set -eu
cd "$2"
bad=0
miss() { echo "$1"; bad=1; }

# "stage reason" of every loss there is
reasons() {
	grep -rhoE '(loss_set|model_loss)\([a-z>.-]+, "[a-z]+", "[a-z_]+"' engine/model cli | sed -E 's/.*, "([a-z]+)", "([a-z_]+)"$/\1 \2/'
	sed -n 's/.*\[DROP_[A-Z_]*\] = "\([a-z_]*\)".*/kernel \1/p' engine/collect/source.c
	echo "store ticks"
}
# beginnings that the table knows
known() { sed -n 's/^\t{"\([a-z]*\)", "\([a-z_]*\)",.*/\1 \2/p' store/coverage.c; }

while read -r stage reason; do
	found=
	while read -r s beginning; do
		if [ "$s" = "$stage" ] && [ "${reason#"$beginning"}" != "$reason" ]; then found=1; fi
	done < <(known)
	[ -n "$found" ] || miss "$stage.$reason has no row in loss_table"
done < <(reasons | sort -u)
[ "$(reasons | sort -u | wc -l)" -ge 30 ] || miss "only $(reasons | sort -u | wc -l) reasons found: is this script up to date?"

for drop in $(sed -n '/DROP_RING_CONN = 0/,/DROP_MAX/s/^\t\(DROP_[A-Z_]*\).*/\1/p' bpf/event.h | grep -v DROP_MAX); do
	grep -q "\[$drop\]" engine/collect/source.c || miss "$drop has no name"
	grep -qE "count_drop\($drop|count\($drop" bpf/*.c bpf/*.h || miss "$drop is counted nowhere"
done

# a reservation that fails is counted within the next lines
for file in bpf/*.bpf.c bpf/*.h; do
	awk -v file="$file" '/bpf_ringbuf_reserve\(/ { want = 8; line = FNR } want && /count_drop\(/ { want = 0 }
		want && !--want { print file ":" line ": a failed reservation is not counted"; bad = 1 } END { exit bad }' "$file" || bad=1
done
exit $bad
