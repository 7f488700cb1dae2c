import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PythonFloat } from '@keel/model';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parseLine } from '../methods/best-of-n/sampled-prompt.ts';
import { Journal } from './journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const output = join(folder, 'out.jsonl');
beforeEach(() => rmSync(`${output}.partial`, { force: true }));

const identity = { '--seed': 1, '--model': 'a'.repeat(64), '--adapter': null };
const usual = { chunk: 2, prompts: 5, overwrite: false, parse: parseLine };
// Characters of several bytes, because positions are counted in bytes.
const line = (row: number) => ({
  ...{ row, prompt: 'ä€😀', texts: [`answer ${row} é`], scores: [row] },
  ...{ tokens: [1], ended: [true] },
});

describe('Journal', () => {
  it('returns what was written, and resumes after it', () => {
    const first = Journal.open(output, identity, usual);
    expect(first.length).toBe(0);
    first.append([line(0), { row: 1, left_out: true }]);
    const again = Journal.open(output, identity, usual);
    expect(again.length).toBe(2);
    again.append([line(2), line(3)]);
    again.append([line(4)]);
    const whole = Journal.open(output, identity, usual);
    expect(whole.length).toBe(5);
    expect([...whole.read()]).toEqual([
      line(0),
      { row: 1, left_out: true },
      line(2),
      line(3),
      line(4),
    ]);
    whole.remove();
    expect(existsSync(`${output}.partial`)).toBe(false);
  });

  it('keeps the numbers in a prompt and its tools in their original form', () => {
    const call = { name: 'f', arguments: { t: new PythonFloat(20), id: 2n ** 64n } };
    const tools = [{ name: 'f', max: new PythonFloat(5) }];
    const prompt = [{ role: 'assistant', tool_calls: [call] }];
    const wide = { ...line(0), prompt, tools, scores: [1e21] };
    const journal = Journal.open(output, identity, usual);
    journal.append([wide]);
    expect([...journal.read()]).toStrictEqual([wide]);
  });

  it.each([
    ['half a line', `${JSON.stringify(line(2)).slice(0, 30)}`],
    ['a chunk with a missing line', `${JSON.stringify(line(2))}\n`],
    ['both', `${JSON.stringify(line(2))}\n{"row":`],
  ])('truncates %s, left by a killed process', (_, left) => {
    Journal.open(output, identity, usual).append([line(0), line(1)]);
    const before = readFileSync(`${output}.partial`, 'utf8');
    appendFileSync(`${output}.partial`, left);
    expect(Journal.open(output, identity, usual).length).toBe(2);
    expect(readFileSync(`${output}.partial`, 'utf8')).toBe(before);
  });

  it('refuses the journal of another job, and names the options', () => {
    Journal.open(output, identity, usual).append([line(0), line(1)]);
    const other = { '--seed': 2, '--model': 'b'.repeat(64), '--adapter': null };
    expect(() => Journal.open(output, other, usual)).toThrow(
      /--seed .* 1 to 2; --model .* aaaaaaaaaaaa… to bbbbbbbbbbbb….*--overwrite/,
    );
    expect(Journal.open(output, other, { ...usual, overwrite: true }).length).toBe(0);
    writeFileSync(`${output}.partial`, '');
    expect(() => Journal.open(output, identity, usual)).toThrow(/--overwrite/);
  });
});
