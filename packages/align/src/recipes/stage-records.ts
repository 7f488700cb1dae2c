// What a recipe's folder remembers of its stages: stages.json.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dictionary } from '@keel/model';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic-write.ts';

const files = z.array(z.object({ name: z.string(), sha256: z.string() }));

const identity = z.object({
  verb: z.string(),
  /** By YAML key; those that name files count by the files' content. */
  options: z.record(z.string(), z.unknown()),
  /** By the YAML key that named them: files' content, and results of earlier stages. */
  inputs: z.record(z.string(), files),
  /** Versions of Keel, LibTorch and kernels. */
  code: z.string(),
});

const headline = z.object({
  label: z.string(),
  unit: z.enum(['share', 'number']),
  better: z.enum(['higher', 'lower']).nullable(),
  before: z.number().nullable(),
  after: z.number(),
  /** 95% interval of the difference */
  difference: z.tuple([z.number(), z.number()]).readonly().optional(),
  note: z.string().optional(),
});

const record = z.object({
  identity,
  /** ISO 8601 */
  began: z.string(),
  /** Of all calls that worked on it. */
  seconds: z.number(),
  /** null until it is finished. */
  result: z
    .object({
      /** SHA-256 of the files of final/. */
      sha256: z.string(),
      step: z.number(),
      ended: z.string(),
      headlines: z.array(headline),
    })
    .nullable(),
});

const schema = z.object({
  version: z.literal(1),
  /** The date that chat templates print in all stages. */
  template_date: z.string().optional(),
  stages: z.record(z.string(), record),
});

/** What a stage is made of. Where it is the same, so is the result. */
export type StageIdentity = z.output<typeof identity>;
export type StageRecord = z.output<typeof record>;
export type StageRecords = Record<string, StageRecord>;

const pathOf = (output: string): string => join(output, 'stages.json');

/** What stages.json has. */
export interface StageFile {
  stages: StageRecords;
  /** null where none was recorded. */
  templateDate: string | null;
}

/**
 * Records by the stages' names; none where the recipe was not begun in this folder.
 * @throws Error where the file is damaged
 */
export const readStageRecords = (output: string): StageRecords => readStageFile(output).stages;

/** As {@link readStageRecords}, with what all stages share. */
export function readStageFile(output: string): StageFile {
  const path = pathOf(output);
  if (!existsSync(path)) return { stages: dictionary(), templateDate: null };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: is no JSON: ${(cause as Error).message}. ${advice}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) {
    return {
      stages: dictionary(parsed.data.stages),
      templateDate: parsed.data.template_date ?? null,
    };
  }
  const [issue] = parsed.error.issues;
  throw new Error(
    `${path}: ${issue?.path.join('.')}: ${issue?.message}: it is not what Keel writes. ${advice}`,
  );
}

const advice = 'Put it back, or give --overwrite, which begins all stages anew';

export function writeStageRecords(
  output: string,
  stages: StageRecords,
  templateDate: string,
): void {
  const content = { version: 1, template_date: templateDate, stages } satisfies z.output<
    typeof schema
  >;
  writeFileAtomic(pathOf(output), `${JSON.stringify(content, null, 2)}\n`);
}
