import { describe, expect, it, test } from 'vitest';
import { tinyTokenizerJson } from '../../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { Constraint, TokenConstraint } from '../constraint.ts';
import { buildNetwork } from '../engine/build-network.ts';
import { Machine, NOWHERE } from '../engine/machine.ts';
import { tokenBytes } from '../engine/token-bytes.ts';
import { randomSchema, seededRandom } from '../testing/random-schema.ts';
import { compileTiny, reads, tinyTokenizer } from '../testing/reads.ts';
import { sampleUniformly, tokensIn } from '../testing/sample-uniformly.ts';
import { compileConstraint, constraintExpression } from './compile-constraint.ts';
import { opensReasoning } from './reasoning.ts';

/** The tokens that may come after some, the end token included. */
function allowedAfter(
  constraint: TokenConstraint,
  tokens: readonly number[],
  left?: number,
): number[] {
  const state = constraint.start();
  for (const token of tokens) state.accept(token);
  const mask = new Int32Array(constraint.words);
  state.allowed(mask, left);
  return tokensIn(mask);
}

/** Tokens as SentencePiece has them: `▁` for a space, and all bytes. */
function sentencePiece(pieces: readonly string[]): Tokenizer {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const tokens = ['<unk>', '</s>', ...bytes, ...pieces];
  return new Tokenizer({
    source: 'pieces',
    config: { eos_token: '</s>' },
    json: {
      ...{ version: '1.0', truncation: null, padding: null, post_processor: null },
      added_tokens: ['<unk>', '</s>'].map((content, id) => ({
        ...{ id, content, special: true, single_word: false },
        ...{ lstrip: false, rstrip: false, normalized: false },
      })),
      normalizer: { type: 'Prepend', prepend: '▁' },
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          ...[{ type: 'ByteFallback' }, { type: 'Fuse' }],
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: {
        ...{ type: 'BPE', dropout: null, unk_token: '<unk>', byte_fallback: true, merges: [] },
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      },
    },
  });
}

const stop = 0;
const idOf = (token: string): number => tinyTokenizer.tokenToId(token)!;

test('masks are those of a machine that reads every token by itself', async () => {
  const { texts } = tokenBytes(tinyTokenizer, new Set());
  const constraints: Constraint[] = [
    { kind: 'regex', pattern: '([a-z ]{1,40}\\n){3}' },
    { kind: 'regex', pattern: '(é|he?l{2,30}o)+x?' },
    { kind: 'grammar', text: 'root ::= "(" root ")" | [a-z0-9]{0,20} "!"' },
    { kind: 'json' },
    ...Array.from({ length: 12 }, (_, seed): Constraint => {
      return { kind: 'json-schema', schema: randomSchema(seededRandom(seed)) };
    }),
  ];
  let compared = 0;
  for (const [seed, constraint] of constraints.entries()) {
    const compiled = await compileTiny(constraint).catch(() => null);
    // No value matches some of the schemas.
    if (compiled === null) continue;
    const machine = new Machine(buildNetwork(constraintExpression(constraint), 1000), false);
    const random = seededRandom(seed);
    const drawn: number[] = [];
    for (let at = machine.start, step = 0; step < 40; step++) {
      const wanted = texts.flatMap((bytes, token) => {
        let next = bytes === null ? NOWHERE : at;
        for (const byte of bytes ?? []) if (next !== NOWHERE) next = machine.next(next, byte);
        return next === NOWHERE ? [] : [token];
      });
      const allowed = allowedAfter(compiled, drawn);
      expect(allowed.filter((token) => token !== stop)).toEqual(wanted);
      expect(allowed.includes(stop)).toBe(machine.accepting(at));
      compared += 1;
      if (wanted.length === 0) break;
      const token = wanted[Math.floor(random() * wanted.length)]!;
      drawn.push(token);
      for (const byte of texts[token]!) at = machine.next(at, byte);
    }
  }
  expect(compared).toBeGreaterThan(200);
});

