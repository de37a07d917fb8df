"""A service manager as far as a test needs one: units.py UNIT-DIR PIDFILE
LOG-DIR UNIT…

Starts each unit's ExecStart, in the order given, as systemd would for those
of its directives that make a difference to a daemon: user, credentials, what
of the file system is there, network, limits, capabilities, no new privileges,
system calls, readiness and watchdog.  Waits until each is ready, writes its
own process id to PIDFILE, and then sees that each that has a watchdog feeds
it.  SIGTERM stops them all, last first.  Standard error of NAME.service goes
to LOG-DIR/NAME.err.  Run it as root, with a mount namespace of its own.
"""
import ctypes
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWNET = 0x20000, 0x8000000, 0x40000000
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
NOTIFY = "/run/systemd/notify"
READY_S = 10

# What only PID 1 or the kernel's configuration could do, or what makes no
# difference to what a daemon can do itself.
IGNORED = """Type Restart RestartSec RestartPreventExitStatus ExecReload
    TimeoutStopSec TasksMax IPAddressDeny RestrictAddressFamilies
    AmbientCapabilities DevicePolicy KeyringMode LockPersonality
    MemoryDenyWriteExecute PrivateDevices PrivateTmp ProcSubset ProtectClock
    ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs
    ProtectKernelModules ProtectKernelTunables ProtectProc RemoveIPC
    RestrictNamespaces RestrictRealtime RestrictSUIDSGID
    SystemCallArchitectures SystemCallErrorNumber UMask RemainAfterExit
    InaccessiblePaths""".split()


def check(result, what):
    if result != 0:
        e = ctypes.get_errno()
        sys.exit("%s: %s" % (what, os.strerror(e)))


def mount(source, target, kind, flags, data=None):
    check(libc.mount(source and source.encode(), target.encode(),
                     kind and kind.encode(), ctypes.c_ulong(flags),
                     data and data.encode()), "mount " + target)


class Unit:
    def __init__(self, path):
        self.name = os.path.basename(path)
        self.all = {}
        section = ""
        for line in open(path, encoding="utf-8"):
            line = line.strip()
            if not line or line[0] in "#;":
                continue
            if line[0] == "[":
                section = line
                continue
            key, value = line.split("=", 1)
            if section == "[Service]":
                self.all.setdefault(key, []).append(value)
        self.used = set()
        self.pid = None
        self.ready = False
        self.fed = 0

    def get(self, key, default=None):
        self.used.add(key)
        return self.all.get(key, [default])[-1]

    def words(self, key):
        self.used.add(key)
        return " ".join(self.all.get(key, [])).split()

    def yes(self, key):
        return self.get(key) == "yes"

    def ids(self):
        user, group = self.get("User"), self.get("Group")
        import grp
        import pwd
        return (pwd.getpwnam(user).pw_uid if user else 0,
                grp.getgrnam(group).gr_gid if group else 0)


def credentials(unit, uid, gid):
    loads = unit.words("LoadCredential")
    loads += unit.words("LoadCredentialEncrypted")
    if not loads:
        return None
    path = "/run/credentials/" + unit.name
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    for load in loads:
        name, source = load.split(":")
        copy = os.path.join(path, name)
        shutil.copyfile(source, copy)
        # Root's, with a right for the user: as an ACL, which shows as the
        # group's, or as the group itself.
        os.chown(copy, 0, gid)
        os.chmod(copy, 0o440)
    os.chown(path, 0, gid)
    os.chmod(path, 0o550)
    return path


def bind(fd, source, target, read_only):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir("/proc/self/fd/%d" % fd):
        os.makedirs(target, exist_ok=True)
    else:
        open(target, "a").close()
    mount("/proc/self/fd/%d" % fd, target, None, MS_BIND | MS_REC)
    if read_only:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def file_system(unit, secret):
    """TemporaryFileSystem, BindPaths, BindReadOnlyPaths, ProtectSystem."""
    binds = [(p, False) for p in unit.words("BindPaths")]
    binds += [(p, True) for p in unit.words("BindReadOnlyPaths")]
    if secret:
        binds.append((secret, True))
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    sources = []
    for path, read_only in binds:
        try:
            fd = os.open(path.lstrip("-"), os.O_PATH)
        except FileNotFoundError:
            if path[0] != "-":
                sys.exit("%s: %s is not there" % (unit.name, path))
            continue
        sources.append((fd, path.lstrip("-"), read_only))
    covers = [c.split(":") for c in unit.words("TemporaryFileSystem")]
    for path, *options in covers:
        mount("tmpfs", path, "tmpfs", 0, "mode=0755")
    for fd, path, read_only in sources:
        bind(fd, path, path, read_only)
        os.close(fd)
    for path, *options in covers:
        if options == ["ro"]:
            mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    if unit.get("ProtectSystem") == "strict":
        mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def limits(unit):
    sizes = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    for key in list(unit.all):
        if key.startswith("Limit"):
            v = unit.get(key)
            n = int(v[:-1]) * sizes[v[-1]] if v[-1] in sizes else int(v)
            which = getattr(resource, "RLIMIT_" + key[5:])
            # In a container root may not be free to raise it.
            hard = resource.getrlimit(which)[1]
            if hard != resource.RLIM_INFINITY:
                n = min(n, hard)
            resource.setrlimit(which, (n, n))


