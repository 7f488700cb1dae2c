/**
 * Language models: families, tokenizers, checkpoints, adapters and generation. @module @keel/model
 */
export * from '../../packages/model/src/index.ts';
