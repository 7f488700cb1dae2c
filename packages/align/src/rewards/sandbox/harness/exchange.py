# The exchange of values between the tester and the candidate: two processes in separate sandboxes.
# Plain data is copied. Anything else stays where it is, and the other side refers to it by number.
#
# The candidate may send anything, so everything that arrives is checked before it is used: a
# message must have the keys of the requested answer, and each value is decoded to a plain type of
# this side.
# An invalid message ends the exchange for good.
import builtins
import importlib
import json
import os
import sys


class Gone(Exception):
    """The other side ended, or sent something invalid."""


class ProgramError(Exception):
    """An exception of a class that the program defines."""


# The interpreter itself acts on these: StopIteration would end a loop of the tests. They are sent
# as ordinary errors.
CONTROL_FLOW = {
    kind: type('Program' + kind.__name__, (RuntimeError,), {'__module__': __name__})
    for kind in (StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt, SystemExit)
}
MUTABLE = (list, dict, set, bytearray)
SCALARS = (type(None), bool, int, float, str)


class Exchange:
    def __init__(self, remote, operations, mark=b''):
        if hasattr(sys, 'set_int_max_str_digits'):
            sys.set_int_max_str_digits(0)
        # Out of reach of code that prints and reads.
        self._input = os.fdopen(os.dup(0), 'rb')
        self._output = os.fdopen(os.dup(1), 'wb')
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        self._remote = remote
        self._remotes = {}
        self._operations = operations
        self._mark = mark
        self._kept = []
        self._numbers = {}
        self.asked = 0
        self.in_place = False
        self.broken = None
        # A failed assertion in a function of the tests that the program called. The program might
        # catch the exception.
        self.assertion = None

    def receive(self):
        """The next message, an object. Raises Gone."""
        if self.broken is not None:
            raise Gone(self.broken)
        try:
            line = self._input.readline()
            message = json.loads(line) if line.endswith(b'\n') else None
        except Exception as error:
            raise self.fault(f'it is not JSON ({type(error).__name__})')
        if message is None:
            self.broken = 'the program ended'
            raise Gone(self.broken)
        if type(message) is not dict:
            raise self.fault('it is not an object')
        return message

    def fault(self, what):
        """Ends the exchange; returns the exception to raise."""
        self.broken = f'the program sent an invalid message: {what}'
        return Gone(self.broken)

    def send(self, message, mark=None):
        self._output.write(
            (self._mark if mark is None else mark) + json.dumps(message).encode() + b'\n'
        )
        self._output.flush()

    def ask(self, operation, target, *values, **named):
        """Asks the other side to use one of its objects. Raises what that raises, and Gone."""
        names = {name: self.encode(value) for name, value in named.items()}
        given = [self.encode(value) for value in values]
        self.asked += 1
        number = self.asked
        question = {'ask': number, 'do': operation, 'with': target, 'values': given, 'names': names}
        in_place = self.in_place and operation == 'call'
        if self.broken is not None:
            raise Gone(self.broken)
        self.send({**question, 'in_place': True} if in_place else question)
        while True:
            message = self.receive()
            if 'ask' not in message:
                break
            self.answer(message)
        if type(message.get('to')) is not int or message['to'] != number:
            raise self.fault('it answers a different question')
        keys = set(message) - {'to'}
        if keys == {'raised'}:
            raise self.error(message['raised'])
        if keys != {'value'} and not (in_place and keys == {'value', 'changed'}):
            raise self.fault(f'it has the keys {sorted(message)}')
        changes = self._changes(message.get('changed', []), values)
        answer = self.decode(message['value'])
        for old, new in changes:
            _replace(old, new)
        return answer

    def _changes(self, changed, values):
        """The values given with a question that the other side changed, to the same type."""
        if type(changed) is not list:
            raise self.fault('"changed" is not a list')
        changes = {}
        for item in changed:
            if type(item) is not list or len(item) != 2 or type(item[0]) is not int:
                raise self.fault('"changed" is not a list of positions and values')
            place = item[0]
            if (
                not 0 <= place < len(values)
                or place in changes
                or type(values[place]) not in MUTABLE
            ):
                raise self.fault('it changes a value that it was not given')
            changes[place] = self.decode(item[1])
            if type(changes[place]) is not type(values[place]):
                raise self.fault('it changes the type of a value that it was given')
        return [(values[place], new) for place, new in changes.items()]

    def answer(self, message):
        """Does what the other side requests."""
        operation = (
            self._operations.get(message.get('do')) if type(message.get('do')) is str else None
        )
        values, names = message.get('values'), message.get('names')
        known = set(message) <= {'ask', 'do', 'with', 'values', 'names', 'in_place'}
        if operation is None or not known or type(values) is not list or type(names) is not dict:
            raise self.fault('it requests an unknown operation')
        target = self._own(message.get('with'))
        given = [self.decode(value) for value in values]
        named = {name: self.decode(value) for name, value in names.items()}
        reply = {'to': message['ask']}
        try:
            reply['value'] = self.encode(operation(target, *given, **named))
            if message.get('in_place') is True:
                after = enumerate(map(self.encode, given))
                reply['changed'] = [
                    [place, new]
                    for place, new in after
                    if new != values[place] and type(given[place]) in MUTABLE
                ]
        except Gone:
            raise
        except BaseException as error:
            if isinstance(error, AssertionError):
                self.assertion = error
            reply = {'to': message['ask'], 'raised': self.raised(error)}
        self.send(reply)

    def error(self, raised):
        """The exception that represents one of the other side."""
        if type(raised) is not list or len(raised) != 4:
            raise self.fault('"raised" is not an exception')
        base, name, parts, classes = raised
        plain = type(parts) is list and all(type(part) in SCALARS for part in parts)
        plain = plain and type(classes) is list and all(type(one) is int for one in classes)
        if type(base) is not str or type(name) is not str or not plain:
            raise self.fault('"raised" is not an exception')
        kind = getattr(builtins, base, None)
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise self.fault('"raised" does not name an exception')
        kind = CONTROL_FLOW.get(kind, kind)
        if not issubclass(kind, Exception) or (kind is Exception and name != 'Exception'):
            kind = ProgramError
        try:
            own = (
                type(kind.__name__, (*dict.fromkeys(map(own_exception, classes)), kind), {})
                if classes
                else kind
            )
            error = own(*parts)
        except Exception:
            error = ProgramError(*parts)
        # The attributes of SystemExit and StopIteration that tests look at.
        if base == 'SystemExit':
            error.code = parts[0] if parts else None
        if base == 'StopIteration':
            error.value = parts[0] if parts else None
        error.name_in_program = name
        return error

    def raised(self, error):
        """
        An exception as plain data: the nearest of Python's own classes, its name, its arguments, and
        the numbers of its other classes.
        """
        builtin = lambda kind: getattr(builtins, kind.__name__, None) is kind
        kinds = [kind for kind in type(error).__mro__ if builtin(kind)]
        classes = [
            kind
            for kind in type(error).__mro__
            if not builtin(kind) and issubclass(kind, BaseException)
        ]
        try:
            parts = [part if type(part) in SCALARS else str(part) for part in error.args]
        except BaseException:
            parts = ['?']
        return [
            kinds[0].__name__,
            type(error).__name__,
            parts,
            [self.keep(kind) for kind in classes[:16]],
        ]

    def keep(self, value):
        """The number by which the other side refers to an object."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._kept)
            self._kept.append(value)
        return number

    def _own(self, number):
        if type(number) is not int or not 0 <= number < len(self._kept):
            raise self.fault('it refers to an object that does not exist')
        return self._kept[number]

    def encode(self, value):
        if value is None or isinstance(value, (bool, str)):
            return value if type(value) in (bool, str) or value is None else str(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, tuple):
            return {'tuple': [self.encode(item) for item in value]}
        if isinstance(value, dict):
            return {'dict': [[self.encode(key), self.encode(item)] for key, item in value.items()]}
        if isinstance(value, frozenset):
            return {'frozenset': [self.encode(item) for item in value]}
        if isinstance(value, set):
            return {'set': [self.encode(item) for item in value]}
        if isinstance(value, (bytes, bytearray)):
            return {type(value).__name__ if type(value) is bytearray else 'bytes': value.hex()}
        if isinstance(value, complex):
            return {'complex': [value.real, value.imag]}
        if isinstance(value, range):
            return {'range': [value.start, value.stop, value.step]}
        # Only code that has imported these can have such a value.
        decimal, fractions = sys.modules.get('decimal'), sys.modules.get('fractions')
        if decimal is not None and isinstance(value, decimal.Decimal):
            return {'decimal': str(value)}
        if fractions is not None and isinstance(value, fractions.Fraction):
            return {'fraction': [value.numerator, value.denominator]}
        if type(value) is self._remote:
            return {'yours': object.__getattribute__(value, '_number')}
        return {'mine': self.keep(value)}

    def decode(self, value):
        """A value of this side's types. Raises Gone, and TypeError for keys that are not plain."""
        if type(value) in SCALARS:
            return value
        if type(value) is list:
            return [self.decode(item) for item in value]
        if len(value) != 1:
            raise self.fault('a value has no valid kind')
        ((kind, content),) = value.items()
        if kind == 'yours':
            return self._own(content)
        if kind == 'mine':
            return self._other(content)
        if kind in CONTAINERS and type(content) is list:
            return CONTAINERS[kind]([self.decode(item) for item in content])
        if kind == 'dict' and type(content) is list:
            if not all(type(item) is list and len(item) == 2 for item in content):
                raise self.fault('a dict is not a list of keys and values')
            return {self.decode(key): self.decode(item) for key, item in content}
        try:
            return _leaves[kind](content)
        except Exception as error:
            raise self.fault(
                f'a value of the kind {str(kind)[:20]!r} is invalid ({type(error).__name__})'
            )

    def _other(self, number):
        """Represents the same object of the other side by the same object here."""
        if type(number) is not int or number < 0:
            raise self.fault('an object has no number')
        if number not in self._remotes:
            self._remotes[number] = self._remote(self, number)
        return self._remotes[number]


CONTAINERS = {'tuple': tuple, 'set': set, 'frozenset': frozenset}


def _numbers(kind):
    def decode(content):
        if type(content) is not list or not all(type(one) in (int, float) for one in content):
            raise ValueError('not numbers')
        return kind(*content)

    return decode


_leaves = {
    'bytes': bytes.fromhex,
    'bytearray': bytearray.fromhex,
    'complex': _numbers(complex),
    'range': _numbers(range),
    'fraction': lambda content: _numbers(importlib.import_module('fractions').Fraction)(content),
    'decimal': lambda text: (
        importlib.import_module('decimal').Decimal(text) if type(text) is str else None + text
    ),
}


_own_exceptions = {}


def own_exception(number):
    """Represents an exception class of the other side by its number; its errors inherit from it."""
    return _own_exceptions.setdefault(number, type('OwnException', (Exception,), {}))


def _replace(old, new):
    if isinstance(old, (list, bytearray)):
        old[:] = new
    else:
        old.clear()
        old.update(new)
