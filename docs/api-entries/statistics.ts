/**
 * Plain numbers: intervals, exact tests, ratings, agreement, calibration and curve fits.
 * @module @keel/statistics
 */
export * from '../../packages/statistics/src/index.ts';
