import {
  type ComparedSource,
  checkLines,
  type Finding,
  type JudgingHooks,
  type JudgingOptions,
  type Outcome,
  ratingLines,
  recompute,
  runCheck,
  runComparison,
  runRating,
  runSides,
  sidesOf,
  snakeJson,
  summaryLines,
} from '@keel/evaluate';
import { parseExactJson } from '@keel/model/exact-json';
import { setThreads } from '@keel/torch';
import { exitCodes } from '../failure.ts';
import { samplingOptions } from '../generating/sampling.ts';
import { judgeCommand } from '../judging/judge-command.ts';
import { winRateGate } from '../judging/judge-stage.ts';
import { judgingDisplay, sayJudgingPlan } from '../judging/judging-display.ts';
import { openVerbJudge } from '../judging/open-verb-judge.ts';
import { isComparison, type JudgeVerbOptions } from '../options/judge.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: JudgeVerbOptions): Promise<number> {
  const display = judgingDisplay(options.json);
  if (options.annotations !== null) {
    const summary = await recompute(options.annotations, options.output);
    const { findings } = summary;
    const lines = summaryLines(summary, false);
    display.ended({ lines, findings, summary: snakeJson(summary), output: options.output });
    return gateCode(options, snakeJson(summary));
  }
  if (options.threads !== null) setThreads(options.threads);
  const { json, dryRun } = options;
  const output = options.output!;
  using stopping = new StopSignals((name) =>
    display.onNotice(`${name}: stopping after the verdicts in progress`),
  );
  const { signal } = stopping;
  const hooks: JudgingHooks = {
    ...display,
    signal,
    ...(dryRun && { onPlan: (plan) => sayJudgingPlan(plan, json) }),
  };
  let verdicts = 0;
  try {
    const ending = await judged(options, {
      ...hooks,
      onProgress(progress, mode) {
        verdicts = progress.done;
        display.onProgress(progress, mode);
      },
    });
    display.close();
    if (dryRun) return 0;
    if (ending === null) {
      display.interrupted(output, judgeCommand());
      return stopping.exitCode;
    }
    display.ended({ ...ending, output });
    // Without any verdict, the judge does not work.
    if (ending.findings.some(({ code }) => code === 'no-verdicts')) return exitCodes.failed;
    return gateCode(options, ending.summary);
  } catch (error) {
    if (verdicts === 0 || !(error instanceof Error)) throw error;
    throw new Error(
      `${error.message}\n${verdicts} verdicts are saved in ${output}. After fixing the problem, continue with:  ${judgeCommand()}`,
      { cause: error },
    );
  } finally {
    display.close();
  }
}

/** Says whether --min-win-rate was met. @returns the exit code */
function gateCode(options: JudgeVerbOptions, summary: unknown): number {
  const verdict = winRateGate(options, summary);
  if (verdict === null) return exitCodes.done;
  for (const reason of verdict.reasons) complain(`gate ${reason}`);
  return verdict.passed ? exitCodes.done : exitCodes.gateFailed;
}

/** What came of it, for every way to end a command. */
export interface Ending {
  lines: [string, string][];
  findings: readonly Finding[];
  summary: unknown;
}

/** null: interrupted, or a dry run. */
export async function judged(
  options: JudgeVerbOptions,
  hooks: JudgingHooks,
): Promise<Ending | null> {
  const common = judgingOptions(options, (text) => hooks.onNotice?.(text));
  if (options.check !== null && !isComparison(options)) {
    const outcome = await runCheck({ ...common, files: options.check }, hooks);
    return endingOf(outcome, checkLines, ({ findings }) => findings);
  }
  if (isRating(options)) {
    const [file] = options.answers!;
    const name = options.names?.[0] ?? null;
    const outcome = await runRating({ ...common, file: file!, name }, hooks);
    return endingOf(outcome, ratingLines, ({ findings }) => findings);
  }
  const { source, reading } = comparedSource(options);
  const names = options.names === null ? null : ([...options.names] as [string, string]);
  const { reading: asGiven } = common;
  const check = options.check === null ? null : { files: options.check, reading: asGiven };
  const own = { ...common, source, names, unpaired: options.unpaired, check };
  const outcome = await runComparison({ ...own, reading: { ...asGiven, ...reading } }, hooks);
  return endingOf(outcome, summaryLines, ({ findings }) => findings);
}

function endingOf<Summary>(
  { summary }: Outcome<Summary>,
  linesOf: (summary: Summary) => [string, string][],
  findingsOf: (summary: Summary) => readonly Finding[],
): Ending | null {
  if (summary === null) return null;
  const [lines, findings] = [linesOf(summary), findingsOf(summary)];
  return { lines, findings, summary: snakeJson(summary) };
}

const isRating = ({ answers }: JudgeVerbOptions): boolean => answers?.length === 1;

function judgingOptions(options: JudgeVerbOptions, notice: (text: string) => void): JudgingOptions {
  const { onBadRow, columns, wrapChat, overwrite, limit, retryFailed, dryRun } = options;
  const { reference, category, emptyAnswers } = options;
  return {
    ...{ overwrite, limit, retryFailed, dryRun, reference, category },
    openJudge: () => openVerbJudge(options, notice),
    output: options.output!,
    reading: { onBadRow, columns, wrapChat },
    emptyLoses: emptyAnswers === 'lose',
  };
}

/** The two sides, and how the rows of a run's own files are read. */
function comparedSource(options: JudgeVerbOptions): {
  source: ComparedSource;
  reading: Partial<JudgingOptions['reading']>;
} {
  const { answers, pairs, run: folder, data } = options;
  if (answers !== null) {
    return { source: { kind: 'answers', files: [answers[0]!, answers[1]!] }, reading: {} };
  }
  if (pairs !== null) return { source: { kind: 'pairs', files: pairs }, reading: {} };
  const { precision, device, batchSize } = options;
  const { chatTemplate, chatTemplateKwargs, templateDate } = options;
  const settings = {
    ...{ precision, device },
    sampling: { ...samplingOptions(options), batchSize },
    template: {
      ...{ chatTemplate, templateDate },
      chatTemplateKwargs: variablesIn(chatTemplateKwargs),
    },
  };
  if (folder === null) {
    const sides = sidesOf(options.model, options.adapter ?? []);
    return { source: { kind: 'models', sides, prompts: data!, settings }, reading: {} };
  }
  const { sides, heldOut, columns, wrapChat } = runSides(folder);
  if (data === null && heldOut === null) {
    throw new Error(`--run ${folder}: the run had no held-out rows. Pass prompts with --data`);
  }
  const reading = data === null ? { columns, wrapChat: options.wrapChat || wrapChat } : {};
  return { source: { kind: 'models', sides, prompts: data ?? heldOut!, settings }, reading };
}

const variablesIn = (json: string | null) =>
  json === null ? null : (parseExactJson(json) as Readonly<Record<string, unknown>>);
