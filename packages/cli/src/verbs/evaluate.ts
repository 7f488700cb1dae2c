import {
  type EvaluationEntry,
  type EvaluationOptions,
  entriesOf,
  planEvaluation,
  runEntries,
  runEvaluation,
} from '@keel/evaluate';
import { setThreads } from '@keel/torch';
import { evaluationDisplay } from '../evaluating/evaluation-display.ts';
import { sayEvaluationPlan } from '../evaluating/evaluation-plan.ts';
import { exitCodes } from '../failure.ts';
import type { EvaluateVerbOptions } from '../options/evaluate.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: EvaluateVerbOptions): Promise<number> {
  if (options.threads !== null) setThreads(options.threads);
  if (options.unsafeCode)
    complain('--unsafe-code: code in answers runs with all rights of this user');
  const settings = evaluationOptions(options, entriesFor(options));
  const plan = await planEvaluation(settings);
  if (options.dryRun) {
    sayEvaluationPlan(plan, settings, options.json);
    return exitCodes.done;
  }
  const display = evaluationDisplay(options.json);
  using stopping = new StopSignals((name) =>
    display.onNotice(`${name}: stopping. Finished rows are in ${options.output}`),
  );
  try {
    const evaluation = await runEvaluation(settings, plan, {
      signal: stopping.signal,
      onProgress: display.onProgress,
      onNotice: display.onNotice,
    });
    display.close();
    if (evaluation === null) {
      display.interrupted(options.output);
      return stopping.exitCode;
    }
    display.ended(evaluation);
    return evaluation.gates.every(({ passed }) => passed) ? exitCodes.done : exitCodes.gateFailed;
  } finally {
    display.close();
  }
}

export const evaluationOptions = (
  options: EvaluateVerbOptions,
  entries: readonly EvaluationEntry[],
): EvaluationOptions => ({
  ...options,
  entries,
  suites: options.suite ?? [],
  tasks: options.task ?? [],
  gates: options.gate,
});

export function entriesFor({
  run: folder,
  model,
  adapter,
}: EvaluateVerbOptions): EvaluationEntry[] {
  return folder === null ? entriesOf(model, adapter ?? []) : runEntries(folder);
}
