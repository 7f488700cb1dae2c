// The objective, as a run's plan shows it.
import type { PlanFact } from '../../training/run-plan.ts';

/** @param objective `beta` null: it has none */
export const objectiveFact = (
  { name, beta: own }: { name: string; beta?: number | null },
  beta: number | null,
): PlanFact => {
  const shown = own === null ? null : beta;
  return {
    name: 'objective',
    text: shown === null ? name : `${name}, beta ${shown}`,
    data: { name, ...(shown !== null && { beta: shown }) },
  };
};
