# Runs tests of a program that sees nothing but their calls. The verdict is made here.
import importlib

# Names that always mean these modules: a program must not replace the tests' math.
_ALIASES = {'np': 'numpy', 'pd': 'pandas', 'pytest': 'pytest'}


class WatchedExchange(Exchange):
    def __init__(self, watch, *arguments):
        super().__init__(*arguments)
        self._watch = watch

    def ask(self, *arguments, **named):
        self._watch.asked += 1
        return super().ask(*arguments, **named)


class Inconclusive(BaseException):
    """The trial without the program takes too long."""


def _names_used(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _modules(tree, names):
    """The names that mean a module of Python or a common one, judged by how the tests use them."""
    found = {}
    standard = getattr(sys, 'stdlib_module_names', ())
    for name in names:
        path = _ALIASES.get(name, name if name in standard else None)
        if path is None:
            continue
        uses = [
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and _is_name(node.value, name)
        ]
        try:
            module = importlib.import_module(path)
        except Exception:
            continue
        if uses and len(uses) == sum(_is_name(node, name) for node in ast.walk(tree)):
            if all(hasattr(module, attribute) for attribute in uses):
                found[name] = module
    return found


def _is_name(node, name):
    return isinstance(node, ast.Name) and node.id == name


def _say(error):
    import traceback

    lines = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in lines if frame.filename in ('test.py', 'setup.py')]
    where = f' ({own[-1].filename[:-3]}, line {own[-1].lineno})' if own else ''
    if type(error) is AssertionError and not error.args:
        return f'an assertion failed{where}'
    name = getattr(
        error,
        'name_in_program',
        '' if type(error) in (Gone, ProgramError) else type(error).__name__,
    )
    try:
        return f'{name and name + ": "}{error}{where}'[:500]
    except Exception:
        return type(error).__name__


class Tests:
    """The tests of a row, and the watch that measures what they check."""

    def __init__(self, task, watch):
        self.entry_point = task['entry_point']
        self._watch = watch
        self._setup_tree = ast.parse(task['setup'], 'setup.py')
        self.trees = [ast.parse(test, 'test.py') for test in task['tests']]
        # Names that a test may take from the program, and those that the test does not define.
        self.wanted = [self._wanted(tree) for tree in self.trees]
        bound = bound_names([self._setup_tree])
        self._free = [
            {self.entry_point} if self.entry_point else wanted - bound - bound_names([tree])
            for tree, wanted in zip(self.trees, self.wanted)
        ]
        self._compile()

    def _wanted(self, tree):
        if self.entry_point:
            return {self.entry_point}
        return (_names_used(tree) | _names_used(self._setup_tree)) - set(dir(builtins))

    def _compile(self):
        program = set().union({'candidate'}, *self._free)
        trees = [self._setup_tree, *self.trees]
        self._own = [
            {} if self.entry_point else _modules(tree, wanted)
            for tree, wanted in zip(self.trees, self.wanted)
        ]
        related = related_names(trees, program)
        defined = defined_functions(trees)
        self._setup = instrumented(self._setup_tree, 'setup.py', related, defined)
        self._codes = [instrumented(tree, 'test.py', related, defined) for tree in self.trees]

    def run(self, number, remotes):
        """
        Runs a test with these objects of the program.
        @returns what was not run
        @throws what the test throws
        """
        entry_point = self.entry_point
        namespace = {'__name__': 'test', '__builtins__': builtins, '__watch__': self._watch}
        exec(self._setup, namespace)
        own = (
            {} if entry_point else {name: namespace[name] for name in remotes if name in namespace}
        )
        namespace.update(remotes)
        namespace.update(self._own[number])
        namespace.update(own)
        candidate = remotes.get(entry_point)
        if candidate is not None:
            namespace.setdefault('candidate', candidate)
        before = dict(namespace)
        try:
            exec(self._codes[number], namespace)
        except BaseException as error:
            if not is_skip(error):
                raise
            self._watch.restore((0, 0))
            return ['the module is skipped']
        return run_defined(namespace, before, candidate, self._watch)

    def fault(self, number):
        """The fault of a test with any program, or None: it does not notice a missing program."""
        import signal

        def too_long(*_):
            raise Inconclusive

        for truth, equal in STANDS:
            stands = {name: Stand(self._watch, truth, equal) for name in self._free[number]}
            self._watch.start()
            signal.signal(signal.SIGALRM, too_long)
            signal.setitimer(signal.ITIMER_REAL, 1, 0.1)
            try:
                left_out = self.run(number, stands)
            except ModuleNotFoundError as error:
                return f'test {number} needs the Python module {error.name}, which is not installed'
            except BaseException:
                return None
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if self._watch.checks > 0:
                return None
        reasons = '; '.join(left_out) or 'it evaluates no assertion on a value of the program'
        return f'test {number} checks nothing: {reasons}'


def _judge(exchange, tests, watch, number, offers, failed):
    """The verdict of one test, as a message to Keel."""
    verdict = _verdict(exchange, tests, watch, number, offers, failed)
    if watch.checks > 0:
        return verdict
    # Nothing was checked. Is the program the cause?
    hints = watch.hints
    fault = tests.fault(number)
    if fault:
        return {'fault': fault}
    if verdict['passed'] and hints == 0:
        note = 'no assertion was evaluated: the program gave the test nothing to check'
        return {'test': number, 'passed': False, 'note': note}
    return verdict


def _verdict(exchange, tests, watch, number, offers, failed):
    watch.start()
    exchange.assertion = None
    entry_point = tests.entry_point
    try:
        if failed is not None:
            raise ProgramError(f'the program does not load: {failed}')
        remotes = {
            name: exchange.decode(offers[name]) for name in tests.wanted[number] if name in offers
        }
        if entry_point and entry_point not in remotes:
            raise NameError(f'the program does not define {entry_point}')
        tests.run(number, remotes)
        if exchange.assertion is not None:
            raise exchange.assertion
        # Whatever the tests did with it.
        if exchange.broken is not None:
            raise Gone(exchange.broken)
    except BaseException as error:
        return {'test': number, 'passed': False, 'note': _say(error)}
    return {'test': number, 'passed': True}


def _test():
    watch = Watch()
    operations = {'call': lambda target, *values, **names: target(*values, **names)}
    exchange = WatchedExchange(watch, Remote, operations, b'>')
    task = exchange.receive()
    exchange.in_place = task['in_place']
    try:
        tests = Tests(task, watch)
    except (SyntaxError, ValueError) as error:
        return exchange.send({'fault': f'the tests are not valid Python: {error}'}, b'!')
    offers, failed = {}, None
    try:
        loaded = exchange.receive()
        if type(loaded.get('offers')) is dict:
            offers = loaded['offers']
        elif type(loaded.get('failed')) is str:
            failed = loaded['failed']
        else:
            raise exchange.fault('it does not say what the program defines')
    except Gone as error:
        failed = str(error)
    for number in range(len(tests.trees)):
        exchange.send(_judge(exchange, tests, watch, number, offers, failed), b'!')


_test()
