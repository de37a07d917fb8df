"""Runs a command on a terminal of its own, and types.

terminal.py [--type-on TEXT FILE] [--interrupt-on TEXT] COMMAND…

When TEXT appears, the line in FILE is typed, or ^C.  Prints what the terminal
showed; exits as the command did, 124 when nothing more happened for 30 s.
"""
import os
import pty
import select
import sys


def main(argv):
    rules = []
    while argv and argv[0].startswith("--"):
        if argv[0] == "--type-on":
            with open(argv[2], "rb") as f:
                rules.append((argv[1].encode(), f.read().rstrip(b"\n") + b"\n"))
            argv = argv[3:]
        elif argv[0] == "--interrupt-on":
            rules.append((argv[1].encode(), b"\x03"))
            argv = argv[2:]
        else:
            sys.exit(__doc__)
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    shown = b""
    while True:
        if not select.select([fd], [], [], 30)[0]:
            os.kill(pid, 15)
            print(shown.decode(errors="replace"))
            sys.exit(124)
        try:
            got = os.read(fd, 4096)
        except OSError:         # Linux: EIO when the last one has closed it
            got = b""
        if not got:
            break
        shown += got
        for rule in [r for r in rules if r[0] in shown]:
            rules.remove(rule)
            os.write(fd, rule[1])
    status = os.waitpid(pid, 0)[1]
    print(shown.decode(errors="replace"))
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else
             128 + os.WTERMSIG(status))


main(sys.argv[1:])
