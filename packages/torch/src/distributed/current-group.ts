import type { ProcessGroup } from './process-group.ts';

/** Shared by all copies of this module in a thread. */
const key = Symbol.for('keel.torch.process-group');
const place = globalThis as { [key]?: ProcessGroup | null };

/** The group that this process has joined; null: it computes alone. */
export const processGroup = (): ProcessGroup | null => place[key] ?? null;

/** @param group null: from now on, the process computes alone */
export function setProcessGroup(group: ProcessGroup | null): void {
  place[key] = group;
}
