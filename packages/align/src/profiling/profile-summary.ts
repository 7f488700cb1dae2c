// Summarises a profile: time by phase and by operator.
import type { ProfileEvent } from '@keel/torch';

/** Time of one phase. */
export interface PhaseTime {
  /** A phase inside another is named with a slash, as in `forward/log-probs`, and is part of it. */
  name: string;
  calls: number;
  seconds: number;
  /** Share of the profiled time. */
  share: number;
}

/** Time of all calls of one operator. */
export interface OperatorTime {
  name: string;
  calls: number;
  /** Time without the operators that it called. */
  selfSeconds: number;
  seconds: number;
  /** Share of the operators' total self time. */
  share: number;
}

export interface ProfileSummary {
  /** Optimizer steps that were profiled completely. */
  steps: number[];
  /** From the start of the first step to the end of the profile. */
  seconds: number;
  /**
   * Operators after the recording limit was reached: they are neither in the trace nor in
   * `operators`. Phases are complete.
   */
  missedOperators: number;
  /** In order of first occurrence; `other` is time outside of phases. */
  phases: PhaseTime[];
  /** The most expensive first. */
  operators: OperatorTime[];
  /** Peak bytes above those at the start of the profile, by device. */
  peakBytes: Record<string, number>;
}

/** Name of the range around a step, which does not count as a phase. */
export const stepRange = (step: number): string => `step ${step}`;
export const isStep = (name: string): boolean => /^step \d+$/.test(name);

/** @param events sorted by start; of two with the same start, the longer first */
export function summariseProfile(
  events: readonly ProfileEvent[],
  { steps, missedOperators }: Pick<ProfileSummary, 'steps' | 'missedOperators'>,
): ProfileSummary {
  const timed = events.filter(({ kind }) => kind === 'range' || kind === 'operator');
  const start = timed[0]?.start ?? 0;
  const end = timed.reduce((last, one) => Math.max(last, one.start + one.duration), start);
  const seconds = (end - start) / 1e9;
  return {
    steps,
    seconds,
    missedOperators,
    phases: phaseTimes(timed, seconds),
    operators: operatorTimes(timed),
    peakBytes: peakBytes(events),
  };
}

interface Open {
  event: ProfileEvent;
  end: number;
  /** For phases: the names from the outermost inwards. */
  path: string;
}

/** Calls `visit` with each event and the events of its thread that enclose it, outermost first. */
function nested(
  events: readonly ProfileEvent[],
  visit: (event: ProfileEvent, around: readonly Open[]) => string,
): void {
  const threads = new Map<number, Open[]>();
  for (const event of events) {
    let open = threads.get(event.thread);
    if (open === undefined) {
      open = [];
      threads.set(event.thread, open);
    }
    while (open.length > 0 && open.at(-1)!.end <= event.start) open.pop();
    const path = visit(event, open);
    open.push({ event, end: event.start + event.duration, path });
  }
}

function phaseTimes(events: readonly ProfileEvent[], seconds: number): PhaseTime[] {
  const phases = new Map<string, PhaseTime>();
  let outside = seconds;
  const ranges = events.filter(({ kind, name }) => kind === 'range' && !isStep(name));
  nested(ranges, ({ name, duration }, around) => {
    const outer = around.at(-1)?.path;
    const path = outer === undefined ? name : `${outer}/${name}`;
    const one = phases.get(path) ?? { name: path, calls: 0, seconds: 0, share: 0 };
    one.calls += 1;
    one.seconds += duration / 1e9;
    phases.set(path, one);
    if (outer === undefined) outside -= duration / 1e9;
    return path;
  });
  const other = { name: 'other', calls: 0, seconds: Math.max(0, outside), share: 0 };
  return [...phases.values(), other].map((one) => ({
    ...one,
    share: seconds > 0 ? one.seconds / seconds : 0,
  }));
}

function operatorTimes(events: readonly ProfileEvent[]): OperatorTime[] {
  const found = new Map<string, OperatorTime>();
  const of = (name: string): OperatorTime => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const one = { name, calls: 0, selfSeconds: 0, seconds: 0, share: 0 };
    found.set(name, one);
    return one;
  };
  nested(
    events.filter(({ kind }) => kind === 'operator'),
    ({ name, duration }, around) => {
      const one = of(name);
      one.calls += 1;
      one.selfSeconds += duration / 1e9;
      const caller = around.at(-1);
      if (caller !== undefined) of(caller.event.name).selfSeconds -= duration / 1e9;
      // An operator that calls itself is counted once.
      if (!around.some(({ event }) => event.name === name)) one.seconds += duration / 1e9;
      return '';
    },
  );
  const total = [...found.values()].reduce((sum, { selfSeconds }) => sum + selfSeconds, 0);
  return [...found.values()]
    .map((one) => ({ ...one, share: total > 0 ? one.selfSeconds / total : 0 }))
    .sort((a, b) => b.selfSeconds - a.selfSeconds);
}

function peakBytes(events: readonly ProfileEvent[]): Record<string, number> {
  const taken: Record<string, number> = {};
  const peak: Record<string, number> = {};
  for (const { kind, name, bytes } of events) {
    if (kind !== 'memory') continue;
    taken[name] = (taken[name] ?? 0) + bytes;
    peak[name] = Math.max(peak[name] ?? 0, taken[name]);
  }
  return peak;
}
