/** LibTorch for Node: tensors, autograd and optimisers. @module @keel/torch */
export * from '../../packages/torch/src/index.ts';
