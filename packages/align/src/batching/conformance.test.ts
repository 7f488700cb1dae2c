// Compares tokens and scored tokens with what TRL trains on for the same rows, family by family,
// and with Keel's rule for the border between prompt and answer.
import { describe, expect, it } from 'vitest';
import {
  type ConversationInput,
  conformanceFamilies,
  conformanceInputs,
  familyTemplates,
  familyTokenizer,
  readConformance,
  type Written,
  writtenAs,
} from '../../../model/src/tokenizer/testing/conformance.ts';
import { parseRow } from '../data/parse-row.ts';
import type { RowKind, RowOf } from '../data/rows.ts';
import { defaultScoring } from './scoring-rules.ts';
import { tokeniseExample } from './tokenise-example.ts';
import { tokeniseJudged } from './tokenise-judged.ts';
import { tokenisePair } from './tokenise-pair.ts';
import type { ScoredSequence } from './tokenise-pieces.ts';
import { tokenisePrompt } from './tokenise-prompt.ts';
import { tokeniseUnpaired } from './tokenise-unpaired.ts';

/** [from, to) of scored tokens. */
type Runs = [number, number][];

type GoldenChat =
  | { ids: Written<number[]>; cut?: Written<number[]>; scored: Runs | null }
  | { error: string };

interface Answers<T> {
  chosen: T;
  rejected: T;
}

/** fixtures/conformance/make-rows.py explains the fields. */
interface GoldenPair extends Partial<Answers<Written<number[]>>> {
  error?: string;
  prompt: Written<number[]>;
  asked?: Written<number[]>;
  scored?: Partial<Answers<Runs | null>>;
  inside?: true;
  merged?: Answers<Written<number[]> | null>;
}

interface Golden {
  now: string;
  chats: GoldenChat[];
  pairs: GoldenPair[];
  plain: GoldenPair[];
  texts: { ids: number[] }[];
}

type PairInput = { name: string; tools?: unknown } & Record<
  'prompt' | 'chosen' | 'rejected',
  unknown
>;

const fixture = (name: string) => new URL(`fixtures/conformance/${name}.json`, import.meta.url);
const inputs = readConformance<{
  chats: string[];
  pairs: PairInput[];
  plain: PairInput[];
  texts: { name: string; text: string }[];
}>(fixture('rows'));
const conversations = new Map(conformanceInputs().map((one) => [one.name, one]));

const free = { maxLength: null };
const supervised = { ...defaultScoring, ...free };
const judging = {
  ...free,
  margin: 'none',
  marginScale: 1,
  readAt: 'last',
  padTokenId: null,
  stepSeparator: '\n',
} as const;

const rowOf = <K extends RowKind>(kind: K, { name: _, ...row }: { name: string }): RowOf[K] =>
  parseRow(kind, row, { file: 'rows.json' });

const chatRow = ({ name, messages, tools, variables }: ConversationInput) => ({
  name,
  messages,
  ...(tools && { tools }),
  ...(variables && { chat_template_kwargs: variables }),
});

const runsOf = (scored: readonly boolean[]): Runs => {
  const runs: Runs = [];
  scored.forEach((one, at) => {
    if (!one) return;
    if (at > 0 && scored[at - 1]) runs.at(-1)![1] = at + 1;
    else runs.push([at, at + 1]);
  });
  return runs;
};

const lengthOf = (ids: Written<number[]>): number => ids.length;

