// `keel merge --average`: several adapters of one base as one adapter with their mean change of the
// weights. Of reward models this is WARM (Ramé et al. 2024, arXiv:2401.12187): one model to
// run, and what a single member learnt by accident counts less.
import { existsSync, readdirSync } from 'node:fs';
import {
  averageAdapters,
  baseKind,
  canonicalModelName,
  type LanguageModel,
  loadAdapter,
  loadAdapterHead,
  loadModel,
  otherBaseNotice,
  saveAdapter,
} from '@keel/model';
import { noGrad, type Tensor, tidy } from '@keel/torch';
import { runResult } from '../config/run-result.ts';
import { templateSettings } from '../config/template-options.ts';
import { writeFolderAtomic } from '../files/atomic-write.ts';
import type { RewardNormalisation } from '../rewards/normalisation.ts';
import {
  type RewardRecord,
  readRewardRecord,
  writeRewardRecord,
} from '../rewards/reward-record.ts';
import { writeModelCard } from '../runs/card/model-card.ts';
import { readResultRecord, writeResultRecord } from '../runs/card/result-record.ts';
import { refuseSystemFolder } from '../runs/output-folder.ts';
import type { MergeEvent } from './merge-model.ts';

/** Adapters to average, and where to write their mean. */
export interface AverageOptions {
  /** Their base. */
  model: string;
  /** Folders of adapters, or of their runs. */
  adapters: readonly string[];
  output: string;
  /** Replaces an adapter in `output`. */
  overwrite?: boolean;
}

/** What was averaged, and where it is. */
export interface AverageResult {
  output: string;
  members: number;
  kind: 'language model' | 'reward model';
}

const AVERAGE = 'average';

/**
 * Writes the adapter in `output`, or nothing. A mean is only meaningful for adapters that were
 * trained from the same start: the same base, and for reward models the same kind of score.
 * @throws CheckpointError if an adapter is damaged or does not fit
 * @throws Error if the adapters differ in base, head, or what they score, or `output` is not free
 */
export async function averageModels(
  { model: named, adapters: given, output, overwrite = false }: AverageOptions,
  onEvent: (event: MergeEvent) => void = () => {},
): Promise<AverageResult> {
  const adapters = given.map(runResult);
  checkFree(output, adapters, overwrite);
  const base = runResult(named);
  onEvent({ type: 'loading', name: base });
  const template = templateSettings({}, adapters[0]!);
  const model = await loadModel(base, {
    ...{ precision: 'fp32', device: 'cpu', classifier: true },
    template: template.source === undefined ? {} : { source: template.source },
  });
  try {
    const heads: (Tensor | null)[] = [];
    for (const [at, adapter] of adapters.entries()) {
      const other = await otherBaseNotice(model, adapter);
      if (other !== null) throw new Error(`${other}. A mean needs adapters of one base`);
      heads.push(loadAdapterHead(model.decoder, adapter, { device: model.device }));
      loadAdapter(model.decoder, adapter, `member-${at}`, { leaveHead: true });
    }
    averageAdapters(
      model.decoder,
      adapters.map((_, at) => `member-${at}`),
      AVERAGE,
    );
    const scoreHead = meanHead(heads, adapters);
    const record = scoreHead === null ? null : meanRecord(adapters);
    const baseHash = await model.hash();
    await writeFolderAtomic(output, (inside) => {
      saveAdapter(inside, model.decoder, AVERAGE, { baseModel: model.name, baseHash, scoreHead });
      model.tokenizer.save(inside, record === null ? {} : { padTokenId: record.pad_token_id });
      if (record !== null) writeRewardRecord(inside, record);
      describe(inside, model, baseHash, { adapter: adapters[0]!, reward: scoreHead !== null });
    });
    const kind = scoreHead === null ? 'language model' : 'reward model';
    return { output, members: adapters.length, kind };
  } finally {
    model.dispose();
  }
}

/** @throws Error if the folder has other things in it than an adapter that may be replaced */
function checkFree(output: string, inputs: readonly string[], overwrite: boolean): void {
  refuseSystemFolder(output);
  if (inputs.includes(output)) {
    throw new Error(`${output} is one of the adapters. Pass another --output`);
  }
  if (!existsSync(output)) return;
  const names = readdirSync(output);
  if (names.length === 0) return;
  if (!names.includes('adapter_config.json')) {
    throw new Error(
      `${output} is neither empty nor the folder of an adapter (it contains ${names[0]}). Pass a new --output`,
    );
  }
  if (overwrite) return;
  throw new Error(
    `${output} already contains an adapter. Pass --overwrite to replace it, or a new --output`,
  );
}

/** [K, hidden]; null if no adapter has a head. @throws Error if only some have one */
function meanHead(heads: readonly (Tensor | null)[], adapters: readonly string[]): Tensor | null {
  const shapes = heads.map((head) => (head === null ? 'no head' : `${head.dim(0)} heads`));
  const other = shapes.findIndex((shape) => shape !== shapes[0]);
  if (other >= 0) {
    throw new Error(
      `${adapters[0]} has ${shapes[0]} and ${adapters[other]} ${shapes[other]}: only reward models with as many heads, or only language models, have a mean`,
    );
  }
  if (heads[0] === null) return null;
  const found = heads as readonly Tensor[];
  const mean = noGrad(() =>
    tidy(() =>
      found
        .slice(1)
        .reduce((sum, head) => sum.add(head), found[0]!)
        .div(found.length),
    ).keep(),
  );
  for (const head of found) head.dispose();
  return mean;
}

/**
 * The record of a mean of reward models. Its normalisation is the mean of theirs: exact if scores
 * were linear in the weights, so the mean of its rewards is near 0.
 */
function meanRecord(adapters: readonly string[]): RewardRecord | null {
  const records = adapters.map((adapter) => readRewardRecord(adapter));
  const [first] = records;
  for (const [at, record] of records.entries()) {
    const [one, other] = [first, record].map((own) =>
      JSON.stringify(own && { ...own, normalisation: own.normalisation?.scale ?? null }),
    );
    if (one === other) continue;
    throw new Error(
      `${adapters[0]} and ${adapters[at]} read or normalise their scores differently (reward.json). Train both with the same options`,
    );
  }
  if (!first) return null;
  const normalisations = records.flatMap((record) => record?.normalisation ?? []);
  return { ...first, normalisation: meanNormalisation(normalisations) };
}

function meanNormalisation(all: readonly RewardNormalisation[]): RewardNormalisation | null {
  const [first] = all;
  if (first === undefined) return null;
  const mean = (of: (one: RewardNormalisation) => number): number =>
    all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return {
    count: Math.min(...all.map(({ count }) => count)),
    scale: first.scale,
    heads: first.heads.map((_, head) => ({
      mean: mean(({ heads }) => heads[head]!.mean),
      standardDeviation: mean(({ heads }) => heads[head]!.standardDeviation),
    })),
  };
}

/** keel.json and a model card; the stages are those of the first member. */
function describe(
  folder: string,
  { name }: LanguageModel,
  sha256: string,
  { adapter, reward }: { adapter: string; reward: boolean },
): void {
  const from = readResultRecord(adapter);
  const base = { name: canonicalModelName(name), sha256, ...baseKind(name) };
  const record = {
    version: 1 as const,
    kind: 'adapter' as const,
    use: reward ? ('reward model' as const) : ('language model' as const),
    base,
    origin: from?.origin ?? base.repository ?? base.name,
    merged: false,
    stages: from?.stages ?? [],
  };
  writeResultRecord(folder, record);
  writeModelCard(folder, record);
}
