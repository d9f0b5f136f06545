#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Looks for new inputs that a fuzz target does not survive, for so many seconds of CPU each; ends with a table of what was run.

What is found goes below FOUND (crash-*, oom-*, timeout-*, and a folder of the inputs that reached something new); a target that
failed is left alone from then on.  Seeds are the clock's: no two runs are alike.
"""
import argparse, os, re, subprocess, sys, threading, time

SLICE = 60     # seconds: all targets get their first minute before any gets its second
HERE = os.path.dirname(os.path.abspath(__file__))


class Target:
	def __init__(self, build, name, found):
		self.path = os.path.join(build, "tests/fuzz", "fuzz_" + name)
		self.name, self.found = name, os.path.join(found, name)
		self.cpu, self.execs, self.cov, self.said = 0.0, 0, 0, "clean"
		os.makedirs(self.found, exist_ok=True)

	def search(self, seconds):
		cmd = [self.path, "-max_total_time=%d" % seconds, "-max_len=4096", "-rss_limit_mb=512", "-timeout=10", "-print_final_stats=1",
		       "-artifact_prefix=" + self.found + "-", self.found, os.path.join(HERE, "corpus", self.name)]
		p = subprocess.Popen(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
		text = p.stderr.read()
		_, status, used = os.wait4(p.pid, 0)
		self.cpu += used.ru_utime + used.ru_stime
		m = re.search(r"number_of_executed_units: (\d+)", text)
		self.execs += int(m.group(1)) if m else 0
		m = re.findall(r"cov: (\d+)", text)
		self.cov = int(m[-1]) if m else self.cov
		if status:
			self.said = (re.findall(r"(?:SUMMARY|ERROR): .*", text) or ["exit %d" % status])[-1]
			with open(self.found + ".log", "w") as f:
				f.write(text)


def main():
	a = argparse.ArgumentParser(description=__doc__)
	a.add_argument("--build", default="build/fuzz", help="folder that preset-fuzz.cmake has configured and that is built")
	a.add_argument("--found", default="build/fuzz/tests/fuzz/found", help="where what is found goes")
	a.add_argument("--seconds", type=float, default=600, help="CPU seconds a target")
	a.add_argument("--jobs", type=int, default=2, help="targets at a time")
	a.add_argument("--until", type=float, default=float("inf"), help="begin nothing after so many seconds in all")
	a.add_argument("names", nargs="*", help="targets; all")
	a = a.parse_args()
	names = a.names or sorted(f[5:-2] for f in os.listdir(HERE) if f.startswith("fuzz_") and f.endswith(".c"))
	targets = [Target(a.build, n, a.found) for n in names]
	begun, lock, busy = time.monotonic(), threading.Lock(), set()

	def next_target():
		with lock:
			left = [t for t in targets if t.cpu < a.seconds and t.said == "clean" and t not in busy]
			if not left or time.monotonic() - begun > a.until:
				return None
			t = min(left, key=lambda t: t.cpu)
			busy.add(t)
			return t

	def work():
		while t := next_target():
			t.search(min(SLICE, max(1, a.seconds - t.cpu)))
			busy.discard(t)
			if t.said != "clean":
				print(f"{t.name}: {t.said}", flush=True)

	workers = [threading.Thread(target=work) for _ in range(a.jobs)]
	for w in workers:
		w.start()
	for w in workers:
		w.join()
	print(f"{'target':12} {'CPU s':>7} {'inputs':>9} {'edges':>6}  outcome")
	for t in targets:
		t.said = t.said if t.execs or t.said != "clean" else "not run"
		print(f"{t.name:12} {t.cpu:7.0f} {t.execs:9} {t.cov:6}  {t.said}")
	return any(t.said != "clean" for t in targets)


if __name__ == "__main__":
	sys.exit(main())
