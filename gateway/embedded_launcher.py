"""
Become redis-server, and leave a watchdog that stops it when the gateway is gone, however it went.

Run as a script, `python -I -S embedded_launcher.py LIFELINE_FD COMMAND...`, with the standard library only.
The gateway keeps the other end of the lifeline, a pipe: the kernel closes that end when the gateway dies,
by SIGKILL too. Linux's PR_SET_PDEATHSIG needs code between fork and exec, which is unsafe beside threads;
it fires when the *thread* that forked ends; macOS has none. A pipe works on both.
"""

import os
import signal
import sys


def main(lifeline: int, command: list[str]) -> None:
    """Fork the watchdog, then become *command*: its pid is the one that the gateway knows."""
    server_pid = os.getpid()
    if os.fork() == 0:
        _watch(lifeline, server_pid)
        os._exit(0)
    os.close(lifeline)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted, and the command is the gateway's own


def _watch(lifeline: int, server_pid: int) -> None:
    # The lock of the data directory is the gateway's and the server's to hold, not ours.
    os.closerange(3, lifeline)
    os.closerange(lifeline + 1, 256)
    # A Ctrl-C is the gateway's to handle; it stops the server when it has drained.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.read(lifeline, 1)
    # Still its child, hence that pid still is the server and not a stranger that got the number later.
    if os.getppid() == server_pid:
        os.kill(server_pid, signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
