// How the values of files become rows: renaming columns, and making chats of plain rows. Every row
// passes here, whatever its format and kind.
import { isPlainObject, setField } from '@keel/model/exact-json';
import { nearest } from '../config/nearest.ts';
import { type ColumnName, columnName, type RowReading } from '../config/row-options.ts';
import { DataError, describeValue, type Place, shorten } from './data-error.ts';
import { holdsMessages } from './messages.ts';
import type { RowKind } from './rows.ts';

type Fields = Record<string, unknown>;

/** Applies `--columns` and `--wrap-chat` to the values of files. */
export class RowReader {
  readonly #columns: readonly ColumnName[];
  readonly #fields: ReadonlyMap<string, string>;
  readonly #wrapChat: boolean;
  readonly #mayLackColumns: boolean;
  readonly #kind: RowKind | null;
  /** Columns that some row has, and fields that some row has by their own name. */
  readonly #seen = new Set<string>();
  /** Columns of the first row, for errors. */
  #known: readonly string[] = [];

  /** @param kind of the rows; null if it is not known yet */
  constructor(
    { columns, wrapChat = false, mayLackColumns = false }: RowReading,
    kind: RowKind | null = null,
  ) {
    this.#columns = (columns ?? []).map(columnName);
    this.#fields = new Map(this.#columns.map(({ field, column }) => [column, field]));
    this.#wrapChat = wrapChat;
    this.#mayLackColumns = mayLackColumns;
    this.#kind = kind;
  }

  /** Identifies how values are changed; null if they are not. */
  get identity(): string | null {
    const columns = this.#columns.map(({ field, column }) => `${field}=${column}`);
    if (columns.length === 0 && !this.#wrapChat) return null;
    return JSON.stringify({ columns: columns.sort(), wrapChat: this.#wrapChat });
  }

  /** The field that a column is read as. */
  readonly fieldOf = (column: string): string => this.#fields.get(column) ?? column;

  /**
   * The row as Keel reads it.
   * @throws DataError if the row already has the field of a renamed column, or if it is of a kind
   *   that cannot be a chat
   */
  read(value: unknown, place: Place): unknown {
    if (!isPlainObject(value)) return value;
    const renamed = this.#columns.length === 0 ? value : this.#rename(value, place);
    return this.#wrapChat ? wrapped(renamed, place, this.#kind) : renamed;
  }

  /** Records which columns a row has. */
  note(value: unknown): void {
    if (this.#columns.length === 0 || !isPlainObject(value)) return;
    if (this.#known.length === 0) this.#known = Object.keys(value);
    for (const { field, column } of this.#columns) {
      if (Object.hasOwn(value, column)) this.#seen.add(column);
      else if (Object.hasOwn(value, field)) this.#seen.add(`own ${field}`);
    }
  }

  /** @throws DataError for a column that is in no row, unless the rows have its field */
  checkSeen(file: string): void {
    if (this.#mayLackColumns) return;
    for (const { field, column } of this.#columns) {
      if (this.#seen.has(column) || this.#seen.has(`own ${field}`)) continue;
      const near = nearest(column, this.#known);
      throw new DataError({
        file,
        expected: `a column "${column}", as in --columns ${field}=${column}`,
        found: `only ${shorten(this.#known.join(', '), 300)}`,
        ...(near !== null && { advice: `Did you mean ${field}=${near}?` }),
      });
    }
  }

  #rename(value: Fields, place: Place): Fields {
    const row: Fields = {};
    const moved = new Map<string, string>();
    for (const column of Object.keys(value)) {
      const field = this.#fields.get(column);
      if (field !== undefined) moved.set(field, column);
    }
    for (const name of Object.keys(value)) {
      const to = this.fieldOf(name);
      if (to === name && moved.has(name) && moved.get(name) !== name) {
        throw new DataError({
          ...place,
          field: name,
          expected: `no field of this name, since --columns reads "${moved.get(name)}" as "${name}"`,
          found: describeValue(value[name]),
          advice: `Remove one of the two columns, or ${name}=${moved.get(name)} from --columns`,
        });
      }
      setField(row, to, value[name]);
    }
    return row;
  }
}

const answers = ['completion', 'chosen', 'rejected'] as const;

/** Text that holds messages stays as it is: the row's check refuses it. */
const turn = (role: string, content: unknown): unknown =>
  typeof content === 'string' && !holdsMessages(content) ? [{ role, content }] : content;

/** Whether the text is what is read of the row: next to a prompt, only if nothing answers it. */
const isText = (row: Fields, kind: RowKind | null): boolean =>
  row.prompt == null ||
  ((kind === null || kind === 'supervised' || kind === 'text') &&
    [...answers, 'completions'].every((name) => row[name] == null));

const isWholeChat = (value: unknown): boolean =>
  Array.isArray(value) && isPlainObject(value[0]) && value[0].role !== 'assistant';

/** A plain row as a chat; a chat is returned unchanged. */
function wrapped(row: Fields, place: Place, kind: RowKind | null): Fields {
  const fail = (field: string, expected: string, advice: string): never => {
    const found = describeValue(row[field]);
    throw new DataError({ ...place, field, expected, found, advice });
  };
  const plain = answers.find((name) => typeof row[name] === 'string');
  if (typeof row.text === 'string' && row.messages == null && isText(row, kind)) {
    fail(
      'text',
      'a prompt or an answer, which --wrap-chat makes a message of',
      'Text has no turns: write it as "messages" or as "prompt" and "completion", or omit the option',
    );
  }
  if (Array.isArray(row.labels)) {
    fail(
      'labels',
      'answers, which --wrap-chat makes messages of',
      'The steps of one answer are plain text: omit the option',
    );
  }
  if (plain !== undefined && row.prompt == null) {
    fail(
      plain,
      'a "prompt" next to a plain answer',
      'Without it, --wrap-chat cannot tell where the answer starts: add the field, or convert the file with keel data convert',
    );
  }
  const copy = { ...row };
  // Next to two whole chats, a plain prompt repeats the last question: the row's check expects it.
  const repeated = isWholeChat(row.chosen) && isWholeChat(row.rejected);
  if (typeof row.prompt === 'string' && row.prompt.trim() === '' && !repeated) {
    fail(
      'prompt',
      'a question, which --wrap-chat makes a message of',
      'Write the question, or omit the option: an answer to nothing is plain text',
    );
  }
  if ('prompt' in row && !repeated) copy.prompt = turn('user', row.prompt);
  for (const name of answers) if (name in row) copy[name] = turn('assistant', row[name]);
  if (Array.isArray(row.completions)) {
    copy.completions = row.completions.map((answer) => turn('assistant', answer));
  }
  return copy;
}
