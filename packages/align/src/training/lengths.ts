// Finds the rows that fit --max-length before the first step, so that an epoch has as many steps as
// its usable rows make.
import { setImmediate } from 'node:timers/promises';
import { type LostParts, lostParts } from '../batching/lost-text.ts';
import { trainingShape } from '../config/training-options.ts';
import type { Notice } from './run-data.ts';
import type { AnySource } from './tokenised-source.ts';

/**
 * Larger datasets are not read before the run: at a few milliseconds per row, it would take too
 * long.
 */
const SURVEYED_ROWS = 200_000;
/**
 * The same for a run that sees only some of the rows, and whose steps do not depend on the others.
 */
const SURVEYED_ROWS_OF_PART = 2_000;
/** Rows between two progress notices. */
const PROGRESS = 5_000;

/**
 * The maximum length: at most the model's positions, where it is the default.
 * @throws Error when a length that was asked for exceeds them
 */
export function fittingLength(
  maxLength: number | null,
  positions: number,
  notice: Notice,
): number | null {
  if (maxLength === null || maxLength <= positions) return maxLength;
  if (maxLength !== trainingShape.maxLength.parse(undefined)) {
    throw new Error(
      `--max-length ${maxLength} exceeds the ${positions} tokens that the model takes. Pass --max-length ${positions} or less`,
    );
  }
  notice(`the model takes at most ${positions} tokens: --max-length is ${positions}`);
  return positions;
}

/**
 * Reports rows that do not fit and text that the template drops, again whenever their number has
 * doubled.
 */
export class LengthReport {
  readonly #source: AnySource;
  readonly #notice: Notice;
  readonly #told = new Map<string, number>();

  constructor(source: AnySource, notice: Notice) {
    this.#source = source;
    this.#notice = notice;
  }

  /** @param all whether small increases are reported too */
  tell({ all = false } = {}): void {
    const { option, maxLength, length, tooLong, tooLongReason, truncated, badRows, lost } =
      this.#source;
    const { hasEndless } = this.#source;
    const [bad] = badRows.values();
    this.#say('too long', tooLong.size, all, (count) => {
      return `${count} of ${length} rows of ${option} are skipped: ${tooLongReason} within --max-length ${maxLength}`;
    });
    this.#say('cut', truncated.size, all, (count) => {
      return `${count} of ${length} rows of ${option} are cut at --max-length ${maxLength}, at the end of their answers`;
    });
    const { fields, earlier, roles, opened } = lostParts([...new Set([...lost.values()].flat())]);
    const rowsWith = (part: keyof LostParts) =>
      [...lost.values()].filter((names) => lostParts(names)[part].length > 0).length;
    this.#say('lost messages', rowsWith('roles'), all, (count) => {
      return (
        `${count} of ${length} rows of ${option}: the chat template drops whole messages (${roles.join(', ')}), ` +
        'so the model does not see them. Write their text in a message that it does write, or pass another template ' +
        'with --chat-template; keel tokens shows what is left'
      );
    });
    this.#say('lost history', rowsWith('earlier'), all, (count) => {
      return (
        `${count} of ${length} rows of ${option}: the chat template leaves out some of what the assistant said before its answer (${earlier.join(', ')}), ` +
        'so the model does not see it. Pass another template with --chat-template; keel tokens shows what is left'
      );
    });
    this.#say('lost prompt', rowsWith('opened'), all, (count) => {
      return (
        `${count} of ${length} rows of ${option}: an answer has reasoning, but the template closes that block before an answer (${opened.slice(0, 3).join(', ')}), ` +
        'so training starts within it and sampling after it. Set "enable_thinking": true in the chat_template_kwargs of these rows, or remove the reasoning'
      );
    });
    this.#say('lost text', rowsWith('fields'), all, (count) => {
      return (
        `${count} of ${length} rows of ${option}: the chat template leaves out some of what the assistant says (${fields.join(', ')}), ` +
        'so it is not trained on. Such templates drop reasoning or tool calls; keel tokens shows what is left'
      );
    });
    // Held-out rows have none either: reported once.
    this.#say('no end token', hasEndless && option !== '--eval-data' ? 1 : 0, all, () => {
      return (
        `${option} has plain answers, and no end-of-sequence token follows them because the tokenizer names none: ` +
        'the model does not learn where to stop. Set eos_token in its tokenizer_config.json'
      );
    });
    this.#say('bad rows', badRows.size, all, (count) => {
      return `${count} of ${length} rows of ${option} are skipped, the first: ${bad}`;
    });
  }

  #say(what: string, count: number, all: boolean, sentence: (count: number) => string): void {
    const told = this.#told.get(what) ?? 0;
    if (count === told || (!all && count < 2 * told)) return;
    this.#told.set(what, count);
    this.#notice(sentence(count), `${what}, ${this.#source.option}`);
  }
}

export interface SurveyOptions {
  notice: Notice;
  /** Whether the run sees only some of the rows, however many can be used. */
  part?: boolean;
  /** Sources of more rows are not surveyed. */
  limit?: number;
  /** Ends the survey early. */
  signal?: AbortSignal;
}

/**
 * Tokenises every row once, so that the source knows which rows can be used, and reports the
 * others.
 * @returns the report, which continues in training for a source that is too large to be surveyed
 * @throws Error when no row can be used
 * @throws DataError when a row has nothing to score, or is too long for the model, and bad rows are
 *   not skipped
 */
export async function surveyLengths(
  source: AnySource,
  options: SurveyOptions,
): Promise<LengthReport> {
  const { notice, part = false, signal } = options;
  const { limit = part ? SURVEYED_ROWS_OF_PART : SURVEYED_ROWS } = options;
  const report = new LengthReport(source, notice);
  const { length, option } = source;
  if (length > limit) {
    notice(
      `${option} has more than ${limit} rows: rows that do not fit are reported as they come up, and later rows take their places in training`,
    );
    return report;
  }
  if (signal?.aborted) return report;
  source.expect(length);
  let told = 0;
  for await (const done of source.survey()) {
    if (signal?.aborted) break;
    if (done - told >= PROGRESS && done < length) {
      notice(`lengths of ${done} of ${length} rows of ${option}`, `lengths progress, ${option}`);
      told = done;
    }
    await setImmediate(); // lets signals in
  }
  if (source.usable === 0) source.refuseNothingLeft();
  report.tell();
  return report;
}
