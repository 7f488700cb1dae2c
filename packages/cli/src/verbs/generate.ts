import { DataError } from '@keel/align';
import { isChat, tokenisedAt } from '@keel/align/data';
import { promptFault } from '@keel/align/internal';
import { generate } from '@keel/model';
import { jsonDisplay, listDisplay, streamDisplay } from '../generating/generation-display.ts';
import { promptTokens } from '../generating/prompt-tokens.ts';
import { readPrompts } from '../generating/read-prompts.ts';
import { samplingOptions } from '../generating/sampling.ts';
import { openModel } from '../open-model.ts';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { complain } from '../terminal.ts';

export async function run(options: GenerateVerbOptions): Promise<number> {
  const asked = await readPrompts(options);
  const prompts = asked.map(({ prompt }) => prompt);
  const { model, adapter } = await openModel(options);
  const plain = asked.filter(({ prompt, place }) => place !== undefined && !isChat(prompt)).length;
  if (plain > 0 && !options.raw && model.tokenizer.chatTemplate !== null) {
    complain(
      `note: ${plain} of ${asked.length} rows of ${options.prompts} are plain text, which the model continues without its chat template. ` +
        'To ask them as a user, write each prompt as messages: [{"role": "user", "content": …}]. To continue plain text without this note, pass --raw',
    );
  }
  const { samples, batchSize } = options;
  const parts = { prompts, samples, fromFile: options.prompts !== null };
  const single = prompts.length === 1 && samples === 1;
  const display = options.json ? jsonDisplay(parts) : single ? streamDisplay() : listDisplay(parts);
  const tokens = asked.map((prompt) => {
    const make = (): number[] => promptTokens(prompt, model.tokenizer, options);
    const found = prompt.place === undefined ? make() : tokenisedAt(prompt.place, make);
    const fault = promptFault(found, model.tokenizer, model.decoder.config);
    if (fault === null) return found;
    if (prompt.place !== undefined) throw new DataError({ ...prompt.place, ...fault });
    throw new Error(`--prompt: expected ${fault.expected}, found ${fault.found}. ${fault.advice}`);
  });
  const settings = { ...samplingOptions(options), samplesPerPrompt: samples, batchSize, adapter };
  for await (const event of generate(model, tokens, settings)) display.event(event);
  return 0;
}
