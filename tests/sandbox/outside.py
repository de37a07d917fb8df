"""What another process tries on a daemon.

	outside.py process PID		its memory, by each way there is
	outside.py listen PATH ABSTRACT	serves both until it is killed
	outside.py send SOCKET TYPE	one message: "closed" or "answered"
"""
import ctypes
import errno
import os
import socket
import struct
import sys
import time

PTRACE_SEIZE = 0x4206
SYS_pidfd_getfd = 438

libc = ctypes.CDLL(None, use_errno=True)


def said(ret):
    if ret != -1:
        return "works"
    return errno.errorcode[ctypes.get_errno()]


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def vm_readv(pid):
    """From the stack, whose address needs no other right to be known."""
    buf = ctypes.create_string_buffer(16)
    mine = Iovec(ctypes.addressof(buf), 16)
    theirs = Iovec(ctypes.addressof(buf), 16)
    ret = libc.process_vm_readv(pid, ctypes.byref(mine), 1,
                                ctypes.byref(theirs), 1, 0)
    # Nothing mapped there is an answer to somebody who may ask.
    return "works" if ret == -1 and ctypes.get_errno() == errno.EFAULT \
        else said(ret)


def pidfd_getfd(pid):
    fd = os.pidfd_open(pid)
    return said(libc.syscall(SYS_pidfd_getfd, fd, 1, 0))


def proc(pid, name, flags=os.O_RDONLY):
    path = f"/proc/{pid}/{name}"
    try:
        if name == "fd":
            os.listdir(path)
        else:
            os.close(os.open(path, flags))
        return "works"
    except OSError as e:
        return errno.errorcode[e.errno]


def process(pid):
    print("ptrace", said(libc.ptrace(PTRACE_SEIZE, pid, None, None)))
    print("process_vm_readv", vm_readv(pid))
    print("pidfd_getfd", pidfd_getfd(pid))
    for name in ("maps", "environ", "fd", "auxv"):
        print(f"/proc/pid/{name}", proc(pid, name))
    print("/proc/pid/mem", proc(pid, "mem", os.O_RDWR))


def listen(path, abstract):
    keep = []
    for name in (path, "\0" + abstract):
        s = socket.socket(socket.AF_UNIX)
        s.bind(name)
        s.listen(64)
        keep.append(s)
    os.chmod(path, 0o777)
    print("listening", flush=True)
    while True:
        time.sleep(300)


def send(path, kind):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    try:
        s.connect(path)
        s.sendall(struct.pack("<IHHIQ", 0x31524749, kind, 0, 0, 1))
        got = s.recv(1)
    except (BrokenPipeError, ConnectionResetError):
        got = b""
    except socket.timeout:
        got = b"waits"
    print("answered" if got else "closed")


if sys.argv[1] == "process":
    process(int(sys.argv[2]))
elif sys.argv[1] == "listen":
    listen(sys.argv[2], sys.argv[3])
else:
    send(sys.argv[2], int(sys.argv[3]))
