/** Preference alignment: data, objectives, methods, runs and evaluation. @module @keel/align */
export * from '../../packages/align/src/index.ts';
