# The tests' view of the program's objects. Equality, truth, order and membership are decided on the
# tests' side, on copies of plain data: the program cannot influence them.


def _refuses(what):
    def method(self, *_):
        raise TypeError(
            f'tests cannot ask an object of the program for {what}: compare plain values'
        )

    return method


class Remote:
    """An object of the program, which stays in its process."""

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
            raise TypeError('the program returned an invalid iterator')
        return iterator

    def __next__(self):
        items = self._ask('next')
        if type(items) is not list or len(items) > 1:
            raise object.__getattribute__(self, '_exchange').fault('it is not the next item')
        if not items:
            raise StopIteration
        return items[0]

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


def number_of(remote):
    return object.__getattribute__(remote, '_number')


class Stand:
    """
    Stands in for an object of the program, to see whether the tests notice that there is no
    program. It can do everything, and answers everything with another one.
    """

    def __init__(self, watch, truth, equal):
        object.__setattr__(self, '_of', (watch, truth, equal))

    def _new(self, *_, **__):
        return Stand(*object.__getattribute__(self, '_of'))

    def __call__(self, *_, **__):
        object.__getattribute__(self, '_of')[0].asked += 1
        return Stand._new(self)

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return Stand._new(self)

    def __setattr__(self, name, value):
        pass

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        return iter([Stand._new(self)])

    def __bool__(self):
        return object.__getattribute__(self, '_of')[1]

    def __eq__(self, other):
        return self is other or object.__getattribute__(self, '_of')[2]

    def __ne__(self, other):
        return not self == other

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__

    def __hash__(self):
        return 0

    def __len__(self):
        return 1

    def __index__(self):
        return 0

    def __float__(self):
        return 0.0


for _name in 'add sub mul truediv floordiv mod pow matmul and or xor lshift rshift'.split():
    setattr(Stand, f'__{_name}__', Stand._new)
    setattr(Stand, f'__r{_name}__', Stand._new)
for _name in 'getitem neg pos abs invert round next enter'.split():
    setattr(Stand, f'__{_name}__', Stand._new)
Stand.__exit__ = lambda *_: None

# Truth and equality of stand-ins for the program: a check depends on at least one of them.
STANDS = ((True, False), (False, False), (True, True))
