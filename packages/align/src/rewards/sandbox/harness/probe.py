# Tries to escape, and prints what was possible. It runs before a method of isolation is trusted.
# This part tries what namespaces and limits prevent, and runs before the system call filter.
could = []


def attempt(what, action):
    try:
        if action() is not False:
            could.append(what)
    except (OSError, MemoryError):
        pass


def _probe():
    import json
    import mmap
    import os
    import signal
    import socket
    import sys

    task = json.loads(sys.stdin.readline())

    def connect():
        with socket.socket() as one:
            one.settimeout(2)
            one.connect(('127.0.0.1', task['port']))

    def look():
        return any(os.path.lexists(path) for path in task['home'])

    def write(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))

    def allocate():
        # Not touched: the limit is on addresses, and the machine may not have more memory.
        mmap.mmap(-1, (task['memory_megabytes'] + 64) << 20, mmap.MAP_PRIVATE).close()

    def fill():
        with open('filled', 'wb') as file:
            for _ in range(task['scratch_megabytes'] + 1):
                file.write(bytes(1 << 20))

    def many_files():
        # Each takes kernel memory. 0 means that there is no limit.
        return not 0 < os.statvfs('.').f_files <= 1 << 16

    def many_open():
        null = os.open(os.devnull, os.O_RDONLY)
        opened = [null]
        try:
            opened += [os.dup(null) for _ in range(1024)]
        finally:
            for one in opened:
                os.close(one)

    def fork_on():
        wait, keep = os.pipe()
        for _ in range(task['processes'] + 2):
            if os.fork() == 0:
                os.close(keep)
                os.read(wait, 1)
                os._exit(0)

    def remain():
        # Holds the pipes open and is never waited for.
        if os.fork() == 0:
            os.setsid()
            # If nothing ends it, it ends itself eventually.
            signal.alarm(60)
            os.read(os.pipe()[0], 1)

    def see(pid):
        try:
            os.kill(pid, 0)
        except PermissionError:
            pass

    attempt('read one of your files', lambda: open(task['file']).close())
    attempt('list your home folder', look)
    attempt('write next to one of your files', lambda: write(task['file'] + '-written'))
    attempt('write to /usr', lambda: write('/usr/keel-probe'))
    attempt('write to /', lambda: write('/keel-probe'))
    attempt('connect to a server on this machine', connect)
    attempt('see processes outside', lambda: see(task['pid']))
    attempt('allocate more memory than allowed', allocate)
    attempt('write more than the scratch folder may hold', fill)
    attempt('create unlimited files', many_files)
    attempt('open unlimited files', many_open)
    remain()
    attempt('keep more processes than allowed', fork_on)


_probe()
