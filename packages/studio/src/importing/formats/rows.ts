// Rows that `keel data convert` reads, with its parsers: pairs, rankings and thumbs are tasks with
// a verdict, several answers without one are tasks to annotate.
import {
  type Example,
  type Fields,
  type RowFormat,
  refuseLookalikes,
  rowsOfExample,
} from '@keel/align/converting';
import { describeValue, type Message, parseRow } from '@keel/align/data';
import { isPlainObject } from '@keel/model/exact-json';
import type { NamedVerdict, TaskInput } from '../../store/items.ts';
import { numberOf, textOrNull } from './content.ts';
import { markEmpty, unmarked } from './empty-answers.ts';
import type { TaskFormat, TaskReading } from './task-format.ts';

/** Several answers without a judgement, as `keel ask` and `keel generate` write them. */
export const samples: TaskFormat = {
  name: 'samples',
  recognise: (row) =>
    'prompt' in row &&
    Array.isArray(row.completions) &&
    !['ranking', 'scores', 'labels'].some((name) => row[name] != null)
      ? '"prompt" and "completions" without a judgement'
      : null,
  read([row], { place, fail }): TaskInput {
    const { prompt, completions, extra } = parseRow('samples', markEmpty(row!), place);
    if (completions.length < 2) {
      return fail('completions', {
        expected: 'at least two answers to compare',
        found: describeValue(row!.completions),
      });
    }
    const { priority, columns } = priorityIn(extra);
    return unmarked({
      kind: completions.length === 2 ? 'pair' : 'ranking',
      ...{ prompt, columns, annotations: [], priority },
      answers: completions.map((content) => ({ content })),
    });
  },
};

/**
 * What somebody computed (`priority`, `priority_source`), or what `keel ask` chose a pair by; its
 * random pairs have none.
 */
function priorityIn(extra: Fields): { priority: TaskInput['priority']; columns: Fields } {
  const { priority, priority_source, ...columns } = extra;
  const given = numberOf(priority);
  if (given !== null) {
    const source = textOrNull(priority_source) ?? 'file';
    return { priority: { value: given, source }, columns };
  }
  const { ask } = extra;
  const why = isPlainObject(ask) ? textOrNull(ask.why) : null;
  const value = why === null ? null : numberOf((ask as Fields)[why]);
  const source = `reward model's ${why}`;
  return { priority: value === null ? null : { value, source }, columns: extra };
}

const asFiled = { to: null, pairing: 'best_worst', seed: 42 } as const;

/** A format of `keel data convert` as one of tasks. */
export const ofRows = (format: RowFormat): TaskFormat => ({
  name: format.name,
  ...(format.groupBy && { groupBy: format.groupBy }),
  recognise: format.recognise,
  read(rows, reading): TaskInput | null {
    const example = format.convert(rows.map(markEmpty), reading);
    if (example === null) return null;
    refuseLookalikes(example, format, reading.fail);
    if (!['pair', 'ranking', 'thumb', 'answer'].includes(example.kind)) {
      return reading.fail(undefined, {
        expected: 'answers to compare, to rank or to judge',
        found: `${format.name} rows without such answers`,
      });
    }
    const [row] = rowsOfExample(example, 0, asFiled, reading) ?? [];
    return row === undefined ? null : unmarked(taskOf(example, row, reading));
  },
});

function taskOf(example: Example, row: Fields, reading: TaskReading): TaskInput {
  const { place, person } = reading;
  switch (example.kind) {
    case 'pair': {
      const { prompt, chosen, rejected, extra, ...scores } = parseRow('preference', row, place);
      const { model_chosen, model_rejected, votes: _, ...columns } = extra;
      return {
        kind: 'pair',
        prompt,
        answers: [
          { content: chosen, model: textOrNull(model_chosen) },
          { content: rejected, model: textOrNull(model_rejected) },
        ],
        columns: example.votes === undefined ? withVotes(columns, extra.votes) : columns,
        annotations: pairVerdicts(example, scores, person),
      };
    }
    case 'ranking': {
      const { prompt, completions, ranks, extra } = parseRow('ranking', row, place);
      const { models, ...columns } = extra;
      const names: readonly unknown[] = Array.isArray(models) ? models : [];
      return {
        ...{ kind: 'ranking', prompt },
        columns: names.length === 0 && models !== undefined ? extra : columns,
        answers: completions.map((content, at) => ({ content, model: textOrNull(names[at]) })),
        annotations: [{ person, choice: 'ranked', ranks }],
      };
    }
    case 'thumb': {
      const { prompt, completion, label, label_probability, extra } = parseRow(
        'unpaired',
        row,
        place,
      );
      const probability = label_probability ?? null;
      const up = probability === null ? label : probability >= 0.5;
      return {
        ...{ kind: 'thumb', prompt, columns: extra, answers: [{ content: completion }] },
        annotations: [{ person, choice: up ? 'up' : 'down', probability }],
      };
    }
    default: {
      const { prompt, completion, extra } = parseRow('completion', row, place);
      return {
        ...{ kind: 'thumb', prompt, columns: extra, annotations: [] },
        answers: [{ content: completion as string | Message[] }],
      };
    }
  }
}

const withVotes = (columns: Fields, votes: unknown): Fields =>
  votes === undefined || isPlainObject(votes) ? columns : { ...columns, votes };

/** What people said of a pair, whose left answer is the chosen one. */
function pairVerdicts(
  { votes }: Extract<Example, { kind: 'pair' }>,
  scores: { margin?: number; score_chosen?: number; score_rejected?: number } & {
    label_probability?: number;
  },
  person: string,
): NamedVerdict[] {
  if (votes !== undefined) {
    const choices = { chosen: 'left', rejected: 'right', tie: 'tie' } as const;
    return votes.map(({ person: name, vote }, at) => ({
      person: name ?? `rater ${at + 1}`,
      choice: choices[vote],
    }));
  }
  const { margin, score_chosen: best, score_rejected: worst, label_probability } = scores;
  const probability = label_probability ?? null;
  const difference = best != null && worst != null ? best - worst : null;
  const strength = numberOf(margin ?? difference);
  const lead = probability === null ? 1 : probability - 0.5;
  return [
    {
      ...{ person, probability },
      choice: lead > 0 ? 'left' : lead < 0 ? 'right' : 'tie',
      strength: strength === null || strength < 0 ? null : strength,
    },
  ];
}
