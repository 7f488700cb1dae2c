// Prints the best and the worst of a batch of sampled answers.
import type { Content } from '../data/messages.ts';
import type { JudgedLine } from './samples-log.ts';

/** The fields of an answer that a table shows. */
export type ShownSample = Pick<JudgedLine, 'prompt' | 'completion' | 'reward' | 'kl'>;

interface Shown {
  title: string;
  /** Best first. */
  samples: readonly ShownSample[];
  /** Number of the best; the worst follow them. */
  best: number;
}

/**
 * Rows of reward, KL (in nats per answer), prompt and answer, the best first and the worst last. No
 * line is wider than `columns`; a narrow terminal drops the prompt.
 * @param step the first step that trains on the answers
 * @param each number of the best, and of the worst, answers to show
 */
export function samplesTable(
  step: number,
  samples: readonly ShownSample[],
  each: number,
  columns: number,
): string {
  const shown = bestAndWorst(step, samples, each);
  const numbers = shown.samples.map(({ reward, kl }) => [number(reward), number(kl)]);
  const widths = [0, 1].map((at) => Math.max(6, ...numbers.map((one) => one[at]!.length))) as [
    number,
    number,
  ];
  const room = Math.max(8, columns - widths[0] - widths[1] - 5);
  const forPrompt = room >= 30 ? Math.floor(room / 3) : 0;
  const forAnswer = room - (forPrompt > 0 ? forPrompt + 2 : 0);
  const row = (reward: string, kl: string, prompt: string, answer: string): string =>
    [
      ` ${reward.padStart(widths[0])}`,
      kl.padStart(widths[1]),
      ...(forPrompt > 0 ? [padded(shortened(prompt, forPrompt), forPrompt)] : []),
      shortened(answer, forAnswer),
    ]
      .join('  ')
      .trimEnd();
  const rows = shown.samples.map(({ prompt, completion }, at) =>
    row(numbers[at]![0]!, numbers[at]![1]!, textOf(prompt), completion),
  );
  rows.splice(shown.best, 0, ` ${'·'.repeat(widths[0])}`);
  return [
    shortened(shown.title, columns),
    row('reward', 'KL', 'prompt', 'answer'),
    ...(shown.best < shown.samples.length ? rows : rows.slice(0, -1)),
  ].join('\n');
}

/** The same as plain lines, for logs and pipes. */
export function plainSamples(step: number, samples: readonly ShownSample[], each: number): string {
  const { title, samples: shown, best } = bestAndWorst(step, samples, each);
  const lines = shown.map(({ prompt, completion, reward, kl }, at) =>
    [
      at < best ? 'best ' : 'worst',
      `reward ${number(reward)}`,
      `KL ${number(kl)}`,
      `prompt: ${shortened(textOf(prompt), 80)}`,
      `answer: ${shortened(completion, 120)}`,
    ].join('  '),
  );
  return [title, ...lines].join('\n');
}

/** If there are too few answers, each is shown once. */
function bestAndWorst(step: number, samples: readonly ShownSample[], each: number): Shown {
  const sorted = samples.toSorted((a, b) => b.reward - a.reward);
  const all = sorted.length <= 2 * each;
  const best = all ? Math.ceil(sorted.length / 2) : each;
  return {
    title: `step ${step}: ${all ? `all ${sorted.length} answers, best first` : `the best ${each} and the worst ${each} of ${sorted.length} answers`}`,
    samples: all ? sorted : [...sorted.slice(0, each), ...sorted.slice(-each)],
    best,
  };
}

const number = (value: number | null): string => (value === null ? '-' : value.toFixed(3));

/** A chat's last message. */
const textOf = (prompt: Content): string =>
  typeof prompt === 'string' ? prompt : (prompt.at(-1)?.content ?? '');

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const widthOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1);

/** On one line, without characters that move a terminal's cursor, no wider than `columns`. */
export function shortened(text: string, columns: number): string {
  const line = text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/\p{Cc}|(?!\u200d)\p{Cf}/gu, '')
    .trim();
  let width = 0;
  let kept = '';
  /** The longest beginning that leaves room for an ellipsis. */
  let short = '';
  for (const { segment } of graphemes.segment(line)) {
    width += widthOf(segment);
    if (width > columns) return `${short.trimEnd()}…`;
    kept += segment;
    if (width < columns) short = kept;
  }
  return kept;
}

export function padded(text: string, columns: number): string {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOf(segment);
  return text + ' '.repeat(Math.max(0, columns - width));
}
