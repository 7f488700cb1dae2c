// Options that control how the rows of files are read.
import { z } from 'zod';
import { nearest } from './nearest.ts';
import type { OptionGroup } from './option-groups.ts';
import { option } from './options.ts';

/** Fields of rows that Keel reads; all others are passed to rewards. */
export const rowFields = [
  ...['messages', 'prompt', 'completion', 'chosen', 'rejected', 'completions'],
  ...['label', 'labels', 'ranking', 'scores', 'margin', 'score_chosen', 'score_rejected'],
  ...['label_probability', 'text', 'tools', 'chat_template_kwargs'],
] as const;

/** How the rows of files are read; part of what identifies a run. */
export interface RowReading {
  /** `field=column`: Keel's field, and the column of the files that holds it. */
  columns?: readonly string[] | null;
  /** Columns that no row has are no error (default: they are). */
  mayLackColumns?: boolean;
  /** Plain prompts become user messages, and plain answers assistant messages. */
  wrapChat?: boolean;
}

/** How rows are read, from a verb's options. */
export const rowsOf = ({
  onBadRow,
  columns,
  wrapChat,
}: RowReading & { onBadRow: 'fail' | 'skip' }): RowReading & { onBadRow: 'fail' | 'skip' } => ({
  ...{ onBadRow, columns, wrapChat },
});

/** Keel's field and the column of a file that holds it. */
export interface ColumnName {
  field: string;
  column: string;
}

/** @throws RangeError if the text is not `field=column` */
export function columnName(text: string): ColumnName {
  const fault = columnFault(text);
  if (fault !== null) throw new RangeError(`columns: ${fault}`);
  const at = text.indexOf('=');
  return { field: text.slice(0, at).trim(), column: text.slice(at + 1).trim() };
}

const form = 'Write field=column: the field is a name of Keel, the column one of your file';

function columnFault(text: string): string | null {
  const at = text.indexOf('=');
  const [field, column] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 0 || field === '' || column === '') {
    return `expected field=column, such as chosen=accepted, found ${JSON.stringify(text)}`;
  }
  if ((rowFields as readonly string[]).includes(field)) return null;
  if ((rowFields as readonly string[]).includes(column)) {
    return `"${field}" is not a field of Keel, but "${column}" is: did you mean ${column}=${field}? ${form}`;
  }
  const near = nearest(field, rowFields);
  const hint = near === null ? `The fields are ${rowFields.join(', ')}` : `Did you mean "${near}"?`;
  return `"${field}" is not a field of Keel. ${hint}`;
}

const columnsSchema = z
  .array(z.string().min(1))
  .min(1)
  .superRefine((columns, context) => {
    const seen = new Map<string, string>();
    for (const text of columns) {
      const fault = columnFault(text);
      if (fault !== null) {
        context.addIssue({ code: 'custom', message: fault });
        continue;
      }
      const { field, column } = columnName(text);
      for (const name of [`field ${field}`, `column ${column}`]) {
        const other = seen.get(name);
        if (other !== undefined) {
          const message = `${other} and ${text} both name the ${name}. Remove one of them`;
          context.addIssue({ code: 'custom', message });
        }
        seen.set(name, text);
      }
    }
  })
  .nullable()
  .default(null);

/** `--columns` */
export const columnsOption = (group: OptionGroup) =>
  option(columnsSchema, {
    description:
      "names of your columns, as field=column, such as chosen=accepted,prompt=question: Keel's field, then the column that holds it",
    group,
    value: 'field=column',
    shownDefault: 'columns have the names of fields',
  });

/** Options of every verb that reads rows and renders them with a chat template. */
export const rowReadingShape = (group: OptionGroup) => ({
  columns: columnsOption(group),
  wrapChat: option(z.boolean().default(false), {
    description:
      'make chats of plain rows: a plain prompt becomes a user message, a plain answer an assistant message',
    group,
  }),
});
