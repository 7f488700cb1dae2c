// What a model computes, recorded before it is written, and compared with what the written file
// computes.
import { generateAll, type LanguageModel, type Role, type Tokenizer } from '@keel/model';
import { compareProbes, type Probe, probeOf } from '../merging/probe.ts';
import { checkTexts } from './check-texts.ts';

const GREEDY_TOKENS = 64;
const QUESTION = 'Which animals can fly, and what do they eat? Explain it to a child.';

export interface Evidence {
  texts: string[];
  /** Token ids of each text. */
  ids: number[][];
  probe: Probe;
  /** null for a reward model. */
  greedy: Greedy | null;
}

interface Greedy {
  prompt: number[];
  tokens: number[];
  /** How far the most likely token is ahead of the second, in logits, at each token. */
  margins: number[];
}

/** What comparing found. */
export interface ExportChecks {
  /** Texts with the same token ids. */
  texts: { same: number; of: number };
  /** Mean KL divergence of the next token's distribution, in nats; null for a reward model. */
  kl: number | null;
  /** Tokens after which the most likely next token is the same; null for a reward model. */
  sameTop: { count: number; of: number } | null;
  /** The largest difference of a head's score; null for a language model. */
  score: number | null;
  /** Greedy tokens that are the same from the start; null for a reward model. */
  greedy: { same: number; of: number; margin: number | null } | null;
}

/** @param role the role to compute in */
export async function evidenceOf(model: LanguageModel, role: Role): Promise<Evidence> {
  const texts = checkTexts(model.tokenizer);
  const ids = texts.map((text) => model.tokenizer.encode(text));
  const probe = probeOf(model, role);
  const greedy = probe.scores ? null : await greedyOf(model, role, promptOf(model));
  return { texts, ids, probe, greedy };
}

/**
 * Computes the same with what was written.
 * @param tokenizer the written one, if the model has another
 */
export async function compareEvidence(
  expected: Evidence,
  model: LanguageModel,
  role: Role,
  tokenizer: Tokenizer = model.tokenizer,
): Promise<ExportChecks> {
  const same = expected.texts.filter((text, index) =>
    equal(tokenizer.encode(text), expected.ids[index]!),
  ).length;
  const found = compareProbes(expected.probe, probeOf(model, role, expected.probe.tokens));
  return {
    texts: { same, of: expected.texts.length },
    ...found,
    greedy: expected.greedy === null ? null : await compareGreedy(expected.greedy, model, role),
  };
}

async function compareGreedy(expected: Greedy, model: LanguageModel, role: Role) {
  const tokens = await greedyTokens(model, role, expected.prompt, expected.tokens.length);
  const first = expected.tokens.findIndex((token, index) => token !== tokens[index]);
  const same = first < 0 ? expected.tokens.length : first;
  const margin = first < 0 ? null : expected.margins[first]!;
  return { same, of: expected.tokens.length, margin };
}

const equal = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((id, index) => id === other[index]);

function promptOf({ tokenizer, decoder }: LanguageModel): number[] {
  const { maxPositions, vocabularySize } = decoder.config;
  const ids = tokenizer.encode(chatOf(tokenizer) ?? QUESTION);
  const room = Math.max(1, maxPositions - GREEDY_TOKENS);
  const known = ids.filter((id) => id < vocabularySize).slice(-room);
  return known.length > 0 ? known : [0];
}

function chatOf({ chatTemplate }: LanguageModel['tokenizer']): string | null {
  if (chatTemplate === null) return null;
  try {
    const messages = [{ role: 'user', content: QUESTION }];
    return chatTemplate.render(messages, { addGenerationPrompt: true });
  } catch {
    // A template may demand more than a question; the plain text serves as well.
    return null;
  }
}

async function greedyOf(model: LanguageModel, role: Role, prompt: number[]): Promise<Greedy> {
  const room = model.decoder.config.maxPositions - prompt.length;
  const tokens = await greedyTokens(model, role, prompt, Math.min(GREEDY_TOKENS, room));
  const { values, rows } = probeOf(model, role, [...prompt, ...tokens]);
  const width = values.length / rows;
  const margins = tokens.map((_, index) => {
    const row = prompt.length - 1 + index;
    return lead(values.subarray(row * width, (row + 1) * width));
  });
  return { prompt, tokens, margins };
}

async function greedyTokens(
  model: LanguageModel,
  role: Role,
  prompt: number[],
  count: number,
): Promise<number[]> {
  if (count < 1) return [];
  const [result] = await generateAll(model, [prompt], {
    ...{ temperature: 0, maxNewTokens: count, stopTokenIds: [] },
    adapter: role === 'reference' ? null : role,
  });
  return result!.tokens;
}

/** The largest value minus the second largest. */
function lead(values: Float32Array): number {
  let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value > first) [first, second] = [value, first];
    else if (value > second) second = value;
  }
  return first - second;
}
