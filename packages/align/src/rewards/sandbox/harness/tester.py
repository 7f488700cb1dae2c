# Runs tests of which the program under test sees nothing but the calls. Equality, truth, order and membership are
# decided here, on copies of plain data: the program has no say in them.
import ast
import builtins
import traceback
import unittest


def _refuses(what):
    def method(self, *_):
        raise TypeError(f'tests cannot ask an object of the program for {what}: compare plain values')

    return method


class Remote:
    """An object of the program, which stays there."""

    __slots__ = ('_exchange', '_number')
    __hash__ = None

    def __init__(self, exchange, number):
        object.__setattr__(self, '_exchange', exchange)
        object.__setattr__(self, '_number', number)

    def _ask(self, operation, *values, **names):
        exchange = object.__getattribute__(self, '_exchange')
        return exchange.ask(operation, object.__getattribute__(self, '_number'), *values, **names)

    def __call__(self, *values, **names):
        return self._ask('call', *values, **names)

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return self._ask('attribute', name)

    def __setattr__(self, name, value):
        self._ask('set_attribute', name, value)

    def __getitem__(self, key):
        return self._ask('item', key)

    def __setitem__(self, key, value):
        self._ask('set_item', key, value)

    def __len__(self):
        return self._ask('length')

    def __iter__(self):
        iterator = self._ask('iterator')
        if type(iterator) is not Remote:
            raise TypeError('the program gave an iterator that is none')
        while True:
            items = iterator._ask('next')
            if type(items) is not list or not items:
                return
            yield items[0]

    def __str__(self):
        return self._text('text')

    def __repr__(self):
        return self._text('representation')

    def _text(self, operation):
        text = self._ask(operation)
        return text if type(text) is str else '?'

    __eq__ = _refuses('equality')
    __ne__ = _refuses('equality')
    __bool__ = _refuses('truth')
    __contains__ = _refuses('membership')
    __lt__ = __le__ = __gt__ = __ge__ = _refuses('order')


def _names_used(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _checks_something(tree, entry_point):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assert, ast.Raise, ast.ClassDef)):
            return True
        if isinstance(node, ast.FunctionDef) and (node.name.startswith('test') or (entry_point and node.name == 'check')):
            return True
    return False


def _run_defined(namespace, before, candidate):
    """Calls what a test defines and does not call itself: check(candidate), test_…() and test cases of unittest."""
    defined = {name: value for name, value in namespace.items() if before.get(name) is not value}
    for name, value in defined.items():
        if name == 'check' and callable(value) and candidate is not None:
            value(candidate)
        elif name.startswith('test') and callable(value) and not isinstance(value, type):
            value()
        elif isinstance(value, type) and issubclass(value, unittest.TestCase) and value is not unittest.TestCase:
            outcome = unittest.TestResult()
            unittest.defaultTestLoader.loadTestsFromTestCase(value).run(outcome)
            wrong = outcome.failures + outcome.errors
            if wrong:
                raise AssertionError(wrong[0][1].strip().splitlines()[-1])
            if outcome.testsRun == 0 or outcome.unexpectedSuccesses:
                raise AssertionError('no test of it passed')


def _say(error):
    lines = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in lines if frame.filename in ('test.py', 'setup.py')]
    where = f' ({own[-1].filename[:-3]}, line {own[-1].lineno})' if own else ''
    if type(error) is AssertionError and not error.args:
        return f'an assertion does not hold{where}'
    try:
        return f'{type(error).__name__}: {error}{where}'[:500]
    except Exception:
        return type(error).__name__


def _test():
    exchange = Exchange(Remote, {'call': lambda target, *values, **names: target(*values, **names)}, b'>')
    task = exchange.receive()
    entry_point = task['entry_point']
    exchange.in_place = task['in_place']
    try:
        setup = compile(task['setup'], 'setup.py', 'exec')
        trees = [ast.parse(test, 'test.py') for test in task['tests']]
    except (SyntaxError, ValueError) as error:
        return exchange.send({'fault': f'the tests are not Python: {error}'}, b'!')
    for number, tree in enumerate(trees):
        if not _checks_something(tree, entry_point):
            return exchange.send({'fault': f'test {number} checks nothing: it has no assertion'}, b'!')
    try:
        loaded = exchange.receive()
        offers = loaded.get('offers', {})
        failed = loaded.get('failed')
    except Exception as error:
        offers, failed = {}, f'{type(error).__name__}: {error}'
    for number, tree in enumerate(trees):
        try:
            if failed is not None:
                raise CandidateError(f'the program does not load: {failed}')
            wanted = {entry_point} if entry_point else _names_used(tree) - set(dir(builtins))
            remotes = {name: exchange.decode(offers[name]) for name in wanted if name in offers}
            if entry_point and entry_point not in remotes:
                raise NameError(f'the program defines no {entry_point}')
            namespace = {'__name__': 'test', '__builtins__': builtins}
            exec(setup, namespace)
            own = {} if entry_point else {name: namespace[name] for name in remotes if name in namespace}
            namespace.update(remotes)
            namespace.update(own)
            candidate = remotes.get(entry_point)
            if candidate is not None:
                namespace.setdefault('candidate', candidate)
            before = dict(namespace)
            exec(compile(tree, 'test.py', 'exec'), namespace)
            _run_defined(namespace, before, candidate)
            exchange.send({'test': number, 'passed': True}, b'!')
        except BaseException as error:
            exchange.send({'test': number, 'passed': False, 'note': _say(error)}, b'!')
            if isinstance(error, (KeyboardInterrupt, MemoryError)):
                raise


_test()
