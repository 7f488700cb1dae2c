// A verdict in the making, which survives a reload of the page.
import { useCallback, useEffect, useState } from 'react';
import { type Draft, emptyDraft } from './verdict.ts';

const keyOf = (task: string): string => `keel-draft-${task}`;

function kept(task: string, answers: number): Draft | null {
  try {
    const draft = JSON.parse(localStorage.getItem(keyOf(task)) ?? 'null') as Draft | null;
    return draft?.ranks.length === answers ? { ...emptyDraft(answers), ...draft } : null;
  } catch {
    // The browser keeps nothing, or something else is in that place.
    return null;
  }
}

function keep(task: string, draft: Draft | null): void {
  try {
    if (draft === null) localStorage.removeItem(keyOf(task));
    else localStorage.setItem(keyOf(task), JSON.stringify(draft));
  } catch {
    // A private window: the draft lasts as long as the page.
  }
}

/** @param earlier the verdict that the person gave before; null: none */
export function useDraft(task: string, answers: number, earlier: Draft | null) {
  const [draft, setDraft] = useState<Draft>(
    () => kept(task, answers) ?? earlier ?? emptyDraft(answers),
  );
  useEffect(() => keep(task, draft), [task, draft]);
  const change = useCallback(
    (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part })),
    [],
  );
  const forget = useCallback(() => keep(task, null), [task]);
  return { draft, change, forget };
}
