import type { z } from 'zod';

/** zod's message about a value, without the engine's name for what it found: `expected number`. */
export const issueWords = (message: string): string =>
  message
    .replace(/^Invalid (?:input|option|key): /, '')
    .replace(/, received .*$/, '')
    .replace(/^Invalid input$/, 'has a form that Keel does not support');

/** All faults of a file, by field. */
export const faultsIn = ({ issues }: z.ZodError, most = 8): string => {
  const shown = issues.slice(0, most).map(({ path, message }) => {
    const field = path.length === 0 ? 'the whole file' : `field ${path.join('.')}`;
    return `${field}: ${issueWords(message)}`;
  });
  const more = issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};