describe.each(conformanceFamilies)('%s', (family) => {
  const golden = readConformance<Golden>(fixture(family));
  const tokenizer = familyTokenizer(family, golden.now);
  const question = [{ role: 'user', content: 'a' }];
  const parameters = { type: 'object', properties: {} };
  const tools = [
    { type: 'function', function: { name: 'clock', description: 'The time.', parameters } },
  ];
  const { chatTemplate } = tokenizer;
  const writesTools = chatTemplate!.render(question, { tools }) !== chatTemplate!.render(question);
  const marksTurns = familyTemplates(family).some((source) => /generation *-?%}/.test(source));
  /** TRL drops tools that no template of the model renders; Keel rejects the row. */
  const refusesTools = ({ tools }: { tools?: unknown }): boolean =>
    tools !== undefined && !writesTools && JSON.stringify(tools).length > '"[]"'.length;

  describe('a chat', () => {
    const cases = inputs.chats
      .map((name, at) => ({ name, golden: golden.chats[at]! }))
      .filter(({ name }) => !taken(family, name));
    it.each(cases)('$name', ({ name, golden: expected }) => {
      const tokenise = (rules = {}) => {
        const row = rowOf('messages', chatRow(conversations.get(name)!));
        return tokeniseExample(row, tokenizer, { ...supervised, ...rules })!;
      };
      if ('error' in expected) {
        expect(() => tokenise({ assistantOnlyLoss: false })).toThrow();
        return;
      }
      if (refusesTools(conversations.get(name)!)) return expect(tokenise).toThrow(/"tools"/);
      const { ids, scored, cut = ids } = expected;
      expect(writtenAs(ids, tokenise({ assistantOnlyLoss: false }).tokens)).toEqual(ids);
      if (scored === null) return;
      const all = tokenise();
      expect(writtenAs(cut, all.tokens)).toEqual(cut);
      // The text that is sampled from ends with the empty reasoning block; TRL's marks precede it.
      if (name === 'no thinking, answered') return;
      expect(runsOf(all.scored)).toEqual(scored);
      if (name === 'two answers') return;
      // Counted from the end: the text before the last turn is not cut.
      const last = tokenise({ assistantTurns: 'last' });
      const fromEnd = ({ tokens }: ScoredSequence, runs: Runs) =>
        runs.map((run) => run.map((at) => tokens.length - at));
      expect(fromEnd(last, runsOf(last.scored))).toEqual(fromEnd(all, scored.slice(-1)));
    });
  });

  describe.each(['pairs', 'plain'] as const)('%s', (kind) => {
    const cases = inputs[kind]
      .map((input, at) => ({ ...input, input, golden: golden[kind][at]! }))
      .filter(({ name, golden: { inside } }) => !taken(family, name) && !inside);
    const unpaired = ({ chosen, rejected: _, ...rest }: PairInput) => ({
      ...rest,
      completion: chosen,
    });

    it.each(cases)('a pair: $name', ({ input, golden: expected }) => {
      const tokenise = () => tokenisePair(rowOf('preference', input), tokenizer, free)!;
      if (expected.error) return expectRefusal(expected, tokenise);
      if (refusesTools(input)) return expect(tokenise).toThrow(/"tools"/);
      if (isLost(expected, ['chosen', 'rejected'])) return expect(tokenise).toThrow(lostBeginning);
      const { prompt, chosen, rejected } = tokenise();
      expectPrompt(expected, prompt);
      expectAnswer(expected, 'chosen', chosen, marksTurns);
      expectAnswer(expected, 'rejected', rejected, marksTurns);
    });

    it.each(cases)('a thumb: $name', ({ input, golden: expected }) => {
      const row = { ...unpaired(input), label: true };
      const tokenise = () => tokeniseUnpaired(rowOf('unpaired', row), tokenizer, free)!;
      if (expected.error) return expectRefusal(expected, tokenise);
      if (refusesTools(input)) return expect(tokenise).toThrow(/"tools"/);
      if (isLost(expected, ['chosen'])) return expect(tokenise).toThrow(lostBeginning);
      const { prompt, answer } = tokenise();
      expectPrompt(expected, prompt);
      expectAnswer(expected, 'chosen', answer, marksTurns);
    });

    it.each(cases)('judged: $name', ({ input, golden: expected }) => {
      const tokenise = () => tokeniseJudged(rowOf('judged', input), tokenizer, judging)!;
      if (expected.error) return expectRefusal(expected, tokenise);
      if (refusesTools(input)) return expect(tokenise).toThrow(/"tools"/);
      if (isLost(expected, ['chosen', 'rejected'])) return expect(tokenise).toThrow(lostBeginning);
      const { prompt, answers } = tokenise();
      expectPrompt(expected, prompt);
      for (const [at, name] of (['chosen', 'rejected'] as const).entries()) {
        expectAnswer(expected, name, answers[at]!, marksTurns);
        expect(answers[at]!.reads).toEqual([answers[at]!.tokens.length - 1]);
      }
    });

    it.each(cases)('a completion: $name', ({ input, golden: expected }) => {
      const row = () => rowOf('completion', unpaired(input));
      const tokenise = () => tokeniseExample(row(), tokenizer, supervised)!;
      if (expected.error) return expectRefusal(expected, tokenise);
      if (refusesTools(input)) return expect(tokenise).toThrow(/"tools"/);
      if (isLost(expected, ['chosen'])) return expect(tokenise).toThrow(lostBeginning);
      const { tokens, scored } = tokenise();
      const border = lengthOf(expected.prompt);
      expectPrompt(expected, tokens.slice(0, border));
      expect(scored.slice(0, border)).not.toContain(true);
      const answer = { tokens: tokens.slice(border), scored: scored.slice(border) };
      expectAnswer(expected, 'chosen', answer, marksTurns);
    });

    // A prompt to be answered is never empty.
    const prompts = cases.filter(({ prompt }) => prompt !== '');
    it.each(prompts)('a prompt: $name', ({ input, golden: expected }) => {
      const { chosen: _c, rejected: _r, ...row } = input;
      const tokenise = () =>
        tokenisePrompt(rowOf('prompt', row), tokenizer, { maxPromptLength: null })!;
      // The template may accept the prompt but reject an answer to it.
      if (expected.error) return;
      if (refusesTools(input)) return expect(tokenise).toThrow(/"tools"/);
      const asked = expected.asked ?? expected.prompt;
      expect(writtenAs(asked, tokenise().tokens)).toEqual(asked);
    });
  });

  it.each(
    inputs.texts.map((input, at) => ({ ...input, input, ids: golden.texts[at]!.ids })),
  )('a text: $name', ({ input, ids }) => {
    const { tokens, scored } = tokeniseExample(rowOf('text', input), tokenizer, supervised)!;
    expect(tokens).toEqual(ids);
    expect(scored).not.toContain(false);
  });
});

