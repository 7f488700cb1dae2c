// Types of index.mjs, for TypeScript.

/** An error that is shown to the user as it is, without a stack. */
export class SetUpError extends Error {}

/**
 * Runs one step and prints what it does and how long it took. `work` receives a function that
 * changes the line's text, and returns the text of the finished line.
 */
export function step(
  name: string,
  work: (doing: (text: string, how?: { progress?: boolean }) => void) => Promise<string> | string,
): Promise<void>;

/**
 * On Ctrl-C or termination, ends running programs, undoes partial work, and exits as a shell
 * expects. Returns a function that restores the default signal handling.
 */
export function handleInterruptions(): () => void;

/**
 * Checks all tools at once. Resolves with a line that lists what was found.
 * @throws SetUpError with every tool that is missing or too old, and how to install it
 */
export function checkTools(env?: NodeJS.ProcessEnv): Promise<string>;

/**
 * Finds or installs LibTorch and compiles the addon, with a line of output for each.
 * @param places `logs`: folder for the output of pip and CMake; `node`: the Node that must be able
 *   to load the addon
 * @throws SetUpError if a step fails
 */
export function provideEngine(places: { logs: string; node: string }): Promise<void>;

/** Writes a temporary file and renames it, so that no process ever reads a partial file. */
export function writeAside(path: string, text: string): void;
