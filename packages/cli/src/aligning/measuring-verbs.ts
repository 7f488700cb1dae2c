import type { MeasuringVerb } from '@keel/align';

/** The verbs that a recipe may have as stages, besides those that train. */
export const measuringVerbs = async (): Promise<readonly MeasuringVerb[]> => [];
