// Compares the answers of two models by a judge.
import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { claimFolder, writeFileAtomic } from '@keel/align/internal';
import type { ComparisonFile } from '../../result-files/judging-file.ts';
import type { AnswerRow } from '../answers/answer-row.ts';
import type { AnsweringSide } from '../answers/answering-side.ts';
import { type ComparedPair, pairAnswers } from '../answers/compared-pair.ts';
import { readAnswers } from '../answers/read-answers.ts';
import { readPairs } from '../answers/read-pairs.ts';
import {
  readPromptRows,
  type SampledAnswer,
  type SamplingSettings,
  sampleAnswers,
} from '../answers/sample-answers.ts';
import { KeyedFile } from '../files/keyed-file.ts';
import { snakeJson, writeJson } from '../files/snake-json.ts';
import { CHECK, judgingReport } from '../report/judging-report.ts';
import { summarise } from '../summary/judging-summary.ts';
import type { JudgingSummary } from '../summary/summary-types.ts';
import { annotationsOf } from '../verdicts/annotations.ts';
import type { VerdictRow } from '../verdicts/verdict-row.ts';
import { askPairs } from './ask-pairs.ts';
import {
  countingSkipped,
  FILES,
  firstOf,
  type JudgingHooks,
  type JudgingOptions,
  type Outcome,
} from './judging-options.ts';
import { type CheckOptions, runCheck } from './run-check.ts';

/** Where the two answers come from. */
export type ComparedSource =
  | { kind: 'answers'; files: readonly [a: string, b: string] }
  /** Preference rows: a is the rejected answer, b the chosen one. */
  | { kind: 'pairs'; files: readonly string[] }
  | {
      kind: 'models';
      sides: readonly [a: AnsweringSide, b: AnsweringSide];
      prompts: readonly string[];
      settings: SamplingSettings;
    };

export interface ComparisonOptions extends JudgingOptions {
  source: ComparedSource;
  /** Names of the models, for rows that do not name them; null: the files' names. */
  names: readonly [a: string, b: string] | null;
  unpaired: 'fail' | 'skip';
  /** Labelled pairs that the judge is checked on first; null: it is not checked. */
  check: Pick<CheckOptions, 'files' | 'reading'> | null;
}

/**
 * @throws DataError for invalid rows and answers without a partner; Error if the output folder has
 *   other verdicts, or the judge cannot be asked (verdicts until then are saved)
 */
export async function runComparison(
  options: ComparisonOptions,
  hooks: JudgingHooks = {},
): Promise<Outcome<JudgingSummary>> {
  const { output, dryRun } = options;
  const nothing = { summary: null, interrupted: !dryRun, output };
  using _ = dryRun ? null : claimFolder(output, hooks.onNotice);
  // Before two models answer for a long time to a judge that cannot be believed.
  const checked = options.check && (await runCheck(checkOf(options, options.check), hooks));
  if (checked?.interrupted) return nothing;
  const pairs = await comparedPairs(options, hooks);
  if (pairs === null) return nothing;
  const rows = await askPairs(pairs, 'comparison', options, hooks, (row) => row);
  if (rows === null) return nothing;
  const summary = summarise(rows, checked?.summary ?? null);
  writeJson(join(output, FILES.annotations), annotationsOf(rows));
  writeSummary(output, summary, rows);
  return { summary, interrupted: false, output };
}

/** The check of the judge: on all labelled pairs, by no category, in a folder of its own. */
const checkOf = (
  options: ComparisonOptions,
  check: NonNullable<ComparisonOptions['check']>,
): CheckOptions => ({
  ...{ ...options, ...check, output: join(options.output, CHECK) },
  ...{ limit: null, category: null },
});

/** Writes the summary and the report. @param asked as for `summaryLines` */
export function writeSummary(
  folder: string,
  summary: JudgingSummary,
  rows: readonly VerdictRow[],
  asked = true,
): void {
  writeJson<ComparisonFile>(join(folder, FILES.summary), snakeJson(summary));
  writeFileAtomic(join(folder, FILES.report), judgingReport(summary, rows, asked));
}

/** The pairs to judge; null if sampling was interrupted. */
async function comparedPairs(
  options: ComparisonOptions,
  hooks: JudgingHooks,
): Promise<readonly ComparedPair[] | null> {
  const { source, limit, unpaired } = options;
  const reading = countingSkipped(options.reading, hooks.onNotice);
  if (source.kind === 'pairs') {
    const pairs = await readPairs(source.files, reading, options);
    reading.report();
    return firstOf(pairs, limit);
  }
  const sides = source.kind === 'answers' ? await fileAnswers(source.files, reading) : null;
  const answers = sides ?? (await sampledAnswers(source as ModelSource, options, hooks));
  reading.report();
  if (answers === null) return null;
  const names = options.names ?? namesOf(source);
  const pairing = pairAnswers(...answers, { ...options, names, unpaired });
  const skipped = pairing.unpaired.flat().length;
  if (skipped > 0) {
    hooks.onNotice?.(`${skipped} answers without an answer of the other side are skipped`);
  }
  return firstOf(pairing.pairs, limit);
}

type ModelSource = Extract<ComparedSource, { kind: 'models' }>;
type BothSides = readonly [a: readonly AnswerRow[], b: readonly AnswerRow[]];

const fileAnswers = async (
  [a, b]: readonly [string, string],
  reading: ReturnType<typeof countingSkipped>,
): Promise<BothSides> => [await readAnswers([a], reading), await readAnswers([b], reading)];

/** Both models' answers, one model after the other. */
async function sampledAnswers(
  { sides, prompts: files, settings }: ModelSource,
  { output, overwrite, reading: how, limit, dryRun }: ComparisonOptions,
  { signal, onNotice, onSampling }: JudgingHooks,
): Promise<BothSides | null> {
  const reading = countingSkipped(how, onNotice);
  const prompts = firstOf(await readPromptRows(files, reading), limit);
  reading.report();
  const plain = prompts.filter(({ prompt }) => typeof prompt === 'string').length;
  if (plain > 0) {
    onNotice?.(
      `${plain} of ${prompts.length} prompts are plain text, which is continued without the chat template. To ask them in a chat, pass --wrap-chat`,
    );
  }
  // Before the first model answers for a long time.
  for (const { adapter } of sides) {
    if (adapter === null || existsSync(adapter)) continue;
    throw new Error(`--adapter ${adapter}: there is no such folder`);
  }
  const answers: (readonly AnswerRow[])[] = [];
  for (const [index, side] of sides.entries()) {
    if (dryRun) {
      answers.push(prompts.map((prompt) => ({ ...prompt, answer: '', model: side.name })));
      continue;
    }
    const name = `answers-${'ab'[index]}.jsonl`;
    const file = new KeyedFile<SampledAnswer>(output, name, { overwrite });
    const rows = await sampleAnswers(side, prompts, settings, file, {
      signal,
      onProgress: (done, total) => onSampling?.(side.name, done, total),
    });
    if (rows === null) return null;
    answers.push(rows);
  }
  return answers as unknown as BothSides;
}

function namesOf(source: Exclude<ComparedSource, { kind: 'pairs' }>): [string, string] {
  if (source.kind === 'models') return [source.sides[0].name, source.sides[1].name];
  const [a, b] = source.files.map((file) => basename(file, extname(file)));
  return a === b ? [source.files[0], source.files[1]] : [a!, b!];
}
