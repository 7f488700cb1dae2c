import { expect, test } from 'vitest';
import { extractCode } from './extract-code.ts';

test('the last block in the language counts, else the last without a language, else all', () => {
  const text =
    'See:\n```python\none\n```\nor\n```py\ntwo\n```\nand\n```\nthree\n```\n```js\nfour\n```';
  expect(extractCode(text, 'python')).toBe('two\n');
  expect(extractCode('```\none\n```\n```js\ntwo\n```', 'python')).toBe('one\n');
  expect(extractCode('x = 1', 'python')).toBe('x = 1');
});

test('an unclosed block extends to the end, and longer fences contain shorter ones', () => {
  expect(extractCode('```python\nx = 1\ny = 2', 'python')).toBe('x = 1\ny = 2');
  expect(extractCode('````python\ns = """\n```\n"""\n````', 'python')).toBe('s = """\n```\n"""\n');
});

test('in a chat, only the assistant counts', () => {
  const chat = [{ role: 'assistant', content: '~~~Python\nx\n~~~' }];
  expect(extractCode(chat, 'python')).toBe('x\n');
});

test('a block may begin in the prompt', () => {
  const start = 'Here it is:\n```python\n';
  expect(extractCode('x = 1\n```', 'python', start)).toBe('x = 1\n');
  expect(extractCode('  return 1', 'python', `${start}def f():\n`)).toBe('def f():\n  return 1');
  expect(extractCode('x = 1', 'python', 'Here it is: ')).toBe('x = 1');
});
