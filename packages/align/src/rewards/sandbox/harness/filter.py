# Removes system calls that namespaces and limits do not cover. It runs in the program's process,
# before the program. What remains bounds the kernel's memory: there is one process with a limited
# number of open files and threads and a limited address space, and nothing that the kernel holds
# for it outgrows those.
def _forbid_system_calls():
    import ctypes
    import os
    import struct

    architectures = {'x86_64': 0xC000003E, 'aarch64': 0xC00000B7}
    machine = os.uname().machine
    if machine not in architectures:
        raise SystemExit(f'the sandbox does not know the system calls of {machine}')
    column = 0 if machine == 'x86_64' else 1
    # name: (x86_64, aarch64)
    forbidden = {
        # Sockets: no limit covers their buffers, and some kinds belong to no network namespace. The
        # standard streams are sockets too, which programs only read and write.
        'socket': (41, 198),
        'socketpair': (53, 199),
        'connect': (42, 203),
        'accept': (43, 202),
        'accept4': (288, 242),
        'bind': (49, 200),
        'listen': (50, 201),
        'sendto': (44, 206),
        'recvfrom': (45, 207),
        'sendmsg': (46, 211),
        'recvmsg': (47, 212),
        'sendmmsg': (307, 269),
        'recvmmsg': (299, 243),
        'shutdown': (48, 210),
        'getsockname': (51, 204),
        'getpeername': (52, 205),
        'setsockopt': (54, 208),
        'getsockopt': (55, 209),
        # Processes: each would have its own memory limit.
        'fork': (57, None),
        'vfork': (58, None),
        'execve': (59, 221),
        'execveat': (322, 281),
        # Memory that no limit covers.
        'memfd_create': (319, 279),
        'memfd_secret': (447, 447),
        'shmget': (29, 194),
        'shmat': (30, 196),
        'msgget': (68, 186),
        'semget': (64, 190),
        'mq_open': (240, 180),
        'userfaultfd': (323, 282),
        'vmsplice': (278, 75),
        'splice': (275, 76),
        'tee': (276, 77),
        'sendfile': (40, 71),
        'remap_file_pages': (216, 234),
        'io_setup': (206, 0),
        'inotify_init': (253, None),
        'inotify_init1': (294, 26),
        'fanotify_init': (300, 262),
        'setxattr': (188, 5),
        'lsetxattr': (189, 6),
        'fsetxattr': (190, 7),
        'landlock_create_ruleset': (444, 444),
        'landlock_add_rule': (445, 445),
        'landlock_restrict_self': (446, 446),
        'seccomp': (317, 277),
        'mbind': (237, 235),
        'set_mempolicy': (238, 237),
        'set_mempolicy_home_node': (450, 450),
        'migrate_pages': (256, 238),
        'move_pages': (279, 239),
        'add_key': (248, 217),
        'request_key': (249, 218),
        'keyctl': (250, 219),
        # Other processes.
        'ptrace': (101, 117),
        'process_vm_readv': (310, 270),
        'process_vm_writev': (311, 271),
        'kcmp': (312, 272),
        'pidfd_getfd': (438, 438),
        'process_madvise': (440, 440),
        # Parts of the kernel that these programs never need.
        'bpf': (321, 280),
        'perf_event_open': (298, 241),
        'io_uring_setup': (425, 425),
        'io_uring_enter': (426, 426),
        'io_uring_register': (427, 427),
        'unshare': (272, 97),
        'setns': (308, 268),
        'mount': (165, 40),
        'umount2': (166, 39),
        'pivot_root': (155, 41),
        'chroot': (161, 51),
        'open_tree': (428, 428),
        'move_mount': (429, 429),
        'fsopen': (430, 430),
        'fsconfig': (431, 431),
        'fsmount': (432, 432),
        'fspick': (433, 433),
        'mount_setattr': (442, 442),
        'statmount': (457, 457),
        'listmount': (458, 458),
        'open_by_handle_at': (304, None),
        'name_to_handle_at': (303, None),
        'quotactl': (179, 60),
        'quotactl_fd': (443, 443),
        'swapon': (167, 224),
        'acct': (163, 89),
        'syslog': (103, 116),
        'kexec_load': (246, 104),
        'init_module': (175, 105),
        'finit_module': (313, 273),
        'personality': (135, 92),
    }
    # Libraries have fallbacks if these are absent.
    absent = {
        'epoll_create': (213, None),
        'epoll_create1': (291, 20),
        'clone3': (435, 435),
        'close_range': (436, 436),
    }
    clone, mmap, fcntl, ioctl, prctl = ((56, 9, 72, 16, 157), (220, 222, 25, 29, 167))[column]
    first_unknown = 463

    load, mask, jump_equal, jump_at_least, jump_bits, give = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
    kill, allow, pretend, refuse, lacks = 0x80000000, 0x7FFF0000, 0x00050000, 0x00050001, 0x00050026
    number, architecture, argument = 0, 4, (16, 24, 32, 40)

    def rule(call, *body):
        return [(jump_equal, 0, len(body), call), *body]

    code = [
        (load, 0, 0, architecture),
        (jump_equal, 1, 0, architectures[machine]),
        (give, 0, 0, kill),
        (load, 0, 0, number),
    ]
    if machine == 'x86_64':
        code += [(jump_at_least, 0, 1, 0x40000000), (give, 0, 0, kill)]  # the x32 numbers
    code += [(jump_at_least, 0, 1, first_unknown), (give, 0, 0, lacks)]
    for numbers in forbidden.values():
        if numbers[column] is not None:
            code += rule(numbers[column], (give, 0, 0, refuse))
    for numbers in absent.values():
        if numbers[column] is not None:
            code += rule(numbers[column], (give, 0, 0, lacks))
    # Threads, which share memory and open files, but no new processes or namespaces.
    thread, namespaces = 0x00010F00, 0x7E020000
    code += rule(
        clone,
        (load, 0, 0, argument[0]),
        (jump_bits, 3, 0, namespaces),
        (mask, 0, 0, thread),
        (jump_equal, 0, 1, thread),
        (give, 0, 0, allow),
        (give, 0, 0, refuse),
    )
    # Shared memory without a file remains when most of its addresses are released.
    shared, anonymous = 0x01, 0x20
    code += rule(
        mmap,
        (load, 0, 0, argument[3]),
        (jump_bits, 0, 2, anonymous),
        (jump_bits, 0, 1, shared),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
    )
    # Locks on files have no limit. One process never waits for its own, so they are reported as
    # done.
    locks = {'F_SETLK': 6, 'F_SETLKW': 7, 'F_OFD_SETLK': 37, 'F_OFD_SETLKW': 38}
    commands = {'F_SETLEASE': 1024, 'F_NOTIFY': 1026, 'F_SETPIPE_SZ': 1031}
    code += rule(
        fcntl,
        (load, 0, 0, argument[1]),
        *[one for lock in locks.values() for one in rule(lock, (give, 0, 0, pretend))],
        *[one for command in commands.values() for one in rule(command, (give, 0, 0, refuse))],
        (give, 0, 0, allow),
    )
    # The sockets of the standard streams know the network outside.
    code += rule(
        ioctl,
        (load, 0, 0, argument[1]),
        (mask, 0, 0, 0xFFFFFF00),
        *rule(0x8900, (give, 0, 0, refuse)),
        (give, 0, 0, allow),
    )
    set_seccomp, set_huge_pages = 22, 41
    code += rule(
        prctl,
        (load, 0, 0, argument[0]),
        *rule(set_seccomp, (give, 0, 0, refuse)),
        *rule(set_huge_pages, (give, 0, 0, refuse)),
        (give, 0, 0, allow),
    )
    code += [(give, 0, 0, allow)]
    instructions = b''.join(struct.pack('=HBBI', *one) for one in code)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))

    class Program(ctypes.Structure):
        _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]

    program = Program(len(code), ctypes.addressof(buffer))
    call = ctypes.CDLL(None, use_errno=True).prctl
    # A huge page stays allocated as long as a single small page of it is mapped, and only that one
    # counts.
    if call(set_huge_pages, 1, 0, 0, 0) != 0:
        raise SystemExit(f'the system does not disable huge pages: error {ctypes.get_errno()}')
    if call(38, 1, 0, 0, 0) != 0 or call(set_seccomp, 2, ctypes.byref(program), 0, 0) != 0:
        raise SystemExit(f'the system rejects the system call filter: error {ctypes.get_errno()}')


_forbid_system_calls()
