// Creates the objects that watch a run, from its options.
import { type LanguageModel, namedWeights, type Role } from '@keel/model';
import { dtypeBytes, type Tensor } from '@keel/torch';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { formatBytes } from '../runs/progress.ts';
import type { MeasuredHeadline } from '../runs/report/run-report.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { BestResult } from './best-result.ts';
import type { Notice } from './run-data.ts';
import { RunWatch, type RunWatchParts } from './run-watch.ts';
import { type FoundPrompts, tokeniseSamples } from './sample-prompts.ts';
import { SampledAnswers } from './sampled-answers.ts';
import type { TrainingEvent } from './training-event.ts';

export interface WatchedRun {
  options: TrainingOptions & { maxKl?: number | null } & Pick<RunWatchParts, 'onAlarm'>;
  policy: {
    model: LanguageModel;
    role: Role;
    parameters: ReadonlyMap<string, Tensor>;
    constraints?: AnswerConstraints;
  };
  run: RunFolder;
  /** null: no sample prompts. */
  prompts: FoundPrompts | null;
  headlines: readonly MeasuredHeadline[];
  notice: Notice;
  signal: AbortSignal | undefined;
  onEvent(event: TrainingEvent): void;
}

/** @throws Error if the better direction of --best-metric is unknown */
export function watchRun(parts: WatchedRun): RunWatch {
  const { options, policy, run, headlines, notice, onEvent } = parts;
  const { learningRate, maxGradNorm, maxKl = null, saveSteps, onAlarm = 'warn' } = options;
  const best = BestResult.of({
    ...{ parameters: policy.parameters, path: run.bestPath, notice, known: headlines },
    savesCheckpoints: saveSteps !== null,
    writes: !run.follows,
    options,
  });
  return new RunWatch({
    ...{ path: run.path, best, onAlarm, onEvent, notice, answers: answersOf(parts) },
    context: { learningRate, maxGradNorm, maxKl },
  });
}

function answersOf({
  options,
  policy,
  prompts,
  notice,
  signal,
}: WatchedRun): SampledAnswers | null {
  if (prompts === null) return null;
  const { model, role, constraints = null } = policy;
  const { sampleTokens: maxNewTokens = 1, maxLength } = options;
  const room = Math.min(maxLength ?? Infinity, model.decoder.config.maxPositions) - maxNewTokens;
  const found = tokeniseSamples(prompts, model.tokenizer, room);
  if (found.length > 0) {
    if (model.decoder.divided !== null) notice(gatheredNotice(model));
    const asked = { model, role, constraints, prompts: found, maxNewTokens };
    return new SampledAnswers({ ...asked, notice, signal });
  }
  notice(
    `--sample-prompts: no prompt leaves room for an answer of ${maxNewTokens} tokens, so no answers are shown`,
  );
  return null;
}

function gatheredNotice({ decoder }: LanguageModel): string {
  const bytes = [...namedWeights(decoder).values()].reduce(
    (sum, { size, dtype }) => sum + size * dtypeBytes(dtype),
    0,
  );
  return `--shard full: the sample prompts are answered with the whole model (${formatBytes(bytes)}) gathered in a process. If that does not fit, pass --sample-prompts none`;
}
