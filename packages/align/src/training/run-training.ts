// What every run shares, from options to final/: data, model, run folder, resume, optimiser, loop,
// report.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LanguageModel, Tokenizer } from '@keel/model';
import { isDivided, setThreads, threads, torchBuild } from '@keel/torch';
import type { OptionDescriptor } from '../config/options.ts';
import { type ProgramParts, programYaml } from '../config/program-parts.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { writeConfigYaml } from '../config/write-config.ts';
import type { DataRows } from '../data/derived-rows.ts';
import type { RowKind, RowOf } from '../data/rows.ts';
import type { Health } from '../health/monitor.ts';
import { describeEnvironment } from '../runs/environment.ts';
import type { Headline, ReportData } from '../runs/report/report-data.ts';
import type { MeasuredHeadline } from '../runs/report/run-report.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { RunRecorder } from '../runs/run-record.ts';
import { joinProcesses } from '../sharing/join-processes.ts';
import { StoppedElsewhere } from '../sharing/shared-error.ts';
import { workers } from '../sharing/workers.ts';
import { freeForEach, openRunFolder, sameEverywhere } from './between-processes.ts';
import { summariseData } from './data-summary.ts';
import { finishRun } from './finish-run.ts';
import { fittingLength, surveyLengths } from './lengths.ts';
import { noteModel } from './model-notices.ts';
import { optimiserOf, refuseShard, shareOfTraining } from './optimiser.ts';
import type { Schedule } from './other-plan.ts';
import { type PassPlan, planPasses } from './pass-plan.ts';
import { loadPolicy, type Policy } from './policy.ts';
import { type ProgramInputs, withProgram } from './program-inputs.ts';
import {
  dataHashes,
  type Notice,
  type NoticeEvent,
  noticeEvent,
  openRunData,
  type RowOrigin,
  type RunData,
  writeRows,
} from './run-data.ts';
import {
  begunPassTokens,
  compareWithCheckpoint,
  identityOf,
  type RunIdentity,
  refuseOtherInputsElsewhere,
} from './run-identity.ts';
import { type PlanFact, planRun } from './run-plan.ts';
import { type OpenSuites, suitesOf } from './run-suites.ts';
import { type FoundPrompts, findSamplePrompts } from './sample-prompts.ts';
import { withTemplateDate } from './template-date.ts';
import type { AnySource, Rows, SourceOptions } from './tokenised-source.ts';
import type { TrainingEvent } from './training-event.ts';
import { trainingLoop } from './training-loop.ts';
import { NonFiniteLossError, type TrainingTask } from './training-task.ts';
import { watchRun } from './watch-run.ts';

/** What a run reports, and how it is stopped. */
export interface RunHooks {
  onEvent?(event: TrainingEvent | NoticeEvent): void;
  /** When it fires, the run finishes its step, writes a checkpoint and ends. */
  signal?: AbortSignal;
  /** Opens `--eval-suites`: @keel/evaluate has it. */
  openSuites?: OpenSuites;
  /** What this run shares with others of the same process; each part is optional. */
  shared?: SharedParts;
  /** Inputs that are not options; the library's functions set them. */
  program?: ProgramInputs;
}

/**
 * What runs on one model and the same pairs can share. Results are the same without.
 */
export interface SharedParts {
  /** The frozen model of LoRA runs, as they would load it. */
  base?: LanguageModel;
  /**
   * Log-probabilities under the reference (`SharedReferences`), for LoRA runs on their own base.
   * Only methods that compare with a reference look at it.
   */
  references?: object;
}

/** The result of a finished or interrupted run. */
export interface RunResult {
  /** The run's folder. */
  path: string;
  /** What other tools load: an adapter, or a whole model. */
  final: string;
  step: number;
  interrupted: boolean;
  /** Whether it was a dry run, which writes no files. */
  dryRun?: boolean;
  /** The report's first numbers; empty where the run was interrupted. */
  headlines?: readonly Headline[];
  /** What was checked while it ran, and what was found; absent if it did not start. */
  health?: Health;
  /** With --best-metric: the evaluation whose weights are in `final`. */
  best?: { step: number; metric: string; value: number };
}

