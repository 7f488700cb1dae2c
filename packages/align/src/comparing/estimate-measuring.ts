// Estimates the cost of measuring.

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
 * Passes for sampling an answer, as for the verbs that sample (recipes/stage-verbs.ts), and for
 * scoring it under policy and reference.
 */
const SAMPLED = 2 + 2;

export interface MeasuringEstimate {
  /** Entries to measure, including the reference. */
  entries: number;
  /** Held-out pairs and answered prompts for each of them. */
  pairs: number;
  prompts: number;
  /**
   * Upper bound for all entries, with answers of maximum length and without the reward's own time.
   */
  seconds: number;
}

/**
 * Estimates the measurements that are still missing; null if there are none.
 * @param notice receives a message if this machine has to be measured first
 */
export async function estimateMeasuring(
  { options, stages }: Comparison,
  states: readonly StageState[],
  records: StageRecords,
  notice: (text: string) => void,
): Promise<MeasuringEstimate | null> {
  await using measuring = await Measuring.of(options, { notice: () => {}, openSuites: undefined });
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
    ...{ precision, device, basePrecision: options.basePrecision },
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
