// A project's labels as rows of a round. Prompts that are held out stay so in all rounds, so that
// the accuracies of rounds can be compared.
import type { Content } from '@keel/align/data';
import { isChat } from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';
import { pairRows, type RowsOf, thumbRows } from '../exporting/training-rows.ts';
import { keyOf } from '../store/ids.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import type { RoundColumn } from './round-column.ts';

/** Share of the prompts that is held out. */
const HELD_OUT = 0.2;

type Row = Record<string, unknown> & { prompt: Content };

export interface RoundRows {
  train: Row[];
  heldOut: Row[];
}

/** Whether a prompt is one of those that no round trains on. */
export const isHeldOut = (prompt: Content): boolean =>
  Number.parseInt(hex(keyOf('held-out', exactJson(asChat(prompt, 'user')))), 16) / 2 ** 32 <
  HELD_OUT;

/** The first 32 bits of a key. */
const hex = (key: string): string => Buffer.from(key, 'base64url').toString('hex').slice(0, 8);

/** A text as the only message of a chat: models that follow instructions are trained on chats. */
export const asChat = (content: Content, role: 'user' | 'assistant'): Content =>
  isChat(content) ? content : [{ role, content }];

const kinds: Readonly<Record<'pairs' | 'thumbs', RowsOf>> = { pairs: pairRows, thumbs: thumbRows };

/** The rows of all labelled tasks, as chats; several votes are a probability. */
export async function roundRows(
  store: PreferenceStore,
  project: string,
  kind: 'pairs' | 'thumbs',
): Promise<RoundRows> {
  const rows: RoundRows = { train: [], heldOut: [] };
  for await (const task of store.tasks(project)) {
    const made = kinds[kind](task, 'votes');
    if (typeof made === 'string') continue;
    const round = task.columns.round as RoundColumn | undefined;
    for (const row of made as Row[]) {
      if (!isHeldOut(row.prompt)) rows.train.push(chatRow(row));
      // On pairs that were chosen since they are hard, accuracy says nothing about all pairs.
      else if (round === undefined || round.why === 'random') rows.heldOut.push(chatRow(row));
    }
  }
  return rows;
}

/** Columns that training reads; what else the tasks carry stays in the store. */
function chatRow(row: Row): Row {
  const chat: Row = { prompt: asChat(row.prompt, 'user') };
  for (const name of ['chosen', 'rejected', 'completion'])
    if (name in row) chat[name] = asChat(row[name] as Content, 'assistant');
  for (const name of ['label', 'label_probability']) if (name in row) chat[name] = row[name];
  return chat;
}
