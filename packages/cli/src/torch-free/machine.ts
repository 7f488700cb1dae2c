// What the doctor needs from @keel/torch and @keel/model, without their indexes, which load
// LibTorch.
export { cpuFlags, hasFastBfloat16 } from '../../../model/src/cpu-features.ts';
export {
  cachedDefaultModel,
  cacheFolder,
  defaultModel,
} from '../../../model/src/formats/default-model.ts';
export {
  currentBuild,
  locateLibtorch,
  // @ts-expect-error plain JavaScript, shared with setup, which runs before TypeScript can
} from '../../../torch/src/locate-libtorch.mjs';