describe('a state', () => {
  it('allows the end exactly where the answer may end, and nothing after it', async () => {
    const constraint = await compileTiny({ kind: 'choice', choices: ['a', 'ab'] });
    const state = constraint.start();
    expect(allowedAfter(constraint, [])).toEqual([idOf('a')]);
    expect(() => state.accept(stop)).toThrow(/does not allow token 0/);
    expect(() => state.accept(idOf('b'))).toThrow(/does not allow/);
    state.accept(idOf('a'));
    expect(state.finished).toBe(false);
    expect(allowedAfter(constraint, [idOf('a')])).toEqual([stop, idOf('b')]);
    state.accept(idOf('b'));
    expect(state.finished).toBe(true);
    expect(allowedAfter(constraint, [idOf('a'), idOf('b')])).toEqual([stop]);
    state.accept(stop);
    expect(() => state.accept(idOf('a'))).toThrow(/does not allow/);
    expect(() => state.allowed(new Int32Array(1))).toThrow(RangeError);
  });

  it('reads characters byte by byte', async () => {
    const constraint = await compileTiny({ kind: 'regex', pattern: '[éè]' });
    expect(allowedAfter(constraint, [])).toEqual([idOf('Ã'), idOf('Ã©')]);
    expect(allowedAfter(constraint, [idOf('Ã')])).toEqual([idOf('¨'), idOf('©')]);
  });

  it('never allows special tokens, or tokens that the tokenizer does not have', async () => {
    const { length } = tinyTokenizer.json.added_tokens;
    const constraint = await compileConstraint(
      tinyTokenizer,
      { kind: 'regex', pattern: '[^]*' },
      {
        ...{ vocabularySize: tinyTokenizer.vocabSize + 70, stopTokenIds: [stop] },
      },
    ).catch(() => null);
    expect(constraint).not.toBeNull();
    const allowed = allowedAfter(constraint!, []);
    expect(allowed.filter((token) => token < length)).toEqual([stop]);
    expect(Math.max(...allowed)).toBeLessThan(tinyTokenizer.vocabSize);
    expect(constraint!.words).toBe(Math.ceil((tinyTokenizer.vocabSize + 70) / 32));
  });

  it('allows special tokens where they are declared to be text', async () => {
    const how = { vocabularySize: tinyTokenizer.vocabSize, stopTokenIds: [stop] };
    const constraint: Constraint = {
      kind: 'sequence',
      parts: ['<|user|>', { kind: 'choice', choices: ['a'] }],
    };
    const user = idOf('<|user|>');
    const plain = await compileConstraint(tinyTokenizer, constraint, how);
    expect(allowedAfter(plain, [])).not.toContain(user);
    const marked = await compileConstraint(tinyTokenizer, constraint, {
      ...{ ...how, textTokens: ['<|user|>'] },
    });
    expect(allowedAfter(marked, [])).toContain(user);
    expect(allowedAfter(marked, [user])).toEqual([idOf('a')]);
  });

  it('is independent of others, and survives the replacement of its machine', async () => {
    const constraint = await compileTiny({ kind: 'json' });
    const [one, other] = [constraint.start(), constraint.start()];
    const mask = new Int32Array(constraint.words);
    // Deep nesting makes new states without end, so that the machine is replaced several times.
    for (const token of tinyTokenizer.encode('{"":')) {
      one.accept(token);
      other.accept(token);
    }
    for (let depth = 0; depth < 2500; depth++) {
      one.accept(idOf('['));
      one.allowed(mask);
    }
    for (let depth = 0; depth < 2500; depth++) one.accept(idOf(']'));
    for (const state of [one, other]) {
      if (state === other) for (const token of tinyTokenizer.encode('1')) state.accept(token);
      state.accept(idOf('}'));
      state.allowed(mask);
      expect(tokensIn(mask)).toEqual([stop]);
    }
  });
});

describe('within a length', () => {
  it('an answer is completed if it can be', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
    const constraint = await compileTiny({ kind: 'json-schema', schema });
    for (let limit = 9; limit < 30; limit++) {
      const drawn = sampleUniformly(constraint, new Set([stop]), seededRandom(limit), limit);
      expect(JSON.parse(tinyTokenizer.decode(drawn!))).toEqual({ a: expect.any(String) });
    }
    // `{"a":""}` and the end are 9 tokens.
    expect(sampleUniformly(constraint, new Set([stop]), seededRandom(1), 8)).toBeNull();
  });
});

