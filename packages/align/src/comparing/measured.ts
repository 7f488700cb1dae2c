// What was measured of one model on the held-out pairs and prompts: the file
// evaluation/<name>.json.
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic-write.ts';

const numbers = z.array(z.number());

const pairs = z.object({
  /** [P] places in the held-out data; those that fit the maximum length */
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
});

const answer = z.object({
  /** Place of its prompt in the held-out data. */
  row: z.number(),
  /** What was asked: the prompt's text, or its last message. */
  prompt: z.string(),
  text: z.string(),
  tokens: z.number(),
  /** Whether it came to its end, and was not cut off. */
  ended: z.boolean(),
  /** log p(answer | model) - log p(answer | reference), in nats */
  k1: z.number(),
  /** Sum over tokens of r - 1 - log r with r = p(token | reference) / p(token | model) */
  k3: z.number(),
  /** null without a reward. */
  score: z.number().nullable(),
});

const measured = z.object({
  version: z.literal(1),
  /** What it was measured of, on and with: where it is the same, so are the numbers. */
  key: z.record(z.string(), z.unknown()),
  pairs,
  answers: z.array(answer),
});

export type MeasuredPairs = z.output<typeof pairs>;
export type MeasuredAnswer = z.output<typeof answer>;
/** What was measured of a model. */
export type Measured = Omit<z.output<typeof measured>, 'version' | 'key'>;
export type MeasuredKey = z.output<typeof measured>['key'];

/**
 * @returns null where nothing was measured, or of something else; a damaged file is measured again
 */
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
  const { pairs, answers } = parsed.data;
  return { pairs, answers };
}

export function writeMeasured(path: string, key: MeasuredKey, found: Measured): void {
  writeFileAtomic(path, `${JSON.stringify({ version: 1, key, ...found })}\n`);
}
