// Regular expressions that users write: checked when they are read, and bounded when they run.
import { withinTime } from '@keel/model';
import { z } from 'zod';

/** The keys of a spec that are an expression. */
export const expressionShape = {
  /** A JavaScript regular expression, without slashes. */
  pattern: z.string().min(1),
  flags: z.string().default(''),
};

interface Expression {
  pattern: string;
  flags: string;
}

/** Reports an expression that is not valid. */
export function checkExpression({ pattern, flags }: Expression, context: z.RefinementCtx): void {
  try {
    new RegExp(pattern, flags);
  } catch (error) {
    const message = (error as Error).message;
    context.addIssue({ code: 'custom', path: ['pattern'], message });
  }
}

/** `regex:/PATTERN/FLAGS`, for messages. */
export const expressionName = ({ pattern, flags }: Expression): string =>
  `regex:/${pattern}/${flags}`;

/** Flags for all matches from the start: global, and not sticky. */
export const globalFlags = ({ flags }: Expression): string =>
  [...new Set(`${flags.replace('y', '')}g`)].join('');

/** An expression that takes this long tries every way to divide the text, and would not finish. */
const LONGEST_SECONDS = 10;

/**
 * Runs an expression on a text.
 * @param subject of the message, if its reader does not know the expression: `regex:/a/`
 * @throws Error if it takes too long
 */
export const withinPatience = <Found>(text: string, body: () => Found, subject?: string): Found =>
  withinTime(LONGEST_SECONDS * 1000, body, () => {
    const what = `takes more than ${LONGEST_SECONDS} seconds on an answer of ${text.length} characters. Rewrite the pattern without nested repetitions such as (a+)+`;
    return new Error(subject === undefined ? what : `${subject} ${what}`);
  });