/** What a kind of training makes its task from. */
export interface PreparedRun<Options, K extends RowKind, Source, P extends Policy = Policy> {
  options: Options;
  policy: P;
  data: RunData<K>;
  source: Source;
  /** null without --eval-data. */
  evaluation: Source | null;
  /** The run's folder. */
  path: string;
  passes: PassPlan;
  /** At the end of a run with --best-metric: the step whose weights are the result. */
  resultStep?: number | null;
  /**
   * Adds an input that must be the same when the run is resumed.
   * @param how `mayChange`: a changed input is reported, and not refused
   * @throws Error where it has changed
   */
  addInput(
    option: string,
    input: RunIdentity['inputs'][string],
    how?: { mayChange: boolean },
  ): Promise<void>;
  notice: Notice;
  /**
   * When it fires, all work before the first step ends early, also by throwing its reason: there is
   * no step then.
   */
  signal: AbortSignal | undefined;
  /** Reports an event to the display. */
  tell(event: TrainingEvent): void;
}

/** A kind of training: its rows, what they become, and what a step does. */
export interface TrainingKind<
  Options extends TrainingOptions,
  K extends RowKind,
  Source extends AnySource,
  P extends Policy = Policy,
  T extends TrainingTask = TrainingTask,
> extends RowOrigin<Options, K> {
  definition: { verb: string; descriptors: readonly OptionDescriptor[] };
  /** What the program passed and options cannot name: a resumed run needs the same. */
  programParts?: ProgramParts;
  /** Loads what is trained (default: {@link loadPolicy}). */
  load?(options: Options): Promise<P>;
  source(
    rows: Rows<RowOf[K]>,
    tokenizer: Tokenizer,
    how: SourceOptions,
    options: Options,
    policy: P,
  ): Source;
  /** With `--dry-run`, it checks everything and computes nothing. */
  task(prepared: PreparedRun<Options, K, Source, P>): Promise<T> | T;
  /** What the method adds to the run's plan (default: nothing). */
  facts?(prepared: PreparedRun<Options, K, Source, P>): readonly PlanFact[];
  /** Optimizer steps on each batch of rows (default: 1). */
  stepsPerBatch?(options: Options): number;
  /** Numbers other than the learning rate that follow the planned steps. */
  schedules?(options: Options): readonly Schedule[];
  /** Factors on the learning rate, by the parameters' names (default: 1). */
  rateOf?(policy: P, options: Options): (name: string) => number;
  /**
   * After the last step, before the result is written. @returns the report's sections of this kind
   */
  finish?(prepared: PreparedRun<Options, K, Source, P>, task: T): Promise<Partial<ReportData>>;
  /**
   * Checks the training rows, and opens other files, before a model is loaded.
   * @throws Error where the rows cannot be trained on
   */
  checkRows?(rows: DataRows<K>, options: Options, notice: Notice): Promise<void>;
  /** Held-out numbers at the top of the report. */
  headlines: readonly MeasuredHeadline[];
}

/**
 * Runs a training from complete options. Everything it loads is freed when it ends, also after an
 * error.
 * @throws DataError, CheckpointError, Error when data, model or run folder are not valid, or are
 *   not those of the run that is resumed
 * @throws NonFiniteLossError when the loss is NaN or infinite; its rows are in the run's
 *   non-finite-rows.jsonl
 * @throws RunFailedError for anything else that ends the run after its first step has started: the
 *   last whole state is saved first
 */
export async function runTraining<
  Options extends TrainingOptions,
  K extends RowKind,
  Source extends AnySource,
  P extends Policy,
  T extends TrainingTask,
