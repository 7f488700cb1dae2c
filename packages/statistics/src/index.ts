export * from './agreement.ts';
export * from './bradley-terry.ts';
export * from './clusters.ts';
export * from './dawid-skene.ts';
export * from './intervals.ts';
export * from './length-controlled.ts';
export { NoMaximumError } from './logistic-regression.ts';
export * from './over-optimisation.ts';
export * from './student.ts';
