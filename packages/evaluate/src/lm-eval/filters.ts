// Filters of generated answers, and exact_match, as in lm-evaluation-harness 0.4.13
// (lm_eval/filters, lm_eval/api/metrics.py).
import { withinPatience } from '@keel/align/rewards';
import type { FilterStep, LmEvalTask } from './task-schema.ts';

export type Filter = (answer: string) => string;

/**
 * The function of a list of filter steps.
 * @throws Error for a regular expression that JavaScript does not have
 */
export function filterOf(steps: readonly FilterStep[]): Filter {
  const parts = steps.map(stepOf);
  return (answer) => parts.reduce((text, part) => part(text), answer);
}

function stepOf(step: FilterStep): Filter {
  switch (step.function) {
    case 'remove_whitespace':
      return (text) => text.trim();
    case 'lowercase':
      return (text) => text.toLowerCase();
    case 'uppercase':
      return (text) => text.toUpperCase();
    // One answer is generated to each prompt.
    case 'take_first':
      return (text) => text;
    case 'regex': {
      const pattern = pythonPattern(step.regex_pattern);
      return (text) => {
        const name = `the regular expression ${step.regex_pattern}`;
        const matches = withinPatience(text, () => [...text.matchAll(pattern)], name);
        const match = matches.at(step.group_select);
        const last = step.group_select < 0 ? -step.group_select : step.group_select + 1;
        if (match === undefined || matches.length < last) return step.fallback;
        const [whole, ...groups] = match;
        if (groups.length === 0) return whole.trim();
        if (groups.length === 1) return (groups[0] ?? '').trim();
        return (
          groups.find((group) => group !== undefined && group !== '') ?? step.fallback
        ).trim();
      };
    }
  }
}

/** A pattern of Python's `re` as JavaScript's. @throws Error if it has no equivalent */
export function pythonPattern(pattern: string): RegExp {
  const [, flags = '', body] = /^\(\?([aimsux]+)\)([\s\S]*)$/.exec(pattern) ?? [null, '', pattern];
  const source = body!
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\\A/g, '(?<![\\s\\S])')
    .replace(/\\Z/g, '(?![\\s\\S])');
  try {
    return new RegExp(source, `g${flags.replace(/[aux]/g, '')}`);
  } catch (cause) {
    throw new Error(`the regular expression ${pattern} is not one of JavaScript`, { cause });
  }
}

type MetricOptions = NonNullable<LmEvalTask['metric_list']>[number];

const punctuation = /[!-/:-@[-`{-~]/g;

/** Whether an answer equals a reference, after what the metric's options ignore. */
export function exactMatch(options: MetricOptions): (answer: string, reference: string) => boolean {
  const ignored = options.regexes_to_ignore.map(pythonPattern);
  const reduced = (text: string): string => {
    let found = ignored.reduce((rest, pattern) => rest.replace(pattern, ''), text);
    if (options.ignore_case) found = found.toLowerCase();
    if (options.ignore_punctuation) found = found.replace(punctuation, '');
    return options.ignore_numbers ? found.replace(/[0-9]/g, '') : found;
  };
  return (answer, reference) => reduced(answer) === reduced(reference);
}
