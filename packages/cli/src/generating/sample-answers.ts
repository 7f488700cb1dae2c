// Samples answers into a file of rows. Finished prompts are saved next to it, so that the same
// command resumes; the rows do not depend on where it was stopped.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { readConstraint } from '@keel/align/config';
import {
  claimOutput,
  exactJson,
  fillFileAtomic,
  hashAdapter,
  hiddenNotice,
  hiddenToken,
  Journal,
  samplingIdentity,
  writeFully,
} from '@keel/align/internal';
import { generateAll } from '@keel/model';
import { parseExactJson } from '@keel/model/exact-json';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { answerRow } from './answer-rows.ts';
import type { AskedPrompts } from './ask-prompts.ts';
import { samplingOptions } from './sampling.ts';

/** The answers to a prompt, in order; null for an empty one. */
interface PromptAnswers {
  rows: (Record<string, unknown> | null)[];
}

export interface SampledAnswers {
  interrupted: boolean;
  /** Finished answers, including those of an earlier command. */
  done: number;
  /** Rows in the file; 0 if it was interrupted. */
  rows: number;
  /** Empty answers, which no verb accepts and the file does not have. */
  empty: number;
  /** Answers that reached the maximum length. */
  cutOff: number;
  /** Mean answer length in tokens; null without answers. */
  length: number | null;
}

export interface SamplingHooks {
  signal?: AbortSignal | undefined;
  onNotice?(text: string): void;
  /** Finished answers out of `total`, including those of an earlier command. */
  onProgress?(done: number, total: number): void;
}

type Settings = GenerateVerbOptions & { output: string };

/**
 * @throws Error if the output exists already, its unfinished job has other settings, or another
 *   process writes to it
 */
export async function sampleAnswers(
  asked: AskedPrompts,
  options: Settings,
  hooks: SamplingHooks = {},
): Promise<SampledAnswers> {
  const { output, overwrite, batchSize, samples } = options;
  refuseExisting(output, overwrite);
  using owned = new DisposableStack();
  const { onNotice: notice } = hooks;
  claimOutput(output, dirname(output), { dryRun: false, owned, notice });
  const { model, tokens, constraints } = asked;
  // A few times the batch size, so that the batch is full most of the time.
  const chunk = Math.max(1, Math.ceil((4 * batchSize) / samples));
  const journal = Journal.open<PromptAnswers>(output, await identityOf(asked, options), {
    ...{ chunk, prompts: tokens.length, overwrite },
    parse: (text) => parseExactJson(text) as PromptAnswers,
  });
  if (journal.length > 0) notice?.(`Resuming after ${journal.length} prompts (${journal.path})`);
  const total = tokens.length * samples;
  const report = (current: number): void =>
    hooks.onProgress?.(journal.length * samples + current, total);
  report(0);
  let hidden: string | null = null;
  while (journal.length < tokens.length) {
    const from = journal.length;
    let done = 0;
    const results = await generateAll(model, tokens.slice(from, from + chunk), {
      ...{ ...samplingOptions(options), samplesPerPrompt: samples, batchSize },
      ...{ adapter: asked.adapter, firstIndex: from },
      promptConstraints: constraints.slice(from, from + chunk),
      ...(hooks.signal && { signal: hooks.signal }),
      onEvent: (event) => event.type === 'done' && report(++done),
    });
    if (results.some(({ finishReason }) => finishReason === 'aborted')) break;
    for (const { tokens: said } of results) hidden ??= hiddenToken(said, model.tokenizer);
    journal.append(linesOf(results, from, asked));
    report(0);
    if (hooks.signal?.aborted) break;
  }
  if (hidden !== null) notice?.(hiddenNotice(hidden));
  if (journal.length < tokens.length) {
    const done = journal.length * samples;
    return { interrupted: true, done, rows: 0, empty: 0, cutOff: 0, length: null };
  }
  const written = finish(journal, output);
  journal.remove();
  return { interrupted: false, done: total, ...written };
}

/** @throws Error if the file exists and is not to be replaced */
export function refuseExisting(path: string, overwrite: boolean): void {
  if (overwrite || !existsSync(path)) return;
  throw new Error(`${path}: exists already. Pass --overwrite to replace it, or another --output`);
}

function linesOf(
  results: Awaited<ReturnType<typeof generateAll>>,
  from: number,
  { rows, parts }: AskedPrompts,
): PromptAnswers[] {
  const lines: PromptAnswers[] = [];
  for (const result of results) {
    const promptIndex = from + result.promptIndex;
    const row = answerRow(rows[promptIndex]!, { ...result, promptIndex }, parts);
    lines[result.promptIndex] ??= { rows: [] };
    lines[result.promptIndex]!.rows[result.sampleIndex] = result.text === '' ? null : row;
  }
  return lines;
}

/** Writes the rows from the journal. */
function finish(
  journal: Journal<PromptAnswers>,
  output: string,
): Pick<SampledAnswers, 'rows' | 'empty' | 'cutOff' | 'length'> {
  let [written, empty, cutOff, length] = [0, 0, 0, 0];
  fillFileAtomic(output, (descriptor) => {
    for (const { rows } of journal.read()) {
      for (const row of rows) {
        if (row === null) {
          empty += 1;
          continue;
        }
        written += 1;
        length += Number(row.tokens);
        if (row.finish_reason === 'length') cutOff += 1;
        writeFully(descriptor, `${exactJson(row)}\n`);
      }
    }
  });
  return { rows: written, empty, cutOff, length: written === 0 ? null : length / written };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Everything that the rows depend on. */
async function identityOf(
  { model, tokens, rows }: AskedPrompts,
  options: Settings,
): Promise<Record<string, string | number | null>> {
  const { adapter, samples, batchSize, precision } = options;
  const prompts = sha256(exactJson([tokens, rows]));
  const constraint = readConstraint(options);
  return {
    'the prompts': prompts,
    '--model': await model.hash(),
    '--adapter': adapter && hashAdapter(adapter),
    '--samples': samples,
    ...samplingIdentity(samplingOptions(options)),
    'the constraint': constraint === null ? null : sha256(exactJson(constraint)),
    '--batch-size': batchSize,
    '--precision': precision,
    '--device': model.device,
  };
}
