/** The state of a training run, as shown on a terminal. Missing numbers are omitted. */
export interface TrainingProgress {
  /** Printed first: identifies one of several runs. */
  label?: string;
  step: number;
  totalSteps: number;
  loss?: number;
  /** exp(loss), for supervised runs. */
  perplexity?: number;
  /** Mean reward of chosen minus rejected answers (TRL's rewards/margins). */
  margin?: number;
  /** Share of pairs with a positive margin, from 0 to 1. */
  accuracy?: number;
  /** Mean reward of sampled answers. */
  reward?: number;
  /** Number of sampled answers that are trained on, if only the best are. */
  kept?: number;
  /** KL of the sampled answers to the reference, in nats per answer. */
  kl?: number;
  /** Mean length of the sampled answers, in tokens. */
  answerTokens?: number;
  /** Seconds for which the run has been waiting for its reward. */
  waiting?: number;
  tokensPerSecond?: number | null;
  /** Model FLOP utilisation, from 0 to 1. */
  utilisation?: number;
  /** Estimated seconds to the end. */
  secondsLeft?: number | null;
}

const narrowestBar = 8;
const widestBar = 30;

/**
 * One line with a bar, never longer than `columns`: a narrow terminal drops first the bar, then the
 * numbers from the right.
 */
export function progressLine(progress: TrainingProgress, columns: number): string {
  const { step, totalSteps, label } = progress;
  const share = totalSteps > 0 ? Math.min(1, step / totalSteps) : 0;
  const percent = `${String(Math.round(share * 100)).padStart(3)}%`;
  const head = label === undefined ? percent : `${label} ${percent}`;
  const parts = [`${step}/${totalSteps}`, ...numbers(progress)];
  const lengthOf = (count: number): number => [head, ...parts.slice(0, count)].join('  ').length;
  let count = parts.length;
  while (count > 1 && lengthOf(count) > columns) count--;
  const room = Math.min(widestBar, columns - lengthOf(count) - 1);
  const bar = room >= narrowestBar ? [drawBar(share, room)] : [];
  const begin = label === undefined ? [...bar, percent] : [label, ...bar, percent];
  return [begin.join(' '), ...parts.slice(0, count)].join('  ').slice(0, columns);
}

/** The same without a bar, for logs and pipes. */
export function plainProgressLine(progress: TrainingProgress): string {
  const { label, step, totalSteps } = progress;
  const parts = [`step ${step}/${totalSteps}`, ...numbers(progress)];
  return (label === undefined ? parts : [label, ...parts]).join('  ');
}

function numbers(progress: TrainingProgress): string[] {
  const { loss, perplexity, margin, accuracy, reward, kept, kl, answerTokens } = progress;
  const { tokensPerSecond, utilisation, secondsLeft, waiting } = progress;
  const parts: string[] = waiting === undefined ? [] : [waitingText(waiting)];
  if (loss !== undefined) parts.push(`loss ${loss.toFixed(4)}`);
  if (perplexity !== undefined) parts.push(`perplexity ${formatPerplexity(perplexity)}`);
  if (margin !== undefined) parts.push(`margin ${margin.toFixed(3)}`);
  if (accuracy !== undefined) parts.push(`accuracy ${Math.round(accuracy * 100)}%`);
  if (reward !== undefined) parts.push(`reward ${reward.toFixed(3)}`);
  if (kept !== undefined) parts.push(`kept ${kept}`);
  if (kl !== undefined) parts.push(`KL ${kl.toFixed(3)}`);
  if (answerTokens !== undefined) parts.push(`length ${Math.round(answerTokens)}`);
  if (secondsLeft != null) parts.push(`${formatDuration(secondsLeft)} left`);
  if (tokensPerSecond != null) parts.push(`${formatCount(tokensPerSecond)} tokens/s`);
  if (utilisation !== undefined) parts.push(`mfu ${Math.round(100 * utilisation)}%`);
  return parts;
}

/** `waiting for the reward (12 s)` */
export const waitingText = (seconds: number): string => `waiting for the reward (${seconds} s)`;

/** `12 steps in 59s` */
export const stepsTook = (steps: number, seconds: number): string =>
  `${steps} ${steps === 1 ? 'step' : 'steps'} in ${formatDuration(seconds)}`;

/** `12.35`; with four digits or more, no fraction. */
export function formatPerplexity(perplexity: number): string {
  return perplexity < 1000 ? perplexity.toFixed(2) : formatCount(perplexity);
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Bar of `width` columns, filled to an eighth of a column. */
export function drawBar(share: number, width: number): string {
  const filled = Math.floor(share * width * 8);
  const bar = '█'.repeat(Math.floor(filled / 8)) + eighths[filled % 8];
  return bar.padEnd(width, '░');
}

/** `45s`, `3m 05s`, `2h 10m`, `3d 4h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${String(minutes).padStart(2, '0')}m`;
  if (minutes > 0) return `${minutes}m ${String(whole % 60).padStart(2, '0')}s`;
  return `${whole}s`;
}

/** `950`, `1.2k`, `34k`, `5.6M`. */
export function formatCount(count: number): string {
  const units = ['', 'k', 'M', 'G'];
  let value = count;
  let unit = 0;
  while (Number(value.toPrecision(2)) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)}${units[unit]}`;
}

/** Decides when a plain line is due: at the first call, then after some seconds or steps. */
export class PlainPace {
  readonly #seconds: number;
  readonly #steps: number;
  #lastTime: number | null = null;
  #lastStep = 0;

  constructor({ seconds = 10, steps = Number.POSITIVE_INFINITY } = {}) {
    this.#seconds = seconds;
    this.#steps = steps;
  }

  /** @param now milliseconds of any monotonic clock */
  due(step: number, now: number = performance.now()): boolean {
    const first = this.#lastTime === null;
    const late = !first && now - this.#lastTime! >= this.#seconds * 1000;
    if (!first && !late && step - this.#lastStep < this.#steps) return false;
    this.#lastTime = now;
    this.#lastStep = step;
    return true;
  }
}

/** `850 kB`, `59 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  if (bytes < 999.5e6) return `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(bytes < 9.95e9 ? 1 : 0)} GB`;
}
