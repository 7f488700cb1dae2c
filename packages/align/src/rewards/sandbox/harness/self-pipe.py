# asyncio wakes its loop through a pair of sockets and waits with epoll, which programs in the
# sandbox do not get. A pipe and poll work as well.
def _give_asyncio_a_pipe():
    import os
    import select
    import sys

    class End:
        def __init__(self, descriptor):
            self._descriptor = descriptor

        def fileno(self):
            return self._descriptor

        def setblocking(self, blocks):
            os.set_blocking(self._descriptor, blocks)

        def recv(self, count):
            return os.read(self._descriptor, count)

        def send(self, data):
            return os.write(self._descriptor, data)

        def close(self):
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1

    def make_self_pipe(loop):
        loop._ssock, loop._csock = map(End, os.pipe())
        loop._ssock.setblocking(False)
        loop._csock.setblocking(False)
        loop._internal_fds += 1

    class Finder:
        """Patches the module with the loop when a program imports it."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != 'asyncio.selector_events':
                return None
            sys.meta_path.remove(Finder)
            from importlib.machinery import PathFinder

            spec = PathFinder.find_spec(name, path, target)
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                module.BaseSelectorEventLoop._make_self_pipe = make_self_pipe

            spec.loader.exec_module = exec_module
            return spec

    # Old versions of selectors do not check whether it works.
    vars(select).pop('epoll', None)
    sys.meta_path.insert(0, Finder)


_give_asyncio_a_pipe()
