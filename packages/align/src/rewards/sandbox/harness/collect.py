# Calls what a test defines but does not call itself, as pytest, unittest and HumanEval do. What
# they would not run is not run here either, and is reported, because it checks nothing.
import itertools

_COROUTINE, _GENERATOR, _ASYNC_GENERATOR = 0x80, 0x20, 0x200


class NotRun(Exception):
    """A test function that is not run."""


def run_defined(namespace, before, candidate, watch):
    """
    Runs check(candidate), test_...() and test classes. Throws what they throw.
    @returns why some of them were not run
    """
    left_out = []
    for name, value in list(namespace.items()):
        if before.get(name) is value:
            continue
        if isinstance(value, type):
            if _is_case(value):
                _run_case(value, watch, left_out)
            elif name.startswith('Test'):
                _run_class(value, watch, left_out)
        elif name == 'check' and callable(value):
            if candidate is not None:
                value(candidate)
            else:
                left_out.append(
                    'check(candidate) is not called, because the row names no entry point'
                )
        elif name.startswith('test') and callable(value):
            _run_function(name, value, watch, left_out)
    return left_out


def is_skip(error):
    """Whether an exception of unittest or pytest says that a test is skipped or expected to fail."""
    # pytest's exceptions claim to be Python's own, but their base does not.
    pytest = any(base.__module__ == '_pytest.outcomes' for base in type(error).__mro__)
    unittest = type(error).__module__ == 'unittest.case'
    return (pytest and type(error).__name__ in ('Skipped', 'XFailed')) or (
        unittest and type(error).__name__ == 'SkipTest'
    )


def _is_case(kind):
    # Most tests do not need unittest, which is slow to import.
    unittest = sys.modules.get('unittest')
    return (
        unittest is not None
        and issubclass(kind, unittest.TestCase)
        and kind is not unittest.TestCase
    )


def _run_function(name, function, watch, left_out):
    try:
        reason = _not_run(function)
        if reason:
            raise NotRun(reason)
        for arguments in _parametrized(function):
            checks = watch.counts()
            try:
                function(**arguments)
            except BaseException as error:
                if not is_skip(error):
                    raise
                watch.restore(checks)
                left_out.append(f'{name} is skipped')
    except NotRun as reason:
        left_out.append(f'{name} {reason}')


def _not_run(function):
    flags = getattr(getattr(function, '__code__', None), 'co_flags', 0)
    if flags & (_COROUTINE | _ASYNC_GENERATOR):
        return 'is async'
    if flags & _GENERATOR:
        return 'is a generator'
    if getattr(function, '__unittest_skip__', False):
        return 'is skipped'
    if getattr(function, '__unittest_expecting_failure__', False):
        return 'is expected to fail'
    for mark in _marks(function):
        if mark.name == 'xfail':
            return 'is expected to fail'
        if mark.name == 'skip' or (mark.name == 'skipif' and any(mark.args)):
            return 'is skipped'
    return None


def _marks(thing):
    marks = getattr(thing, 'pytestmark', [])
    return marks if isinstance(marks, list) else [marks]


def _parametrized(function):
    """The arguments of each call: those of pytest.mark.parametrize, or none."""
    choices = []
    for mark in _marks(function):
        if mark.name != 'parametrize':
            continue
        names, rows = [
            *mark.args,
            *(mark.kwargs[one] for one in ('argnames', 'argvalues') if one in mark.kwargs),
        ][:2]
        if isinstance(names, str):
            names = [one.strip() for one in names.split(',') if one.strip()]
        sets = [
            getattr(row, 'values', row)
            if hasattr(row, 'marks')
            else row
            if len(names) > 1
            else (row,)
            for row in rows
        ]
        choices.append([dict(zip(names, values)) for values in sets])
    calls = [
        {name: value for part in parts for name, value in part.items()}
        for parts in itertools.product(*choices)
    ]
    if not choices and not getattr(getattr(function, '__code__', None), 'co_argcount', 0):
        return calls
    import inspect

    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return calls
    for arguments in calls:
        try:
            signature.bind(**arguments)
        except TypeError:
            raise NotRun('takes arguments that nothing provides')
    return calls


def _run_class(kind, watch, left_out):
    """A pytest class: one object per method."""
    for name in dir(kind):
        if not name.startswith('test') or not callable(getattr(kind, name)):
            continue
        reason = _not_run(kind)
        if reason:
            left_out.append(f'{kind.__name__} {reason}')
            return
        one = kind()
        _fixture(one, 'setup_method')
        try:
            _run_function(name, getattr(one, name), watch, left_out)
        finally:
            _fixture(one, 'teardown_method')


def _fixture(one, name):
    method = getattr(one, name, None)
    if method is not None:
        method(*[None] * (method.__code__.co_argcount - 1))


def _result(watch, left_out):
    """A unittest result that ignores the checks of cases that do not count."""
    import unittest

    class Result(unittest.TestResult):
        _before = watch.counts()

        def startTest(self, test):
            super().startTest(test)
            self._before = watch.counts()

        def _leave_out(self, test, why):
            watch.restore(self._before)
            left_out.append(f'{getattr(test, "_testMethodName", test)} {why}')

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            self._leave_out(test, 'is skipped')

        def addExpectedFailure(self, test, error):
            super().addExpectedFailure(test, error)
            self._leave_out(test, 'is expected to fail')

        def addUnexpectedSuccess(self, test):
            super().addUnexpectedSuccess(test)
            self._leave_out(test, 'is expected to fail')

    return Result()


def _run_case(kind, watch, left_out):
    import unittest

    loader = unittest.defaultTestLoader
    if not any(base.__name__ == 'IsolatedAsyncioTestCase' for base in kind.__mro__):
        for name in loader.getTestCaseNames(kind):
            reason = _not_run(getattr(kind, name))
            if reason in ('is async', 'is a generator'):
                left_out.append(f'{name} {reason}')
    result = _result(watch, left_out)
    loader.loadTestsFromTestCase(kind).run(result)
    wrong = result.failures + result.errors
    if wrong:
        raise AssertionError(wrong[0][1].strip().splitlines()[-1])
    if result.testsRun == 0:
        left_out.append(f'{kind.__name__} has no test')
