import { text } from 'node:stream/consumers';
import { type Content, openRows } from '@keel/align';

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
}): Promise<Content[]> {
  if (prompts !== null) {
    await using rows = await openRows(prompts, { kind: 'prompt' });
    const found: Content[] = [];
    for await (const row of rows.iterate()) found.push(row.prompt);
    return found;
  }
  if (prompt !== '-') return [prompt!];
  // The newline that ends the last line is the shell's.
  const input = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (input === '') throw new Error('--prompt -: nothing came from stdin');
  return [input];
}
