// `keel best-of-n`: best-of-n sampling (Stiennon et al. 2020, arXiv:2009.01325; WebGPT, Nakano et
// al. 2021, arXiv:2112.09332). Samples n answers to each prompt and ranks them by a reward. Nothing
// is trained.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadAdapter, loadModel, type Role, resolveDevice, resolvePrecision } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { setThreads, threads } from '@keel/torch';
import { answerConstraint } from '../../answering/answer-constraint.ts';
import { rowsOf } from '../../config/row-options.ts';
import {
  completeDate,
  dateNotice,
  localNow,
  templateSettings,
} from '../../config/template-options.ts';
import { carriedBeside, droppedNotice } from '../../data/carried-columns.ts';
import { rowMarkFault } from '../../data/dropped-columns.ts';
import { openRows } from '../../data/open-rows.ts';
import type { PromptRow, Row } from '../../data/rows.ts';
import { writeFully } from '../../files/append-whole.ts';
import { fillFileAtomic } from '../../files/atomic-write.ts';
import { checkReward, openReward } from '../../rewards/open-reward.ts';
import { Journal } from '../../runs/journal.ts';
import { claimOutput } from '../../runs/sampling-job.ts';
import { modelFacts } from '../../training/run-plan.ts';
import type { BestOfNHooks, BestOfNOptions } from './best-of-n-options.ts';
import { jobIdentity } from './job-identity.ts';
import { SampleJob } from './sample-job.ts';
import {
  isCutRow,
  type JournalLine,
  parseLine,
  rowOfForm,
  writtenColumns,
} from './sampled-prompt.ts';
import { type BestOfNSummary, BestOfNTally } from './summary.ts';

/** The result of sampling n answers to each prompt. */
export interface BestOfNResult {
  output: string;
  interrupted: boolean;
  /** Prompts that are sampled and scored. */
  done: number;
  /** Rows of the output, without prompts whose answers make no row (--write). */
  rows: number;
  /** Rows with an answer that was cut off: training refuses them. */
  cutOff: number;
  /** null if it was interrupted, or a dry run. */
  summary: BestOfNSummary | null;
}

/**
 * @throws DataError, CheckpointError, ConfigError, Error if data, model or reward are invalid, the
 *   output exists already, the journal belongs to another job, or another process is sampling into
 *   it
 */
export async function runBestOfN(
  asked: BestOfNOptions,
  hooks: BestOfNHooks = {},
): Promise<BestOfNResult> {
  const options = withJobDate(asked);
  const { output, overwrite, numGenerations: n, dryRun = false } = options;
  refuseExisting(options);
  if (options.threads !== null) setThreads(options.threads);
  if (options.unsafeCode) {
    hooks.onNotice?.('--unsafe-code: code in answers runs with all rights of this user');
  }
  const dropped = new Set<string>();
  const refuse = (row: Row): ReturnType<typeof rowMarkFault> => {
    const { prompt, extra } = row as PromptRow;
    for (const name of carriedBeside(prompt, extra, writtenColumns).dropped) dropped.add(name);
    return rowMarkFault(row);
  };
  await using rows = await openRows(options.data, {
    ...{ ...rowsOf(options), kind: 'prompt', refuse },
  });
  if (rows.badRowCount > 0) hooks.onNotice?.(`${rows.badRowCount} bad rows are skipped`);
  if (dropped.size > 0) hooks.onNotice?.(droppedNotice([...dropped]));
  await checkReward(options.reward);
  using owned = new DisposableStack();
  claimOutput(output, dirname(output), { dryRun, owned, notice: hooks.onNotice });
  // Another process may have finished in the meantime.
  if (!dryRun) refuseExisting(options);
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision, device, false);
  const template = templateSettings(options, options.adapter);
  const model = await loadModel(options.model, { precision, device, template });
  owned.defer(() => model.dispose());
  // A fault in it is reported before anything is sampled.
  if (options.constraint) await answerConstraint(model, options.constraint, []);
  const dated = dateNotice(model.tokenizer.chatTemplate, template);
  if (dated !== null) hooks.onNotice?.(dated);
  const role: Role = options.adapter === null ? 'reference' : 'adapter';
  if (options.adapter !== null) loadAdapter(model.decoder, options.adapter, role);
  await using reward = await openReward(options.reward, {
    base: model,
    emptyAnswers: 'score',
    tokenizer: options.model,
    precision,
    device: model.device as 'cpu',
    unsafeCode: options.unsafeCode,
    now: template.now,
    calls: { concurrency: options.rewardConcurrency, timeout: options.rewardTimeout },
  });
  // A few times the batch size, so that the batch is full most of the time.
  const chunk = Math.max(1, Math.ceil((4 * options.batchSize) / n));
  const identity = await jobIdentity(options, rows, { model, precision });
  const how = { chunk, prompts: rows.length, overwrite, parse: parseLine };
  hooks.onPlan?.({
    ...{ model: modelFacts(model), adapter: options.adapter, prompts: rows.length, answers: n },
    ...{ reward: reward.name, precision, device: model.device, threads: threads() },
    done: Journal.done(output, identity, how),
  });
  if (dryRun) return { output, interrupted: false, done: 0, rows: 0, cutOff: 0, summary: null };
  const journal = Journal.open(output, identity, how);
  const job = new SampleJob({ options, hooks, rows, model, role, reward, journal, chunk });
  if (!(await job.sample())) {
    return { output, interrupted: true, done: journal.length, rows: 0, cutOff: 0, summary: null };
  }
  const { summary, ...written } = finish(journal, options);
  journal.remove();
  return { output, interrupted: false, done: journal.length, ...written, summary };
}

/**
 * Options with the date that chat templates print: a resumed job keeps its date if it depends on
 * one.
 */
function withJobDate(options: BestOfNOptions): BestOfNOptions {
  const { templateDate = null, output, overwrite } = options;
  const saved = overwrite ? null : Journal.identityOf(output)?.['--template-date'];
  const date = templateDate === null ? null : completeDate(templateDate);
  return { ...options, templateDate: date ?? (typeof saved === 'string' ? saved : localNow()) };
}

function refuseExisting({ output, overwrite }: BestOfNOptions): void {
  if (overwrite || !existsSync(output)) return;
  throw new Error(`${output} already exists. Pass --overwrite, or choose another --output`);
}

/** Writes the output from the journal. */
function finish(
  journal: Journal<JournalLine>,
  { output, write, numGenerations }: BestOfNOptions,
): Pick<BestOfNResult, 'rows' | 'cutOff'> & { summary: BestOfNSummary } {
  const tally = new BestOfNTally(numGenerations);
  let [rows, cutOff] = [0, 0];
  fillFileAtomic(output, (descriptor) => {
    for (const line of journal.read()) {
      if ('left_out' in line) {
        tally.addLeftOut(line);
        continue;
      }
      tally.add(line);
      const row = rowOfForm(line, write);
      if (row === null) continue;
      rows += 1;
      if (isCutRow(row)) cutOff += 1;
      writeFully(descriptor, `${exactJson(row)}\n`);
    }
  });
  return { rows, cutOff, summary: tally.summary() };
}
