// From a row to the tokens that a reward model reads.
import { ChatTemplateError, type DecoderConfig, type Tokenizer } from '@keel/model';
import { type ReadOptions, readAnswers, tokeniseSteps } from '../batching/tokenise-judged.ts';
import { unknownToken } from '../batching/unknown-token.ts';
import { type Content, isChat } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { RewardRecord } from './reward-record.ts';
import type { AnsweredPrompt } from './score-answers.ts';

/** An answer to score. */
export interface RewardRow {
  prompt: Content;
  completion: Content;
  /** The other inputs of the chat template. */
  rendering?: Rendering;
}

export interface RewardRowReading {
  record: RewardRecord;
  tokenizer: Tokenizer;
  config: DecoderConfig;
  /** Whether an empty answer has a score; otherwise it is an error. */
  scoresEmpty: boolean;
  /** Called with the fields whose text the chat template drops. */
  onLost(fields: readonly string[]): void;
}

/**
 * Tokens of a row, and those at which its scores are read.
 * @param index place of the row, for errors
 * @throws UnscorableRowError if the answer is empty or too long, or the chat template rejects it
 */
export function tokeniseRewardRow(
  { prompt, completion, rendering }: RewardRow,
  index: number,
  { record, tokenizer, config, scoresEmpty, onLost }: RewardRowReading,
): AnsweredPrompt {
  const reading: ReadOptions = {
    readAt: record.read_at,
    padTokenId: record.pad_token_id,
    stepSeparator: record.step_separator,
  };
  let found: AnsweredPrompt;
  if (record.scores === 'steps') {
    const completions = stepsIn(completion, record.step_separator);
    if (completions.length === 0) throw new UnscorableRowError(index, 'the answer is empty');
    const { prompt: asked, answer } = atRewardRow(index, () =>
      tokeniseSteps({ prompt, completions, rendering }, tokenizer, reading),
    );
    found = { prompt: asked, answers: [answer] };
  } else {
    if (isEmpty(completion) && !scoresEmpty) {
      throw new UnscorableRowError(index, 'the answer is empty');
    }
    const row = { prompt, completions: [completion], rendering };
    const { lost, ...read } = atRewardRow(index, () => readAnswers(row, tokenizer, reading));
    found = read;
    if (lost !== undefined) onLost(lost);
  }
  const { vocabularySize, maxPositions } = config;
  const [{ tokens, reads }] = found.answers as [AnsweredPrompt['answers'][number]];
  if (reads.length === 0) {
    throw new UnscorableRowError(index, 'the answer has no token at which a score can be read');
  }
  const unknown = unknownToken([found.prompt, tokens], tokenizer, vocabularySize);
  if (unknown !== null) {
    throw new UnscorableRowError(
      index,
      `expected ${unknown.expected}, found ${unknown.found}. ${unknown.advice}`,
    );
  }
  const length = found.prompt.length + tokens.length;
  if (length <= maxPositions) return found;
  throw new UnscorableRowError(
    index,
    `prompt and answer have ${length} tokens, but the reward model takes at most ${maxPositions}: shorten the answer or remove the row`,
  );
}

/** A row that a reward model cannot score. */
export class UnscorableRowError extends RangeError {
  override readonly name = 'UnscorableRowError';
  /** Its place among the rows that were scored together, counted from 0. */
  readonly row: number;
  /** The message without the row. */
  readonly reason: string;

  constructor(row: number, reason: string, options?: ErrorOptions) {
    super(`row ${row}: ${reason}`, options);
    this.row = row;
    this.reason = reason;
  }
}

/** @throws UnscorableRowError if the chat template rejects the row */
function atRewardRow<Made>(index: number, make: () => Made): Made {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof ChatTemplateError)) throw cause;
    throw new UnscorableRowError(index, cause.message, { cause });
  }
}

const isEmpty = (content: Content): boolean =>
  isChat(content)
    ? content.every((message) => !message.content && !message.tool_calls)
    : content === '';

function stepsIn(completion: Content, separator: string): string[] {
  const text = isChat(completion)
    ? completion.map(({ content }) => content).join(separator)
    : completion;
  const steps = separator === '' ? [text] : text.split(separator);
  return steps.filter((step) => step.trim() !== '');
}
