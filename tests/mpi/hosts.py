#!/usr/bin/env python3
"""Several hosts on one machine, joined by a network of a given rate and delay: runs a command on the first of them.

usage: hosts.py [--hosts N] [--rate MBIT] [--delay MS] [--name NAME] [--count FILE] COMMAND [ARGUMENT...]

The hosts are network namespaces, NAME1, NAME2, ..., with the addresses 10.77.0.1, 10.77.0.2, ... Their packets go through
this process, a switch: each host's line to it carries --rate in either direction, and what arrives comes --delay later
(one way). So it needs neither tc nor modules of the kernel, but /dev/net/tun, iproute2 and root; without them it ends
with 77 before anything runs. COMMAND finds OMPI_MCA_* set so that Open MPI's `mpirun --host NAME1,NAME2` reaches the
hosts without ssh. `ip -n NAME2 link set net0 down` pulls a host's cable; TCP gives up after some 13 s, not after a quarter
of an hour as usual (tcp_retries2). The hosts, and what still runs on them, go away with COMMAND, whose exit code is
returned. --count: JSON, the bytes and packets that each host has sent.

Packets are of 60,000 bytes at most, so that a switch in Python carries 1 Gbit/s.
"""
import argparse
import fcntl
import heapq
import json
import os
import pathlib
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

MTU = 60000
RETRIES = 5  # of TCP, before a connection counts as lost
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
AGENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "on_host.sh")


class Skipped(Exception):
    """Such hosts cannot be made here."""


def ip(*words, check=True):
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise Skipped(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def address(host):
    return f"10.77.0.{host + 1}"


class Switch:
    """Carries packets between the hosts' lines."""

    def __init__(self, rate, delay):
        self.seconds_per_byte = 8 / (rate * 1e6) if rate else 0.0
        self.delay = delay / 1e3
        self.lines, self.hosts = [], {}  # descriptors; the host of an address
        self.sent, self.received = [], []  # until when a host's line is taken, either way
        self.travelling, self.number = [], 0
        self.bytes, self.packets = [], []  # that a host has sent

    def add(self, descriptor, host):
        os.set_blocking(descriptor, False)
        self.lines.append(descriptor)
        self.hosts[bytes(map(int, address(host).split(".")))] = host
        self.sent.append(0.0)
        self.received.append(0.0)
        self.bytes.append(0)
        self.packets.append(0)

    def take(self, host):
        """All packets that a host has sent."""
        while True:
            try:
                packet = os.read(self.lines[host], MTU + 100)
            except OSError:  # none left, or the cable is pulled
                return
            to = self.hosts.get(packet[16:20]) if packet[0] >> 4 == 4 else None
            if to is None:
                continue
            now, takes = time.monotonic(), len(packet) * self.seconds_per_byte
            self.sent[host] = max(now, self.sent[host]) + takes
            self.received[to] = max(self.sent[host], self.received[to] + takes)
            self.bytes[host] += len(packet)
            self.packets[host] += 1
            self.number += 1
            heapq.heappush(self.travelling, (self.received[to] + self.delay, self.number, to, packet))

    def deliver(self):
        """What has arrived; the seconds until the next does, or None."""
        while self.travelling:
            wait = self.travelling[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, to, packet = heapq.heappop(self.travelling)
            try:
                os.write(self.lines[to], packet)
            except OSError:  # full, or the cable is pulled: lost, as on any network
                pass
        return None

    def turn(self, longest):
        wait = self.deliver()
        ready, _, _ = select.select(self.lines, [], [], longest if wait is None else min(wait, longest))
        for descriptor in ready:
            self.take(self.lines.index(descriptor))


def plug(switch, host, namespace):
    """A host: its namespace, and in it the end of a line whose other end is the switch's."""
    ip("netns", "add", namespace)
    line = f"{namespace}l"
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", line.encode(), IFF_TUN | IFF_NO_PI))
    ip("link", "set", line, "netns", namespace, "name", "net0")
    ip("-n", namespace, "link", "set", "lo", "up")
    ip("-n", namespace, "address", "add", f"{address(host)}/24", "dev", "net0")
    ip("-n", namespace, "link", "set", "net0", "mtu", MTU, "up")
    ip("netns", "exec", namespace, "sh", "-c", f"echo {RETRIES} > /proc/sys/net/ipv4/tcp_retries2")
    switch.add(descriptor, host)


def environment():
    settings = {
        "plm": "rsh", "plm_rsh_agent": AGENT, "plm_rsh_no_tree_spawn": "1", "ras": "^slurm", "pml": "ob1",
        "btl": "self,tcp", "btl_tcp_if_include": "net0", "oob_tcp_if_include": "net0",
    }
    return {**os.environ, **{f"OMPI_MCA_{name}": value for name, value in settings.items()},
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def start(name, command):
    """The command on the first host."""
    here = ["ip", "netns", "exec", f"{name}1", "unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"']
    return subprocess.Popen([*here, f"{name}1", *command], env=environment())


def remove(names):
    for name in names:
        for pid in ip("netns", "pids", name, check=False).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        ip("netns", "delete", name, check=False)


def run(a):
    names = []

    def end(*_):
        sys.exit(143)

    signal.signal(signal.SIGTERM, end)
    try:
        switch = Switch(a.rate, a.delay)
        for host in range(a.hosts):
            names.append(f"{a.name}{host + 1}")
            plug(switch, host, names[-1])
        try:  # before the ranks, which wait for it
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        except OSError:
            pass
        process = start(a.name, a.command)
        while process.poll() is None:
            switch.turn(0.1)
        if a.count:
            a.count.write_text(json.dumps({"bytes": switch.bytes, "packets": switch.packets}) + "\n", encoding="utf-8")
        return process.returncode if process.returncode >= 0 else 128 - process.returncode
    finally:
        for signalled in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signalled, signal.SIG_IGN)
        remove(names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0, help="Mbit/s of a line; 0: no limit")
    parser.add_argument("--delay", type=float, default=0, help="ms, one way")
    parser.add_argument("--name", default=f"nd{os.getpid()}h", help="of the hosts, before their number")
    parser.add_argument("--count", type=pathlib.Path, metavar="FILE")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    a = parser.parse_args()
    if not a.command:
        parser.error("no command")
    try:
        missing = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
        if missing:
            raise Skipped(f"no {' and no '.join(missing)}")
        return run(a)
    except (Skipped, OSError) as error:
        print(f"SKIPPED: no hosts can be made here: {error}", file=sys.stderr)
        return 77


if __name__ == "__main__":
    sys.exit(main())
