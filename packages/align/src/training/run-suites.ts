// Suites that are measured while a run trains. Packages above this one open them.
import type { LanguageModel, Role } from '@keel/model';
import { phase } from '@keel/torch';
import { StoppedElsewhere } from '../sharing/shared-error.ts';
import type { Notice } from './run-data.ts';

/** What suites measure. */
export interface MeasuredModel {
  model: LanguageModel;
  /** The role that is trained. */
  role: Role;
}

/** A metric of a suite's task under one model. */
export interface SuiteMetric {
  value: number;
  /** 95% over the task's rows. */
  interval: readonly [low: number, high: number];
  /** `share` is from 0 to 1. */
  unit: 'share' | 'number';
  better: 'higher' | 'lower';
}

/** Suites whose rows are read and checked. */
export interface OpenedSuites {
  /**
   * Measures the current weights. It may draw no numbers of the training's random state. Processes
   * that train together all call it, and get the same.
   * @returns by `task/metric`
   * @throws the signal's reason once it is aborted
   */
  measure(signal: AbortSignal): Promise<Readonly<Record<string, SuiteMetric>>>;
}

/** Opens `--eval-suites`: files, or names of bundled suites. @throws Error for invalid ones */
export type OpenSuites = (
  suites: readonly string[],
  trained: MeasuredModel,
) => Promise<OpenedSuites>;

/** Measures suites at the evaluations of a run. */
export class RunSuites {
  readonly #opened: OpenedSuites;
  readonly #notice: Notice;
  readonly #signal: AbortSignal;
  /** Whether a failure was reported. */
  #failed = false;

  constructor(opened: OpenedSuites, notice: Notice, signal: AbortSignal | undefined) {
    this.#opened = opened;
    this.#notice = notice;
    this.#signal = signal ?? new AbortController().signal;
  }

  /**
   * @returns metrics by `suite/task/metric`; none if they could not be measured
   * @throws the signal's reason when it fires
   */
  async measure(step: number): Promise<Record<string, number>> {
    try {
      const found = await phase('suites', () => this.#opened.measure(this.#signal));
      const metrics = Object.entries(found).filter(([, { value }]) => Number.isFinite(value));
      return Object.fromEntries(metrics.map(([name, { value }]) => [`suite/${name}`, value]));
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof StoppedElsewhere) throw error;
      // Suites only watch the run, so a failure must not end it.
      if (!this.#failed) {
        this.#notice(`--eval-suites could not be measured after step ${step}: ${error}`);
      }
      this.#failed = true;
      return {};
    }
  }
}

/** @throws Error where suites are asked for and nothing can open them; what `open` throws */
export async function suitesOf(
  suites: readonly string[] | null | undefined,
  trained: MeasuredModel,
  {
    open,
    notice,
    signal,
  }: { open: OpenSuites | undefined; notice: Notice; signal: AbortSignal | undefined },
): Promise<RunSuites | null> {
  if (suites == null) return null;
  const opened = await openerOf(open)(suites, trained);
  const whole: OpenedSuites = {
    measure: (stop) => trained.model.whole(() => opened.measure(stop)),
  };
  return new RunSuites(whole, notice, signal);
}

/** @throws Error if nothing can open suites */
export function openerOf(open: OpenSuites | undefined): OpenSuites {
  if (open !== undefined) return open;
  throw new Error(
    '--eval-suites: this call cannot open suites. Pass openSuites of @keel/evaluate in the hooks, or run it with keel',
  );
}
