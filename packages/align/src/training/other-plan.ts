// A run that is resumed with another number of steps: numbers that follow the planned steps, such
// as the learning rate, then jump.

/** A number that follows the steps of a run. */
export interface Schedule {
  /** In words: "learning rate". */
  name: string;
  /** Its value in a step, counted from 0, of a run of `totalSteps` steps. */
  at(step: number, totalSteps: number): number;
}

export interface OtherPlan {
  /** Finished steps. */
  step: number;
  /** Steps of the run as it was planned before. */
  before: number;
  /** Steps as they are planned now. */
  now: number;
}

/**
 * How the schedules change when a run is resumed with another number of steps, in words for the
 * user.
 * @returns null where every finished and later step is as in a run planned that way from the start
 */
export function describeOtherPlan(
  schedules: readonly Schedule[],
  { step, before, now }: OtherPlan,
): string | null {
  if (step === 0 || before === now) return null;
  const last = step - 1;
  if (now < step) {
    return `The run already has ${step} steps, more than the ${now} asked for: nothing is left to train.`;
  }
  const jumps = schedules.flatMap(({ name, at }) => {
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
  if (jumps.length === 0) return null;
  return (
    `The run was planned for ${before} steps and now has ${now}, and its schedules follow the new number: ${jumps.join('; ')}. ` +
    `The result is not that of ${now} steps in one go. For that, start again with --overwrite`
  );
}

const shown = (value: number): string => String(Number(value.toPrecision(6)));
