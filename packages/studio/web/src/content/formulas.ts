// Formulas in Markdown. They are shown as they were written: Markdown alone would take \( for an
// escaped bracket, \\ for a backslash, and what is between two stars or underscores for emphasis.

/** What of a node of an mdast tree matters here. */
interface Node {
  type: string;
  children?: Node[];
  position?: { start: { offset?: number }; end: { offset?: number } };
}

type Parser = (document: string, file: unknown) => Node;

/** From the first character on, up to the one after the last. */
export type Range = readonly [start: number, end: number];

const BRACKETS: Readonly<Record<string, string>> = { '(': ')', '[': ']' };
const ENVIRONMENT =
  /\\begin\{((?:align|alignat|aligned|array|cases|eqnarray|equation|gather|gathered|math|displaymath|multline|split|[bpvBV]?matrix)\*?)\}/y;

/**
 * Formulas between `\(` and `\)`, `\[` and `\]`, `$$`, or `$` on one line, and LaTeX's environments
 * of mathematics. None has a blank line. An amount of money is no formula: `$` has no space on its
 * inner side, and no letter or digit on its outer side.
 */
export function formulasIn(text: string): Range[] {
  const found: Range[] = [];
  const blank = /\n[ \t\r>]*(?=\n)/g;
  /** The end of the paragraph, and what does not close a formula in the rest of it. */
  let end = -1;
  const unclosed = new Set<string>();
  for (let at = 0; at < text.length; ) {
    if (at > end) {
      blank.lastIndex = at;
      end = blank.exec(text)?.index ?? text.length;
      unclosed.clear();
    }
    const opening = openingAt(text, at);
    if (opening === null) {
      at += text[at] === '\\' ? 2 : 1;
      continue;
    }
    const [length, closing] = opening;
    const close =
      closing === '$'
        ? closingDollar(text, at, end)
        : unclosed.has(closing)
          ? null
          : closingAt(text, at + length, end, closing);
    if (close === null) {
      unclosed.add(closing);
      at += length;
    } else {
      found.push([at, close]);
      at = close;
    }
  }
  return found;
}

/** Length of what opens a formula, and what closes it. */
function openingAt(text: string, at: number): readonly [length: number, closing: string] | null {
  const next = text[at + 1] ?? '';
  if (text[at] === '$') return next === '$' ? [2, '$$'] : [1, '$'];
  if (text[at] !== '\\') return null;
  if (next in BRACKETS) return [2, `\\${BRACKETS[next]}`];
  ENVIRONMENT.lastIndex = at;
  const named = ENVIRONMENT.exec(text);
  return named === null ? null : [named[0].length, `\\end{${named[1]}}`];
}

/** Where a formula with something in it ends; null if it does not. */
function closingAt(text: string, from: number, end: number, closing: string): number | null {
  for (let at = from; at < end; at += text[at] === '\\' ? 2 : 1) {
    if (!text.startsWith(closing, at)) continue;
    const close = at + closing.length;
    return close <= end && text.slice(from, at).trim() !== '' ? close : null;
  }
  return null;
}

function closingDollar(text: string, from: number, end: number): number | null {
  if (/[\p{L}\p{N}]/u.test(text[from - 1] ?? '') || /\s/.test(text[from + 1] ?? ' ')) return null;
  for (let at = from + 1; at < end && text[at] !== '\n'; at += text[at] === '\\' ? 2 : 1) {
    if (text[at] !== '$') continue;
    const isClosed = !/\s/.test(text[at - 1]!) && !/[\p{L}\p{N}$]/u.test(text[at + 1] ?? '');
    return isClosed ? at + 1 : null;
  }
  return null;
}

/** A plugin of remark that shows formulas as they were written. */
export function remarkFormulas(this: unknown): void {
  // unified types a processor's parser as read only, but plugins set it, as remark-parse does.
  const processor = this as { parser: Parser };
  const { parser } = processor;
  processor.parser = (document, file) => {
    const tree = parser(document, file);
    const escaped = withoutMarkdown(document, tree);
    return escaped === document ? tree : parser(escaped, file);
  };
}

/** The text with every character of a formula escaped that could mean something in Markdown. */
function withoutMarkdown(text: string, tree: Node): string {
  const [codes, links, quotes] = [
    ['code', 'inlineCode', 'html'],
    ['link', 'image', 'definition'],
    ['blockquote'],
  ].map((types) => rangesOf(tree, types)) as [Range[], Range[], Range[]];
  let masked = '';
  let from = 0;
  for (const [start, end] of codes) {
    masked += text.slice(from, start) + 'x'.repeat(end - start);
    from = end;
  }
  masked += text.slice(from);
  let shown = '';
  from = 0;
  for (const formula of formulasIn(masked)) {
    // The address of a link is no formula, whatever it contains.
    if (isIn(formula, links)) continue;
    const [start, end] = formula;
    shown += text.slice(from, start);
    shown += escaped(text, masked, formula, isIn([start, start + 1], quotes));
    from = end;
  }
  return shown + text.slice(from);
}

function escaped(text: string, masked: string, [start, end]: Range, isQuoted: boolean): string {
  const lines = text.slice(start, end).split('\n');
  let at = start;
  return lines
    .map((line, index) => {
      // Later lines of a quotation begin with its mark.
      const mark = isQuoted && index > 0 ? /^[ \t>]*/.exec(line)![0].length : 0;
      const own = [...line.slice(mark)];
      let place = at + mark;
      at += line.length + 1;
      return (
        line.slice(0, mark) +
        own
          .map((one) => {
            const isCode = masked[place] !== text[place];
            place += one.length;
            return !isCode && /[!-/:-@[-`{-~]/.test(one) ? `\\${one}` : one;
          })
          .join('')
      );
    })
    .join('\n');
}

const isIn = ([start, end]: Range, ranges: readonly Range[]): boolean =>
  ranges.some(([first, last]) => first <= start && end <= last);

/** The places of the outermost nodes of some types, in their order. */
function rangesOf(node: Node, types: readonly string[]): Range[] {
  const { start, end } = node.position ?? {};
  if (types.includes(node.type) && start?.offset !== undefined && end?.offset !== undefined)
    return [[start.offset, end.offset]];
  return node.children?.flatMap((child) => rangesOf(child, types)) ?? [];
}
