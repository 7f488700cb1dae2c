// One model's measurements on the held-out pairs and prompts: the file evaluation/<name>.json.
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic-write.ts';

const numbers = z.array(z.number());

const pairs = z.object({
  /** [P] indices of rows in the held-out data that fit the maximum length */
  rows: numbers,
  /**
   * [P] log p(answer | prompt) in nats, under the model and under the reference, and scored tokens
   */
  chosen: numbers,
  rejected: numbers,
  referenceChosen: numbers,
  referenceRejected: numbers,
  tokensChosen: numbers,
  tokensRejected: numbers,
  /** [P] probability that chosen is the better answer; absent if all labels are certain */
  probabilities: numbers.optional(),
});

const answer = z.object({
  /** Index of its prompt's row in the held-out data. */
  row: z.number(),
  /** The prompt's text, or its last message. */
  prompt: z.string(),
  text: z.string(),
  tokens: z.number(),
  /** Whether it finished, rather than being cut off. */
  ended: z.boolean(),
  /** log p(answer | model) - log p(answer | reference), in nats */
  k1: z.number(),
  /** Sum over tokens of r - 1 - log r with r = p(token | reference) / p(token | model) */
  k3: z.number(),
  /** null without a reward. */
  score: z.number().nullable(),
});

const suiteMetric = z.object({
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]).readonly(),
  unit: z.enum(['share', 'number']),
  better: z.enum(['higher', 'lower']),
});

const measured = z.object({
  version: z.literal(1),
  /**
   * Identifies the model, data and settings of the measurement: with the same key, the numbers are
   * the same.
   */
  key: z.record(z.string(), z.unknown()),
  pairs,
  answers: z.array(answer),
  /** By `task/metric`; empty without --eval-suites. */
  suites: z.record(z.string(), suiteMetric).default({}),
});

export type MeasuredPairs = z.output<typeof pairs>;
export type MeasuredAnswer = z.output<typeof answer>;
/** A model's measurements. */
export type Measured = Omit<z.output<typeof measured>, 'version' | 'key'>;
export type MeasuredKey = z.output<typeof measured>['key'];

/** @returns null if there is no measurement with this key; a damaged file counts as none */
export function readMeasured(path: string, key: MeasuredKey): Measured | null {
  if (!existsSync(path)) return null;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
  const parsed = measured.safeParse(json);
  if (!parsed.success || JSON.stringify(parsed.data.key) !== JSON.stringify(key)) return null;
  const { pairs, answers, suites } = parsed.data;
  return { pairs, answers, suites };
}

export function writeMeasured(path: string, key: MeasuredKey, found: Measured): void {
  writeFileAtomic(path, `${JSON.stringify({ version: 1, key, ...found })}\n`);
}
