const REASONING = /^\s*<(think|thinking|reasoning)>[\s\S]*?(?:<\/\1>|$)\s*/i;

/**
 * An answer without the reasoning in front of it (`<think>…</think>`). Behind reasoning that was
 * cut off, there is no answer.
 */
export const finalAnswer = (answer: string): string => answer.replace(REASONING, '');