>(
  asKind: TrainingKind<Options, K, Source, P, T>,
  asked: Options,
  hooks: RunHooks = {},
): Promise<RunResult> {
  const { verb } = asKind.definition;
  await using _joined = await joinProcesses(asked.processTimeout, { verb, options: asked });
  refuseShard(asked);
  const together = workers();
  const { onEvent: tell } = hooks;
  // Rank 0 speaks for all.
  const onEvent = together !== null && together.rank > 0 ? undefined : tell;
  const kind = withProgram(asKind, hooks.program);
  const options = await sameEverywhere(withTemplateDate(asked));
  const notice: Notice = (...said) => onEvent?.(noticeEvent(...said));
  if (options.threads !== null) setThreads(options.threads);
  await using data = await openRunData(kind, options, notice, hooks.program);
  await kind.checkRows?.(data.rows, options, notice);
  const prompts = await findSamplePrompts(options, data);
  using run = await openRunFolder(options, {
    config: writeConfigYaml(kind.definition, options) + programYaml(kind.programParts),
    resume: options.resume,
    overwrite: options.overwrite,
    dryRun: options.dryRun,
    notice,
  });
  const offendingRows = join(run.path, 'non-finite-rows.jsonl');
  if (!options.dryRun) rmSync(offendingRows, { force: true });
  const recorder =
    options.dryRun || run.follows
      ? null
      : new RunRecorder(run.path, { verb, resume: resumeWords(kind, options) });

  try {
    const result = await train(kind, options, { data, prompts }, run, {
      ...{ ...hooks, onEvent },
      onSteps: (started, total) => recorder?.planned(started, total),
    });
    recorder?.ended(result.interrupted ? 'interrupted' : 'finished');
    return result;
  } catch (error) {
    recorder?.failed(error);
    if (error instanceof NonFiniteLossError) {
      await writeRows(offendingRows, error.heldOut ? data.heldOut! : data.rows, error.rows);
    }
    throw error;
  }
}

/** Words after `keel` that resume a run; null where a program passed what options cannot name. */
function resumeWords(
  { definition, programParts }: { definition: { verb: string }; programParts?: ProgramParts },
  { output }: TrainingOptions,
): string[] | null {
  if (programParts !== undefined) return null;
  const { KEEL_LAUNCH: processes } = process.env;
  const launch = processes === undefined ? [] : ['launch', '--processes', processes];
  return [...launch, definition.verb, '--config', join(output, 'config.yaml'), '--resume'];
}

interface StepsHook {
  /** Before the first step: the steps that have finished, and those that are planned. */
  onSteps(finished: number, planned: number): void;
}

async function train<
  Options extends TrainingOptions,
  K extends RowKind,
  Source extends AnySource,
  P extends Policy,
  T extends TrainingTask,
