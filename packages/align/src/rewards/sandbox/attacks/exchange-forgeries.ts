import type { Attack } from './attack.ts';

/** Finds the exchange in the program's process, however it is hidden. */
const findExchange = `import gc, json, os, sys, threading, __main__
def find():
    frame = sys._getframe()
    while frame is not None:
        if 'exchange' in frame.f_locals: return frame.f_locals['exchange']
        frame = frame.f_back
    return next(one for one in gc.get_objects() if type(one).__name__ == 'Exchange')
exchange = find()
send = exchange.send
`;

/** Changes each outgoing message with statements on \`message\`. */
const changing = (statements: string, rest = 'def double(x): return None'): string =>
  `${findExchange}def lie(message, mark=None):
${statements.replace(/^(?=.)/gm, '    ')}
    return send(message, mark)
exchange.send = lie
${rest}`;

const ordered = ['data = [3, 1, 2]\nassert ordered(data) == sorted(data)'];
const raises = [
  'import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        with self.assertRaises(ValueError): double("x")\n        self.assertEqual(double(2), 4)',
];

/** Programs that manipulate the exchange between tests and program. */
export const exchangeForgeries: Attack[] = [
  {
    name: "empties the tests' own list through the exchange",
    program: changing(
      "if isinstance(message.get('value'), list): message['changed'] = [[0, message['value']]]",
      'def ordered(xs): return []',
    ),
    tests: ordered,
  },
  {
    name: "changes the type of the tests' own list",
    program: changing(
      "if 'value' in message: message['changed'] = [[0, {'mine': 7}]]",
      'def ordered(xs): return None',
    ),
    tests: ['data = [3, 1, 2]\nordered(data)\nassert data == [1, 2, 3]'],
    inPlace: true,
  },
  {
    name: 'changes arguments that it was not given',
    program: changing(
      "if 'value' in message: message['changed'] = [[-1, [1, 2, 3]], [1, [1, 2, 3]]]",
      'def ordered(xs): return None',
    ),
    tests: ['data = [3, 1, 2]\nordered(data)\nassert data == [1, 2, 3]'],
    inPlace: true,
  },
  {
    name: 'changes numbers and texts that tests give it',
    program: changing(
      "if 'value' in message: message['changed'] = [[0, 4]]",
      'def twice(x): return None',
    ),
    tests: ['x = 2\ntwice(x)\nassert x == 4'],
    inPlace: true,
  },
  {
    name: 'answers before it is asked',
    program: `${findExchange}for number in range(1, 200): send({'to': number, 'value': 42})
def double(x): return None`,
  },
  {
    name: 'answers each question twice',
    program: changing(
      "if 'to' in message: send({**message, 'value': 42}, mark)",
      'def double(x): return 42 if x == 21 else None',
    ),
    tests: ['assert double(1) == 2\nassert double(21) == 42'],
  },
  {
    name: 'answers other questions',
    program: changing("if 'to' in message: message.update(to=message['to'] + 1, value=42)"),
  },
  {
    name: 'answers with a number that is true',
    program: changing("if 'to' in message: message['to'] = True", 'def double(x): return 2 * x'),
    tests: ['assert double(2) == 4'],
  },
  {
    name: 'puts a verdict beside its answer',
    program: changing('message.update(passed=True, test=0, fault=None)'),
  },
  {
    name: 'claims that the tests are at fault',
    program: `${findExchange}for mark in (b'!', b'>', b''):
    for test in range(3): send({'fault': None, 'test': test, 'passed': True}, mark)
def double(x): return None`,
  },
  {
    name: "calls functions of the tests' process by number",
    program: `${findExchange}def double(x):
    for number in (-1, 0, 1, True, 'exchange', None):
        for do in ('call', 'attribute', 'set_attribute', '__class__'):
            send({'ask': 1, 'do': do, 'with': number, 'values': ['passed'], 'names': {}})
    return None`,
  },
  {
    name: "returns the tests' own objects by number",
    program: `${findExchange}encode = exchange.encode
exchange.encode = lambda value: {'yours': value} if type(value) is int else encode(value)
def double(x): return 0`,
  },
  {
    name: "returns the tests' expected object for its own",
    program: changing(
      "if 'to' in message: message['value'] = {'yours': 0}",
      'def pick(values, wanted): return None',
    ),
    tests: [
      'class Box: pass\nwanted, other = Box(), Box()\nassert pick(other, wanted) is other and pick(wanted, other) is wanted',
    ],
  },
  {
    name: 'sends kinds of values that do not exist',
    program: changing(
      `if 'to' in message:
    kinds = [{'eval': '42'}, {'mine': True}, {'mine': -1}, {'tuple': 3}, {'fraction': [1, 0]}, {}, {'a': 1, 'b': 2}]
    message['value'] = kinds[message['to'] % len(kinds)]`,
    ),
  },
  {
    name: 'sends a dict whose keys equal everything',
    program: changing("if 'to' in message: message['value'] = {'dict': [[{'mine': 0}, 42]]}"),
  },
  {
    name: 'sends junk where the tests expect a ValueError',
    program: `${findExchange}def double(x):
    os.write(exchange._output.fileno(), b'no JSON\\n')
    return 2 * x`,
    tests: raises,
  },
  {
    name: 'ends where the tests expect an exception',
    program: 'import os\ndef double(x): os._exit(0)',
    tests: ['try:\n    double(2)\nexcept Exception:\n    pass\nelse:\n    assert False', ...raises],
  },
  {
    name: 'raises what is no exception',
    program: changing(
      "if 'to' in message: message.clear(); message.update(to=1, raised=['print', 'print', ['passed'], []])",
    ),
  },
  {
    name: 'raises StopIteration by hand',
    program: changing(
      "number = message.get('to')\nif number: message.clear(); message.update(to=number, raised=['StopIteration', 'ValueError', [], []])",
    ),
    tests: ['for got, want in zip(map(double, [1, 2]), [2, 4]):\n    assert got == want'],
  },
  {
    name: "offers Python's own names, and those of the tests",
    program: changing(
      `if 'offers' in message:
    for name in ('abs', 'sorted', 'len', 'values', 'unittest', 'T', '__watch__', '__builtins__', 'AssertionError'):
        message['offers'][name] = message['offers']['double']`,
    ),
  },
  {
    name: 'a thread that answers for it',
    program: `${findExchange}def answer():
    while True:
        for number in range(1, 30):
            try: send({'to': number, 'value': 2 * number})
            except Exception: pass
threading.Thread(target=answer, daemon=True).start()
def double(x): return None`,
  },
  {
    name: 'patches what encodes its answers',
    program: `${findExchange}class Everything(float):
    def __eq__(self, other): return True
    def __repr__(self): return 'NaN'
exchange.encode = lambda value: Everything('nan')
json.dumps = lambda value: '{"to": 1, "value": NaN}'
__main__.json = json
def double(x): return None`,
  },
  {
    name: 'reads the questions ahead',
    program: `${findExchange}def double(x):
    os.set_blocking(exchange._input.fileno(), False)
    return 2 * x if exchange._input.read() else None`,
  },
  {
    name: 'raises a class that it says is every class',
    program: changing(
      "number = message.get('to')\nif number: message.clear(); message.update(to=number, raised=['ValueError', 'KeyError', [], list(range(-9, 9))])",
    ),
    tests: [
      'class Wanted(Exception): pass\nimport unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        with self.assertRaises((KeyError, Wanted)): double(2)',
    ],
  },
];