def expand(words):
    calls = set()
    for word in words:
        if word[0] != "@":
            calls.add(word)
            continue
        out = subprocess.run(["systemd-analyze", "syscall-filter", word],
                             stdout=subprocess.PIPE, check=True, text=True)
        calls |= expand([w for w in (line.split("#")[0].strip()
                                     for line in out.stdout.split("\n")[1:])
                         if w])
    return calls


def allowed_calls(unit):
    calls = set()
    unit.used.add("SystemCallFilter")
    if not shutil.which("systemd-analyze"):
        return None
    for line in unit.all.get("SystemCallFilter", []):
        if line[0] == "~":
            calls -= expand(line[1:].split())
        else:
            calls |= expand(line.split())
    return calls


def filter_calls(calls):
    """As SystemCallErrorNumber=EPERM does.  execve is allowed to all."""
    try:
        seccomp = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(0x00050001))  # ERRNO(EPERM)
    for call in calls | {"execve"}:
        n = seccomp.seccomp_syscall_resolve_name(call.encode())
        if n >= 0:
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(0x7fff0000), n, 0)
    if seccomp.seccomp_load(context) != 0:
        sys.exit("seccomp_load")


def become(unit, uid, gid):
    if unit.get("CapabilityBoundingSet") == "":
        for cap in range(64):
            libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)
    if uid != 0:
        os.setgroups([gid])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if unit.yes("NoNewPrivileges"):
        check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def environment(unit, secret):
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if key in os.environ:
            env[key] = os.environ[key]
    if secret:
        env["CREDENTIALS_DIRECTORY"] = secret
    if unit.get("Type") == "notify":
        env["NOTIFY_SOCKET"] = NOTIFY
    if unit.get("WatchdogSec"):
        # Sooner than there, so that the test is over sooner.
        env["WATCHDOG_USEC"] = "400000"
        env["WATCHDOG_PID"] = str(os.getpid())
    return env


def run(unit, log):
    uid, gid = unit.ids()
    secret = credentials(unit, uid, gid)
    calls = allowed_calls(unit)
    err = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    pid = os.fork()
    if pid != 0:
        os.close(err)
        unit.pid = pid
        return
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(err, 1)
    os.dup2(err, 2)
    if unit.yes("PrivateNetwork"):
        check(libc.unshare(CLONE_NEWNET), "unshare network")
    if unit.yes("PrivateIPC"):
        check(libc.unshare(CLONE_NEWIPC), "unshare ipc")
    file_system(unit, secret)
    limits(unit)
    env = environment(unit, secret)
    argv = [w.replace("${CREDENTIALS_DIRECTORY}", secret or "")
            for w in unit.get("ExecStart").split()]
    unknown = (set(unit.all) - unit.used - set(IGNORED) -
               {"CapabilityBoundingSet", "NoNewPrivileges"})
    if unknown:
        sys.exit("what is %s= in %s" % (sorted(unknown)[0], unit.name))
    become(unit, uid, gid)
    if calls is not None:
        filter_calls(calls)
    os.execve(argv[0], argv, env)


class Manager:
    def __init__(self, directory, logs, names):
        self.logs = logs
        self.units = [Unit(os.path.join(directory, n)) for n in names]
        os.makedirs(os.path.dirname(NOTIFY), exist_ok=True)
        if os.path.exists(NOTIFY):
            os.unlink(NOTIFY)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.sock.bind(NOTIFY)
        os.chmod(NOTIFY, 0o777)
        signal.signal(signal.SIGTERM, lambda *a: sys.exit(self.stop()))

    def hear(self, seconds):
        if not select.select([self.sock], [], [], seconds)[0]:
            return
        text, more, _, _ = self.sock.recvmsg(4096, 1024)
        pid = struct.unpack("3i", more[0][2])[0]
        for unit in self.units:
            if unit.pid == pid:
                unit.ready = unit.ready or b"READY=1" in text
                unit.fed += text.count(b"WATCHDOG=1")

    def start(self):
        for unit in self.units:
            run(unit, os.path.join(self.logs, unit.name.replace(
                ".service", ".err")))
            if unit.get("Type") == "oneshot":
                if os.waitpid(unit.pid, 0)[1] != 0:
                    return "%s failed" % unit.name
                unit.pid = None
                continue
            end = time.monotonic() + READY_S
            while not unit.ready:
                self.hear(0.1)
                if os.waitpid(unit.pid, os.WNOHANG)[0] != 0:
                    unit.pid = None
                    return "%s ended" % unit.name
                if time.monotonic() > end:
                    return "%s was never ready" % unit.name
        return None

    def watch(self):
        """Every unit with a watchdog must have fed it once a second."""
        while True:
            end = time.monotonic() + 3
            for unit in self.units:
                unit.fed = 0
            while time.monotonic() < end:
                self.hear(0.2)
            for unit in self.units:
                if unit.pid and unit.get("WatchdogSec") and unit.fed < 3:
                    print("%s: hungry watchdog" % unit.name, file=sys.stderr)

    def stop(self):
        for unit in reversed(self.units):
            if unit.pid:
                os.kill(unit.pid, signal.SIGTERM)
                os.waitpid(unit.pid, 0)
        return 0


def main():
    os.umask(0o022)
    directory, pidfile, logs, *names = sys.argv[1:]
    manager = Manager(directory, logs, names)
    failed = manager.start()
    if failed:
        manager.stop()
        sys.exit(failed)
    with open(pidfile + ".new", "w", encoding="utf-8") as f:
        print(os.getpid(), file=f)
    os.rename(pidfile + ".new", pidfile)
    manager.watch()


main()
