// Parts of a verdict that other tools have no question of their own for: ratings by aspect, better
// answers, and that a verdict settles the task. Their names say which answer they are about.
import type { Edit, Verdict } from '../../store/items.ts';
import { numberOf, textOrNull } from './content.ts';

/** Begins the names of questions for better answers. */
export const EDIT = 'edit';
/** Name of the question that says that a verdict settles the task. */
export const SETTLED = 'settled';

/** `helpful-answer1`. @param answer null: it is about none */
export const partName = (what: string, answer: string | null): string =>
  answer === null ? what : `${what}-${answer}`;

/** What questions say besides the verdict. */
export type VerdictParts = Pick<Verdict, 'ratings' | 'edit' | 'strength' | 'comment'>;

/** A value as a tool has it: a text may be a list of its lines. */
const textOf = (value: unknown): string | null =>
  Array.isArray(value) ? textOrNull(value.join('\n')) : textOrNull(value);

/** Collects the parts of one person's verdict by the names of the questions. */
export class PartReader {
  readonly #answers: readonly string[];
  readonly #ratings: Record<string, (number | null)[]> = {};
  #edit: Edit | null = null;
  #strength: number | null = null;
  #comment: string | null = null;

  /** @param answers what the tool calls the answers, in their order */
  constructor(answers: readonly string[]) {
    this.#answers = answers;
  }

  /** @returns whether the question is one of these; a value of another form is not read */
  add(question: string, value: unknown): boolean {
    if (question === 'comment') {
      this.#comment = textOf(value);
      return this.#comment !== null;
    }
    if (question === 'strength') {
      this.#strength = numberOf(value);
      return this.#strength !== null;
    }
    const at = this.#answers.findIndex((name) => question.endsWith(`-${name}`));
    const what = at < 0 ? question : question.slice(0, -this.#answers[at]!.length - 1);
    if (what === EDIT) {
      const text = textOf(value);
      if (text === null) return false;
      this.#edit = { answer: at < 0 ? null : at, text };
      return true;
    }
    const rating = numberOf(value);
    if (at < 0 || rating === null || !/^[a-z][a-z0-9_]*$/.test(what)) return false;
    const list = this.#ratings[what] ?? this.#answers.map(() => null);
    list[at] = rating;
    this.#ratings[what] = list;
    return true;
  }

  /** null where nothing was said. */
  get parts(): VerdictParts {
    const isRated = Object.keys(this.#ratings).length > 0;
    return {
      ratings: isRated ? this.#ratings : null,
      ...{ edit: this.#edit, strength: this.#strength, comment: this.#comment },
    };
  }
}

/** Whether a question of this name is a part, and not the verdict itself. */
export const isPart = (question: string, answers: readonly string[]): boolean =>
  question === SETTLED ||
  question.startsWith(`${SETTLED}-`) ||
  ['comment', 'strength', EDIT].includes(question) ||
  answers.some((name) => question.endsWith(`-${name}`));
