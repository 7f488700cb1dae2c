// The columns of the prompts that an online run answered. Its samples do not have them, so they are
// read from the files that its configuration names.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRows, type PromptRow } from '@keel/align/data';
import { parse } from 'yaml';
import { promptKey } from '../../judging/answers/answer-row.ts';

/** A sample, as far as it names its prompt. */
type Asked = Pick<PromptRow, 'prompt'> & { row: number };

export interface PromptColumns {
  /** The row that a sample answers; null: it is not found. */
  rowOf(sample: Asked): PromptRow | null;
  /** Why rows are not found, or not all. */
  why: string;
}

/** @param heldOut whether the samples answer the run's held-out prompts */
export async function promptColumns(run: string, heldOut: boolean): Promise<PromptColumns> {
  const path = join(run, 'config.yaml');
  if (!existsSync(path)) return unknown(`${path} does not exist`);
  const config = (parse(readFileSync(path, 'utf8')) ?? {}) as Record<string, unknown>;
  const files = textsOf(heldOut ? config.eval_data : config.data);
  if (files === null) return unknown(`${path} names no files of its prompts`);
  try {
    return await readPrompts(files, textsOf(config.columns), config.wrap_chat === true);
  } catch (error) {
    return unknown((error as Error).message);
  }
}

async function readPrompts(
  files: readonly string[],
  columns: readonly string[] | null,
  wrapChat: boolean,
): Promise<PromptColumns> {
  const reading = { onBadRow: 'skip', columns, wrapChat } as const;
  await using source = await openRows([...files], { kind: 'prompt', ...reading });
  const rows: PromptRow[] = [];
  for await (const row of source.iterate()) rows.push(row);
  const byPrompt = Map.groupBy(rows, ({ prompt }) => promptKey(prompt));
  return {
    rowOf({ prompt, row }) {
      const found = byPrompt.get(promptKey(prompt)) ?? [];
      // Rows of one prompt may have different columns.
      return found.length > 1
        ? (found.find((one) => one === rows[row]) ?? null)
        : (found[0] ?? null);
    },
    why: `a prompt is not in ${files.join(', ')}`,
  };
}

const unknown = (why: string): PromptColumns => ({ rowOf: () => null, why });

function textsOf(value: unknown): readonly string[] | null {
  const texts = [value].flat().filter((one): one is string => typeof one === 'string');
  return texts.length === 0 ? null : texts;
}
