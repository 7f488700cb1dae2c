// What a run is made of. With other data or another model it would be another run.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonBuild, threads } from '@keel/torch';
import type { OptionDescriptor } from '../config/options.ts';
import type { ProgramParts } from '../config/program-parts.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import type { FileHash } from '../data/open-rows.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { workers } from '../sharing/workers.ts';
import { inputFiles } from './input-files.ts';
import type { Policy } from './policy.ts';
import type { Notice, RunData } from './run-data.ts';
import { type RunIdentity, savedIdentity } from './training-state.ts';

export type { RunIdentity } from './training-state.ts';

/**
 * Options whose files the identity lists by their own rules, or that do not name inputs of the
 * run.
 */
const othersInputs: readonly string[] = ['data', 'evalData', 'model', 'adapter', 'reference'];

/** Begins the name of an input that the program passed. */
const OF_PROGRAM = "the program's ";

export interface IdentityParts {
  definition: { descriptors: readonly OptionDescriptor[] };
  programParts?: ProgramParts;
}

/** @throws DataError where a data file changed since it was opened */
export async function identityOf(
  { definition, programParts = {} }: IdentityParts,
  options: TrainingOptions,
  { rows, heldOut }: RunData,
  { model, precision }: Policy,
): Promise<RunIdentity> {
  const inputs: RunIdentity['inputs'] = { '--data': await rows.fileHashes() };
  if (heldOut !== null) inputs['--eval-data'] = await heldOut.fileHashes();
  inputs['--model'] = [
    { name: options.model, sha256: await model.hash() },
    { name: `${options.model} (its tokenizer)`, sha256: model.tokenizer.hash },
  ];
  if (options.adapter !== null) {
    inputs['--adapter'] = [{ name: options.adapter, sha256: hashAdapter(options.adapter) }];
  }
  for (const { name, flag, flagOnly, reads } of definition.descriptors) {
    if (flagOnly || othersInputs.includes(name) || reads === 'rows' || reads === 'reward') continue;
    const named = (options as unknown as Readonly<Record<string, unknown>>)[name];
    const files = await inputFiles(reads, named);
    if (files !== null) inputs[flag] = files;
  }
  for (const [what, part] of Object.entries(programParts)) inputs[`${OF_PROGRAM}${what}`] = [part];
  return {
    inputs,
    machine: {
      precision,
      device: model.device,
      threads: threads(),
      software: addonBuild(),
      ...(workers() && { processes: workers()!.size }),
    },
  };
}

/**
 * Every process of a run reads its own files.
 * @throws Error naming the files that differ from those of rank 0
 */
export async function refuseOtherInputsElsewhere({ inputs, machine }: RunIdentity): Promise<void> {
  const together = workers();
  if (together === null) return;
  const first = await together.fromFirst(() => ({ inputs, machine }));
  await together.gather(() => {
    const differences = Object.entries(inputs)
      .filter(([option, files]) => differencesOf(first.inputs[option] ?? [], files).length > 0)
      .map(([option, files]) => `${option} (${files.map(({ name }) => name).join(', ')})`);
    for (const name of ['precision', 'software'] as const) {
      const [there, here] = [first.machine[name], machine[name]];
      if (there !== here) differences.push(`${name} (${here}, and ${there} in rank 0)`);
    }
    if (differences.length === 0) return;
    throw new Error(
      `this process and rank 0 differ in ${differences.join(', ')}. Give all machines the same data, models and version of Keel`,
    );
  });
}

