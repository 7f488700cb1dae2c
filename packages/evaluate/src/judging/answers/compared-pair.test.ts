import { DataError } from '@keel/align';
import { describe, expect, it } from 'vitest';
import { TestFolder } from '../testing/folders.ts';
import { pairAnswers } from './compared-pair.ts';
import { readAnswers } from './read-answers.ts';
import { readPairs } from './read-pairs.ts';

const chat = (prompt: string, completion: string, more = {}) => ({
  prompt: [{ role: 'user', content: prompt }],
  completion: [{ role: 'assistant', content: completion }],
  ...more,
});
const names = ['a', 'b'] as const;

async function faultOf(work: Promise<unknown>): Promise<DataError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

describe('pairing', () => {
  it('pairs rows by their prompts, in any order and form', async () => {
    using folder = new TestFolder();
    const a = await readAnswers([
      folder.rows('a.jsonl', [
        chat('one', '1', { category: 'x' }),
        chat('two', '2'),
        chat('one', '3'),
      ]),
    ]);
    const b = await readAnswers([
      folder.text(
        'b.json',
        JSON.stringify([
          { instruction: 'two', output: 'II', generator: 'gpt', dataset: 'helpful' },
          { instruction: 'one', output: 'I', generator: 'gpt' },
          { instruction: 'one', output: '', generator: 'gpt' },
        ]),
      ),
    ]);
    const { pairs } = pairAnswers(a, b, { names, unpaired: 'fail' });
    const shown = pairs.map(({ answers, modelA, modelB, category }) => [
      ...answers.map((answer) => (answer as { content: string }[])[0]!.content),
      ...[modelA, modelB, category],
    ]);
    expect(shown).toEqual([
      ['1', 'I', 'a', 'gpt', 'x'],
      ['2', 'II', 'a', 'gpt', 'helpful'],
      ['3', '', 'a', 'gpt', null],
    ]);
  });

  it('names answers without a partner, and skips them if told to', async () => {
    using folder = new TestFolder();
    const a = await readAnswers([
      folder.rows('a.jsonl', [chat('one', '1'), chat('two', '2'), chat('two', '2b')]),
    ]);
    const b = await readAnswers([
      folder.rows('b.jsonl', [chat('two', '2'), chat('three', '3'), chat('four', '4')]),
    ]);
    const pairing = (async () => pairAnswers(a, b, { names, unpaired: 'fail' }))();
    const { message, line } = await faultOf(pairing);
    expect(line).toBe(1);
    expect(message).toMatch(/2 of 3 answers \(.*a\.jsonl:1, .*a\.jsonl:3\).*--unpaired skip/);
    expect(message).toMatch(/2 of 3 answers \(.*b\.jsonl:2, .*b\.jsonl:3\)/);
    const { pairs, unpaired } = pairAnswers(a, b, { names, unpaired: 'skip' });
    expect(pairs).toHaveLength(1);
    expect(unpaired.map((side) => side.length)).toEqual([2, 2]);
    const none = (async () => pairAnswers(a.slice(0, 1), b, { names, unpaired: 'skip' }))();
    expect((await faultOf(none)).message).toMatch(/a\.jsonl:1/);
  });

  it('pairs a prompt with the same calls and tools only', async () => {
    using folder = new TestFolder();
    const called = (city: string) => ({
      ...{ role: 'assistant', content: '' },
      tool_calls: [{ type: 'function', function: { name: 'weather', arguments: { city } } }],
    });
    const after = (city: string, completion: string) => ({
      prompt: [{ role: 'user', content: 'one' }, called(city), { role: 'tool', content: '20' }],
      completion: [{ role: 'assistant', content: completion }],
    });
    const tool = (name: string) => ({ tools: [{ type: 'function', function: { name } }] });
    const thinking = { chat_template_kwargs: { enable_thinking: true, style: 'x' } };
    const rowsOf = (side: string, more = {}) => [
      after('Oslo', `${side} Oslo`),
      after('Rome', `${side} Rome`),
      chat('two', `${side} f`, { ...tool('f'), ...more }),
      chat('two', `${side} g`, tool('g')),
    ];
    const a = await readAnswers([folder.rows('a.jsonl', rowsOf('a', thinking))]);
    const others = rowsOf('b', { chat_template_kwargs: { enable_thinking: false, style: 'x' } });
    const b = await readAnswers([folder.rows('b.jsonl', others.toReversed())]);
    const { pairs } = pairAnswers(a, b, { names, unpaired: 'fail' });
    for (const { answers } of pairs) {
      const [first, second] = answers.map(
        (answer) => (answer as { content: string }[])[0]!.content,
      );
      expect(second!.slice(2)).toBe(first!.slice(2));
    }
    // Of the variables, a pair has those that both answers were written with.
    expect(pairs[2]!.rendering).toMatchObject({ ...tool('f'), variables: { style: 'x' } });
    const without = await readAnswers([folder.rows('c.jsonl', [chat('two', 'c')])]);
    const work = (async () => pairAnswers(a.slice(2, 3), without, { names, unpaired: 'fail' }))();
    expect((await faultOf(work)).message).toContain('tools');
  });

  it('needs the reference of every row, if it is asked for', async () => {
    using folder = new TestFolder();
    const rows = [chat('one', '1', { good: 'yes' }), chat('two', '2')];
    const a = await readAnswers([folder.rows('a.jsonl', rows)]);
    const options = { names, unpaired: 'fail', reference: 'good' } as const;
    expect(pairAnswers(a.slice(0, 1), a.slice(0, 1), options).pairs[0]!.reference).toBe('yes');
    const missing = await faultOf((async () => pairAnswers(a, a, options))());
    expect(missing).toMatchObject({ line: 2, field: 'good' });
    expect(missing.message).toContain('--reference');
  });
});

