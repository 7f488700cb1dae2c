import { DataError } from '@keel/align';
import { isChat, tokenisedAt } from '@keel/align/data';
import { modelFacts, promptFault } from '@keel/align/internal';
import { generate } from '@keel/model';
import { askedRow } from '../generating/answer-rows.ts';
import { jsonDisplay, listDisplay, streamDisplay } from '../generating/generation-display.ts';
import { promptTokens } from '../generating/prompt-tokens.ts';
import { type AskedPrompt, readPrompts } from '../generating/read-prompts.ts';
import { refuseExisting } from '../generating/row-file.ts';
import { samplingOptions } from '../generating/sampling.ts';
import { writeAnswers } from '../generating/write-answers.ts';
import { openModel } from '../open-model.ts';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { complain } from '../terminal.ts';
import { sayDryRun } from '../work-plan.ts';

export async function run(options: GenerateVerbOptions): Promise<number> {
  if (options.output !== null) refuseExisting(options.output, options.overwrite);
  const asked = await readPrompts(options);
  const prompts = asked.map(({ prompt }) => prompt);
  const { model, adapter } = await openModel(options);
  const { samples, batchSize } = options;
  const parts = { prompts, samples, fromFile: options.prompts !== null };
  const single = prompts.length === 1 && samples === 1;
  const tokens = asked.map((prompt) => {
    const make = (): number[] => promptTokens(prompt, model.tokenizer, options);
    const found = prompt.place === undefined ? make() : tokenisedAt(prompt.place, make);
    const fault = promptFault(found, model.tokenizer, model.decoder.config);
    if (fault === null) return found;
    if (prompt.place !== undefined) throw new DataError({ ...prompt.place, ...fault });
    throw new Error(`--prompt: expected ${fault.expected}, found ${fault.found}. ${fault.advice}`);
  });
  if (options.dryRun) {
    const { maxNewTokens, temperature, json } = options;
    const longest = tokens.reduce((most, one) => Math.max(most, one.length), 0);
    const plan = {
      verb: 'generate',
      model: modelFacts(model),
      parts: {
        adapter: { text: options.adapter ?? 'none', data: options.adapter },
        prompts: {
          text: `${prompts.length}, the longest of ${longest} tokens`,
          data: { all: prompts.length, longest },
        },
        sampling: {
          text: `${samples} ${samples === 1 ? 'answer' : 'answers'} to each, at most ${maxNewTokens} tokens, temperature ${temperature}`,
          data: { generations: samples, maxNewTokens, temperature },
        },
      },
    };
    sayDryRun(plan, json);
    return 0;
  }
  const plain = asked.filter(isPlainRow).length;
  if (plain > 0 && !options.raw && model.tokenizer.chatTemplate !== null) {
    complain(
      `note: ${plain} of ${asked.length} rows of ${options.prompts} are plain text, which is continued without the chat template. ` +
        'To ask them in a chat, pass --wrap-chat; to continue plain text without this note, pass --raw',
    );
  }
  const rows = asked.map((prompt) => askedRow(prompt, model.tokenizer, options));
  const settings = { ...samplingOptions(options), samplesPerPrompt: samples, batchSize, adapter };
  if (options.output !== null) {
    const dropped = [...new Set(rows.flatMap((row) => row.dropped))];
    if (dropped.length > 0) {
      complain(
        `note: the rows are written without their fields ${dropped.join(', ')}, which would make them rows of another kind`,
      );
    }
    const { output, overwrite, json } = options;
    return writeAnswers(model, { tokens, rows, parts, settings, output, overwrite, json });
  }
  const display = options.json
    ? jsonDisplay(rows, parts)
    : single
      ? streamDisplay()
      : listDisplay(parts);
  for await (const event of generate(model, tokens, settings)) display.event(event);
  return 0;
}

/** Whether a prompt is a row's plain text: text on the command line is a user's message. */
const isPlainRow = ({ prompt, place }: AskedPrompt): boolean =>
  place !== undefined && !isChat(prompt);
