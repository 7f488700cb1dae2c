import { text } from 'node:stream/consumers';
import { openRows, type Place, type PromptRow } from '@keel/align';

/** A prompt, and what its chat template is given beside it. */
export interface AskedPrompt extends Pick<PromptRow, 'prompt' | 'rendering'> {
  /** The row that it stands in; absent where it is no file's. */
  place?: Place;
}

/**
 * The prompts that were asked for: one, stdin's, or a file's.
 * @throws Error where stdin is empty, DataError where the file is not as it must be
 */
export async function readPrompts({
  prompt,
  prompts,
}: {
  prompt: string | null;
  prompts: string | null;
}): Promise<AskedPrompt[]> {
  if (prompts !== null) {
    await using rows = await openRows(prompts, { kind: 'prompt' });
    const found: AskedPrompt[] = [];
    for await (const row of rows.iterate()) found.push({ ...row, place: rows.place(found.length) });
    return found;
  }
  if (prompt !== '-') return [{ prompt: prompt! }];
  // The newline that ends the last line is the shell's.
  const input = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (input === '') throw new Error('--prompt -: nothing came from stdin');
  return [{ prompt: input }];
}