// Keel joins the parts of a content, drops null calls and parses arguments given as JSON text
// before a template sees them. It accepts rows that templates reject, and renders parsed arguments
// where templates would print quoted text.
const readOtherwise = new Set(['null calls', 'parts', 'arguments as text']);
// For gemma3 no turn marks are known, and a token of the whole crosses the border of a turn.
const taken = (family: string, name: string): boolean =>
  readOtherwise.has(name) || (family === 'gemma3' && name === 'thoughts in several turns');

/** The error for an answer that continues a start that the template renders differently. */
const lostBeginning = /start of an answer/;
const isLost = ({ merged }: GoldenPair, names: readonly ('chosen' | 'rejected')[]): boolean =>
  merged !== undefined && names.some((name) => merged[name] === null);

/**
 * An answer that would follow an answer is rejected, or joined to the start that it continues.
 */
function expectRefusal({ merged }: GoldenPair, tokenise: () => unknown): void {
  if (!merged) expect(tokenise).toThrow();
}

function expectPrompt({ prompt }: GoldenPair, tokens: number[]): void {
  expect(writtenAs(prompt, tokens)).toEqual(prompt);
}

function expectAnswer(
  expected: GoldenPair,
  name: keyof Answers<unknown>,
  { tokens, scored }: ScoredSequence,
  marksTurns: boolean,
): void {
  const ids = expected[name];
  if (ids === undefined) return;
  const merged = expected.merged?.[name] ?? ids;
  const asMerged = JSON.stringify(writtenAs(merged, tokens)) === JSON.stringify(merged);
  if (!asMerged) expect(writtenAs(ids, tokens)).toEqual(ids);
  const runs = expected.scored?.[name];
  if (runs === undefined) expect(scored).not.toContain(false);
  else if (runs !== null && marksTurns) {
    // The template's own marks include the header of each turn, which is not part of the answer in
    // pairs.
    expect(runsOf(scored).map(([, end]) => end)).toEqual(runs.map(([, end]) => end));
  } else if (runs !== null) expect(runsOf(scored)).toEqual(runs);
}
