import { constraintFlag } from '@keel/align/config';
import { modelFacts } from '@keel/align/internal';
import { generate } from '@keel/model';
import { type AskedPrompts, askPrompts } from '../generating/ask-prompts.ts';
import { jsonDisplay, listDisplay, streamDisplay } from '../generating/generation-display.ts';
import { refuseExisting } from '../generating/sample-answers.ts';
import { samplingOptions } from '../generating/sampling.ts';
import { writeAnswers } from '../generating/write-answers.ts';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { complain } from '../terminal.ts';
import { sayDryRun } from '../work-plan.ts';

export async function run(options: GenerateVerbOptions): Promise<number> {
  const { output, samples, batchSize } = options;
  if (output !== null) refuseExisting(output, options.overwrite);
  const asked = await askPrompts(options);
  const { model, adapter, tokens, constraints, rows, parts, notes } = asked;
  if (options.dryRun) {
    sayPlan(asked, options);
    return 0;
  }
  for (const note of notes) complain(`note: ${note}`);
  if (output !== null) return writeAnswers(asked, { ...options, output });
  const single = tokens.length === 1 && samples === 1;
  const display = options.json
    ? jsonDisplay(rows, parts)
    : single
      ? streamDisplay()
      : listDisplay(parts);
  const settings = {
    ...{ ...samplingOptions(options), samplesPerPrompt: samples, batchSize, adapter },
    promptConstraints: constraints,
  };
  for await (const event of generate(model, tokens, settings)) display.event(event);
  return 0;
}

function sayPlan({ model, tokens }: AskedPrompts, options: GenerateVerbOptions): void {
  const { maxNewTokens, temperature, samples, json } = options;
  const constraint = constraintFlag(options);
  const longest = tokens.reduce((most, one) => Math.max(most, one.length), 0);
  const plan = {
    verb: 'generate',
    model: modelFacts(model),
    parts: {
      adapter: { text: options.adapter ?? 'none', data: options.adapter },
      prompts: {
        text: `${tokens.length}, the longest of ${longest} tokens`,
        data: { all: tokens.length, longest },
      },
      sampling: {
        text: `${samples} ${samples === 1 ? 'answer' : 'answers'} to each, at most ${maxNewTokens} tokens, temperature ${temperature}${constraint === null ? '' : `, limited by ${constraint}`}`,
        data: { generations: samples, maxNewTokens, temperature, constraint },
      },
    },
  };
  sayDryRun(plan, json);
}