>(
  kind: TrainingKind<Options, K, Source, P, T>,
  asked: Options,
  { data, prompts }: { data: RunData<K>; prompts: FoundPrompts | null },
  run: RunFolder,
  { onEvent = () => {}, signal, shared, openSuites, onSteps }: RunHooks & StepsHook,
): Promise<RunResult> {
  const together = workers();
  const began = performance.now();
  const notice: Notice = (...said) => onEvent(noticeEvent(...said));
  // Without its own loader, a kind takes any policy.
  using policy = kind.load
    ? await kind.load(asked)
    : ((await loadPolicy(asked, { base: shared?.base })) as P);
  const { model, parameters, saveWeights } = policy;
  await noteModel(model, asked, data.rows, notice);
  const suites = await suitesOf(asked.evalSuites, policy, { open: openSuites, notice, signal });
  const positions = model.decoder.config.maxPositions;
  const options = { ...asked, maxLength: fittingLength(asked.maxLength, positions, notice) };
  const identity = await identityOf(kind, options, data, policy);
  await refuseOtherInputsElsewhere(identity);
  await compareWithCheckpoint(run, identity, notice);
  const { rows, heldOut } = data;
  const { seed, maxLength, batchSize, onBadRow, shuffle } = options;
  const { vocabularySize } = model.decoder.config;
  const usual = { seed, maxLength, positions, vocabularySize, onBadRow };
  const sourceOf = (from: Rows<RowOf[K]>, own: Pick<SourceOptions, 'shuffle' | 'option'>): Source =>
    kind.source(from, model.tokenizer, { ...usual, ...own }, options, policy);
  using source = sourceOf(rows, { shuffle });
  using evaluation = heldOut && sourceOf(heldOut, { shuffle: false, option: '--eval-data' });
  const perBatch = kind.stepsPerBatch?.(options) ?? 1;
  const part =
    options.maxSteps !== null && Math.ceil(options.maxSteps / perBatch) * batchSize < rows.length;
  const lengths = [await surveyLengths(source, { notice, signal, part })];
  if (evaluation !== null) lengths.push(await surveyLengths(evaluation, { notice, signal }));
  const begun = await begunPassTokens(run);
  const free = await freeForEach(model.device);
  const share = shareOfTraining(options);
  const passes = planPasses(policy, options, notice, { began: begun, free, share });
  identity.microBatchTokens = passes.limit.tokens;
  const accepted: string[] = [];
  const addInput: PreparedRun<Options, K, Source, P>['addInput'] = async (option, input, how) => {
    identity.inputs[option] = input;
    if (how?.mayChange) {
      await compareWithCheckpoint(run, { ...identity, inputs: { [option]: input } }, notice, [
        option,
      ]);
      accepted.push(option);
    }
    await compareWithCheckpoint(run, identity, () => {}, accepted);
  };
  const { path } = run;
  const prepared = {
    ...{ options, policy, data, source, evaluation, path, passes, addInput, notice, signal },
    tell: onEvent,
  };
  const steps = totalSteps(options, source.usable, perBatch);
  const facts = kind.facts?.(prepared) ?? [];
  const { verb } = kind.definition;
  const planned = {
    ...{ verb, options, policy, source, evaluation, passes, run, steps, perBatch, facts },
    rowKind: kind.rowKind,
  };
  onEvent({ type: 'plan', plan: await planRun(planned, notice) });
  const summaryIn = options.dryRun ? null : path;
  await summariseData({ data, source, evaluation, path: summaryIn, onEvent, signal });
  let task: T;
  try {
    task = await kind.task(prepared);
  } catch (error) {
    const stopped = signal?.aborted && error === signal.reason;
    if (!stopped && !(error instanceof StoppedElsewhere)) throw error;
    const step = run.resumed ? ((await run.latestCheckpoint())?.step ?? 0) : 0;
    return { path: run.path, final: run.finalPath, step, interrupted: true };
  }
  if (options.dryRun) {
    return { path, final: run.finalPath, step: 0, interrupted: false, dryRun: true };
  }
  const environment = describeEnvironment({
    torch: torchBuild().version,
    device: model.device,
    threads: threads(),
    modelHashes: { [options.model]: await model.hash() },
    dataHashes: await dataHashes(data),
    templatePrintsDate: model.tokenizer.chatTemplate?.usesClock === true,
  });
  run.writeEnvironment(environment);
  using owned = new DisposableStack();
  const rateOf = kind.rateOf?.(policy, options);
  const optimiser = owned.adopt(optimiserOf(policy, options, rateOf), (one) => one.dispose());
  const tellAndShow = (event: TrainingEvent): void => {
    onEvent(event);
    for (const report of lengths) report.tell();
  };
  const { headlines } = kind;
  const watch = watchRun({ options, policy, run, prompts, headlines, notice, signal, onEvent });
  const loop = {
    ...{ task, parameters, optimiser, run, identity, saveWeights, signal, notice, watch, suites },
    schedules: kind.schedules?.(options) ?? [],
    onEvent: tellAndShow,
  };
  // The step computes on all cores: one more thread is enough to tokenise ahead.
  source.expect(Math.ceil(steps / perBatch) * batchSize, { threads: 1 });
  evaluation?.expect(0, { threads: 0 });
  await together?.broadcast([...parameters.values()].filter((one) => !isDivided(one)));
  onSteps(run.resumed ? ((await run.latestCheckpoint())?.step ?? 0) : 0, steps);
  const ended = await trainingLoop(loop, { ...options, totalSteps: steps });
  for (const report of lengths) report.tell({ all: true });
  const result = { path, final: run.finalPath, ...ended, health: watch.health };
  if (ended.interrupted) return { ...result, headlines: [] };
  const finished = await finishRun({
    ...{ definition: kind.definition, options, data, model, run, loop, watch, environment },
    ...{ headlines, steps, step: ended.step, heldOutRows: evaluation?.usable ?? 0, notice },
    finish: async (resultStep) => kind.finish?.({ ...prepared, resultStep }, task),
    seconds: () => (performance.now() - began) / 1000,
  });
  return { ...result, ...finished };
}

/**
 * Optimizer steps of a run on `rows` rows: the last one of the last epoch may reach into the next.
 */
export function totalSteps(
  { maxSteps, epochs, batchSize }: Pick<TrainingOptions, 'maxSteps' | 'epochs' | 'batchSize'>,
  rows: number,
  perBatch = 1,
): number {
  // 0.1 * 30 is slightly more than 3, which must not add a step.
  const batches = Number(((epochs * rows) / batchSize).toFixed(9));
  return maxSteps ?? Math.max(1, Math.ceil(batches)) * perBatch;
}
