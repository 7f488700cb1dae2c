/** LibTorch for Node: tensors, autograd, optimisers. */
import './disposable-stacks.ts';

export { type GradcheckOptions, gradcheck, gradients, noGrad } from './autograd.ts';
export * from './create.ts';
export { processGroup, setProcessGroup } from './distributed/current-group.ts';
export {
  assignElements,
  type Derive,
  type DividedTensors,
  finiteHere,
  isDivided,
  withElements,
} from './distributed/divided-tensors.ts';
export { Division } from './distributed/division.ts';
export {
  type ExchangedBucket,
  type ExchangeOptions,
  GradientExchange,
} from './distributed/gradient-exchange.ts';
export { GroupError } from './distributed/group-error.ts';
export { type Launch, readLaunch } from './distributed/launch.ts';
export { type Collective, type GroupOptions, ProcessGroup } from './distributed/process-group.ts';
export { reduceGradients } from './distributed/reduce-gradients.ts';
export { ShardedAdamW } from './distributed/sharded-adamw.ts';
export { type Device, type DType, dtypeBytes, isFloating, type TypedArray } from './dtype.ts';
export { freeMemory } from './free-memory.ts';
export { MappedFile } from './map-file.ts';
export { AddonError } from './native.ts';
export * as ops from './ops.generated.ts';
export { AdamW, type AdamWOptions } from './optimisers/adamw.ts';
export { clipGradients, clipOnDevice } from './optimisers/clip-gradients.ts';
export {
  isShared,
  isSkipping,
  type Optimiser,
  type OptimiserState,
  type SavedOptimiserState,
  type SkippingOptimiser,
  type UnreadTensor,
} from './optimisers/optimiser.ts';
export { type ScheduleName, type ScheduleOptions, scheduleFactor } from './optimisers/schedule.ts';
export { Sgd, type SgdOptions } from './optimisers/sgd.ts';
export { PhaseClock, phase } from './phases.ts';
export { type ProfileEvent, Profiler } from './profiler.ts';
export { manualSeed, randomState, setRandomState, withSeed } from './random.ts';
export { onesLike, randnLike } from './random-like.ts';
export { Recomputation } from './recomputation.ts';
export { keep, memory, Scope, tidy } from './scope.ts';
export {
  atOnce,
  inTurns,
  noGradSteps,
  type Steps,
  tidySteps,
  type Wait,
  within,
} from './steps.ts';
export { addonBuild, setThreads, threads, torchBuild, trimMemory } from './system.ts';
export { type Dims, Tensor } from './tensor.ts';
export { later, readAll, readTogether, Unread } from './unread.ts';
