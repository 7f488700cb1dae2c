// stages.json: the state of a recipe's stages.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dictionary } from '@keel/model';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic-write.ts';

const files = z.array(z.object({ name: z.string(), sha256: z.string() }));

const identity = z.object({
  verb: z.string(),
  /** By YAML key, without options that name files: those are in `inputs`. */
  options: z.record(z.string(), z.unknown()),
  /** By YAML key: the content of named files, and results of earlier stages. */
  inputs: z.record(z.string(), files),
  /** Versions of Keel, LibTorch and kernels. */
  code: z.string(),
});

const interval = z.tuple([z.number(), z.number()]).readonly();

const headline = z.object({
  label: z.string(),
  unit: z.enum(['share', 'count', 'number']),
  better: z.enum(['higher', 'lower']).nullable(),
  before: z.number().nullable(),
  after: z.number(),
  /** 95% intervals of both */
  before_interval: interval.optional(),
  after_interval: interval.optional(),
  /** 95% interval of the difference */
  difference: interval.optional(),
  doubtful: z.boolean().optional(),
  note: z.string().optional(),
});

const record = z.object({
  identity,
  /** ISO 8601 */
  began: z.string(),
  /** Total over all calls that worked on it. */
  seconds: z.number(),
  /** null until it is finished. */
  result: z
    .object({
      /** SHA-256 of the files of final/, or of a job's results. */
      sha256: z.string(),
      step: z.number(),
      ended: z.string(),
      headlines: z.array(headline),
      /** Of a stage that measures and has a gate. */
      verdict: z.object({ passed: z.boolean(), reasons: z.array(z.string()) }).optional(),
    })
    .nullable(),
});

const schema = z.object({
  version: z.literal(1),
  /** The date that chat templates print in all stages. */
  template_date: z.string().optional(),
  stages: z.record(z.string(), record),
});

/** What determines a stage's result: if it is the same, so is the result. */
export type StageIdentity = z.output<typeof identity>;
export type StageRecord = z.output<typeof record>;
export type StageRecords = Record<string, StageRecord>;

const pathOf = (output: string): string => join(output, 'stages.json');

/** The content of stages.json. */
export interface StageFile {
  stages: StageRecords;
  /** null if none was recorded. */
  templateDate: string | null;
}

/**
 * Records by stage name; none if the recipe has not been run in this folder.
 * @throws Error if the file is damaged
 */
export const readStageRecords = (output: string): StageRecords => readStageFile(output).stages;

/** Like {@link readStageRecords}, with the data that all stages share. */
export function readStageFile(output: string): StageFile {
  const path = pathOf(output);
  if (!existsSync(path)) return { stages: dictionary(), templateDate: null };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: is not valid JSON: ${(cause as Error).message}. ${advice}`, {
      cause,
    });
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
    `${path}: ${issue?.path.join('.')}: ${issue?.message}: Keel did not write this. ${advice}`,
  );
}

const advice = 'Restore the file, or pass --overwrite to run all stages again';

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
