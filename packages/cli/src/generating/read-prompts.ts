import { text } from 'node:stream/consumers';
import { leftOutOfPrompt, openRows, type Place, type PromptRow } from '@keel/align/data';

/** A prompt, with its row's settings for the chat template. */
export interface AskedPrompt extends Pick<PromptRow, 'prompt' | 'rendering'> {
  /** The row's other fields. */
  extra?: PromptRow['extra'];
  /** The row that it is in; absent if it does not come from a file. */
  place?: Place;
}

/**
 * Reads the prompts: the one given, the one on stdin, or those in a file.
 * @throws Error if stdin is empty, DataError if the file is invalid, or a row has text for its
 *   prompt in another column
 */
export async function readPrompts({
  prompt,
  prompts,
  columns,
  wrapChat,
}: {
  prompt: string | null;
  prompts: string | null;
  columns?: readonly string[] | null;
  wrapChat?: boolean;
}): Promise<AskedPrompt[]> {
  if (prompts !== null) {
    const how = { kind: 'prompt', columns, wrapChat, refuse: leftOutOfPrompt } as const;
    await using rows = await openRows(prompts, how);
    const found: AskedPrompt[] = [];
    for await (const row of rows.iterate()) found.push({ ...row, place: rows.place(found.length) });
    return found;
  }
  if (prompt !== '-') return [{ prompt: prompt! }];
  // The shell adds the final newline.
  const input = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (input === '')
    throw new Error(
      '--prompt -: stdin is empty. Pipe a prompt into it, or pass the text to --prompt',
    );
  return [{ prompt: input }];
}
