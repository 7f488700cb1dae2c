# Runs a program on its own, with its input on stdin. The first bytes of stdin are the program.
import os


def _read_program():
    def exactly(count):
        # Unbuffered, so that the rest stays for the program.
        parts = []
        while count > 0:
            part = os.read(0, count)
            if not part:
                raise SystemExit('the program was not received')
            parts.append(part)
            count -= len(part)
        return b''.join(parts)

    return exactly(int(exactly(10))).decode()


def _run_program():
    import sys
    import types

    source = _read_program()
    main = types.ModuleType('__main__')
    sys.modules['__main__'] = main
    sys.argv = ['program.py']
    exec(compile(source, 'program.py', 'exec'), main.__dict__)


_run_program()
