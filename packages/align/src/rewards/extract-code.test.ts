import { expect, test } from 'vitest';
import { extractCode } from './extract-code.ts';

test('the last block in the language counts, else the last that names none, else all', () => {
  const text =
    'See:\n```python\none\n```\nor\n```py\ntwo\n```\nand\n```\nthree\n```\n```js\nfour\n```';
  expect(extractCode(text, 'python')).toBe('two\n');
  expect(extractCode('```\none\n```\n```js\ntwo\n```', 'python')).toBe('one\n');
  expect(extractCode('x = 1', 'python')).toBe('x = 1');
});

test('a block that is not closed goes to the end, and longer fences hold shorter ones', () => {
  expect(extractCode('```python\nx = 1\ny = 2', 'python')).toBe('x = 1\ny = 2');
  expect(extractCode('````python\ns = """\n```\n"""\n````', 'python')).toBe('s = """\n```\n"""\n');
});

test('of a chat, what the assistant says', () => {
  const chat = [{ role: 'assistant', content: '~~~Python\nx\n~~~' }];
  expect(extractCode(chat, 'python')).toBe('x\n');
});
