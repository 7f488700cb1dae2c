/**
 * Whether a row has answers in plain text, which end with the end-of-sequence token. A chat's
 * answers end as the template says. The steps of a process, and prompts without an answer, have no
 * end.
 */
export function endsAsText(row: unknown): boolean {
  const fields = row as Record<string, unknown>;
  if (typeof fields.text === 'string') return true;
  const answers = [fields.completion, fields.chosen, fields.completions];
  return (
    typeof fields.prompt === 'string' &&
    !('labels' in fields) &&
    answers.some((answer) => answer !== undefined)
  );
}