describe('reading answers', () => {
  it('names the place of rows without an answer, and of files without rows', async () => {
    using folder = new TestFolder();
    const bad = folder.rows('bad.jsonl', [chat('one', '1'), { prompt: 'two' }]);
    expect(await faultOf(readAnswers([bad]))).toMatchObject({ line: 2 });
    const pair = folder.rows('pair.jsonl', [{ prompt: 'p', chosen: 'c', rejected: 'r' }]);
    expect((await faultOf(readAnswers([pair]))).message).toContain('--pairs');
    const number = folder.rows('number.jsonl', [{ instruction: 'p', output: 3 }]);
    expect(await faultOf(readAnswers([number]))).toMatchObject({ line: 1, field: 'output' });
    const user = folder.rows('user.jsonl', [
      { ...chat('p', ''), completion: [{ role: 'user', content: 'x' }] },
    ]);
    expect((await faultOf(readAnswers([user]))).field).toBe('completion');
    for (const text of ['', '[]', '{"prompt": "two"}\n']) {
      const file = folder.text('none.json', text);
      expect((await faultOf(readAnswers([file]))).message).toContain('none.json');
    }
  });

  it('skips and counts bad rows if told to', async () => {
    using folder = new TestFolder();
    const file = folder.rows('some.jsonl', [chat('one', '1'), { prompt: 'two' }, 'text']);
    const faults: DataError[] = [];
    const rows = await readAnswers([file], {
      onBadRow: 'skip',
      onSkipped: (fault) => faults.push(fault),
    });
    expect(rows).toHaveLength(1);
    expect(faults.map(({ line }) => line)).toEqual([2, 3]);
  });

  it('reads preference rows as a pair, the chosen answer as b', async () => {
    using folder = new TestFolder();
    const file = folder.rows('pairs.jsonl', [
      { prompt: 'p', chosen: 'good', rejected: 'bad', category: 'x' },
    ]);
    const [pair] = await readPairs([file], {});
    expect(pair).toMatchObject({ answers: ['bad', 'good'], category: 'x', modelB: 'chosen' });
  });
});
