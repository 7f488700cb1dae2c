# Isolates this process: namespaces of every kind, a file system made for this run, another user,
# limits. The code that follows runs inside. The argument says what to show and what to allow. Root
# uses its privileges for this and gives them up; other users do it in their own user namespace.
def _enclose():
    import ctypes
    import json
    import os
    import resource
    import signal
    import sys

    task = json.loads(sys.argv.pop())
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    is_root = user == 0

    def do(what, function, *arguments):
        if function(*arguments) < 0:
            raise SystemExit(f'{what}: {os.strerror(ctypes.get_errno())}')

    def write(path, text):
        with open(path, 'w') as file:
            file.write(text)

    def die_with_parent():
        do('prctl', libc.prctl, 1, signal.SIGKILL, 0, 0, 0)

    def wait_for(child):
        """Ends this process in the way that the child ended."""
        while True:
            pid, status = os.wait()
            if pid == child:
                os._exit(
                    os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                )

    def separate():
        mounts, control_groups, names, ipc, users, processes, network = (
            0x00020000,
            0x02000000,
            0x04000000,
            0x08000000,
            0x10000000,
            0x20000000,
            0x40000000,
        )
        flags = mounts | control_groups | names | ipc | processes | network
        do('unshare', libc.unshare, flags if is_root else flags | users)
        if not is_root:
            write('/proc/self/setgroups', 'deny')
            write('/proc/self/uid_map', f'0 {user} 1')
            write('/proc/self/gid_map', f'0 {group} 1')
            # No further ones: they would allow memory and mounts beyond the limits.
            write('/proc/sys/user/max_user_namespaces', '0')

    read_only, no_suid, no_devices, no_exec, remount, bind, recursive, private = (
        1,
        2,
        4,
        8,
        32,
        4096,
        16384,
        1 << 18,
    )

    def mount(what, source, target, kind, flags, options=None):
        texts = [one and one.encode() for one in (source, target, kind)]
        do(what, libc.mount, *texts, ctypes.c_ulong(flags), options and options.encode())

    def protect(path):
        """Makes a mount read-only. The flags of its origin must stay set."""
        have = os.statvfs(path).f_flag
        kept = have & (no_exec | os.ST_NOATIME | os.ST_NODIRATIME) | (
            1 << 21 if have & os.ST_RELATIME else 0
        )
        flags = remount | bind | read_only | no_suid | no_devices | kept
        mount(f'read-only {path}', None, path, None, flags)

    def build():
        """A file system with what may be seen, and a folder to write to."""
        root = task['root']
        mount('private mounts', 'none', '/', None, recursive | private)
        mount('mount', 'sandbox', root, 'tmpfs', no_suid | no_devices, 'size=1m,mode=755')
        for path in task['shown']:
            shown = root + path
            os.makedirs(os.path.dirname(shown), exist_ok=True)
            if os.path.islink(path):
                os.symlink(os.readlink(path), shown)
                continue
            if os.path.isdir(path):
                os.makedirs(shown, exist_ok=True)
            else:
                write(shown, '')
            mount(f'show {path}', path, shown, None, bind)
            if not path.startswith('/dev/'):
                protect(shown)
        scratch = root + task['scratch']
        os.makedirs(scratch)
        owner = f'uid={inner_user()},gid={inner_user()},mode=700'
        limits = f'size={task["scratch_bytes"]},nr_inodes={task["files"]}'
        mount(
            'scratch folder', 'scratch', scratch, 'tmpfs', no_suid | no_devices, f'{limits},{owner}'
        )
        protect(root)
        os.chdir(root)
        # The old root covers the new one until it is unmounted.
        do('pivot_root', libc.syscall, 155 if os.uname().machine == 'x86_64' else 41, b'.', b'.')
        do('umount', libc.umount2, b'.', 2)
        os.chdir('/')

    def inner_user():
        return task['user'] if is_root else 0

    def give_up_rights():
        for capability in range(64):
            # Fails at the first one that this kernel does not have.
            if libc.prctl(24, capability, 0, 0, 0) < 0:
                break
        no_root = 1 | 2
        do('securebits', libc.prctl, 28, no_root, 0, 0, 0)
        do('ambient capabilities', libc.prctl, 47, 4, 0, 0, 0)
        if is_root:
            os.setgroups([])
            os.setresgid(*[task['user']] * 3)
            os.setresuid(*[task['user']] * 3)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        do('capabilities', libc.capset, header, (ctypes.c_uint32 * 6)())
        do('no new rights', libc.prctl, 38, 1, 0, 0, 0)
        # So that its user can see who owns the process.
        do('prctl', libc.prctl, 4, 1, 0, 0, 0)

    def limit():
        for name, (soft, hard) in task['limits'].items():
            resource.setrlimit(getattr(resource, f'RLIMIT_{name}'), (soft, hard))

    die_with_parent()
    separate()
    child = os.fork()
    if child > 0:
        wait_for(child)
    # Process 1 of its namespace: when it ends, everything in the namespace ends. It stays outside
    # the limits, and nothing within them can kill or trace it.
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    build()
    child = os.fork()
    if child > 0:
        wait_for(child)
    # Signals to the process group would reach the processes outside.
    os.setsid()
    os.chdir(task['scratch'])
    limit()
    give_up_rights()


_enclose()
