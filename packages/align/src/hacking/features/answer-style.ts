// How an answer is written, in counts.

export interface AnswerStyle {
  characters: number;
  words: number;
  /** Separated by an empty line. */
  paragraphs: number;
  /** Items of bulleted and numbered lists. */
  list_items: number;
  headers: number;
  bold: number;
  code_blocks: number;
  tables: number;
  emoji: number;
  exclamation_marks: number;
  /** "perhaps", "it depends", "I think". */
  hedges: number;
  /** "Great question!", "I hope this helps". */
  pleasantries: number;
}

const HEDGES = new RegExp(
  `\\b(?:${[
    'perhaps|maybe|possibly|probably|arguably|likely|unlikely|presumably|apparently|seemingly',
    'might|could be|may be|may not be|tends? to|it depends|depends on|it seems|it appears|seems to',
    'appears to|in some cases|in general|generally|typically|usually|often|sometimes|to some extent',
    "somewhat|relatively|i think|i believe|i guess|i'm not sure|i am not sure|not certain",
    'as far as i know|to my knowledge|it is possible|it is worth noting|keep in mind',
  ].join('|')})\\b`,
  'g',
);

const PLEASANTRIES = new RegExp(
  `\\b(?:${[
    '(?:great|good|excellent|wonderful|interesting) question|certainly!|of course!|absolutely!',
    "sure!|sure thing|i'd be happy to|i would be happy to|happy to help|glad you asked",
    'i hope (?:this|that) helps|hope this helps|let me know if|feel free to|you are absolutely right',
    "you're absolutely right|thank you for (?:asking|your question)",
  ].join('|')})`,
  'g',
);

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** How an answer is written, in counts. Lines of code count as characters and words only. */
export function answerStyle(answer: string): AnswerStyle {
  const fences = /^[ \t]*(?:```|~~~)[^\n]*\n[\s\S]*?(?:^[ \t]*(?:```|~~~)[ \t]*$|(?![\s\S]))/gm;
  const prose = answer.replace(fences, '\n');
  const lower = prose.toLowerCase().replace(/[’‘]/g, "'");
  return {
    characters: [...answer].length,
    words: count(answer, /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu),
    paragraphs: answer.split(/\n\s*\n/).filter((part) => part.trim() !== '').length,
    list_items: count(prose, /^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S/gm),
    headers: count(prose, /^ {0,3}#{1,6}[ \t]+\S/gm),
    bold: count(prose, /\*\*[^\s*][^\n*]*\*\*|__[^\s_][^\n_]*__/g),
    code_blocks: count(answer, fences),
    tables: count(prose, /^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*(?:\|[ \t]*:?-{3,}:?[ \t]*)+\|?[ \t]*$/gm),
    emoji: count(prose, /\p{Extended_Pictographic}/gu),
    exclamation_marks: count(prose, /[!！]/g),
    hedges: count(lower, HEDGES),
    pleasantries: count(lower, PLEASANTRIES),
  };
}
