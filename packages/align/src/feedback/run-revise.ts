// `keel revise`: answers prompts, and has the answers criticised and revised under the principles
// of a constitution. Nothing is trained: the result is rows for `keel sft` and `keel dpo`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resolveDevice, resolvePrecision } from '@keel/model';
import { exactJson, parseExactJson } from '@keel/model/exact-json';
import { setThreads, threads } from '@keel/torch';
import { hiddenNotice } from '../batching/hidden-token.ts';
import { rowsOf } from '../config/row-options.ts';
import { completeDate, localNow } from '../config/template-options.ts';
import { carriedColumns, droppedNotice } from '../data/carried-columns.ts';
import { leftOutOfPrompt, rowMarkFault } from '../data/dropped-columns.ts';
import { isChat } from '../data/messages.ts';
import { openRows, type RowSource } from '../data/open-rows.ts';
import type { PromptRow, Row } from '../data/rows.ts';
import { writeFully } from '../files/append-whole.ts';
import { fillFileAtomic, writeFileAtomic } from '../files/atomic-write.ts';
import { Journal } from '../runs/journal.ts';
import { claimOutput, samplingIdentity } from '../runs/sampling-job.ts';
import { modelFacts } from '../training/run-plan.ts';
import type { Constitution } from './constitution.ts';
import { OpenSpeakers } from './open-speakers.ts';
import { constitutionWith, readExamples } from './read-constitution.ts';
import {
  type Lineage,
  PROMPT_VERSION,
  type RevisionParts,
  reviseChunk,
  turnsPerPrompt,
} from './revise.ts';
import type { ReviseHooks, ReviseOptions, ReviseResult } from './revise-options.ts';
import { preferenceRow, supervisedRow, writtenColumns } from './revision-rows.ts';
import { type RevisionSummary, RevisionTally } from './revision-summary.ts';

/** The files of a result, and of a job that has not finished. */
const LINEAGE = 'lineage.jsonl';

/**
 * @throws DataError, CheckpointError, ConfigError, Error if data, a model or the constitution are
 *   invalid, the output exists already, or its unfinished job has other settings
 */
export async function runRevise(
  asked: ReviseOptions,
  hooks: ReviseHooks = {},
): Promise<ReviseResult> {
  const lineage = join(asked.output, LINEAGE);
  const options = withJobDate(asked, lineage);
  const { output, overwrite, rounds, fewShot, dryRun = false } = options;
  if (!overwrite && existsSync(lineage)) {
    throw new Error(`${output} has a result already. Pass --overwrite, or choose another --output`);
  }
  if (options.threads !== null) setThreads(options.threads);
  const constitution = constitutionOf(options);
  const dropped = new Set<string>();
  const refuse = (row: Row): ReturnType<typeof promptFaultOf> => {
    for (const name of carriedColumns(row.extra, writtenColumns).dropped) dropped.add(name);
    return promptFaultOf(row);
  };
  await using rows = await openRows(options.data, {
    ...{ ...rowsOf(options), kind: 'prompt', refuse },
  });
  if (rows.badRowCount > 0) hooks.onNotice?.(`${rows.badRowCount} bad rows are skipped`);
  if (dropped.size > 0) hooks.onNotice?.(droppedNotice([...dropped]));
  using owned = new DisposableStack();
  claimOutput(lineage, output, { dryRun, owned, notice: hooks.onNotice });
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision, device, false);
  const open = new OpenSpeakers(options, { device, precision }, owned);
  const policy = await open.policy();
  const { critic: criticName, reviser: reviserName } = options;
  const critic =
    criticName === null ? policy.speaker : await open.other(criticName, hooks.onNotice);
  const reviser = reviserName === null ? critic : await open.other(reviserName, hooks.onNotice);
  const parts: RevisionParts = {
    ...{ policy: policy.speaker, critic, reviser, template: policy.model.tokenizer.chatTemplate },
    ...{ constitution, rounds, fewShot, seed: options.sampling.seed },
  };
  const identity = await identityOf(options, rows, parts);
  const chunk = options.batchSize;
  const total = Math.min(rows.length, options.limit ?? rows.length);
  const how = {
    ...{ chunk, prompts: total, overwrite },
    parse: (text: string) => parseExactJson(text) as Lineage,
  };
  hooks.onPlan?.({
    ...{ model: modelFacts(policy.model), adapter: options.adapter },
    ...{ critic: parts.critic.name, reviser: parts.reviser.name, rounds },
    constitution: {
      ...{ name: constitution.name, version: constitution.version },
      principles: constitution.critiques.length,
      examples: fewShot ? constitution.examples.length : 0,
    },
    ...{ prompts: total, done: Journal.done(lineage, identity, how) },
    ...{ precision, device, threads: threads() },
  });
  if (dryRun) return { output, interrupted: false, done: 0, summary: null };
  const journal = Journal.open(lineage, identity, how);
  if (!(await reviseAll(rows, parts, { journal, chunk, total, hooks }))) {
    return { output, interrupted: true, done: journal.length, summary: null };
  }
  const summary = finish(journal, output);
  journal.remove();
  return { output, interrupted: false, done: journal.length, summary };
}