/** Hash of the files that define what the adapter computes. */
export function hashAdapter(folder: string): string {
  const hash = createHash('sha256');
  for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
    hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

/**
 * Compares a resumed run with its newest checkpoint, and reports a different machine.
 * @param accepted options whose files may differ: that is reported too
 * @throws Error as {@link refuseOtherInputs} does
 */
export async function compareWithCheckpoint(
  run: RunFolder,
  now: RunIdentity,
  notice: Notice = () => {},
  accepted: readonly string[] = [],
): Promise<void> {
  const checkpoint = run.resumed ? await run.latestCheckpoint() : null;
  const saved = checkpoint === null ? undefined : savedIdentity(checkpoint.path);
  if (saved === undefined) return;
  const fixed = Object.entries(now.inputs).filter(([option]) => !accepted.includes(option));
  refuseOtherInputs(checkpoint!.path, saved.inputs, Object.fromEntries(fixed));
  for (const option of accepted) {
    const differences = differencesOf(saved.inputs[option] ?? [], now.inputs[option] ?? []);
    if (differences.length > 0) {
      notice(
        `${option} has changed since the run was started, and the run continues with it: ${differences.join('; ')}`,
      );
    }
  }
  const other = describeOtherMachine(saved.machine, now.machine);
  if (other !== null) notice(other);
}

/** Tokens of a pass in the run that is resumed; undefined for a new run. */
export async function begunPassTokens(run: RunFolder): Promise<number | null | undefined> {
  const checkpoint = run.resumed ? await run.latestCheckpoint() : null;
  return checkpoint === null ? undefined : savedIdentity(checkpoint.path)?.microBatchTokens;
}

/**
 * Compares the inputs of a checkpoint with those of the run that resumes from it.
 * @throws Error naming each file that differs, is missing or is new
 */
export function refuseOtherInputs(
  checkpoint: string,
  saved: RunIdentity['inputs'],
  now: RunIdentity['inputs'],
): void {
  // Options are compared in config.yaml; what a program passes is recorded only here.
  const gone = Object.keys(saved).filter((key) => key.startsWith(OF_PROGRAM) && !(key in now));
  const all = { ...Object.fromEntries(gone.map((key) => [key, []])), ...now };
  const differences = Object.entries(all).flatMap(([option, files]) =>
    differencesOf(saved[option] ?? [], files).map((difference) => ({ option, difference })),
  );
  if (differences.length === 0) return;
  const named = differences.map(({ option, difference }) => `${option} ${difference}`);
  // A reward may have had to be fixed: then the run need not be lost.
  const hint = differences.every(({ option }) => option === '--reward')
    ? '. To continue with the changed reward, pass --accept-changed-reward'
    : '';
  throw new Error(
    `${checkpoint}: the run cannot be resumed with other data, models or rewards: ${named.join('; ')}. ` +
      `Restore what the run was started with, or start a new run: another --output, or --overwrite${hint}`,
  );
}

function differencesOf(before: readonly FileHash[], now: readonly FileHash[]): string[] {
  // Files may have been moved: content and order count, names do not.
  const contents = (files: readonly FileHash[]): string => files.map((one) => one.sha256).join();
  if (contents(before) === contents(now)) return [];
  const hashes = new Map(before.map(({ name, sha256 }) => [name, sha256]));
  const differences = now.flatMap(({ name, sha256 }) => {
    const old = hashes.get(name);
    if (old === sha256) return [];
    if (old === undefined) return [`${name} was not there`];
    return [`${name} has changed (SHA-256 ${old.slice(0, 12)}…, now ${sha256.slice(0, 12)}…)`];
  });
  const names = new Set(now.map(({ name }) => name));
  for (const { name } of before) if (!names.has(name)) differences.push(`${name} is missing`);
  return differences.length > 0 ? differences : ['has its files in another order'];
}

/** How the machine differs, in one sentence; null where it does not. */
export function describeOtherMachine(
  saved: RunIdentity['machine'],
  now: RunIdentity['machine'],
): string | null {
  const [before, after] = [saved, now].map((one) => ({ processes: 1, ...one }));
  const names = Object.keys(after!) as (keyof RunIdentity['machine'])[];
  const differences = names
    .filter((name) => before![name] !== after![name])
    .map((name) => `${name} was ${before![name]}, now ${after![name]}`);
  if (differences.length === 0) return null;
  return `${differences.join('; ')}: the run continues, but not bit for bit`;
}
