import { DataError } from '@keel/align';
import { constraintFlag, readConstraint } from '@keel/align/config';
import { isChat, tokenisedAt } from '@keel/align/data';
import { answerConstraint, droppedNotice, promptFault } from '@keel/align/internal';
import {
  ConstraintError,
  constraintOfResponseFormat,
  type LanguageModel,
  type TokenConstraint,
} from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { openModel } from '../open-model.ts';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { droppedText } from '../scoring/dropped-text.ts';
import { type AskedRow, askedRow } from './answer-rows.ts';
import { checkedConstraint } from './checked-constraint.ts';
import type { DisplayParts } from './generation-display.ts';
import { promptTokens } from './prompt-tokens.ts';
import { type AskedPrompt, readPrompts } from './read-prompts.ts';

/** A model with the prompts that it is to answer. */
export interface AskedPrompts {
  model: LanguageModel;
  /** The role to run the model in; null: the base alone. */
  adapter: string | null;
  /** Token ids of the prompts. */
  tokens: number[][];
  /** What the answers to each prompt must match; null: anything. */
  constraints: (TokenConstraint | null)[];
  rows: readonly AskedRow[];
  parts: DisplayParts;
  /** Facts about the prompts that the user should know. */
  notes: string[];
}

/**
 * Opens the model and reads the prompts.
 * @throws DataError, Error for an invalid prompt; CheckpointError for an invalid model
 */
export async function askPrompts(options: GenerateVerbOptions): Promise<AskedPrompts> {
  const asked = await readPrompts(options);
  const { model, adapter } = await openModel(options);
  const tokens = asked.map((prompt) => {
    const make = (): number[] => promptTokens(prompt, model.tokenizer, options);
    const found = prompt.place === undefined ? make() : tokenisedAt(prompt.place, make);
    const fault = promptFault(found, model.tokenizer, model.decoder.config);
    if (fault === null) return found;
    if (prompt.place !== undefined) throw new DataError({ ...prompt.place, ...fault });
    throw new Error(`--prompt: expected ${fault.expected}, found ${fault.found}. ${fault.advice}`);
  });
  const constraints = await constraintsOf(asked, tokens, model, options);
  const rows = asked.map((prompt) => askedRow(prompt, model.tokenizer, options));
  return {
    ...{
      model,
      adapter,
      tokens,
      constraints,
      rows,
      notes: notesOn(asked, { model, rows }, options),
    },
    parts: {
      prompts: asked.map(({ prompt }) => prompt),
      samples: options.samples,
      fromFile: options.prompts !== null,
    },
  };
}

/** Without the types that rows' numbers have so that templates print them as they are written. */
const plainJson = (value: unknown): unknown => JSON.parse(exactJson(value));

/** A row's own `response_format` counts instead of the options. */
async function constraintsOf(
  asked: readonly AskedPrompt[],
  tokens: readonly number[][],
  model: LanguageModel,
  options: GenerateVerbOptions,
): Promise<(TokenConstraint | null)[]> {
  const general = readConstraint(options);
  const flag = constraintFlag(options);
  const compiled = asked.map(async ({ place, extra = {} }, index) => {
    const own = extra.response_format;
    if (own === undefined) {
      return general && (await checkedConstraint(model, general, flag!, tokens[index]));
    }
    try {
      const constraint = constraintOfResponseFormat(plainJson(own));
      return constraint && (await answerConstraint(model, constraint, tokens[index]!));
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      throw new DataError({
        ...{ ...place!, field: 'response_format', found: exactJson(own), advice: error.message },
        expected: 'a response_format that can be enforced',
      });
    }
  });
  return Promise.all(compiled);
}

function notesOn(
  asked: readonly AskedPrompt[],
  { model, rows }: Pick<AskedPrompts, 'model' | 'rows'>,
  { prompts, raw, output }: GenerateVerbOptions,
): string[] {
  const notes: string[] = [];
  const plain = asked.filter(isPlainRow).length;
  if (plain > 0 && !raw && model.tokenizer.chatTemplate !== null) {
    notes.push(
      `${plain} of ${asked.length} rows of ${prompts} are plain text, which is continued without the chat template. ` +
        'To ask them in a chat, pass --wrap-chat; to continue plain text without this note, pass --raw',
    );
  }
  const dropped = [...new Set(rows.flatMap((row) => row.dropped))];
  if (output !== null && dropped.length > 0) {
    notes.push(droppedNotice(dropped));
  }
  const lost = rows.map((row) => row.lost).filter(({ length }) => length > 0);
  if (lost.length > 0) {
    const what = droppedText([...new Set(lost.flat())]);
    notes.push(
      `${lost.length} of ${asked.length} prompts: the chat template drops ${what}, so the model does not see it. keel tokens --for generate shows what is left`,
    );
  }
  return notes;
}

/** Whether a prompt is a row's plain text: text on the command line is a user's message. */
const isPlainRow = ({ prompt, place }: AskedPrompt): boolean =>
  place !== undefined && !isChat(prompt);
