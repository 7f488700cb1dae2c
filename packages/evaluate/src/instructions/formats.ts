import { count, instruction, literal, matches, text } from './instruction.ts';

const CONSTRAINED = ['My answer is yes.', 'My answer is no.', 'My answer is maybe.'];

export const formats = {
  /** Exactly this many lines with `*` or `-`. */
  'detectable_format:number_bullet_lists': instruction(
    { num_bullets: count },
    (answer, { num_bullets: wanted }) =>
      matches(answer, /^\s*\*[^*].*$/gm) + matches(answer, /^\s*-.*$/gm) === wanted,
  ),
  'detectable_format:constrained_response': instruction({}, (answer) =>
    CONSTRAINED.some((one) => answer.includes(one)),
  ),
  /** At least this many parts between single or double asterisks. */
  'detectable_format:number_highlighted_sections': instruction(
    { num_highlights: count },
    (answer, { num_highlights: wanted }) => {
      const single = answer.match(/\*[^\n*]*\*/g) ?? [];
      const double = answer.match(/\*\*[^\n*]*\*\*/g) ?? [];
      const filled = [...single, ...double].filter((part) => /[^*\s]/.test(part));
      return filled.length >= wanted;
    },
  ),
  /** At least this many sections, headed by the word and a number: `SECTION 1`. */
  'detectable_format:multiple_sections': instruction(
    { section_spliter: text, num_sections: count },
    (answer, { section_spliter: heading, num_sections: wanted }) =>
      matches(answer, new RegExp(`${literal(heading.trim())}\\s?\\d+`, 'g')) >= wanted,
  ),
  /** The whole answer is JSON, possibly in a fence. */
  'detectable_format:json_format': instruction({}, (answer) => {
    const bare = answer
      .trim()
      .replace(/^```(?:json)?/i, '')
      .replace(/```$/, '')
      .trim();
    try {
      JSON.parse(bare);
      return true;
    } catch {
      return false;
    }
  }),
  /** A title in double angle brackets: `<<Spring>>`. */
  'detectable_format:title': instruction({}, (answer) =>
    (answer.match(/<<[^\n]+>>/g) ?? []).some((title) => /[^<>\s]/.test(title)),
  ),
  /** At least this many placeholders in square brackets: `[name]`. */
  'detectable_content:number_placeholders': instruction(
    { num_placeholders: count },
    (answer, { num_placeholders: wanted }) => matches(answer, /\[.*?\]/g) >= wanted,
  ),
  /** A line that starts with the marker: `P.S.`, with or without spaces. */
  'detectable_content:postscript': instruction(
    { postscript_marker: text },
    (answer, { postscript_marker: marker }) => {
      const pattern =
        { 'P.P.S': 'p\\.\\s?p\\.\\s?s', 'P.S.': 'p\\.\\s?s\\.' }[marker] ??
        literal(marker.toLowerCase());
      return new RegExp(pattern, 'm').test(answer.toLowerCase());
    },
  ),
};
