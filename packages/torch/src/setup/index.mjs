/** What `keel setup` and the set-up of a clone have in common. */
export { sourcesHash } from './compile-addon.mjs';
export { withLock } from './lock.mjs';
export { provideEngine } from './provide-engine.mjs';
export { handleInterruptions, runLogged, SetUpError, step } from './steps.mjs';
export { checkTools, npmCommand } from './tools.mjs';
export { writeAside } from './write-aside.mjs';
