# SPDX-License-Identifier: BSD-2-Clause
# Sourced by cli/quickstart and tests/run: installs Debian packages by what they are for (cli/packages).

# install_packages PURPOSE…: what of it is missing.  Servers that come with it are installed, neither started nor enabled;
# those that are there already are left alone.
install_packages() {
	local list name missing=()
	list=$(dirname "${BASH_SOURCE[0]}")/packages
	for name in $(for purpose; do sed -n "s/^$purpose //p" "$list"; done); do
		[ "$name" = nodejs ] && command -v node >/dev/null && continue
		dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "not installed, and only root can: ${missing[*]}" >&2
		return 1
	fi
	echo "installing: ${missing[*]}" >&2
	(
		policy=/usr/sbin/policy-rc.d    # asked by every package that wants to start its server
		if [ ! -e $policy ]; then
			trap 'rm -f $policy' EXIT
			printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
		fi
		# The package lists may be old or absent: try with what is there first.
		apt_install "${missing[@]}" || { apt-get -qq update >&2 && apt_install "${missing[@]}"; }
	) || return 1
	for name in nginx:nginx-light postgresql:postgresql redis-server:redis-server; do
		[[ " ${missing[*]} " != *" ${name#*:} "* ]] || ! command -v systemctl >/dev/null ||
			systemctl --quiet disable "${name%:*}" 2>/dev/null || true
	done
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
}
