# Loads the program under test and does what the tester requests. Nothing here is a verdict:
# whatever this process sends counts as the program's answer. It knows neither the tests nor what
# they expect.


class Callback:
    """A function of the tests, which runs in their process."""

    def __init__(self, exchange, number):
        self._exchange = exchange
        self._number = number

    def __call__(self, *values, **names):
        return self._exchange.ask('call', self._number, *values, **names)


def _next(iterator):
    try:
        return [next(iterator)]
    except StopIteration:
        return []


_operations = {
    'call': lambda target, *values, **names: target(*values, **names),
    'attribute': getattr,
    'set_attribute': setattr,
    'item': lambda target, key: target[key],
    'set_item': lambda target, key, value: target.__setitem__(key, value),
    'length': len,
    'iterator': iter,
    'next': _next,
    'text': str,
    'representation': repr,
}


def _serve():
    import types

    exchange = Exchange(Callback, _operations)
    module = types.ModuleType('candidate')
    sys.modules['candidate'] = module
    source = exchange.receive()['program']
    try:
        exec(compile(source, 'candidate.py', 'exec'), module.__dict__)
        names = {
            name: exchange.encode(value)
            for name, value in module.__dict__.items()
            if not name.startswith('__')
        }
    except BaseException as error:
        _, name, parts, _ = exchange.raised(error)
        exchange.send({'failed': f'{name}: {", ".join(map(str, parts))}'})
        return
    exchange.send({'offers': names})
    while True:
        try:
            message = exchange.receive()
            exchange.answer(message)
        except Gone:
            return


_serve()
