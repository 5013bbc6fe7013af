#!/bin/sh
# What Open MPI takes in place of ssh to reach a host of hosts.py.
# usage: on_host.sh HOST WORD...      the words are for a shell there, as ssh's are
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host && $*"
