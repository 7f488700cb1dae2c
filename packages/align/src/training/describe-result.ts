// Describes a run's result in its final/: keel.json and a model card.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { baseKind, canonicalModelName, type LanguageModel } from '@keel/model';
import { wilsonInterval } from '@keel/statistics';
import type { OptionDescriptor } from '../config/options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import type { DataRows } from '../data/derived-rows.ts';
import type { RowKind } from '../data/rows.ts';
import { writeModelCard } from '../runs/card/model-card.ts';
import {
  type ResultRecord,
  readResultRecord,
  type StageRecord,
  writeResultRecord,
} from '../runs/card/result-record.ts';
import { keelVersion } from '../runs/environment.ts';
import type { Headline } from '../runs/report/report-data.ts';
import type { Notice, RunData } from './run-data.ts';

export interface MadeResult {
  kind: { verb: string; descriptors: readonly OptionDescriptor[] };
  options: TrainingOptions;
  data: RunData;
  model: LanguageModel;
  headlines: readonly Headline[];
  step: number;
}

/**
 * Writes keel.json and README.md in the folder of a result, with the stages before it if the run
 * started from another run's result.
 */
export async function describeResult(
  final: string,
  made: MadeResult,
  notice: Notice,
): Promise<void> {
  const { options, model } = made;
  const started =
    (options.adapter !== null && readResultRecord(options.adapter)) ||
    (existsSync(model.name) ? readResultRecord(model.name) : null);
  const own = { ...baseKind(model.name), sha256: await model.hash() };
  const base = { name: canonicalModelName(model.name), ...own };
  const record: ResultRecord = {
    version: 1,
    kind: options.lora ? 'adapter' : 'model',
    use: existsSync(join(final, 'reward.json')) ? 'reward model' : 'language model',
    base: options.lora ? base : (started?.base ?? base),
    origin: started?.origin ?? base.repository ?? base.name,
    merged: false,
    stages: [...(started?.stages ?? []), await stageOf(made)],
  };
  writeResultRecord(final, record);
  writeModelCard(final, record);
  if (options.lora && base.gguf) {
    notice(
      `PEFT cannot load the base of this adapter, a GGUF file. To write it as a folder that PEFT finds: npx keel merge --adapter ${final} --base-only --output base`,
      'gguf-base',
    );
  }
}

async function stageOf({ kind, options, data, headlines, step }: MadeResult): Promise<StageRecord> {
  const { loss } = options as { loss?: unknown };
  const objectives = [loss ?? []].flat().filter((name) => typeof name === 'string');
  const { evalData } = options;
  const heldOutRows = data.heldOut?.length ?? 0;
  return {
    keel: keelVersion(),
    verb: kind.verb,
    objectives,
    lora: options.lora,
    steps: step,
    data: await filesOf(data.rows, options.data),
    rows: data.rows.length,
    heldOut:
      data.heldOut === null || evalData === null
        ? null
        : { data: await filesOf(data.heldOut, evalData), rows: data.heldOut.length },
    options: changedOptions(kind.descriptors, options),
    headlines: headlines.map(({ label, unit, before, after, difference, note }) => ({
      ...{ label, unit },
      before: before && estimateOf(before, unit, heldOutRows),
      after: estimateOf(after, unit, heldOutRows),
      ...(difference && { difference: [difference[0], difference[1]] }),
      ...(note !== undefined && { note }),
    })),
  };
}

/** A share of the held-out rows has Wilson's interval, if it has no other. */
function estimateOf(
  { value, interval: known }: Headline['after'],
  unit: Headline['unit'],
  rows: number,
): StageRecord['headlines'][number]['after'] {
  const isShare = unit === 'share' && rows > 0 && value >= 0 && value <= 1;
  const interval = known ?? (isShare ? wilsonInterval(value * rows, rows) : undefined);
  return { value, ...(interval && { interval: [interval[0], interval[1]] }) };
}

/**
 * Names without folders, which have no meaning on another machine. Rows from the hub have their
 * names on the hub.
 */
async function filesOf(
  rows: DataRows<RowKind>,
  specs: readonly string[],
): Promise<StageRecord['data']> {
  const [only, ...others] = specs;
  if (only?.startsWith('hub:') && others.length === 0) {
    return [{ name: only, sha256: await rows.fingerprint() }];
  }
  return (await rows.fileHashes()).map(({ name, sha256 }) => ({ name: basename(name), sha256 }));
}

/** Options about file locations or the machine, which do not describe what was trained. */
const excluded = new Set([
  ...['output', 'templateDate', 'threads', 'device', 'microBatchSize', 'microBatchTokens'],
  ...['saveSteps', 'saveTotalLimit', 'logEvery', 'lora', 'loss'],
]);

function changedOptions(
  descriptors: readonly OptionDescriptor[],
  options: TrainingOptions,
): Record<string, string> {
  const values = options as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    descriptors.flatMap(({ name, yamlKey, flagOnly, reads, default: usual }) => {
      const value = values[name];
      const isPlace = reads !== undefined && reads !== 'reward';
      if (flagOnly || isPlace || excluded.has(name) || value == null) return [];
      if (JSON.stringify(value) === JSON.stringify(usual)) return [];
      const text = Array.isArray(value) ? value.join(', ') : String(value);
      return [[yamlKey, reads === 'reward' ? shortPath(text) : text]];
    }),
  );
}

/** A reward is often a path, whose last two parts identify it. */
const shortPath = (text: string): string =>
  existsSync(text) ? text.split(/[\\/]/).slice(-2).join('/') : text;