/** What revising cannot use: text beside the prompt, and an answer that is already begun. */
function promptFaultOf(row: Row): ReturnType<typeof leftOutOfPrompt> {
  const { prompt } = row as PromptRow;
  if (isChat(prompt) && prompt.at(-1)?.role === 'assistant') {
    return {
      field: 'prompt',
      expected: 'a prompt that ends before the answer',
      found: 'one that ends with an assistant message',
      advice: 'Remove the last message: a revision replaces the whole answer',
    };
  }
  return rowMarkFault(row) ?? leftOutOfPrompt(row);
}

/** Revises chunk by chunk into the journal. @returns whether all prompts are done */
async function reviseAll(
  rows: RowSource<'prompt'>,
  parts: RevisionParts,
  {
    journal,
    chunk,
    total,
    hooks,
  }: { journal: Journal<Lineage>; chunk: number; total: number; hooks: ReviseHooks },
): Promise<boolean> {
  let hidden = false;
  if (journal.length > 0) {
    hooks.onNotice?.(`Resuming after ${journal.length} prompts (${journal.path})`);
  }
  while (journal.length < total) {
    const from = journal.length;
    const places = Array.from({ length: Math.min(chunk, total - from) }, (_, at) => from + at);
    const read = await rows.readMany(places);
    const prompts = read.map(({ prompt, rendering, extra }, at) => ({
      ...{ row: places[at]!, columns: carriedColumns(extra, writtenColumns).columns },
      messages: isChat(prompt) ? prompt : [{ role: 'user', content: prompt }],
      rendering,
    }));
    let turns = 0;
    const report = (current: number): void =>
      hooks.onProgress?.({ prompts: journal.length, total, current });
    report(0);
    const done = await reviseChunk(prompts, parts, {
      chunk: from / chunk,
      signal: hooks.signal,
      onHidden(token) {
        if (!hidden) hooks.onNotice?.(hiddenNotice(token));
        hidden = true;
      },
      onTurn: () => report(++turns / turnsPerPrompt(parts.rounds)),
    });
    if (done === null) return false;
    journal.append(done);
    hooks.onProgress?.({ prompts: journal.length, total, current: 0 });
    if (hooks.signal?.aborted && journal.length < total) return false;
  }
  return true;
}

/** Writes the result from the journal; the lineage comes last, since it says that all is there. */
function finish(journal: Journal<Lineage>, output: string): RevisionSummary {
  const tally = new RevisionTally();
  const write = (name: string, rowOf: (lineage: Lineage) => object | null): void =>
    fillFileAtomic(join(output, name), (descriptor) => {
      for (const lineage of journal.read()) {
        const row = rowOf(lineage);
        if (row !== null) writeFully(descriptor, `${exactJson(row)}\n`);
      }
    });
  write('sft.jsonl', supervisedRow);
  write('preferences.jsonl', preferenceRow);
  for (const lineage of journal.read()) {
    tally.add(lineage, {
      supervised: supervisedRow(lineage) !== null,
      preference: preferenceRow(lineage),
    });
  }
  const summary = tally.summary();
  writeFileAtomic(join(output, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  write(LINEAGE, (lineage) => lineage);
  return summary;
}

function constitutionOf({ constitution, examples }: ReviseOptions): Constitution {
  const read = constitutionWith('critiques', constitution);
  return examples === null ? read : { ...read, examples: readExamples(examples) };
}

/** Everything that the lineage depends on. */
async function identityOf(
  { sampling, batchSize, precision, device, ...options }: ReviseOptions,
  rows: RowSource<'prompt'>,
  { policy, critic, reviser, constitution, rounds, fewShot }: RevisionParts,
): Promise<Record<string, string | number | boolean | null>> {
  const { name, version, critiques, examples } = constitution;
  return {
    '--data': await rows.fingerprint(),
    '--model': policy.identity,
    '--critic': critic.identity,
    '--reviser': reviser.identity,
    '--constitution': `${name} ${version}`,
    'principles of --constitution': JSON.stringify(critiques),
    'examples of --constitution': fewShot ? JSON.stringify(examples) : null,
    "the requests' version": PROMPT_VERSION,
    '--chat-template-kwargs': options.chatTemplateKwargs ?? null,
    '--template-date': options.templateDate ?? null,
    '--rounds': rounds,
    ...samplingIdentity(sampling),
    '--batch-size': batchSize,
    ...(options.limit == null ? {} : { '--limit': options.limit }),
    '--precision': precision,
    '--device': device,
  };
}

/** Options with the date that chat templates print: a resumed job keeps its date. */
function withJobDate(options: ReviseOptions, lineage: string): ReviseOptions {
  const { templateDate = null, overwrite } = options;
  const saved = overwrite ? null : Journal.identityOf(lineage)?.['--template-date'];
  const date = templateDate === null ? null : completeDate(templateDate);
  return { ...options, templateDate: date ?? (typeof saved === 'string' ? saved : localNow()) };
}
