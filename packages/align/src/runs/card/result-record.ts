// keel.json in a result's folder records what the result was made from. Model cards are written
// from it, and later stages and `keel merge` copy it to their results.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../files/atomic-write.ts';

const FILE = 'keel.json';

const interval = z.tuple([z.number(), z.number()]);
const estimate = z.object({ value: z.number(), interval: interval.optional() });

const dataSchema = z.object({
  /** The file's name without its folder, or hub:owner/name. */
  name: z.string(),
  sha256: z.string(),
});

const stageSchema = z.object({
  keel: z.string(),
  verb: z.string(),
  objectives: z.array(z.string()),
  lora: z.boolean(),
  steps: z.number(),
  data: z.array(dataSchema),
  rows: z.number(),
  heldOut: z.object({ data: z.array(dataSchema), rows: z.number() }).nullable(),
  /** Options that differ from their defaults, by YAML key, as text. */
  options: z.record(z.string(), z.string()),
  headlines: z.array(
    z.object({
      label: z.string(),
      unit: z.enum(['share', 'count', 'number']),
      before: estimate.nullable(),
      after: estimate,
      difference: interval.optional(),
      note: z.string().optional(),
    }),
  ),
});

const schema = z.object({
  version: z.literal(1),
  /** What the folder contains. */
  kind: z.enum(['adapter', 'model']),
  use: z.enum(['language model', 'reward model']),
  base: z.object({
    /** Its name in Keel. */
    name: z.string(),
    /** On the hub; null for a local model. */
    repository: z.string().nullable(),
    sha256: z.string(),
    /** Whether it is a GGUF file, which PEFT cannot load as a base. */
    gguf: z.boolean(),
  }),
  /** The model that the first stage started from. */
  origin: z.string(),
  /** Whether an adapter was merged into the weights. */
  merged: z.boolean(),
  /** From the first run on the base to the one whose result this is. */
  stages: z.array(stageSchema),
});

export type ResultRecord = z.output<typeof schema>;
export type StageRecord = z.output<typeof stageSchema>;

export const writeResultRecord = (folder: string, record: ResultRecord): void =>
  writeFileAtomic(join(folder, FILE), `${JSON.stringify(record, null, 2)}\n`);

/** null if there is none or it cannot be read, because no result depends on it. */
export function readResultRecord(folder: string): ResultRecord | null {
  const path = join(folder, FILE);
  if (!existsSync(path)) return null;
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
