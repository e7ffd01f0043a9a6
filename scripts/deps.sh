#!/bin/sh
# deps.sh build|demo|test|fuzz|bench - install what Debian 12 packages are missing.
#
# Asks dpkg what is there, and touches apt only if something is not. Debian's
# postgresql-15 would create a database cluster and start it on port 5432; the
# demo and the tests make private ones, so that is kept from happening, unless
# this machine has PostgreSQL clusters already (they are left alone). Its slapd
# would configure a directory of its own and start it on port 389; it is told
# to configure none and not to start.
set -eu

build="build-essential pkg-config meson ninja-build libssl-dev libyaml-dev
libjansson-dev libp11-kit-dev libpg-query-dev libprotobuf-c-dev libmicrohttpd-dev
libcurl4-openssl-dev libldap-dev libmaxminddb-dev libseccomp-dev libsqlite3-dev
libsystemd-dev libpq-dev libcmocka-dev"
demo="postgresql-15 python3 python3-cryptography socat util-linux"
test="clang softhsm2 strace python3-pytest python3-psycopg python3-yaml golang-go
golang-golang-x-mod-dev slapd ldap-utils openssl graphviz mmdb-bin chromium
chromium-driver python3-selenium python3-jsonschema nodejs npm
postgresql-15-pgaudit sqlsmith"
fuzz="clang libclang-rt-14-dev"
bench="pgbouncer nodejs npm"

case "${1:-test}" in
build)	wanted="$build" ;;
demo)	wanted="$build $demo" ;;
test)	wanted="$build $demo $test" ;;
fuzz)	wanted="$build $fuzz" ;;
bench)	wanted="$build $demo $bench" ;;
*)	echo "usage: $0 build|demo|test|fuzz|bench" >&2; exit 2 ;;
esac

have() {
	# Any server of version 15 or later will do.
	if [ "$1" = postgresql-15 ]; then
		for d in /usr/lib/postgresql/*/bin/initdb; do
			v=${d#/usr/lib/postgresql/}
			v=${v%%/*}
			[ -x "$d" ] && [ "$v" -ge 15 ] 2>/dev/null && return 0
		done
		return 1
	fi
	# So will another packaging of these two, which Debian's would not
	# be installed beside.
	case $1 in
	nodejs)	command -v node >/dev/null && return 0 ;;
	npm)	command -v npm >/dev/null && return 0 ;;
	esac
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
	    installed ]
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps: no dpkg here; these Debian packages are needed:" $wanted >&2
	exit 0
fi
missing=
for p in $wanted; do
	have "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
echo "deps: installing:$missing"

if [ "$(id -u)" = 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	echo "deps: neither root nor sudo; ask an administrator to run" >&2
	echo "  apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

# The settings of pg_createcluster, and what keeps services from being started
# (Debian Policy 9.3.3.2; a package's script asks it), for as long as apt runs.
conf=/etc/postgresql-common/createcluster.d
rc=/usr/sbin/policy-rc.d
made_file=
made_rc=
made_dirs=
tidy() {
	[ -z "$made_file" ] || $sudo rm -f "$made_file"
	[ -z "$made_rc" ] || $sudo rm -f "$made_rc"
	made_rc=
	for d in $made_dirs; do
		$sudo rmdir "$d" 2>/dev/null || :
	done
	made_file=
	made_dirs=
}
trap tidy EXIT
trap 'exit 1' INT TERM HUP

case "$missing" in
*postgresql-15*)
	for d in /etc/postgresql-common "$conf"; do
		if [ ! -d "$d" ]; then
			$sudo mkdir "$d"
			made_dirs="$d $made_dirs"
		fi
	done
	made_file=$conf/sworn.conf
	echo "create_main_cluster = false" | $sudo tee "$made_file" >/dev/null
	;;
esac

case "$missing" in
*slapd*)
	echo "slapd slapd/no_configuration boolean true" |
	    $sudo debconf-set-selections
	if [ ! -e "$rc" ]; then
		made_rc=$rc
		printf '#!/bin/sh\n[ "$1" != slapd ] || exit 101\n' |
		    $sudo tee "$rc" >/dev/null
		$sudo chmod 755 "$rc"
	fi
	;;
esac

$sudo apt-get update
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends $missing
