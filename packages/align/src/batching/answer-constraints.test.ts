import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel } from '@keel/model';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTiny, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { AnswerConstraints } from './answer-constraints.ts';
import { packRollouts } from './pack-rollouts.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-answer-constraints-'));
let model: LanguageModel;
beforeAll(async () => {
  setThreads(1);
  model = await loadTiny(writeTinyChatModel(folder), 'float32');
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const END = 0;
const tokensOf = (text: string): number[] => model.tokenizer.encode(text);
const shown = (token: number): string => (token === END ? 'end' : model.tokenizer.decode([token]));

/** The texts that each token of an answer could have been. */
function allowedTexts(allowed: Int32Array, words: number): string[][] {
  return Array.from({ length: allowed.length / words }, (_, row) => {
    const found: string[] = [];
    for (let token = 0; token < 32 * words; token++) {
      const word = allowed[row * words + (token >> 5)]!;
      if ((word >>> (token & 31)) & 1) found.push(shown(token));
    }
    return found.toSorted();
  });
}

const prompt = [5, 6];

function replayed(constraints: AnswerConstraints, answer: readonly number[], from = prompt) {
  const into = new Int32Array(answer.length * constraints.words);
  constraints.replay(from, answer, into);
  return allowedTexts(into, constraints.words);
}

describe('replaying an answer', () => {
  it('gives what the sampler could choose from, token by token', async () => {
    const regex = { kind: 'regex', pattern: '12?(3|4)' } as const;
    const constraints = await AnswerConstraints.compile(model, regex);
    // The tokenizer joins 1 and 2.
    const starts = ['1', '12', '123'];
    const [one, two, three] = ['1', '2', '3'].map((text) => tokensOf(text)[0]!);
    expect(replayed(constraints, [...tokensOf('12'), three!, END])).toEqual([
      starts,
      ['3', '4'],
      ['end'],
    ]);
    expect(replayed(constraints, [one!, two!])).toEqual([starts, ['2', '3', '4']]);
  });

  it('ends where the answer was cut off, and nowhere else', async () => {
    const constraints = await AnswerConstraints.compile(model, {
      kind: 'choice',
      choices: ['x', 'xy'],
    });
    const [x, y] = ['x', 'y'].map((text) => tokensOf(text)[0]!);
    expect(replayed(constraints, [x!])).toEqual([['x']]);
    expect(replayed(constraints, [x!, END])).toEqual([['x'], ['end', 'y']]);
    expect(replayed(constraints, [x!, y!, END])).toEqual([['x'], ['end', 'y'], ['end']]);
    expect(() => replayed(constraints, [y!])).toThrow(/does not allow token/);
    expect(() => replayed(constraints, [x!, x!])).toThrow(/does not allow token/);
  });

  it('starts after a reasoning block that the prompt opened', async () => {
    const constraints = await AnswerConstraints.compile(model, { kind: 'regex', pattern: 'x' });
    const opened = tokensOf('<think>\n');
    const [first] = replayed(constraints, tokensOf('hello</think>x'), opened);
    expect(first!.length).toBeGreaterThan(100);
    const texts = replayed(
      constraints,
      [...tokensOf('hello</think>'), ...tokensOf('x'), END],
      opened,
    );
    expect(texts.at(-1)).toEqual(['end']);
    expect(() => replayed(constraints, tokensOf('hello</think>x'))).toThrow(/does not allow/);
  });
});

describe('packed answers', () => {
  const [x, y, z] = [100, 101, 102];
  /** Answers alternate between two tokens. */
  const alternating = new AnswerConstraints({
    words: 10,
    start() {
      let next = x;
      return {
        allowed(into) {
          into.fill(0);
          into[next >> 5] = 1 << (next & 31);
        },
        accept(token) {
          if (token !== next) throw new Error(`not ${token}`);
          next = token === x ? y : x;
        },
        finished: false,
        dispose() {},
      };
    },
  });
  const answers = {
    prompts: [[1, 2], [3]],
    completions: [[x, y, x], [x], [x, y]],
    groups: [1, 0, 1],
  };

  it('have the mask of every scored token, in the order of the tokens', () => {
    const { scored, packed } = packRollouts({ ...answers, constraints: alternating }, [2, 1]);
    expect([...scored.targets]).toEqual([x, y, x]);
    expect(packed.tokens.length).toBe(1 + 2 + 2 + 1);
    const bits = Array.from({ length: 3 }, (_, row) =>
      scored.allowed!.slice(10 * row, 10 * row + 10),
    );
    const only = (token: number): Int32Array => {
      const mask = new Int32Array(10);
      mask[token >> 5] = 1 << (token & 31);
      return mask;
    };
    expect(bits).toEqual([only(x), only(y), only(x)]);
  });

  it('have none without a constraint', () => {
    expect(packRollouts(answers, [0, 1, 2]).scored.allowed).toBeUndefined();
  });

  it('cannot be packed if they do not match', () => {
    const wrong = { ...answers, completions: [[x, z], [x], [x]], constraints: alternating };
    expect(() => packRollouts(wrong, [0])).toThrow('not 102');
  });
});
