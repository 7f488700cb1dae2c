import { shellWord } from '../shell-word.ts';

/** This command as it was typed, which resumes it. */
export const judgeCommand = (args: readonly string[] = process.argv.slice(2)): string =>
  ['npx keel', ...args.filter((arg) => arg !== '--overwrite').map(shellWord)].join(' ');
