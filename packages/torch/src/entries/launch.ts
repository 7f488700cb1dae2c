// `@keel/torch/launch`: the processes of a run, without loading LibTorch.
export { type Launch, readLaunch } from '../distributed/launch.ts';
export {
  type LaunchEnd,
  type LaunchOptions,
  launchProcesses,
} from '../distributed/launch-processes.ts';
