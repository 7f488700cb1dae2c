// What measuring will cost, before it is done.

import { loadModel, modelSizes, resolveDevice, resolvePrecision } from '@keel/model';
import { templateSettings } from '../config/template-options.ts';
import { machinePeak } from '../machine/kept-peak.ts';
import { EXPECTED_SHARE, measureRows } from '../recipes/estimate-stage.ts';
import { rowMeasures } from '../recipes/measure-rows.ts';
import type { StageRecords } from '../recipes/stage-records.ts';
import type { StageState } from '../recipes/stage-state.ts';
import { fittingLength } from '../training/lengths.ts';
import type { Comparison } from './comparison.ts';
import { Measuring, REFERENCE } from './measuring.ts';

/**
 * Passes that sampling an answer takes, as for the verbs that sample (recipes/stage-verbs.ts), and
 * reading it under policy and reference.
 */
const SAMPLED = 2 + 2;

export interface MeasuringEstimate {
  /** Entries to be measured, the reference among them. */
  entries: number;
  /** Held-out pairs, and prompts that are answered, of each of them. */
  pairs: number;
  prompts: number;
  /** At most, for all: answers count at their longest. Without the reward's own time. */
  seconds: number;
}

/**
 * Estimates measuring of what is not measured yet; null where everything is.
 * @param notice is told where this machine is measured first
 */
export async function estimateMeasuring(
  { options, stages }: Comparison,
  states: readonly StageState[],
  records: StageRecords,
  notice: (text: string) => void,
): Promise<MeasuringEstimate | null> {
  await using measuring = await Measuring.of(options, () => {});
  const known = stages.filter(({ name }, at) => {
    const result = records[name]?.result;
    return states[at]!.status === 'done' && result && measuring.known(name, result.sha256);
  }).length;
  const reference = measuring.known(REFERENCE, null) === null ? 1 : 0;
  const entries = stages.length - known + reference;
  if (entries === 0) return null;
  const { evalData, evalPrompts, maxNewTokens, lora } = options;
  const device = resolveDevice(options.device);
  const precision = resolvePrecision(options.precision, device, !lora);
  const model = await loadModel(options.model, {
    ...{ precision, device },
    template: templateSettings(options, options.adapter),
  });
  try {
    const sizes = modelSizes(model.decoder);
    const positions = model.decoder.config.maxPositions;
    const own = { ...options, maxLength: fittingLength(options.maxLength, positions, () => {}) };
    const all = { ...own, minScoreGap: null };
    const pairs = await measureRows(rowMeasures.preference, evalData, all, model, sizes);
    const longest = Math.min(positions, (own.maxLength ?? positions) + maxNewTokens);
    const sampling = { ...own, maxLength: longest, maxNewTokens, numGenerations: 1 };
    const answers = await measureRows(rowMeasures.prompt, evalData, sampling, model, sizes);
    const prompts = Math.min(evalPrompts, answers.usable);
    const flops = pairs.usable * pairs.forward + prompts * SAMPLED * answers.forward;
    const peak = machinePeak({ precision, device }, notice);
    const seconds = (entries * flops) / (EXPECTED_SHARE * peak.flops);
    return { entries, pairs: pairs.usable, prompts, seconds };
  } finally {
    model.dispose();
  }
}
