import { type Automaton, automaton, automatonExpression, both, trim } from './automaton.ts';
import { everyCharacter } from './characters.ts';
import { choice, type Expression, empty, never, oneOf, repeat, sequence } from './expression.ts';
import { END, endMark, parseRegex, START, startMark } from './regex-parser.ts';

const anyText = repeat(oneOf(everyCharacter), 0, Number.POSITIVE_INFINITY);

/**
 * The texts that a regular expression matches.
 * @param extent `whole`: as a whole; `part`: texts of which it matches a part, as in JSON Schema
 * @throws ConstraintError with the place of the fault
 */
export function regexExpression(pattern: string, extent: 'whole' | 'part'): Expression {
  const parsed = parseRegex(pattern);
  const alternatives = parsed.type === 'choice' ? parsed.options : [parsed];
  const before = extent === 'part' ? anyText : empty;
  const simple = alternatives.map((one) => {
    const parts = one.type === 'sequence' ? [...one.parts] : [one];
    const starts = parts[0] === startMark;
    const ends = parts.at(-1) === endMark;
    const inner = parts.slice(starts ? 1 : 0, ends ? -1 : undefined);
    return inner.some(hasMark)
      ? null
      : sequence(starts ? empty : before, ...inner, ends ? empty : before);
  });
  return simple.includes(null)
    ? withMarks(parsed, extent)
    : choice(...simple.filter((one) => one !== null));
}

/**
 * Of patterns with marks inside: the texts that match with a mark at each border and none between,
 * where the pattern's own marks read those.
 */
function withMarks(parsed: Expression, extent: 'whole' | 'part'): Expression {
  const around = extent === 'part' ? anyText : empty;
  const marked = automaton(
    sequence(
      choice(empty, sequence(startMark, around)),
      parsed,
      choice(empty, sequence(around, endMark)),
    ),
  );
  const framed = automaton(sequence(startMark, anyText, endMark));
  const found = withoutMarks(both(marked, framed));
  return found === null ? never : automatonExpression(found);
}

/** The automaton after the mark at the start, and accepting before the mark at the end. */
function withoutMarks({ edges }: Automaton): Automaton | null {
  const start = edges[0]!.find(({ range }) => range[0] === START)?.to;
  if (start === undefined) return null;
  // The start must be the first state.
  const swap = (state: number): number => (state === start ? 0 : state === 0 ? start : state);
  return trim({
    edges: edges.map((_, state) =>
      edges[swap(state)]!.filter(({ range }) => range[0] < START).map(({ range, to }) => ({
        range,
        to: swap(to),
      })),
    ),
    accepting: edges.map((_, state) => edges[swap(state)]!.some(({ range }) => range[0] === END)),
  });
}

function hasMark(one: Expression): boolean {
  switch (one.type) {
    case 'characters':
      return one === startMark || one === endMark;
    case 'sequence':
      return one.parts.some(hasMark);
    case 'choice':
      return one.options.some(hasMark);
    case 'repeat':
      return hasMark(one.body);
    default:
      return false;
  }
}
