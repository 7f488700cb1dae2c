import { drawBar, PlainPace } from '@keel/align/internal';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { complain, say, sayJson } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { sayAbove, terminalBar } from '../training/terminal-bar.ts';
import { cutOffLines, trainLines } from '../training/train-command.ts';
import type { AskedPrompts } from './ask-prompts.ts';
import { sampleAnswers } from './sample-answers.ts';

/** `keel generate --output`: writes rows and shows progress. @returns the exit code */
export async function writeAnswers(
  asked: AskedPrompts,
  options: GenerateVerbOptions & { output: string },
): Promise<number> {
  const { output, json } = options;
  let [done, total] = [0, asked.tokens.length * options.samples];
  using stopping = new StopSignals((name) => complain(`${name}: stopping`));
  const pace = new PlainPace();
  const bar = terminalBar(process.stderr, (columns, share) => {
    const text = ` ${done} of ${total} answers`;
    return drawBar(share, Math.max(10, Math.min(40, columns - text.length))) + text;
  });
  bar?.start(total, 0);
  const sampled = await sampleAnswers(asked, options, {
    signal: stopping.signal,
    onNotice: (text) => sayAbove(bar, process.stderr, text),
    onProgress(now, of) {
      [done, total] = [now, of];
      bar?.update(done);
      if (bar === null && !json && pace.due(done)) complain(`${done} of ${total} answers`);
    },
  }).finally(() => bar?.stop());
  const { rows, empty, interrupted } = sampled;
  if (empty > 0)
    complain(`${empty} empty answers are not in the file, because no verb accepts them`);
  for (const line of cutOffLines(sampled)) complain(line);
  if (json) sayJson({ type: 'final', output, rows, empty, interrupted, done: sampled.done });
  else if (interrupted) {
    say(`Stopped after ${sampled.done} of ${total} answers. Run the same command again to resume.`);
  } else {
    say(`Wrote ${rows} rows to ${output}.`);
    for (const line of trainLines('Train on them: ', 'sft', output, sampled)) say(line);
  }
  return stopping.exitCode;
}
