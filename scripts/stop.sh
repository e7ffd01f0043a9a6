#!/bin/sh
# stop.sh SCRATCH - end what `make demo KEEP=1` left running, and remove it.
set -eu
scratch=${1:?usage: stop.sh SCRATCH}
case $scratch in
/tmp/sworn-*)	;;
*)	echo "stop: $scratch is not a folder of the demo" >&2; exit 2 ;;
esac
# As the folder's owner, so that nothing else can be hit.
owner=$(stat -c %U "$scratch")
as=
if [ "$(id -u)" = 0 ] && [ "$owner" != root ]; then
	as="setpriv --reuid=$owner --regid=$(id -gn "$owner") --init-groups"
fi
cd /
exec $as /usr/bin/python3 -B "$scratch/tree/demo/story.py" --stop "$scratch"
