/** Wraps a text at words; a word longer than the width is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (let word of paragraph.split(/\s+/)) {
      while (word.length > width) {
        if (line !== '') lines.push(line);
        lines.push(word.slice(0, width));
        [line, word] = ['', word.slice(width)];
      }
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

/** Two texts in two columns under their headings, for a terminal of this width. */
export function sideBySide(
  left: readonly [heading: string, text: string],
  right: readonly [heading: string, text: string],
  columns: number,
): string {
  const width = Math.max(20, Math.floor((columns - 3) / 2));
  const sides = [left, right].map(([heading, text]) => [heading, ...wrap(text, width)]);
  const height = Math.max(sides[0]!.length, sides[1]!.length);
  return Array.from({ length: height }, (_, row) =>
    `${(sides[0]![row] ?? '').padEnd(width)} │ ${sides[1]![row] ?? ''}`.trimEnd(),
  ).join('\n');
}
