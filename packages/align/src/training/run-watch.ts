// Watches a run during training: its health, its answers to sample prompts, and its best
// evaluation. Nothing here changes a step.
import { join } from 'node:path';
import type { BatchValues } from '@keel/statistics';
import { writeFileAtomic } from '../files/atomic-write.ts';
import type { Finding, HealthContext } from '../health/finding.ts';
import { type Health, HealthMonitor } from '../health/monitor.ts';
import { type AnswerLine, AnswersLog } from '../runs/answers-log.ts';
import { HeldOutBatches } from '../runs/held-out-batches.ts';
import type { MetricsRow } from '../runs/metrics.ts';
import { healthAnswers, replayHealth } from '../runs/replay-health.ts';
import type { BestResult } from './best-result.ts';
import type { SampledAnswers } from './sampled-answers.ts';
import type { TrainingEvent } from './training-event.ts';
import type { Metrics } from './training-task.ts';

export interface RunWatchParts {
  /** The run's folder. */
  path: string;
  context: HealthContext;
  /** null: no sample prompts. */
  answers: SampledAnswers | null;
  /** null without --best-metric. */
  best: BestResult | null;
  /** What to do when the reward was gamed (default: only report it). */
  onAlarm?: 'warn' | 'checkpoint' | 'stop';
  notice?(text: string): void;
  onEvent(event: TrainingEvent): void;
}

/** The finding that `onAlarm` is about. */
const ALARM: Finding['code'] = 'reward-gamed';

export class RunWatch {
  readonly #parts: RunWatchParts;
  readonly #monitor: HealthMonitor;
  #log: AnswersLog | null = null;
  #batches: HeldOutBatches | null = null;
  #saveDue = false;

  constructor(parts: RunWatchParts) {
    this.#parts = parts;
    this.#monitor = new HealthMonitor(parts.context);
  }

  /**
   * @param resumed the step that the run resumes from, and the rows of metrics.jsonl up to it;
   *   null: it starts
   */
  start(resumed: { step: number; rows: readonly MetricsRow[] } | null): void {
    const { path, best } = this.#parts;
    this.#log = AnswersLog.open(join(path, 'answers.jsonl'), resumed?.step ?? null);
    this.#batches = HeldOutBatches.open(join(path, 'held-out-batches.json'), resumed?.step ?? null);
    if (resumed === null) return;
    best?.resume(resumed.rows);
    replayHealth(this.#monitor, resumed.rows, this.#log.lines);
    this.#write();
  }

  /** Before an evaluation: answers the sample prompts. @throws the signal's reason */
  async beforeEvaluation(step: number): Promise<void> {
    const { answers, onEvent } = this.#parts;
    const lines = (await answers?.take(step, this.#log!)) ?? [];
    if (lines.length === 0) return;
    onEvent({ type: 'answers', step, answers: lines });
    this.#report(this.#monitor.addAnswers(step, healthAnswers(lines)));
  }

  /** After an evaluation, before it is recorded. @throws Error as {@link BestResult.evaluated} */
  async evaluated(step: number, metrics: Metrics, batches: BatchValues | null): Promise<void> {
    await this.#parts.best?.evaluated(step, metrics);
    if (batches !== null) this.#batches!.add(step, batches, [this.best?.step]);
  }

  /** After a row of metrics.jsonl. */
  row(row: MetricsRow): void {
    this.#report(this.#monitor.addRow(row));
  }

  /** After a checkpoint. */
  async checkpoint(): Promise<void> {
    await this.#parts.best?.removeOlder();
  }

  /** Whether to end the run early. */
  get stops(): boolean {
    const gamed = this.health.findings.some(({ code }) => code === ALARM);
    return (this.#parts.best?.stops ?? false) || (this.#parts.onAlarm === 'stop' && gamed);
  }

  /** Whether to save a checkpoint now, since an alarm was raised. @returns true once for each */
  takeSaveDue(): boolean {
    const due = this.#saveDue;
    this.#saveDue = false;
    return due;
  }

  /** After the last step. */
  end(): void {
    this.#report(this.#monitor.end());
    this.#write();
  }

  /** With --best-metric: the evaluation whose weights are the result. */
  get best(): BestResult['chosen'] {
    return this.#parts.best?.chosen ?? null;
  }

  /** Replaces the current weights with those of the best evaluation. */
  async loadBest(): Promise<void> {
    await this.#parts.best?.load();
  }

  get health(): Health {
    return this.#monitor.health;
  }

  /** null before {@link start}. */
  get batches(): HeldOutBatches | null {
    return this.#batches;
  }

  get answers(): readonly AnswerLine[] {
    return this.#log?.lines ?? [];
  }

  #report(findings: readonly Finding[]): void {
    if (findings.length === 0) return;
    this.#write();
    for (const finding of findings) {
      this.#parts.onEvent({ type: 'health', step: finding.step, finding });
      if (finding.code === ALARM) this.#alarmed(finding.step);
    }
  }

  #alarmed(step: number): void {
    const { onAlarm = 'warn', notice } = this.#parts;
    this.#saveDue = onAlarm === 'checkpoint';
    if (onAlarm === 'checkpoint') notice?.(`--on-alarm checkpoint: saving one after step ${step}`);
    if (onAlarm === 'stop') notice?.(`--on-alarm stop: the run ends after step ${step}`);
  }

  #write(): void {
    writeFileAtomic(
      join(this.#parts.path, 'health.json'),
      `${JSON.stringify(this.health, null, 2)}\n`,
    );
  }
}