describe('SentencePiece', () => {
  const tokenizer = sentencePiece(['▁', 'a', '▁a', 'yes', '▁yes', 'é', '{', '▁{']);
  const compile = (constraint: Constraint): Promise<TokenConstraint> =>
    compileConstraint(tokenizer, constraint, {
      ...{ vocabularySize: tokenizer.vocabSize, stopTokenIds: [1] },
    });
  const named = (tokens: readonly number[]): (string | null)[] =>
    tokens.map((token) => tokenizer.idToToken(token));

  it('a space at the start, which decoding removes, is no part of the answer', async () => {
    const constraint = await compile({ kind: 'choice', choices: ['yes', ' a'] });
    expect(tokenizer.decode([tokenizer.tokenToId('▁yes')!])).toBe('yes');
    const first = named(allowedAfter(constraint, []));
    expect(first).toEqual(['<0x20>', '<0x79>', '▁', 'yes', '▁yes']);
    const [space, word] = ['▁', '▁a'].map((token) => tokenizer.tokenToId(token)!);
    expect(named(allowedAfter(constraint, [space!]))).toEqual([
      '<0x20>',
      '<0x79>',
      '▁',
      '▁a',
      'yes',
    ]);
    expect(tokenizer.decode([space!, word!])).toBe(' a');
  });

  it('bytes make up characters', async () => {
    const constraint = await compile({ kind: 'regex', pattern: 'é{2}' });
    const [first, second] = ['<0xC3>', '<0xA9>'].map((token) => tokenizer.tokenToId(token)!);
    expect(named(allowedAfter(constraint, []))).toEqual(['<0x20>', '<0xC3>', '▁', 'é']);
    expect(allowedAfter(constraint, [first!])).toEqual([second]);
    expect(named(allowedAfter(constraint, [first!, second!]))).toEqual(['<0xC3>', 'é']);
  });

  it('is drawn so that the decoded text matches', async () => {
    const constraint = await compile({
      kind: 'json-schema',
      schema: { enum: [['a', 'yes'], 'é'] },
    });
    for (let seed = 0; seed < 30; seed++) {
      const drawn = sampleUniformly(constraint, new Set([1]), seededRandom(seed), 120);
      expect([['a', 'yes'], 'é']).toContainEqual(JSON.parse(tokenizer.decode(drawn!)));
    }
  });
});

describe('reasoning', () => {
  it('comes first where the prompt opens it', async () => {
    const prompt = (text: string): number[] => tinyTokenizer.encode(text);
    expect(opensReasoning(tinyTokenizer, prompt('hi<think>\n'))).toBe(true);
    expect(opensReasoning(tinyTokenizer, prompt('<think>\n\n</think>\n\n'))).toBe(false);
    const constraint = await compileConstraint(
      tinyTokenizer,
      { kind: 'choice', choices: ['yes'] },
      {
        ...{ vocabularySize: tinyTokenizer.vocabSize, stopTokenIds: [stop], afterReasoning: true },
      },
    );
    for (const text of ['</think>yes', 'hm {<think></think>\n\nyes', '</thin</think>\nyes']) {
      expect(reads(constraint, text), text).toBe(true);
    }
    for (const text of ['yes', 'hm', 'a</think>no', 'a</think>\n\n\nyes', '</think>yes</think>']) {
      expect(reads(constraint, text), text).toBe(false);
    }
  });
});

test('equal constraints are compiled once', async () => {
  const one = await compileTiny({ kind: 'regex', pattern: 'x+y' });
  expect(await compileTiny({ kind: 'regex', pattern: 'x+y' })).toBe(one);
  expect(await compileTiny({ kind: 'regex', pattern: 'x+z' })).not.toBe(one);
});

test('texts and constraints are combined', async () => {
  const constraint = await compileTiny({
    kind: 'any',
    options: [
      { kind: 'sequence', parts: ['<', { kind: 'regex', pattern: 'a+' }, '>'] },
      { kind: 'choice', choices: ['no'] },
    ],
  });
  for (const text of ['<aa>', 'no']) expect(reads(constraint, text)).toBe(true);
  for (const text of ['<>', 'aa', 'no<a>']) expect(reads(constraint, text)).toBe(false);
});

it.each([
  [{ kind: 'choice', choices: [] }, /one text or more/],
  [{ kind: 'choice', choices: ['a', ''] }, /none of them empty/],
  [{ kind: 'regex', pattern: 'a{9999}'.repeat(50) }, /too large/],
] as [Constraint, RegExp][])('%# is refused', async (constraint, message) => {
  await expect(compileTiny(constraint)).rejects.toThrow(message);
});

test('a tokenizer whose bytes are not known is refused', async () => {
  const json = {
    ...tinyTokenizerJson(),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
  const other = new Tokenizer({ source: 'other', json, config: { eos_token: '<|end|>' } });
  await expect(
    compileConstraint(other, { kind: 'json' }, { vocabularySize: 400, stopTokenIds: [0] }),
  ).rejects.toThrow(/this one decodes with WordPiece/);
});
