import type { DataRows } from '../data/derived-rows.ts';
import type { RowKind } from '../data/rows.ts';
import type { Notice } from './run-data.ts';

/** Code of the notice, for displays and programs. */
const PLAIN_ROWS = 'plain-rows';

/**
 * Warns if rows are plain text although the model has a chat template. A chat with the result then
 * uses a format that it was not trained on.
 */
export function notePlainRows(
  { plainCount, files }: Pick<DataRows<RowKind>, 'plainCount' | 'files'>,
  chatTemplate: object | null,
  notice: Notice,
): void {
  if (plainCount === 0 || chatTemplate === null) return;
  const rows = plainCount === 1 ? '1 row' : `${plainCount} rows`;
  notice(
    `${rows} of ${files.join(', ')} ${plainCount === 1 ? 'is' : 'are'} plain text, but the model has a chat template. ` +
      'Training does not use the template for them, but keel chat and keel generate do, so their answers may not show its effect. ' +
      'Pass --wrap-chat to train on these rows as chats',
    PLAIN_ROWS,
  );
}
