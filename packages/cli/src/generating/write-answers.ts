import { drawBar, hiddenNotice, hiddenToken, PlainPace } from '@keel/align/internal';
import { type GenerateOptions, generate, type LanguageModel } from '@keel/model';
import { shellWord } from '../shell-word.ts';
import { complain, say, sayJson } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { terminalBar } from '../training/terminal-bar.ts';
import type { AskedRow } from './answer-rows.ts';
import type { DisplayParts } from './generation-display.ts';
import { AnswerFile } from './row-file.ts';

export interface WritingAnswers {
  /** Token ids of the prompts. */
  tokens: number[][];
  rows: readonly AskedRow[];
  parts: DisplayParts;
  settings: GenerateOptions;
  output: string;
  overwrite: boolean;
  json: boolean;
}

/** `keel generate --output`: writes rows and shows progress. @returns the exit code */
export async function writeAnswers(
  model: LanguageModel,
  { tokens, rows, parts, settings, output, overwrite, json }: WritingAnswers,
): Promise<number> {
  const total = tokens.length * parts.samples;
  let done = 0;
  let hidden: string | null = null;
  using file = new AnswerFile(output, rows, parts, overwrite);
  using stopping = new StopSignals((name) => complain(`${name}: stopping`));
  const pace = new PlainPace();
  const bar = terminalBar(process.stderr, (columns, share) => {
    const text = ` ${done} of ${total} answers`;
    return drawBar(share, Math.max(10, Math.min(40, columns - text.length))) + text;
  });
  bar?.start(total, 0);
  try {
    const { signal } = stopping;
    for await (const event of generate(model, tokens, { ...settings, signal })) {
      file.event(event);
      if (event.type !== 'done') continue;
      hidden ??= hiddenToken(event.result.tokens, model.tokenizer);
      done += 1;
      bar?.update(done);
      if (bar === null && !json && pace.due(done)) complain(`${done} of ${total} answers`);
    }
  } finally {
    bar?.stop();
    file.flush();
  }
  const { rows: written, empty } = file;
  if (empty > 0)
    complain(`${empty} empty answers are not in the file, because no verb accepts them`);
  const interrupted = stopping.signal.aborted;
  if (hidden !== null) complain(hiddenNotice(hidden));
  if (json) sayJson({ type: 'final', output, rows: written, empty, interrupted });
  else {
    say(`Wrote ${written} rows to ${output}${interrupted ? `, of ${total} answers` : ''}.`);
    if (!interrupted) say(`Train on them:  npx keel sft --data ${shellWord(output)}`);
  }
  return stopping.exitCode;
}
