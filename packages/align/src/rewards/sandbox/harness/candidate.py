# Loads the program under test and does what the tester asks of it. Nothing here is a verdict: whatever this process
# sends is taken for the program's answer. It knows neither the tests nor what they expect.


class Callback:
    """A function of the tests, called there."""

    def __init__(self, exchange, number):
        self._exchange = exchange
        self._number = number

    def __call__(self, *values, **names):
        return self._exchange.ask('call', self._number, *values, **names)


def _next(value):
    for item in value:
        return [item]
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
    except Exception as error:
        exchange.send({'failed': f'{type(error).__name__}: {error}'})
        return
    names = {name: exchange.encode(value) for name, value in module.__dict__.items() if not name.startswith('__')}
    exchange.send({'offers': names})
    while True:
        try:
            message = exchange.receive()
        except Gone:
            return
        exchange.answer(message)


_serve()
