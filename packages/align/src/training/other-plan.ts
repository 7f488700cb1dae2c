// A run that is resumed with another number of steps: what follows the number of steps then makes a
// leap.

/** A number that follows the steps of a run. */
export interface Schedule {
  /** In words: "learning rate". */
  name: string;
  /** Its value in a step, counted from 0, of a run of so many steps. */
  at(step: number, totalSteps: number): number;
}

export interface OtherPlan {
  /** Steps that are done. */
  step: number;
  /** Steps of the run as it was planned before. */
  before: number;
  /** Steps as they are planned now. */
  now: number;
}

/**
 * What changes of the schedules when a run goes on with another number of steps, in words for the
 * user.
 * @returns null where every step, done or to come, is as in a run that had so many steps from the
 *   start
 */
export function describeOtherPlan(
  schedules: readonly Schedule[],
  { step, before, now }: OtherPlan,
): string | null {
  if (step === 0 || before === now) return null;
  const last = step - 1;
  if (now < step) {
    return `The run has ${step} steps already, more than the ${now} that are asked for now: there is nothing left to train.`;
  }
  const leaps = schedules.flatMap(({ name, at }) => {
    const differs = Array.from({ length: step }, (_, done) => done).some(
      (done) => at(done, before) !== at(done, now),
    );
    if (!differs) return [];
    const next = now === step ? '' : `, and is ${shown(at(step, now))} at step ${step + 1}`;
    return [
      `the ${name} was ${shown(at(last, before))} at step ${step}${next} ` +
        `(${shown(at(last, now))} at step ${step} in a run of ${now} steps from the start)`,
    ];
  });
  if (leaps.length === 0) return null;
  return (
    `The run was planned for ${before} steps and now has ${now}, and its schedules follow the new number: ${leaps.join('; ')}. ` +
    `The result is not that of ${now} steps in one go. For that, start again with --overwrite`
  );
}

const shown = (value: number): string => String(Number(value.toPrecision(6)));
