// The answers of an online run before and after, from its samples.jsonl.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PromptRow } from '@keel/align/data';
import type { SampleLine } from '@keel/align/internal';
import { parseExactJson } from '@keel/model/exact-json';
import { type AnswerRow, promptKey } from '../../judging/answers/answer-row.ts';
import { assistantTurn } from '../../judging/answers/read-answers.ts';
import { promptColumns } from './prompt-columns.ts';
import { type CoursePoint, courseOf } from './run-course.ts';

export interface RunSamples {
  before: AnswerRow[];
  after: AnswerRow[];
  /** Which answers these are, for people. */
  about: string;
  /** All evaluations of a run; empty without held-out prompts. */
  course: CoursePoint[];
  /** Why columns of prompts are not known; null: all are. */
  noColumns: string | null;
}

type Placed = SampleLine & { line: number };

/** Evaluations to compare, by the optimizer steps before them; null: the first, and the last. */
export interface ComparedSteps {
  since: number | null;
  until: number | null;
}

/**
 * Held-out answers at two evaluations. Without held-out prompts, the first and the last answers to
 * each prompt that was trained on more than once.
 * @throws Error if the folder has no such answers, or a line is damaged
 */
export async function readRunSamples(
  run: string,
  { since, until }: ComparedSteps = { since: null, until: null },
): Promise<RunSamples> {
  const path = join(run, 'samples.jsonl');
  if (!existsSync(path)) {
    throw new Error(
      `--run ${run}: there is no samples.jsonl. Pass the folder of a run that samples answers, such as one of keel grpo, or two files of answers`,
    );
  }
  const lines = readLines(path);
  const heldOut = lines.filter(({ held_out }) => held_out === true);
  const steps = [...new Set(heldOut.map(({ step }) => step))];
  for (const [name, step] of [['--since', since] as const, ['--until', until] as const]) {
    if (step === null || steps.includes(step)) continue;
    throw new Error(
      `${name} ${step}: ${run} has no held-out answers of this step. ${steps.length === 0 ? 'It has none at all: train with --eval-data' : `There are those of ${steps.join(', ')}`}`,
    );
  }
  const [first, last] = [since ?? steps[0] ?? null, until ?? steps.at(-1) ?? null];
  if (first !== null && last !== null && first > last) {
    throw new Error(`--since ${first} is after --until ${last}. Pass an earlier step`);
  }
  if (first !== last) {
    const [before, after] = [first, last].map((step) =>
      heldOut.filter((line) => line.step === step),
    );
    // A run that was resumed with fewer held-out rows has answers without a partner.
    const shared = (all: readonly Placed[], others: readonly Placed[]) => {
      const known = new Set(others.map(({ prompt }) => promptKey(prompt)));
      return all.filter(({ prompt }) => known.has(promptKey(prompt)));
    };
    return {
      ...(await answersOf(run, path, [shared(before!, after!), shared(after!, before!)], true)),
      about: `held-out prompts, after ${first} and after ${last} steps`,
      course: courseOf(heldOut),
    };
  }
  if (since !== null || until !== null) {
    throw new Error(
      `there is nothing between steps ${first} and ${last}. Pass two different steps`,
    );
  }
  const repeated = [...Map.groupBy(lines, ({ prompt }) => promptKey(prompt)).values()].flatMap(
    (own) => {
      const [start, end] = ends(own);
      return start === end ? [] : [{ own, start, end }];
    },
  );
  if (repeated.length === 0) {
    throw new Error(
      `--run ${run}: no prompt was answered twice, so there is no before and after. Train with --eval-data, or answer the same prompts with keel generate before and after, and pass both files`,
    );
  }
  const before = repeated.flatMap(({ own, start }) => own.filter(({ step }) => step === start));
  const after = repeated.flatMap(({ own, end }) => own.filter(({ step }) => step === end));
  return {
    ...(await answersOf(run, path, [before, after], false)),
    about: 'the first and the last answers to each training prompt',
    course: [],
  };
}

/** The first and the last step of lines, which are in the order of their steps. */
const ends = (lines: readonly Placed[]): [first: number | null, last: number | null] => [
  lines[0]?.step ?? null,
  lines.at(-1)?.step ?? null,
];

function readLines(path: string): Placed[] {
  const texts = readFileSync(path, 'utf8').split('\n');
  // After the last newline there is nothing, or the line of a writer that was killed.
  texts.pop();
  return texts.map((text, index) => {
    try {
      return { ...(parseExactJson(text) as SampleLine), line: index + 1 };
    } catch (cause) {
      throw new Error(
        `${path}:${index + 1}: is not a JSON object, so the file is damaged. Remove the line, or restore the file`,
        { cause },
      );
    }
  });
}

async function answersOf(
  run: string,
  path: string,
  sides: readonly [before: readonly Placed[], after: readonly Placed[]],
  heldOut: boolean,
): Promise<Omit<RunSamples, 'about' | 'course'>> {
  const columns = await promptColumns(run, heldOut);
  const [before, after] = sides.map((lines) =>
    lines.map((line) => answerOf(path, line, columns.rowOf(line))),
  );
  const isKnown = [...before!, ...after!].every((row) => row.columns !== undefined);
  return { before: before!, after: after!, noColumns: isKnown ? null : columns.why };
}

function answerOf(
  file: string,
  { line, prompt, completion, ...others }: Placed,
  row: PromptRow | null,
): AnswerRow {
  const { reward, gold, aspects, ended } = others;
  return {
    place: { file, line },
    prompt,
    answer: typeof prompt === 'string' ? completion : assistantTurn(completion),
    model: null,
    extra: { reward, ended, ...(gold !== undefined && { gold }), ...(aspects && { aspects }) },
    ...(row && { columns: row.extra, ...(row.rendering && { rendering: row.rendering }) }),
  };
}
