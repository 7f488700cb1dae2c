/** Evaluation: judges, suites, gates, ratings and audits of rewards. @module @keel/evaluate */
export * from '../../packages/evaluate/src/index.ts';
