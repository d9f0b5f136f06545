#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One golden case: runs rootle and compares stdout, stderr and the exit code with what is expected.
#
# usage: run.sh ROOTLE EXPECTED_DIR WORK_DIR NAME EXIT_CODE [ARGUMENT...]
#
# @DB@ in an argument is a fresh import of shop.ndjson, @SYSTEM50@ one of what system.py makes of 50 services, @EMPTY@ a path with nothing there, @BAD@ a file that is no recording.
# Paths of the work directory read as WORK. UPDATE_GOLDEN=1 rewrites what is expected.
set -u
rootle=$1 expected=$2 work=$3/$4 name=$4 code=$5
shift 5

rm -rf "$work" && mkdir -p "$work/home" || exit 1
unset XDG_CONFIG_HOME NO_COLOR
export HOME="$work/home" TZ=UTC LC_ALL=${GOLDEN_LOCALE:-C.UTF-8} COLUMNS=80

needs_db() { case " $* " in *@DB@*) return 0 ;; esac; return 1; }
if needs_db "$@"; then
	"$rootle" import --quiet --db "$work/shop.db" "$expected/../shop.ndjson" || { echo "import failed"; exit 1; }
fi
for arg; do
	case $arg in
	@SYSTEM*@)
		services=${arg#@SYSTEM}
		/usr/bin/python3 "$expected/../system.py" "${services%@}" > "$work/system.ndjson" &&
			"$rootle" import --quiet --db "$work/system.db" "$work/system.ndjson" || { echo "import failed"; exit 1; }
		;;
	esac
done
echo "this is no recording, whatever its name says" > "$work/bad.db"
for arg; do
	shift
	set -- "$@" "$(printf %s "$arg" | sed "s|@DB@|$work/shop.db|; s|@SYSTEM[0-9]*@|$work/system.db|; s|@EMPTY@|$work/nothing.db|; s|@BAD@|$work/bad.db|; s|@SRC@|$expected/..|")"
done

before=$(md5sum "$work/bad.db")
"$rootle" "$@" > "$work/raw.out" 2> "$work/raw.err" < /dev/null
got=$?
# one object is one line in a pipe; what changes in it is to be seen
case $(head -c 10 "$work/raw.out") in
'{"schema":') python3 -m json.tool --no-ensure-ascii --indent 2 "$work/raw.out" "$work/tall.out" && mv "$work/tall.out" "$work/raw.out" || exit 1 ;;
esac
for stream in out err; do
	sed "s|$work|WORK|g; s|$expected/\.\.|SRC|g" "$work/raw.$stream" > "$work/$name.$stream"
done

status=0
if [ "$got" -ne "$code" ]; then
	echo "exit code $got, expected $code"
	cat "$work/$name.err"
	status=1
fi
if [ "$(md5sum "$work/bad.db")" != "$before" ]; then
	echo "a foreign file was touched"
	status=1
fi
for stream in out err; do
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp "$work/$name.$stream" "$expected/$name.$stream"
	elif ! diff -u "$expected/$name.$stream" "$work/$name.$stream"; then
		status=1
	fi
done
if [ -s "$work/$name.out" ] && awk 'length($0) > 0 { print }' "$work/$name.out" | grep -q '^{'; then
	"${0%/*}/check_json.sh" "$work/raw.out"
	case $? in
	0) ;;
	77) [ "$status" -ne 0 ] || status=77 ;;
	*) status=1 ;;
	esac
fi
[ "$status" -eq 1 ] || rm -rf "$work"
exit $status
