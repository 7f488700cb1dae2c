import type { RunResult } from '@keel/align';
import {
  accuracyOf,
  answersTable,
  formatPerplexity,
  type NoticeEvent,
  PlainPace,
  plainProgressLine,
  plainSamples,
  profileTable,
  progressLine,
  RateMeter,
  type ShownSample,
  samplesTable,
  stepsTook,
  summaryLines,
  type TrainingProgress,
  waitingText,
  wilsonInterval,
} from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { cutMessage } from '../cut-message.ts';
import type { RunEnding, RunEvent, TrainingDisplay } from './display.ts';
import { runPlanText } from './run-plan-text.ts';
import { sayAbove, terminalBar } from './terminal-bar.ts';

/** A progress bar on a terminal; elsewhere a plain line every ten seconds or ten steps. */
export class HumanDisplay implements TrainingDisplay {
  readonly #out: NodeJS.WriteStream;
  readonly #label: { label?: string };
  readonly #bar: SingleBar | null;
  readonly #showSamples: number | null;
  readonly #steps = new RateMeter();
  readonly #tokens = new RateMeter();
  readonly #pace = new PlainPace({ steps: 10 });
  #noticePace = new PlainPace();
  readonly #waitingPace = new PlainPace();
  #lastNotice = '';
  #progress: TrainingProgress = { step: 0, totalSteps: 0 };
  #countedTokens = 0;

  /**
   * @param label shown before the progress: which of several runs it is
   * @param showSamples how many of the best and of the worst answers of a batch to show; null for
   *   none
   */
  constructor(
    out: NodeJS.WriteStream = process.stdout,
    { label, showSamples = null }: { label?: string; showSamples?: number | null } = {},
  ) {
    this.#showSamples = showSamples;
    this.#out = out;
    this.#label = label === undefined ? {} : { label };
    this.#bar = terminalBar(out, (columns) => progressLine(this.#progress, columns));
  }

