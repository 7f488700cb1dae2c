import { DataError } from '@keel/align';
import { tokenisedAt } from '@keel/align/data';
import { modelFacts, promptFault } from '@keel/align/internal';
import { generate } from '@keel/model';
import { jsonDisplay, listDisplay, streamDisplay } from '../generating/generation-display.ts';
import { promptTokens } from '../generating/prompt-tokens.ts';
import { readPrompts } from '../generating/read-prompts.ts';
import { samplingOptions } from '../generating/sampling.ts';
import { openModel } from '../open-model.ts';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { sayDryRun } from '../work-plan.ts';

export async function run(options: GenerateVerbOptions): Promise<number> {
  const asked = await readPrompts(options);
  const prompts = asked.map(({ prompt }) => prompt);
  const { model, adapter } = await openModel(options);
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
  const settings = { ...samplingOptions(options), samplesPerPrompt: samples, batchSize, adapter };
  for await (const event of generate(model, tokens, settings)) display.event(event);
  return 0;
}
