# Runs before anything else of a program in the sandbox: takes system calls away that the namespaces do not
# cover: memory that no limit counts, the kernel's keyrings, other kinds of sockets (a virtual machine's vsock
# belongs to no network namespace), tracing, mounts, and parts of the kernel that programs like these never need.
def _forbid_system_calls():
    import ctypes
    import os
    import struct

    architectures = {'x86_64': 0xC000003E, 'aarch64': 0xC00000B7}
    machine = os.uname().machine
    if machine not in architectures:
        raise SystemExit(f'the sandbox knows no system calls of {machine}')
    # name: (x86_64, aarch64)
    forbidden = {
        'memfd_create': (319, 279), 'memfd_secret': (447, 447), 'shmget': (29, 194), 'shmat': (30, 196),
        'msgget': (68, 186), 'semget': (64, 190), 'mq_open': (240, 180), 'userfaultfd': (323, 282),
        'add_key': (248, 217), 'request_key': (249, 218), 'keyctl': (250, 219),
        'ptrace': (101, 117), 'process_vm_readv': (310, 270), 'process_vm_writev': (311, 271), 'kcmp': (312, 272),
        'pidfd_getfd': (438, 438), 'process_madvise': (440, 440),
        'bpf': (321, 280), 'perf_event_open': (298, 241),
        'io_uring_setup': (425, 425), 'io_uring_enter': (426, 426), 'io_uring_register': (427, 427),
        'unshare': (272, 97), 'setns': (308, 268), 'mount': (165, 40), 'umount2': (166, 39), 'pivot_root': (155, 41),
        'chroot': (161, 51), 'open_tree': (428, 428), 'move_mount': (429, 429), 'fsopen': (430, 430),
        'fsconfig': (431, 431), 'fsmount': (432, 432), 'fspick': (433, 433), 'mount_setattr': (442, 442),
        'open_by_handle_at': (304, 265), 'name_to_handle_at': (303, 264), 'fanotify_init': (300, 262),
        'quotactl': (179, 60), 'swapon': (167, 224), 'acct': (163, 89), 'syslog': (103, 116),
        'kexec_load': (246, 104), 'init_module': (175, 105), 'finit_module': (313, 273), 'personality': (135, 92),
    }
    column = 0 if machine == 'x86_64' else 1
    load, jump_equal, jump_at_least, jump_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, allow, refuse, absent = 0x80000000, 0x7FFF0000, 0x00050001, 0x00050026  # EPERM, ENOSYS
    code = [
        (load, 0, 0, 4),  # the architecture
        (jump_equal, 1, 0, architectures[machine]),
        (give, 0, 0, kill),
        (load, 0, 0, 0),  # the call's number
    ]
    if machine == 'x86_64':
        code += [(jump_at_least, 0, 1, 0x40000000), (give, 0, 0, kill)]  # the x32 numbers
    for numbers in forbidden.values():
        code += [(jump_equal, 0, 1, numbers[column]), (give, 0, 0, refuse)]
    # clone3 hides its flags in memory; libraries fall back to clone, whose flags are told here.
    code += [(jump_equal, 0, 1, 435), (give, 0, 0, absent)]
    clone, socket = ((56, 41), (220, 198))[column]
    new_namespaces = 0x7E020000
    code += [(jump_equal, 0, 4, clone), (load, 0, 0, 16), (jump_bits, 0, 1, new_namespaces), (give, 0, 0, refuse)]
    code += [(give, 0, 0, allow)]
    # Only sockets between the sandbox's own processes.
    code += [(jump_equal, 0, 3, socket), (load, 0, 0, 16), (jump_equal, 1, 0, 1), (give, 0, 0, refuse)]
    code += [(give, 0, 0, allow)]
    instructions = b''.join(struct.pack('=HBBI', *one) for one in code)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))

    class Program(ctypes.Structure):
        _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]

    program = Program(len(code), ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(38, 1, 0, 0, 0) != 0 or prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
        raise SystemExit(f'the system takes no filter of system calls: error {ctypes.get_errno()}')


_forbid_system_calls()