  event(event: RunEvent): void {
    if (event.type !== 'notice') delete this.#progress.waiting;
    switch (event.type) {
      case 'notice':
        this.#notice(event);
        break;
      case 'plan':
        this.say(`\n${runPlanText(event.plan)}\n`);
        break;
      case 'data':
        for (const line of summaryLines(event.facts)) this.say(cutMessage(line));
        for (const { text } of event.facts.warnings) this.say(cutMessage(`warning: ${text}`));
        break;
      case 'start':
        this.#progress = { ...this.#label, step: event.step, totalSteps: event.totalSteps };
        if (event.step > 0) this.say(`Resuming after step ${event.step}`);
        this.#bar?.start(event.totalSteps, event.step);
        this.#resume();
        break;
      case 'step':
        this.#step(event.step, event.totalSteps, event.metrics);
        break;
      case 'waiting':
        this.#waiting(event.seconds);
        break;
      case 'samples':
        this.#samples(event.step, event.samples);
        break;
      case 'answers':
        this.say(`${answersTable(event.step, event.answers, (this.#out.columns ?? 120) - 1)}\n`);
        this.#resume();
        break;
      case 'health': {
        const { severity, what, advice } = event.finding;
        this.say(`${severity.toUpperCase()} after step ${event.step}: ${what}. ${advice}\n`);
        break;
      }
      case 'evaluation':
        this.say(evaluationLine(event.step, event.metrics));
        this.#resume();
        break;
      case 'suites':
        this.say(suitesLine(event.step, event.metrics));
        this.#resume();
        break;
      case 'checkpoint':
        if (this.#bar === null) this.say(`checkpoint ${event.path}`);
        this.#resume();
        break;
      case 'profile':
        this.say(`\n${profileTable(event)}\n`);
        this.#resume();
    }
  }

  say(text: string): void {
    sayAbove(this.#bar, this.#out, text);
  }

  close(): void {
    this.#bar?.stop();
  }

  ended(ending: RunEnding): void {
    const { interrupted, step, path, final, seconds, use, resume, health, best } = ending;
    const stopped =
      step === 0
        ? 'Stopped before the first step.'
        : `Stopped after step ${step}; its checkpoint is in ${path}.`;
    const lines = interrupted
      ? [stopped, `Resume with:  ${resume}`]
      : [
          ...healthLines(health),
          ...(best
            ? [`The best ${best.metric} was ${best.value.toPrecision(4)}, after step ${best.step}`]
            : []),
          `${stepsTook(step, seconds)}. The result is in ${final}`,
          `${use.words}: ${use.command}`,
        ];
    this.say(`\n${lines.join('\n')}`);
  }

  #step(step: number, totalSteps: number, metrics: Record<string, number>): void {
    this.#steps.add(1);
    const counted = metrics.num_tokens ?? 0;
    // A resumed run's first step reports the tokens of all earlier steps too.
    if (this.#countedTokens > 0 || step === 1) this.#tokens.add(counted - this.#countedTokens);
    this.#countedTokens = counted;
    this.#progress = {
      ...this.#label,
      step,
      totalSteps,
      loss: metrics.loss,
      perplexity: metrics.perplexity,
      margin: metrics['rewards/margins'] ?? metrics.margin,
      accuracy: accuracyOf(metrics) ?? metrics.accuracy,
      reward: metrics.reward,
      kept: metrics['kept/answers'],
      kl: metrics['objective/kl'],
      answerTokens: metrics['completions/mean_length'],
      utilisation: metrics.mfu,
      tokensPerSecond: this.#tokens.rate ?? metrics.tokens_per_second,
      secondsLeft: this.#steps.secondsFor(totalSteps - step),
    };
    if (this.#bar !== null) this.#bar.update(step);
    else if (this.#pace.due(step) || step === totalSteps)
      this.say(plainProgressLine(this.#progress));
  }

  /** In logs, only long waits are worth a line. */
  #waiting(seconds: number): void {
    this.#progress.waiting = seconds;
    if (this.#bar?.isActive) this.#bar.render();
    else if (seconds >= 10 && this.#waitingPace.due(0)) this.say(waitingText(seconds));
  }

  /** Prints samples above the bar. */
  #samples(step: number, samples: readonly ShownSample[]): void {
    const each = this.#showSamples;
    if (each === null) return;
    const columns = (this.#out.columns ?? 80) - 1;
    this.say(
      this.#bar === null
        ? plainSamples(step, samples, each)
        : `${samplesTable(step, samples, each, columns)}\n`,
    );
  }

  /** A notice whose code repeats is progress: it is shown only now and then. */
  #notice({ text, code = text }: NoticeEvent): void {
    if (code !== this.#lastNotice) this.#noticePace = new PlainPace();
    this.#lastNotice = code;
    if (this.#noticePace.due(0)) this.say(cutMessage(text));
  }

  /** Evaluations and checkpoints do not count as training time. */
  #resume(): void {
    this.#steps.resume();
    this.#tokens.resume();
  }
}

/** What was found in all; nothing where nothing could be checked. */
export function healthLines(health: RunResult['health']): string[] {
  if (health === undefined || health.checked.length === 0) return [];
  const { findings, checked } = health;
  if (findings.length === 0) return [`Health: nothing found in ${checked.length} checks`];
  const names = findings.map(({ code, severity, step }) => `${code} (${severity}, step ${step})`);
  return [`Health: ${names.join(', ')}. See the top of report.html`];
}

/** The first metric of each task. */
function suitesLine(step: number, metrics: Record<string, number>): string {
  const tasks = Map.groupBy(Object.entries(metrics), ([name]) => name.split('/')[1]!);
  const shown = [...tasks.values()].map(([first]) => {
    const [name, value] = first!;
    return `${name.replace(/^suite\//, '')} ${value.toPrecision(3)}`;
  });
  return `suites after step ${step}:  ${shown.join('  ')}`;
}

function evaluationLine(step: number, metrics: Record<string, number>): string {
  const shown = [
    ['loss', metrics.eval_loss?.toFixed(4)],
    ['perplexity', metrics.eval_perplexity && formatPerplexity(metrics.eval_perplexity)],
    ['margin', (metrics['eval_rewards/margins'] ?? metrics.eval_margin)?.toFixed(3)],
    ['accuracy', accuracyWithInterval(metrics)],
    ['ties', percent(metrics['eval_rewards/ties'])],
    ['reward', metrics.eval_reward?.toFixed(3)],
    ['KL', metrics['eval_objective/kl']?.toFixed(3)],
    ['length', metrics['eval_completions/mean_length']?.toFixed(0)],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return `held-out rows after step ${step}:  ${shown.join('  ')}`;
}

/** `50% (38% to 62%)`: with the 95% interval for other held-out rows. */
function accuracyWithInterval(metrics: Record<string, number>): string | undefined {
  const accuracy = metrics['eval_rewards/accuracies'] ?? metrics.eval_accuracy;
  const count = metrics['eval_rewards/pairs'] ?? metrics.eval_comparisons;
  if (accuracy === undefined || !count) return percent(accuracy);
  const [low, high] = wilsonInterval(accuracy * count, count);
  return `${percent(accuracy)} (${percent(low)} to ${percent(high)})`;
}

const percent = (share: number | undefined): string | undefined =>
  share === undefined ? undefined : `${Math.round(share * 100)}%`;
