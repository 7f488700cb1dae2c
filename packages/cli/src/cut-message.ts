const LONGEST_LINE = 1000;
const LONGEST_MESSAGE = 8000;

/**
 * Limits a message's length, because data in it can be of any size. The start and the end are kept.
 */
export function cutMessage(text: string): string {
  const lines = text.split('\n').map((line) => cut(line, LONGEST_LINE));
  return cut(lines.join('\n'), LONGEST_MESSAGE);
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const [begin, end] = [Math.floor(longest * 0.6), Math.floor(longest * 0.3)];
  const gone = (text.length - begin - end).toLocaleString('en');
  const left = [text.slice(0, begin), text.slice(-end)].map((part) => part.toWellFormed());
  return `${left[0]} … (${gone} more characters) … ${left[1]}`;
}
